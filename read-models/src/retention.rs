//! How long a clinic keeps what, what holds its records, and when its end comes.

use chrono::{DateTime, Utc};
use events::{ClinicEvent, ClinicId, DomainEvent, LegalHoldId, PatientId, Recorded, UserId, retention::Retention};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.retention_1`: one row per clinic.
pub struct Retentions;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetentionRow {
    pub id: ClinicId,
    pub periods: Retention,
    /// Placed and not lifted.
    pub holds: Vec<HoldEntry>,
    pub closed_at: Option<DateTime<Utc>>,
    pub retention_until: Option<DateTime<Utc>>,
    /// When its keys were destroyed.
    pub shredded_at: Option<DateTime<Utc>>,
    pub position: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HoldEntry {
    pub id: LegalHoldId,
    /// `null`: everybody's record.
    pub patient_id: Option<PatientId>,
    pub reason: String,
    pub placed_at: DateTime<Utc>,
    pub placed_by: Option<UserId>,
}

impl Projection for Retentions {
    const NAME: &'static str = "retention";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.retention_1";
    const ONE_STREAM: bool = false;
    type Key = Uuid;
    type Row = RetentionRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match &event.event {
            DomainEvent::Clinic(
                ClinicEvent::ClinicRegistered { .. }
                | ClinicEvent::SettingsChanged { .. }
                | ClinicEvent::LegalHoldPlaced { .. }
                | ClinicEvent::LegalHoldLifted { .. }
                | ClinicEvent::ClinicClosed { .. }
                | ClinicEvent::ClinicShredded {},
            ) => vec![event.clinic.0],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<RetentionRow>, _: &Uuid, event: &Recorded) -> Option<RetentionRow> {
        let DomainEvent::Clinic(change) = &event.event else { return row };
        let mut row = row.unwrap_or_else(|| usual(event.clinic));
        match change {
            ClinicEvent::SettingsChanged { settings } => row.periods = settings.retention,
            ClinicEvent::LegalHoldPlaced { hold, patient, by, reason } => row.holds.push(HoldEntry {
                id: *hold,
                patient_id: *patient,
                reason: reason.clone(),
                placed_at: event.occurred_at,
                placed_by: *by,
            }),
            ClinicEvent::LegalHoldLifted { hold, .. } => row.holds.retain(|placed| placed.id != *hold),
            ClinicEvent::ClinicClosed { retention_until } => {
                (row.closed_at, row.retention_until) = (Some(event.occurred_at), Some(*retention_until));
            }
            ClinicEvent::ClinicShredded {} => row.shredded_at = Some(event.occurred_at),
            _ => {}
        }
        row.position = event.position;
        Some(row)
    }
}

fn usual(clinic: ClinicId) -> RetentionRow {
    RetentionRow {
        id: clinic,
        periods: Retention::default(),
        holds: Vec::new(),
        closed_at: None,
        retention_until: None,
        shredded_at: None,
        position: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::History;

    #[test]
    fn a_hold_stands_until_it_is_lifted() {
        let mut history = History::new();
        history.clinic_registered();
        let (hold, patient) = (LegalHoldId(history.fresh()), Some(PatientId(history.fresh())));
        history.clinic(ClinicEvent::LegalHoldPlaced { hold, patient, by: None, reason: "a case".into() });
        let row = history.row::<Retentions>(history.clinic.0).unwrap();
        assert_eq!((row.holds[0].patient_id, row.periods.clinical_years), (patient, 10));
        history.clinic(ClinicEvent::LegalHoldLifted { hold, reason: "settled".into() });
        assert!(history.row::<Retentions>(history.clinic.0).unwrap().holds.is_empty());
    }
}
