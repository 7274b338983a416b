//! The consultation: a doctor starts it and finishes it, and may reopen it. The appointment goes along, so that the
//! waiting room and the doctor's day show what is: who is seen, and who has been. A reopened visit leaves the
//! appointment fulfilled: the patient has gone.

use events::{
    VisitEvent,
    visit::{Attendance, VisitReason, VisitStatus},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{SEEN, Visit, WAITING, person};
use crate::{Appointment, Context, Decision, Facts, Read, Refusal, doctor, values::Reason};

/// The doctor who gives it begins to see the patient, and is the visit's doctor from then on. A patient has one visit in
/// progress. The appointment is started with it, if the patient waits for it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartConsultation {}

/// The patient has been seen. The appointment is completed with it, if it was started.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishVisit {}

/// Goes on with a finished visit, to add to it or correct it. What it said when it was finished stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenVisit {
    pub reason: Reason,
}

/// The doctor who starts, the person, and the appointment.
pub(super) fn reads_to_start(visit: &Visit, facts: &Facts) -> Vec<Read> {
    reads_to_go_on(visit, facts).into_iter().chain(visit.reads_appointment()).collect()
}

/// The doctor who goes on, and the person.
pub(super) fn reads_to_go_on(visit: &Visit, facts: &Facts) -> Vec<Read> {
    let person = person::reads_with_visit(visit.attendance.patient, facts);
    person.into_iter().chain(doctor::reads_who_acts(facts)).collect()
}

impl StartConsultation {
    pub(super) fn decide(self, visit: &Visit, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        visit.must_be(&WAITING, "started")?;
        let doctor = doctor::who_practises(facts, context)?;
        person::is_with_nobody_else(visit.attendance.patient, facts, context)?;
        let attendance = Attendance { doctor: Some(doctor), ..visit.attendance };
        let started = VisitEvent::ConsultationStarted { attendance, was: visit.status };
        let follows = visit.appointment(facts).and_then(Appointment::when_visit_starts);
        Ok(visit.with_appointment(started, follows, context))
    }
}

impl FinishVisit {
    pub(super) fn decide(self, visit: &Visit, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        visit.must_be(&SEEN, "finished")?;
        let follows = visit.appointment(facts).and_then(Appointment::when_visit_finishes);
        Ok(visit.with_appointment(VisitEvent::VisitFinished { attendance: visit.attendance }, follows, context))
    }
}

impl ReopenVisit {
    pub(super) fn decide(self, visit: &Visit, facts: &Facts, context: &Context<'_>) -> Result<VisitEvent, Refusal> {
        visit.must_be(&[VisitStatus::Finished], "reopened")?;
        doctor::who_practises(facts, context)?;
        person::is_with_nobody_else(visit.attendance.patient, facts, context)?;
        let sealed = VisitReason { reason: Some(self.reason.into()) }.into();
        Ok(VisitEvent::VisitReopened { attendance: visit.attendance, sealed })
    }
}

#[cfg(test)]
mod tests {
    use events::{DoctorEvent, PatientId, Role, Sealed, UserId, VisitId};
    use serde_json::json;

    use super::{
        super::sample::{DOCTOR, OTHER_PATIENT, PATIENT, clinic, code, doctor, given, open, status},
        *,
    };
    use crate::{
        Class,
        patient::{MergePatient, UnmergePatient},
        testing::{World, body, id},
    };

