//! A clinic to test in: two patients, two doctors, one of whom acts, Monday morning in Kolkata.

use events::{
    DoctorId, DomainEvent, OfficeId, PatientId, Role, UserId, VisitEvent, VisitId,
    visit::{Attendance, VisitStatus},
};
use serde_json::{Value, json};

use super::{CompleteTriage, FinishVisit, OpenVisit, StartConsultation, Visit, VisitCommand};
use crate::{
    Refusal,
    testing::{World, body, id},
};

pub(super) const PATIENT: u128 = 0xA1;
pub(super) const OTHER_PATIENT: u128 = 0xA2;
pub(super) const DOCTOR: u128 = 0xD1;
pub(super) const OTHER_DOCTOR: u128 = 0xD2;

pub(super) fn clinic() -> World {
    let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
    for patient in [PATIENT, OTHER_PATIENT] {
        world.given_patient(patient);
    }
    for doctor in [DOCTOR, OTHER_DOCTOR] {
        world.given_doctor(doctor);
    }
    acts(&mut world, DOCTOR);
    world
}

/// The doctor gives the next commands.
pub(super) fn acts(world: &mut World, doctor: u128) {
    world.acts(id::<UserId>(doctor), &[Role::Doctor]);
}

/// The body of a walk-in, with other members in place of the usual ones.
pub(super) fn walk_in(others: Value) -> Value {
    let mut all = json!({"patient_id": id::<PatientId>(PATIENT), "office_id": World::OFFICE});
    all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    all
}

pub(super) fn open(world: &mut World, n: u128, others: Value) -> Result<Vec<DomainEvent>, Refusal> {
    world.visit(id(n), body::<OpenVisit>(walk_in(others)))
}

/// A visit of the patient that has come as far as the status.
pub(super) fn given(world: &mut World, n: u128, patient: u128, wanted: VisitStatus) -> VisitId {
    open(world, n, json!({"patient_id": id::<PatientId>(patient)})).expect("a visit is opened");
    let triage = || body::<CompleteTriage>(json!({"priority": "urgent"})).into();
    let reason = || json!({"reason": "a slip"});
    let way: Vec<VisitCommand> = match wanted {
        VisitStatus::Planned => panic!("only an appointment's visit is planned"),
        VisitStatus::Arrived => vec![],
        VisitStatus::Triaged => vec![triage()],
        VisitStatus::InProgress => vec![triage(), StartConsultation {}.into()],
        VisitStatus::Finished => vec![StartConsultation {}.into(), FinishVisit {}.into()],
        VisitStatus::Cancelled => vec![VisitCommand::Cancel(body(json!({"reason": "other"})))],
        VisitStatus::EnteredInError => vec![VisitCommand::EnterInError(body(reason()))],
    };
    for command in way {
        world.visit(id(n), command).expect("the way is free");
    }
    assert_eq!(status(world, n), wanted);
    id(n)
}

pub(super) fn state(world: &World, n: u128) -> &Visit {
    world.state::<Visit>(id::<VisitId>(n)).expect("a visit")
}

pub(super) fn status(world: &World, n: u128) -> VisitStatus {
    state(world, n).status
}

pub(super) fn attendance(world: &World, n: u128) -> Attendance {
    state(world, n).attendance
}

/// The last event of a visit.
pub(super) fn last(world: &World) -> &VisitEvent {
    let visits = world.log.iter().rev().find_map(|(_, event)| match event {
        DomainEvent::Visit(event) => Some(event),
        _ => None,
    });
    visits.expect("an event of a visit")
}

pub(super) fn doctor(n: u128) -> DoctorId {
    id(n)
}

pub(super) fn office(n: u128) -> OfficeId {
    id(n)
}

pub(super) fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.map(|events| panic!("{events:?}")).unwrap_err().code
}
