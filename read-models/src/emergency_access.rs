//! Broken glass: who opened whose record, until when, and whether somebody has looked at it since.
//!
//! What was written about it in words stays in the log alone, where an erasure reaches it.

use chrono::{DateTime, Utc};
use events::{
    DomainEvent, EmergencyAccessId, PatientId, Position, Recorded, StaffEvent, UserId,
    staff::{EmergencyReason, Proof, Verdict},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.emergency_access_1`: one row for each breaking of the glass.
pub struct EmergencyAccesses;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmergencyAccessRow {
    pub id: EmergencyAccessId,
    pub user_id: UserId,
    /// At the time.
    pub username: String,
    pub patient_id: PatientId,
    pub reason: EmergencyReason,
    pub proof: Proof,
    pub granted_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// By hand, before its time: no event says that it has run out, the clock does.
    pub ended_at: Option<DateTime<Utc>>,
    pub review_due_at: DateTime<Utc>,
    pub reviewed_at: Option<DateTime<Utc>>,
    pub reviewer_id: Option<UserId>,
    pub reviewer: Option<String>,
    pub verdict: Option<Verdict>,
    /// Where the words are: of the grant, and of its review.
    pub granted_position: Position,
    pub reviewed_position: Option<Position>,
    pub position: Position,
}

impl Projection for EmergencyAccesses {
    const NAME: &'static str = "emergency_access";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.emergency_access_1";
    const ONE_STREAM: bool = false;
    type Key = Uuid;
    type Row = EmergencyAccessRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match &event.event {
            DomainEvent::Staff(
                StaffEvent::EmergencyAccessGranted { access, .. }
                | StaffEvent::EmergencyAccessEnded { access, .. }
                | StaffEvent::EmergencyAccessReviewed { access, .. },
            ) => vec![access.0],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<EmergencyAccessRow>, _: &Uuid, event: &Recorded) -> Option<EmergencyAccessRow> {
        let DomainEvent::Staff(change) = &event.event else { return row };
        let mut row = row.or_else(|| granted(change, event))?;
        match change {
            StaffEvent::EmergencyAccessEnded { .. } => row.ended_at = Some(event.recorded_at),
            StaffEvent::EmergencyAccessReviewed { verdict, .. } => {
                row.verdict = Some(*verdict);
                row.reviewed_at = Some(event.recorded_at);
                row.reviewer_id = event.actor.user;
                row.reviewer = Some(event.actor.name.clone());
                row.reviewed_position = Some(event.position);
            }
            _ => {}
        }
        row.position = event.position;
        Some(row)
    }
}

fn granted(change: &StaffEvent, event: &Recorded) -> Option<EmergencyAccessRow> {
    let StaffEvent::EmergencyAccessGranted { access, patient, reason, proof, expires, review_due, .. } = change else {
        return None;
    };
    Some(EmergencyAccessRow {
        id: *access,
        user_id: UserId(event.stream.id),
        username: event.actor.name.clone(),
        patient_id: *patient,
        reason: *reason,
        proof: *proof,
        granted_at: event.recorded_at,
        expires_at: *expires,
        ended_at: None,
        review_due_at: *review_due,
        reviewed_at: None,
        reviewer_id: None,
        reviewer: None,
        verdict: None,
        granted_position: event.position,
        reviewed_position: None,
        position: event.position,
    })
}

#[cfg(test)]
mod tests {
    use events::{Role, Sealed};

    use super::*;
    use crate::sample::History;

    #[test]
    fn a_row_says_how_it_ended_and_what_was_found() {
        let mut history = History::new();
        let (user, patient) = (history.invited(&[Role::Nurse]), history.registered("Asha"));
        let access = history.emergency_granted(user, patient, "no history at hand");
        let row = |history: &History| history.row::<EmergencyAccesses>(access.0).unwrap();
        assert_eq!((row(&history).ended_at, row(&history).verdict), (None, None));
        history.staff(user, StaffEvent::EmergencyAccessEnded { access, patient });
        assert_eq!(row(&history).ended_at, Some(history.now));
        let (verdict, sealed) = (Verdict::NotJustified, Sealed::Erased);
        history.staff(user, StaffEvent::EmergencyAccessReviewed { access, patient, verdict, sealed });
        let row = row(&history);
        assert_eq!((row.verdict, row.granted_position, row.reviewed_position), (Some(verdict), 3, Some(5)));
    }
}
