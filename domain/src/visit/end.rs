//! Ends of a visit that nobody hoped for. They leave its appointment as it is: whether the patient is booked anew, did
//! not come or was never meant is for the desk to say.

use events::{
    VisitEvent,
    visit::{VisitCancellation, VisitReason, VisitStatus},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Visit;
use crate::{Refusal, values::Reason};

/// Ends a visit before the doctor has seen the patient. One that has begun is finished, or struck out.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelVisit {
    pub reason: VisitCancellation,
    /// In words.
    #[serde(default)]
    pub text: Option<Reason>,
}

/// Strikes a visit out that should never have been entered, with all that was recorded in it. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterVisitInError {
    pub reason: Reason,
}

impl CancelVisit {
    pub(super) fn decide(self, visit: &Visit) -> Result<VisitEvent, Refusal> {
        visit.must_be(&[VisitStatus::Planned, VisitStatus::Arrived, VisitStatus::Triaged], "cancelled")?;
        Ok(VisitEvent::VisitCancelled {
            attendance: visit.attendance,
            was: visit.status,
            reason: self.reason,
            sealed: VisitReason { reason: self.text.map(Into::into) }.into(),
        })
    }
}

impl EnterVisitInError {
    pub(super) fn decide(self, visit: &Visit) -> Result<VisitEvent, Refusal> {
        if visit.status == VisitStatus::EnteredInError {
            return Err(visit.cannot_be("struck out again"));
        }
        Ok(VisitEvent::VisitEnteredInError {
            attendance: visit.attendance,
            was: visit.status,
            vitals: visit.vitals.iter().filter(|(_, stands)| **stands).map(|(id, _)| *id).collect(),
            sealed: VisitReason { reason: Some(self.reason.into()) }.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::sample::{PATIENT, clinic, code, given, status},
        *,
    };
    use crate::testing::{World, body, id};

    fn cancel(world: &mut World) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.visit(id(1), body::<CancelVisit>(json!({"reason": "left_before_seen", "text": "had to go"})))
    }

    fn strike_out(world: &mut World) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.visit(id(1), body::<EnterVisitInError>(json!({"reason": "the wrong patient"})))
    }

    #[test]
    fn a_visit_is_cancelled_before_it_begins_and_struck_out_at_any_time() {
        for (far, cancelled, struck) in [
            (VisitStatus::Arrived, true, true),
            (VisitStatus::Triaged, true, true),
            (VisitStatus::InProgress, false, true),
            (VisitStatus::Finished, false, true),
            (VisitStatus::Cancelled, false, true),
            (VisitStatus::EnteredInError, false, false),
        ] {
            let mut world = clinic();
            given(&mut world, 1, PATIENT, far);
            let mut other = world.clone();
            assert_eq!(cancel(&mut world).is_ok(), cancelled, "{far}");
            assert_eq!(strike_out(&mut other).is_ok(), struck, "{far}");
        }
    }

    #[test]
    fn what_was_struck_out_frees_the_patient() {
        let mut world = clinic();
        given(&mut world, 1, PATIENT, VisitStatus::InProgress);
        strike_out(&mut world).unwrap();
        assert_eq!(status(&world, 1), VisitStatus::EnteredInError);
        assert!(world.claims.keys().all(|claim| claim.kind != "visit-in-progress"));
        assert_eq!(code(strike_out(&mut world)), "wrong-status");
        given(&mut world, 2, PATIENT, VisitStatus::InProgress);
    }
}
