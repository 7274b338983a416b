//! Breaking the glass: somebody who treats sees the record of one patient beyond what their roles show, for a
//! few hours, and somebody else looks at it afterwards.

use chrono::TimeDelta;
use events::{
    EmergencyAccessId, PatientId, Role, Sealed, StaffEvent, UserId,
    staff::{EmergencyReason, EmergencyText, Proof, Verdict},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{EmergencyAccess, Staff, did};
use crate::{
    Context, Decision, Facts, Patient, Read, Refusal,
    values::{Justification, Whole},
};

/// By when an emergency access is to be reviewed, from its beginning.
const REVIEW_WITHIN: TimeDelta = TimeDelta::hours(72);

/// Opens one patient's record to a doctor or a nurse who has just proved again who they are. Its body is the
/// command API's, which alone sees the password.
#[derive(Clone, Debug)]
pub struct BreakGlass {
    pub patient_id: PatientId,
    pub reason: EmergencyReason,
    pub text: Justification,
    pub hours: Whole<1, 4>,
    pub proof: Proof,
}

impl BreakGlass {
    pub(super) fn reads(&self) -> Vec<Read> {
        vec![Read::Stream(self.patient_id.into())]
    }

    pub(super) fn decide(self, staff: &Staff, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        if context.actor.user != Some(UserId(context.target.id)) {
            return Err(not_your_own());
        }
        if !staff.is_in_use() {
            return Err(super::not_in_use());
        }
        if !(staff.has(Role::Doctor) || staff.has(Role::Nurse)) {
            return Err(Refusal::forbidden("not-treating", "Doctors and nurses break the glass, and nobody else."));
        }
        facts.get::<Patient>(self.patient_id).ok_or_else(|| Refusal::not_found("patient"))?;
        let of_patient =
            |(_, open): &(_, &EmergencyAccess)| open.patient == self.patient_id && !open.is_over(context.now);
        if let Some((access, open)) = staff.emergencies.iter().find(of_patient) {
            return Err(Refusal::conflict(
                "glass-broken-already",
                "This record is open to you; end that access first.",
            )
            .with("emergency_access_id", access.to_string())
            .with("expires", open.expires.to_rfc3339()));
        }
        Ok(did(context, self.granted(context)))
    }

    fn granted(self, context: &Context<'_>) -> StaffEvent {
        StaffEvent::EmergencyAccessGranted {
            access: context.new_id(0),
            patient: self.patient_id,
            reason: self.reason,
            proof: self.proof,
            expires: context.now + TimeDelta::hours(self.hours.get()),
            review_due: context.now + REVIEW_WITHIN,
            sealed: sealed(self.text),
        }
    }
}

/// Ends an emergency access before its time: by whose it is, or by an administrator.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndEmergencyAccess {
    pub emergency_access_id: EmergencyAccessId,
}

impl EndEmergencyAccess {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Result<Decision, Refusal> {
        if context.actor.user != Some(UserId(context.target.id)) && !context.actor.has(Role::ClinicAdmin) {
            return Err(not_your_own());
        }
        let open = found(staff, self.emergency_access_id)?;
        if open.is_over(context.now) {
            return Ok(Decision::already_so());
        }
        let (access, patient) = (self.emergency_access_id, open.patient);
        Ok(did(context, StaffEvent::EmergencyAccessEnded { access, patient }))
    }
}

/// Says of an emergency access that is over whether it was justified. Never one's own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewEmergencyAccess {
    pub emergency_access_id: EmergencyAccessId,
    pub verdict: Verdict,
    pub text: Justification,
}

impl ReviewEmergencyAccess {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Result<Decision, Refusal> {
        if context.actor.user == Some(UserId(context.target.id)) {
            return Err(Refusal::forbidden("own-emergency-access", "Nobody reviews their own emergency access."));
        }
        if !(context.actor.has(Role::ClinicAdmin) || context.actor.has(Role::Auditor)) {
            return Err(Refusal::forbidden("not-reviewing", "Administrators and auditors review, and nobody else."));
        }
        let access = found(staff, self.emergency_access_id)?;
        if access.verdict.is_some() {
            return Err(Refusal::conflict("already-reviewed", "This emergency access has been reviewed."));
        }
        if !access.is_over(context.now) {
            return Err(Refusal::rule("emergency-access-open", "It is not over yet; end it, or wait until it is.")
                .with("expires", access.expires.to_rfc3339()));
        }
        Ok(did(
            context,
            StaffEvent::EmergencyAccessReviewed {
                access: self.emergency_access_id,
                patient: access.patient,
                verdict: self.verdict,
                sealed: sealed(self.text),
            },
        ))
    }
}

fn found(staff: &Staff, access: EmergencyAccessId) -> Result<&EmergencyAccess, Refusal> {
    let found = staff.emergencies.get(&access);
    found.ok_or_else(|| Refusal::not_found("emergency access").at("/emergency_access_id"))
}

fn not_your_own() -> Refusal {
    Refusal::forbidden("not-your-own", "Each breaks the glass, and ends it, for themselves.")
}

