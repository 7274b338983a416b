//! What holds of visits whatever is done to them, in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use events::{
    AppointmentId, DomainEvent, PatientId, Role, StreamId, UserId, VisitEvent, VisitId, claim::ClaimKey,
    visit::VisitStatus,
};
use proptest::prelude::*;
use serde_json::json;

use super::{
    Visit, VisitCommand,
    sample::{DOCTOR, OTHER_DOCTOR, doctor},
};
use crate::{
    Patient,
    appointment::{BookAppointment, CancelAppointment, CheckIn},
    patient::{MergePatient, UnmergePatient},
    testing::{World, body, id},
};

const PATIENTS: u128 = 3;
const VISITS: u128 = 6;
const APPOINTMENTS: u128 = 3;

/// A command on the `n`-th visit, or a turn of the world.
#[derive(Clone, Debug)]
enum Step {
    WalkIn(u128, bool),
    FromAppointment(u128),
    On(u8),
    /// What comes next, for a visit as it stands; of several things the `n`-th.
    GoesOn(usize),
    Book(u128, u128),
    Appointment(u128, bool),
    Merge(u128, u128),
    Unmerge(u128),
    Acts(u8),
    Pass(u16),
}

fn steps() -> impl Strategy<Value = Vec<(u128, Step)>> {
    let patient = || 1..=PATIENTS;
    let step = prop_oneof![
        4 => (patient(), any::<bool>()).prop_map(|(patient, doctor)| Step::WalkIn(patient, doctor)),
        3 => (1..=APPOINTMENTS).prop_map(Step::FromAppointment),
        12 => (0..16_u8).prop_map(Step::On),
        16 => (0..NEXT.len()).prop_map(Step::GoesOn),
        3 => (1..=APPOINTMENTS, patient()).prop_map(|(n, patient)| Step::Book(n, patient)),
        2 => (1..=APPOINTMENTS, any::<bool>()).prop_map(|(n, comes)| Step::Appointment(n, comes)),
        2 => (patient(), patient()).prop_map(|(double, survivor)| Step::Merge(double, survivor)),
        1 => patient().prop_map(Step::Unmerge),
        1 => (0..3_u8).prop_map(Step::Acts),
        1 => (1..300_u16).prop_map(Step::Pass),
    ];
    proptest::collection::vec((1..=VISITS, step), 1..80)
}

/// A command on a visit as it stands.
fn command(what: u8, visit: Option<&Visit>) -> VisitCommand {
    let reason = json!({"reason": "a slip"});
    let vitals = visit.and_then(|visit| visit.vitals.keys().next_back().copied()).unwrap_or(id(0xBAD));
    let diagnosis = visit.and_then(|visit| visit.diagnoses.keys().next().copied()).unwrap_or(id(0xBAD));
    match what {
        0 => VisitCommand::Arrive(body(json!({}))),
        1 => VisitCommand::RecordChiefComplaint(body(json!({"chief_complaint": "a cough"}))),
        2 => VisitCommand::RecordVitals(body(json!({"heart_rate": {"value": 70}}))),
        3 => VisitCommand::EnterVitalsInError(body(json!({"vitals_id": vitals, "reason": "a slip"}))),
        4 => VisitCommand::CompleteTriage(body(json!({"priority": "urgent"}))),
        5 => VisitCommand::AssignDoctor(body(json!({"doctor_id": doctor(OTHER_DOCTOR)}))),
        6 | 7 => VisitCommand::Start(body(json!({}))),
        8 => VisitCommand::RecordDiagnosis(body(json!({"text": "Asthma"}))),
        9 => VisitCommand::CorrectDiagnosis(body(
            json!({"diagnosis_id": diagnosis, "text": "COPD", "certainty": "confirmed", "reason": "a slip"}),
        )),
        10 => VisitCommand::PlanFollowUp(body(json!({"on": "2026-04-01"}))),
        11 => VisitCommand::Finish(body(json!({}))),
        12 => VisitCommand::Reopen(body(reason)),
        13 => VisitCommand::Cancel(body(json!({"reason": "other"}))),
        14 => VisitCommand::EnterDiagnosisInError(body(json!({"diagnosis_id": diagnosis, "reason": "a slip"}))),
        _ => VisitCommand::EnterInError(body(reason)),
    }
}

/// What a doctor does with a visit in progress, as [`command`] numbers it.
const NEXT: [u8; 9] = [2, 3, 8, 8, 9, 10, 11, 11, 14];

fn next(n: usize, visit: &Visit) -> u8 {
    match visit.status {
        VisitStatus::Planned => 0,
        VisitStatus::Arrived | VisitStatus::Triaged => 6,
        VisitStatus::InProgress => NEXT[n],
        VisitStatus::Finished => 12,
        VisitStatus::Cancelled | VisitStatus::EnteredInError => 15,
    }
}

