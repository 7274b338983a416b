//! Legal holds: what they cover is not erased while they last.

use events::{ClinicEvent, LegalHoldId, PatientId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Clinic, did};
use crate::{Context, Decision, Facts, Patient, Read, Refusal, two_persons, values::Reason};

/// Holds the record of one patient, or of all: no erasure, and no destroying of the clinic's keys, until it is
/// lifted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceLegalHold {
    /// Left out: everybody's record.
    #[serde(default)]
    pub patient_id: Option<PatientId>,
    /// Names no person: it is not sealed.
    pub reason: Reason,
}

/// Lifts a legal hold: by another administrator than who placed it. In a clinic with one administrator the
/// platform's does.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftLegalHold {
    pub hold_id: LegalHoldId,
    /// Names no person: it is not sealed.
    pub reason: Reason,
}

impl PlaceLegalHold {
    pub(super) fn reads(&self) -> Vec<Read> {
        self.patient_id.map(|patient| Read::Stream(patient.into())).into_iter().collect()
    }

    pub(super) fn decide(self, clinic: &Clinic, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        if clinic.closed.is_some_and(|closed| closed.shredded) {
            return Err(Refusal::gone());
        }
        if let Some(patient) = self.patient_id {
            let record = facts.get::<Patient>(patient);
            let record = record.ok_or_else(|| Refusal::not_found("patient").at("/patient_id"))?;
            record.not_erased().map_err(|refusal| refusal.at("/patient_id"))?;
        }
        let (hold, reason) = (context.new_id(0), self.reason.into());
        Ok(did(
            context,
            ClinicEvent::LegalHoldPlaced { hold, patient: self.patient_id, by: context.actor.user, reason },
        ))
    }
}

impl LiftLegalHold {
    pub(super) fn decide(self, clinic: &Clinic, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        let hold = clinic.holds.get(&self.hold_id).ok_or_else(|| Refusal::not_found("legal hold"))?;
        two_persons::is_second(hold.by, facts, context)?;
        Ok(did(context, ClinicEvent::LegalHoldLifted { hold: self.hold_id, reason: self.reason.into() }))
    }
}

#[cfg(test)]
mod tests {
    use events::{DomainEvent, Role, UserId};
    use serde_json::json;

    use super::*;
    use crate::testing::{World, body, id};

    fn place(world: &mut World, fields: serde_json::Value) -> Result<LegalHoldId, Refusal> {
        let placed = world.when::<Clinic>(world.clinic, body::<PlaceLegalHold>(fields))?;
        match &placed[0] {
            DomainEvent::Clinic(ClinicEvent::LegalHoldPlaced { hold, .. }) => Ok(*hold),
            other => panic!("{other:?}"),
        }
    }

    fn lift(world: &mut World, hold_id: LegalHoldId) -> Result<(), Refusal> {
        let lift = body::<LiftLegalHold>(json!({"hold_id": hold_id, "reason": "settled"}));
        world.when::<Clinic>(world.clinic, lift).map(drop)
    }

    #[test]
    fn a_hold_covers_one_patient_or_all() {
        let mut world = World::registered();
        let [one, other] = [1, 2].map(|n| world.given_patient(n));
        let holds = |world: &World, patient| world.state::<Clinic>(world.clinic).unwrap().holds_record(patient);
        place(&mut world, json!({"patient_id": one, "reason": "a case"})).unwrap();
        assert_eq!((holds(&world, one), holds(&world, other)), (true, false));
        place(&mut world, json!({"reason": "an inquiry"})).unwrap();
        assert!(holds(&world, other));
        let nobody = json!({"patient_id": id::<PatientId>(9), "reason": "a case"});
        assert_eq!(place(&mut world, nobody).unwrap_err().class, crate::Class::NotFound);
    }

    #[test]
    fn a_hold_is_lifted_by_somebody_else() {
        let mut world = World::registered();
        let second = world.given_staff(7, &[Role::ClinicAdmin]);
        let hold = place(&mut world, json!({"reason": "a case"})).unwrap();
        assert_eq!(lift(&mut world, hold).unwrap_err().code, "second-person");
        world.acts(id::<UserId>(8), &[Role::PlatformAdmin]);
        assert_eq!(lift(&mut world, hold).unwrap_err().code, "clinic-agrees");
        world.acts(second, &[Role::ClinicAdmin]);
        lift(&mut world, hold).unwrap();
        assert_eq!(lift(&mut world, hold).unwrap_err().class, crate::Class::NotFound);
    }

    #[test]
    fn where_there_is_one_administrator_the_platforms_lifts_it() {
        let mut world = World::registered();
        let hold = place(&mut world, json!({"reason": "a case"})).unwrap();
        assert_eq!(lift(&mut world, hold).unwrap_err().code, "second-person");
        world.acts(id::<UserId>(8), &[Role::PlatformAdmin]);
        lift(&mut world, hold).unwrap();
    }
}
