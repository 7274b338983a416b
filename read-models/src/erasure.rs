//! Who asked to be forgotten, and what became of it.

use chrono::{DateTime, Utc};
use events::{
    DomainEvent, PatientEvent, PatientId, Recorded, UserId, patient::ErasureCause, retention::RetentionBasis,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::EnumString;
use uuid::Uuid;

use crate::Projection;

/// `read.erasure_1`: one row per record for which an erasure was requested, or that was erased.
pub struct Erasures;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ErasureState {
    /// Waits for a second person.
    Requested,
    /// The record has to be kept.
    Refused,
    /// The person is forgotten.
    Erased,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErasureRow {
    pub id: PatientId,
    pub state: ErasureState,
    /// Of the last request; `null` where another record of the same person was named in it.
    pub requested_at: Option<DateTime<Utc>>,
    pub requested_by: Option<UserId>,
    /// By the patient, in the portal.
    pub by_patient: bool,
    /// In somebody's words; gone with the rest once erased.
    pub reason: Option<String>,
    /// When it was refused or erased.
    pub decided_at: Option<DateTime<Utc>>,
    pub decided_by: Option<UserId>,
    pub basis: Option<RetentionBasis>,
    /// Kept until then at least.
    pub until: Option<DateTime<Utc>>,
    pub cause: Option<ErasureCause>,
    pub version: i64,
    pub position: i64,
}

impl Projection for Erasures {
    const NAME: &'static str = "erasure";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.erasure_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = ErasureRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match &event.event {
            DomainEvent::Patient(
                PatientEvent::ErasureRequested { .. }
                | PatientEvent::ErasureRefused { .. }
                | PatientEvent::PatientErased { .. },
            ) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<ErasureRow>, _: &Uuid, event: &Recorded) -> Option<ErasureRow> {
        let DomainEvent::Patient(change) = &event.event else { return row };
        let mut row = row.unwrap_or_else(|| nothing_asked(PatientId(event.stream.id)));
        match change {
            PatientEvent::ErasureRequested { by, by_patient, sealed } => {
                row = nothing_asked(row.id);
                (row.requested_at, row.requested_by, row.by_patient) = (Some(event.occurred_at), *by, *by_patient);
                row.reason = sealed.open().and_then(|why| why.reason.clone());
            }
            PatientEvent::ErasureRefused { basis, until } => {
                row.decide(ErasureState::Refused, event);
                (row.basis, row.until) = (Some(*basis), Some(*until));
            }
            PatientEvent::PatientErased { cause, .. } => {
                row.decide(ErasureState::Erased, event);
                (row.cause, row.reason) = (Some(*cause), None);
            }
            _ => return Some(row),
        }
        (row.version, row.position) = (event.version, event.position);
        Some(row)
    }
}

fn nothing_asked(id: PatientId) -> ErasureRow {
    ErasureRow {
        id,
        state: ErasureState::Requested,
        requested_at: None,
        requested_by: None,
        by_patient: false,
        reason: None,
        decided_at: None,
        decided_by: None,
        basis: None,
        until: None,
        cause: None,
        version: 0,
        position: 0,
    }
}

impl ErasureRow {
    fn decide(&mut self, state: ErasureState, event: &Recorded) {
        self.state = state;
        (self.decided_at, self.decided_by) = (Some(event.occurred_at), event.actor.user);
    }
}

#[cfg(test)]
mod tests {
    use events::{
        Sealed,
        patient::{PatientStatus, Reason, Standing},
        values::Gender,
    };

    use super::*;
    use crate::sample::History;

    fn requested() -> PatientEvent {
        let sealed = Sealed::Open(Reason { reason: Some("moves away".into()) });
        PatientEvent::ErasureRequested { by: None, by_patient: true, sealed }
    }

    #[test]
    fn a_refused_request_says_why_and_may_be_made_again() {
        let mut history = History::new();
        let patient = history.registered("Asha");
        history.patient(patient, requested());
        let until = "2036-01-01T00:00:00Z".parse().unwrap();
        history.patient(patient, PatientEvent::ErasureRefused { basis: RetentionBasis::ClinicalRecord, until });
        let refused = history.row::<Erasures>(patient.0).unwrap();
        assert_eq!((refused.state, refused.until), (ErasureState::Refused, Some(until)));
        history.patient(patient, requested());
        let again = history.row::<Erasures>(patient.0).unwrap();
        assert_eq!((again.state, again.until, again.by_patient), (ErasureState::Requested, None, true));
    }

    #[test]
    fn what_was_said_is_gone_with_the_erasure() {
        let mut history = History::new();
        let patient = history.registered("Asha");
        history.patient(patient, requested());
        assert_eq!(history.row::<Erasures>(patient.0).unwrap().reason.as_deref(), Some("moves away"));
        let was = Standing { status: PatientStatus::Active, gender: Gender::Female, birth_year: None };
        history.patient(patient, PatientEvent::PatientErased { cause: ErasureCause::Approved, was });
        assert_eq!(history.row::<Erasures>(patient.0), history.erased().row::<Erasures>(patient.0));
    }
}