fn sealed(text: Justification) -> Sealed<EmergencyText> {
    EmergencyText { text: text.into() }.into()
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::json;

    use super::*;
    use crate::{
        StaffCommand,
        staff::DeactivateStaff,
        testing::{World, at, body, id},
    };

    const TEXT: &str = "Unconscious after a fall, no history at hand.";

    fn breaks(patient: PatientId, hours: i64) -> BreakGlass {
        BreakGlass {
            patient_id: patient,
            reason: EmergencyReason::PatientUnresponsive,
            text: TEXT.parse().unwrap(),
            hours: hours.try_into().unwrap(),
            proof: Proof::Password,
        }
    }

    fn review(access: EmergencyAccessId) -> ReviewEmergencyAccess {
        body(json!({"emergency_access_id": access, "verdict": "justified", "text": "The record shows the fall."}))
    }

    fn give(world: &mut World, user: UserId, command: impl Into<StaffCommand>) -> Result<Vec<DomainEvent>, Refusal> {
        world.when::<Staff>(user, command)
    }

    /// A nurse who acts, and a patient.
    fn nurse_and_patient() -> (World, UserId, PatientId) {
        let mut world = World::registered();
        let (nurse, patient) = (world.given_staff(2, &[Role::Nurse]), world.given_patient(0xA1));
        world.acts(nurse, &[Role::Nurse]);
        (world, nurse, patient)
    }

    fn broken(world: &mut World, user: UserId, patient: PatientId) -> EmergencyAccessId {
        give(world, user, breaks(patient, 4)).unwrap();
        *world.state::<Staff>(user).unwrap().emergencies.last_key_value().unwrap().0
    }

    #[test]
    fn it_is_for_one_patient_and_for_so_many_hours() {
        let (mut world, nurse, patient) = nurse_and_patient();
        let granted = give(&mut world, nurse, breaks(patient, 2)).unwrap();
        let [DomainEvent::Staff(granted)] = granted.as_slice() else { panic!("{granted:?}") };
        assert_eq!(granted.patient(), Some(patient), "it lies in the patient's chart");
        let StaffEvent::EmergencyAccessGranted { expires, review_due, sealed, .. } = granted else { panic!() };
        assert_eq!((*expires, *review_due), (at("2026-03-02T05:00:00Z"), at("2026-03-05T03:00:00Z")));
        assert_eq!(sealed.open().unwrap().text, TEXT);
        assert_eq!(give(&mut world, nurse, breaks(id(9), 2)).unwrap_err().class, crate::Class::NotFound);
        assert!(Whole::<1, 4>::try_from(5).is_err());
    }

    #[test]
    fn an_open_one_is_not_broken_again_until_it_is_over() {
        let (mut world, nurse, patient) = nurse_and_patient();
        let first = broken(&mut world, nurse, patient);
        let refused = give(&mut world, nurse, breaks(patient, 4)).unwrap_err();
        assert_eq!((refused.code, refused.extra[0].1.clone()), ("glass-broken-already", json!(first)));
        let other = world.given_patient(0xA2);
        give(&mut world, nurse, breaks(other, 4)).unwrap();
        world.now = at("2026-03-02T07:00:00Z");
        assert_ne!(broken(&mut world, nurse, patient), first);
    }

    #[test]
    fn doctors_and_nurses_break_it_for_themselves() {
        let (mut world, nurse, patient) = nurse_and_patient();
        let desk = world.given_staff(3, &[Role::Receptionist]);
        assert_eq!(give(&mut world, desk, breaks(patient, 1)).unwrap_err().code, "not-your-own");
        world.acts(desk, &[Role::Receptionist]);
        assert_eq!(give(&mut world, desk, breaks(patient, 1)).unwrap_err().code, "not-treating");
        let access = {
            world.acts(nurse, &[Role::Nurse]);
            broken(&mut world, nurse, patient)
        };
        world.acts(desk, &[Role::Receptionist]);
        let end = EndEmergencyAccess { emergency_access_id: access };
        assert_eq!(give(&mut world, nurse, end).unwrap_err().code, "not-your-own");
    }

    #[test]
    fn it_is_ended_once() {
        let (mut world, nurse, patient) = nurse_and_patient();
        let access = broken(&mut world, nurse, patient);
        let end = || EndEmergencyAccess { emergency_access_id: access };
        world.acts(world.admin(), &[Role::ClinicAdmin]);
        assert_eq!(give(&mut world, nurse, end()).unwrap().len(), 1);
        assert!(give(&mut world, nurse, end()).unwrap().is_empty(), "already so");
        let unknown = EndEmergencyAccess { emergency_access_id: id(9) };
        assert_eq!(give(&mut world, nurse, unknown).unwrap_err().class, crate::Class::NotFound);
    }

    #[test]
    fn somebody_else_reviews_it_once_it_is_over() {
        let (mut world, nurse, patient) = nurse_and_patient();
        let access = broken(&mut world, nurse, patient);
        world.acts(nurse, &[Role::Nurse, Role::ClinicAdmin]);
        assert_eq!(give(&mut world, nurse, review(access)).unwrap_err().code, "own-emergency-access");
        world.acts(id(5), &[Role::Doctor]);
        assert_eq!(give(&mut world, nurse, review(access)).unwrap_err().code, "not-reviewing");
        world.acts(id(4), &[Role::Auditor]);
        assert_eq!(give(&mut world, nurse, review(access)).unwrap_err().code, "emergency-access-open");
        world.now = at("2026-03-02T07:00:00Z");
        give(&mut world, nurse, review(access)).unwrap();
        assert_eq!(give(&mut world, nurse, review(access)).unwrap_err().code, "already-reviewed");
    }

    #[test]
    fn it_is_reviewed_also_when_the_login_has_ended() {
        let (mut world, nurse, patient) = nurse_and_patient();
        let access = broken(&mut world, nurse, patient);
        world.acts(world.admin(), &[Role::ClinicAdmin]);
        world.now = at("2026-03-02T08:00:00Z");
        give(&mut world, nurse, body::<DeactivateStaff>(json!({"reason": "left"}))).unwrap();
        give(&mut world, nurse, review(access)).unwrap();
        assert_eq!(world.state::<Staff>(nurse).unwrap().emergencies[&access].verdict, Some(Verdict::Justified));
    }
}