    fn start(world: &mut World, n: u128) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.visit(id(n), StartConsultation {})
    }

    fn reopen(world: &mut World, n: u128) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.visit(id(n), body::<ReopenVisit>(json!({"reason": "a diagnosis was forgotten"})))
    }

    fn merge(world: &mut World, double: u128, survivor: u128) -> Result<Vec<events::DomainEvent>, Refusal> {
        let survivor = id::<PatientId>(survivor);
        world.patient(id(double), body::<MergePatient>(json!({"survivor_id": survivor})))
    }

    #[test]
    fn a_patient_is_with_one_doctor_at_a_time() {
        let mut world = clinic();
        given(&mut world, 1, PATIENT, VisitStatus::InProgress);
        open(&mut world, 2, json!({})).unwrap();
        let refusal = start(&mut world, 2).unwrap_err();
        assert_eq!((refusal.class, refusal.code), (Class::Conflict, "visit-in-progress"));
        assert_eq!(refusal.extra, [("visit_id", id::<VisitId>(1).to_string().into())]);
        given(&mut world, 3, OTHER_PATIENT, VisitStatus::InProgress);
        world.visit(id(1), FinishVisit {}).unwrap();
        start(&mut world, 2).unwrap();
        assert_eq!(code(reopen(&mut world, 1)), "visit-in-progress");
        world.visit(id(2), FinishVisit {}).unwrap();
        reopen(&mut world, 1).unwrap();
        assert_eq!(status(&world, 1), VisitStatus::InProgress);
    }

    #[test]
    fn a_person_is_one_under_all_their_records() {
        let mut world = clinic();
        let third = world.given_patient(0xA3);
        given(&mut world, 1, PATIENT, VisitStatus::InProgress);
        given(&mut world, 2, OTHER_PATIENT, VisitStatus::Triaged);
        merge(&mut world, OTHER_PATIENT, PATIENT).unwrap();
        world.given_merge(third, id(PATIENT));
        open(&mut world, 3, json!({"patient_id": third})).unwrap();
        for n in [2, 3] {
            assert_eq!(code(start(&mut world, n)), "visit-in-progress");
        }
        world.patient(id(OTHER_PATIENT), UnmergePatient { reason: None }).unwrap();
        start(&mut world, 2).unwrap();
        assert_eq!(code(start(&mut world, 3)), "visit-in-progress");
    }

    #[test]
    fn two_who_are_both_with_a_doctor_are_not_merged_and_always_unmerged() {
        let mut world = clinic();
        given(&mut world, 1, PATIENT, VisitStatus::InProgress);
        given(&mut world, 2, OTHER_PATIENT, VisitStatus::InProgress);
        let refusal = merge(&mut world, OTHER_PATIENT, PATIENT).unwrap_err();
        assert_eq!((refusal.class, refusal.code), (Class::Conflict, "visits-in-progress"));
        world.visit(id(2), FinishVisit {}).unwrap();
        merge(&mut world, OTHER_PATIENT, PATIENT).unwrap();
        assert_eq!(code(reopen(&mut world, 2)), "visit-in-progress");
        world.patient(id(OTHER_PATIENT), UnmergePatient { reason: None }).unwrap();
        reopen(&mut world, 2).unwrap();
    }

    #[test]
    fn whoever_starts_is_an_active_doctor_with_a_valid_licence() {
        let waiting = || {
            let mut world = clinic();
            given(&mut world, 1, PATIENT, VisitStatus::Triaged);
            world
        };
        let mut world = waiting();
        let nurse = world.given_staff(0xE1, &[Role::Nurse]);
        world.acts(nurse, &[Role::Nurse]);
        assert_eq!(start(&mut world, 1).unwrap_err().class, Class::Forbidden);
        let mut world = waiting();
        let hash = world.state::<crate::Doctor>(doctor(DOCTOR)).unwrap().licence_hash.clone();
        let licence = |last: &str| DoctorEvent::LicenceRecorded {
            licence_hash: hash.clone(),
            expires: Some(last.parse().unwrap()),
            sealed: Sealed::Erased,
        };
        world.given(doctor(DOCTOR), licence("2026-03-01"));
        assert_eq!(code(start(&mut world, 1)), "licence-expired");
        world.given(doctor(DOCTOR), licence("2026-03-02"));
        start(&mut world, 1).unwrap();
        let mut world = waiting();
        world.given(doctor(DOCTOR), DoctorEvent::DoctorDeactivated { sealed: Sealed::Erased });
        assert_eq!(code(start(&mut world, 1)), "not-a-doctor");
        assert_eq!(world.actor.user, Some(id::<UserId>(DOCTOR)));
    }

    #[test]
    fn a_finished_visit_goes_on_only_by_reopening() {
        let mut world = clinic();
        given(&mut world, 1, PATIENT, VisitStatus::Finished);
        assert_eq!(code(start(&mut world, 1)), "wrong-status");
        assert_eq!(code(world.visit(id(1), FinishVisit {})), "wrong-status");
        reopen(&mut world, 1).unwrap();
        assert_eq!(code(reopen(&mut world, 1)), "wrong-status");
        world.visit(id(1), FinishVisit {}).unwrap();
    }
}
