//! What holds of forgetting, whoever asks, agrees, treats, merges and holds, in whatever order.

use std::collections::BTreeMap;

use chrono::{Months, TimeDelta};
use events::{DomainEvent, PatientEvent, PatientId, Role, StreamId, UserId};
use proptest::prelude::*;
use serde_json::json;

use super::{ApproveErasure, RequestErasure};
use crate::{
    Clinic, Refusal,
    clinic::{LiftLegalHold, PlaceLegalHold},
    patient::{MergePatient, RecordAllergy, UnmergePatient},
    testing::{World, body, id},
};

const PATIENTS: u128 = 3;
const SECOND_ADMIN: u128 = 7;
/// Two administrators of the clinic, a patient, and who administers the platform.
const PEOPLE: usize = 4;
/// As long as a clinic keeps the record of somebody treated, where it says nothing else.
const KEPT: Months = Months::new(10 * 12);
const STEPS_MAX: usize = 40;

#[derive(Clone, Debug)]
enum Step {
    Ask,
    Agree,
    Treat,
    Merge(u128),
    Unmerge,
    Hold,
    Lift,
    Days(i64),
}

/// On the `n`-th patient, by one of the people.
fn steps() -> impl Strategy<Value = Vec<(u128, usize, Step)>> {
    let step = prop_oneof![
        5 => Just(Step::Ask),
        5 => Just(Step::Agree),
        2 => Just(Step::Treat),
        1 => (1..=PATIENTS).prop_map(Step::Merge),
        1 => Just(Step::Unmerge),
        1 => Just(Step::Hold),
        2 => Just(Step::Lift),
        1 => (1..4000_i64).prop_map(Step::Days),
    ];
    prop::collection::vec((1..=PATIENTS, 0..PEOPLE, step), 1..STEPS_MAX)
}

fn acts(world: &mut World, who: usize) {
    let (user, role): (UserId, _) = match who {
        0 => (world.admin(), Role::ClinicAdmin),
        1 => (id(SECOND_ADMIN), Role::ClinicAdmin),
        2 => (id(8), Role::Patient),
        _ => (id(9), Role::PlatformAdmin),
    };
    world.acts(user, &[role]);
}

fn take(world: &mut World, n: u128, step: &Step) -> Result<Vec<DomainEvent>, Refusal> {
    let patient: PatientId = id(n);
    match step {
        Step::Ask => world.patient(patient, RequestErasure { reason: None }),
        // That administrators agree, and patients only ask, is said by the table of rights, not here.
        Step::Agree if world.actor.has(Role::Patient) => Ok(Vec::new()),
        Step::Agree => world.patient(patient, ApproveErasure {}),
        Step::Treat => world.patient(patient, body::<RecordAllergy>(json!({"substance": "latex"}))),
        Step::Merge(survivor) => world.patient(patient, MergePatient { survivor_id: id(*survivor), reason: None }),
        Step::Unmerge => world.patient(patient, UnmergePatient { reason: None }),
        Step::Hold => {
            let hold = json!({"patient_id": patient, "reason": "a complaint"});
            world.when::<Clinic>(world.clinic, body::<PlaceLegalHold>(hold))
        }
        Step::Lift => {
            let hold = world.state::<Clinic>(world.clinic).expect("a clinic").holds.keys().next().copied();
            let Some(hold) = hold else { return Ok(Vec::new()) };
            let lift = json!({"hold_id": hold, "reason": "settled"});
            world.when::<Clinic>(world.clinic, body::<LiftLegalHold>(lift))
        }
        Step::Days(days) => {
            world.now += TimeDelta::days(*days);
            Ok(Vec::new())
        }
    }
}

/// Who has asked to forget whom, told from the events alone.
#[derive(Default)]
struct Ledger(BTreeMap<StreamId, Option<UserId>>);

impl Ledger {
    /// The events of one decision.
    fn take(&mut self, before: &World, after: &World) {
        let new = &after.log[before.log.len()..];
        let of_patients = || {
            new.iter().filter_map(|(stream, event)| match event {
                DomainEvent::Patient(event) => Some((*stream, event)),
                _ => None,
            })
        };
        let erased: Vec<_> =
            of_patients().filter(|(_, event)| matches!(event, PatientEvent::PatientErased { .. })).collect();
        if !erased.is_empty() {
            let asked = erased.iter().find_map(|(stream, _)| self.0.get(stream).copied());
            assert_ne!(asked.expect("somebody asked"), before.actor.user, "one person asked and agreed");
            assert!(!before.actor.has(Role::PlatformAdmin), "the clinic has two who agree");
        }
        for (stream, event) in of_patients() {
            match event {
                PatientEvent::ErasureRequested { by, .. } => drop(self.0.insert(stream, *by)),
                PatientEvent::ErasureRefused { until, .. } => {
                    assert!(*until > before.now && self.0.remove(&stream).is_some(), "{event:?}");
                }
                PatientEvent::PatientErased { .. } => may_be_forgotten(before, stream),
                _ => {}
            }
        }
    }
}

/// No hold is on the record, and it need not be kept any more.
fn may_be_forgotten(before: &World, patient: StreamId) {
    assert!(!before.state::<Clinic>(before.clinic).expect("a clinic").holds_record(PatientId(patient.id)));
    for ((stream, event), occurred) in before.log.iter().zip(&before.occurred) {
        if *stream == patient && matches!(event, DomainEvent::Patient(PatientEvent::AllergyRecorded { .. })) {
            assert!(*occurred + KEPT <= before.now, "treated at {occurred}, forgotten at {}", before.now);
        }
    }
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[two_forget_and_only_what_need_not_be_kept];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn two_forget_and_only_what_need_not_be_kept(steps in steps()) {
        let mut world = World::registered();
        world.given_staff(SECOND_ADMIN, &[Role::ClinicAdmin]);
        for n in 1..=PATIENTS {
            world.given_patient(n);
        }
        let mut ledger = Ledger::default();
        for (n, who, step) in &steps {
            acts(&mut world, *who);
            let before = world.clone();
            if take(&mut world, *n, step).is_err() {
                prop_assert_eq!(world.log.len(), before.log.len(), "a refused command leaves no event");
            }
            ledger.take(&before, &world);
        }
    }
}