fn take(world: &mut World, n: u128, step: &Step) {
    // Refused or not: the rules hold either way.
    let _outcome = match step {
        Step::WalkIn(patient, assigned) => {
            let doctor = assigned.then(|| doctor(DOCTOR));
            let patient: PatientId = id(*patient);
            let opens = json!({"patient_id": patient, "office_id": World::OFFICE, "doctor_id": doctor});
            world.visit(id(n), VisitCommand::Open(body(opens)))
        }
        Step::FromAppointment(appointment) => {
            let opens = json!({"appointment_id": id::<AppointmentId>(*appointment)});
            world.visit(id(n), VisitCommand::Open(body(opens)))
        }
        Step::On(what) => {
            let command = command(*what, world.state::<Visit>(id::<VisitId>(n)));
            world.visit(id(n), command)
        }
        Step::GoesOn(which) => match world.state::<Visit>(id::<VisitId>(n)) {
            Some(visit) => {
                let command = command(next(*which, visit), Some(visit));
                world.visit(id(n), command)
            }
            None => return take(world, n, &Step::WalkIn(1 + n % PATIENTS, true)),
        },
        Step::Book(appointment, patient) => {
            let patient: PatientId = id(*patient);
            let start = world.now + TimeDelta::minutes(60 * i64::try_from(*appointment).unwrap());
            let booking = json!({
                "patient_id": patient, "doctor_id": doctor(DOCTOR), "office_id": World::OFFICE, "start": start
            });
            world.appointment(id(*appointment), body::<BookAppointment>(booking))
        }
        Step::Appointment(n, true) => world.appointment(id(*n), CheckIn {}),
        Step::Appointment(n, false) => world.appointment(id(*n), body::<CancelAppointment>(json!({}))),
        Step::Merge(double, survivor) => {
            let survivor: PatientId = id(*survivor);
            world.patient(id(*double), body::<MergePatient>(json!({"survivor_id": survivor})))
        }
        Step::Unmerge(patient) => world.patient(id(*patient), UnmergePatient { reason: None }),
        Step::Acts(who) => {
            let (user, role): (UserId, _) = match who {
                0 => (id(DOCTOR), Role::Doctor),
                1 => (id(OTHER_DOCTOR), Role::Doctor),
                _ => (id(0xE1), Role::Nurse),
            };
            world.acts(user, &[role]);
            Ok(Vec::new())
        }
        Step::Pass(minutes) => {
            world.now += TimeDelta::minutes((*minutes).into());
            Ok(Vec::new())
        }
    };
}

/// The record that stands for the person.
fn person(world: &World, patient: PatientId) -> PatientId {
    let next = |patient| world.state::<Patient>(patient).expect("a patient").merged_into;
    std::iter::successors(Some(patient), |patient| next(*patient)).last().expect("at least oneself")
}

/// Nobody is with two doctors, an appointment has one visit that counts, and what is claimed is what is held.
fn check(world: &World) {
    let visits = || (1..=VISITS).filter_map(|n| Some((id(n), world.state::<Visit>(id::<VisitId>(n))?)));
    let mut seen = BTreeSet::new();
    let mut held: BTreeMap<ClaimKey, StreamId> = BTreeMap::new();
    for (visit, state) in visits() {
        let visit: VisitId = visit;
        if state.status == VisitStatus::InProgress {
            assert!(seen.insert(person(world, state.attendance.patient)), "somebody is with two doctors");
            assert!(state.attendance.doctor.is_some(), "somebody sees the patient");
        }
        for claim in state.held() {
            assert_eq!(held.insert(claim, visit.into()), None, "two hold one thing");
        }
    }
    let of_visits = world.claims.iter().filter(|(claim, _)| claim.kind.starts_with("visit-"));
    let claimed: BTreeMap<_, _> = of_visits.map(|(claim, holder)| (claim.clone(), *holder)).collect();
    assert_eq!(claimed, held);
}

/// A visit that is over is gone on with by a reopening alone, or struck out.
fn check_ends(world: &World) {
    let mut last: BTreeMap<StreamId, &VisitEvent> = BTreeMap::new();
    for (stream, event) in &world.log {
        let DomainEvent::Visit(event) = event else { continue };
        let follows = match last.insert(*stream, event) {
            Some(VisitEvent::VisitFinished { .. }) => {
                matches!(event, VisitEvent::VisitReopened { .. } | VisitEvent::VisitEnteredInError { .. })
            }
            Some(VisitEvent::VisitCancelled { .. }) => matches!(event, VisitEvent::VisitEnteredInError { .. }),
            Some(VisitEvent::VisitEnteredInError { .. }) => false,
            _ => true,
        };
        assert!(follows, "{event:?} follows the end");
    }
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[nobody_is_with_two_doctors_whatever_is_done];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nobody_is_with_two_doctors_whatever_is_done(steps in steps()) {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        for n in 1..=PATIENTS {
            world.given_patient(n);
        }
        for n in [DOCTOR, OTHER_DOCTOR] {
            world.given_doctor(n);
        }
        world.given_staff(0xE1, &[Role::Nurse]);
        world.acts(id(DOCTOR), &[Role::Doctor]);
        for (n, step) in &steps {
            take(&mut world, *n, step);
            check(&world);
        }
        check_ends(&world);
        for n in 1..=PATIENTS {
            if world.state::<Patient>(id::<PatientId>(n)).unwrap().merged_into.is_some() {
                world.patient(id(n), UnmergePatient { reason: None }).expect("an unmerge is never refused");
                check(&world);
            }
        }
    }
}
