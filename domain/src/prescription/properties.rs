//! What holds of prescriptions whatever is done to them, in whatever order.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use events::{
    Actor, DomainEvent, PatientId, PrescriptionEvent, PrescriptionId, Role, ShortKeyEvent, ShortKeyId, StreamId,
    UserId,
    prescription::{AlertSeverity, PrescriptionStatus},
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    ExpirePrescription, Prescription, PrescriptionCommand,
    sample::{
        AMOXICILLIN, AMPICILLIN, ASPIRIN, CO_AMOXICLAV, PARACETAMOL, PATIENT, WARFARIN, as_doctor, as_nurse, give,
        item, room,
    },
};
use crate::{
    Refusal, ShortKey, State,
    patient::{RecordAllergy, RefuteAllergy, UnmergePatient},
    short_key::DefineShortKey,
    testing::{World, body, id},
};

const PRESCRIPTIONS: u128 = 3;
const MEDICINES: [u128; 6] = [AMOXICILLIN, CO_AMOXICLAV, AMPICILLIN, WARFARIN, ASPIRIN, PARACETAMOL];
const SUBSTANCES: [&str; 3] = ["penicillin", "aspirin", "latex"];
const DOUBLE: u128 = 0xA2;
const YEAR_DAYS: i64 = 366;

/// A command on the `n`-th prescription, or a turn of the world.
#[derive(Clone, Debug)]
enum Step {
    Draft(Vec<usize>),
    Add(usize),
    Change(usize, usize),
    Remove(usize),
    /// Overrides whatever a refusal to issue lists, up to so many.
    Override(usize),
    Issue(i64),
    Dispense(usize, i64),
    On(u8),
    /// What comes next, for a prescription as it stands; of several things the `n`-th.
    GoesOn(usize),
    /// A short key, which stands for some of the medicines.
    Expand,
    Allergy(usize, bool),
    Refute,
    Merge(bool),
    Nurse(bool),
    Days(i64),
    /// The program ends what is over, after so long that anything is.
    Expire,
}

fn steps() -> impl Strategy<Value = Vec<(u128, Step)>> {
    let medicine = || 0..MEDICINES.len();
    let step = prop_oneof![
        4 => proptest::collection::vec(medicine(), 0..3).prop_map(Step::Draft),
        4 => medicine().prop_map(Step::Add),
        2 => (0..3_usize, medicine()).prop_map(|(n, medicine)| Step::Change(n, medicine)),
        1 => (0..3_usize).prop_map(Step::Remove),
        4 => (0..3_usize).prop_map(Step::Override),
        8 => (0..3_i64).prop_map(Step::Issue),
        6 => (0..3_usize, 1..12_i64).prop_map(|(n, quantity)| Step::Dispense(n, quantity)),
        4 => (0..11_u8).prop_map(Step::On),
        12 => (0..NEXT.len()).prop_map(Step::GoesOn),
        2 => Just(Step::Expand),
        2 => (0..SUBSTANCES.len(), any::<bool>()).prop_map(|(n, double)| Step::Allergy(n, double)),
        1 => Just(Step::Refute),
        1 => any::<bool>().prop_map(Step::Merge),
        1 => any::<bool>().prop_map(Step::Nurse),
        1 => (1..20_i64).prop_map(Step::Days),
        1 => Just(Step::Expire),
    ];
    proptest::collection::vec((1..=PRESCRIPTIONS, step), 1..60)
}

fn command(world: &World, n: u128, step: &Step) -> Option<PrescriptionCommand> {
    let line = |at: usize| {
        let lines = world.state::<Prescription>(id::<PrescriptionId>(n)).map(|known| known.lines.clone());
        lines.and_then(|lines| lines.get(at).map(|line| line.item)).unwrap_or(id(0xFF))
    };
    let body_of = |medicine: &usize| item(MEDICINES[*medicine], json!({}));
    let why = json!({"reason": "other", "text": "because"});
    Some(match step {
        Step::Draft(medicines) => {
            let items: Vec<Value> = medicines.iter().map(body_of).collect();
            PrescriptionCommand::Draft(body(json!({"patient_id": id::<PatientId>(PATIENT), "items": items})))
        }
        Step::Add(medicine) => PrescriptionCommand::AddItem(body(json!({"item": body_of(medicine)}))),
        Step::Change(at, medicine) => {
            PrescriptionCommand::ChangeItem(body(json!({"item_id": line(*at), "item": body_of(medicine)})))
        }
        Step::Remove(at) => PrescriptionCommand::RemoveItem(body(json!({"item_id": line(*at)}))),
        Step::Issue(refills) => PrescriptionCommand::Issue(body(json!({"refills": refills}))),
        Step::Dispense(at, quantity) => {
            let quantity = json!({"value": quantity, "unit": "{tablet}"});
            PrescriptionCommand::Dispense(body(json!({"item_id": line(*at), "quantity": quantity})))
        }
        Step::GoesOn(which) => {
            let status = world.state::<Prescription>(id::<PrescriptionId>(n)).map(|known| known.status);
            return command(world, n, &next(*which, status));
        }
        Step::Expand => PrescriptionCommand::ExpandShortKey(body(json!({"code": "FEVER"}))),
        Step::On(0) => PrescriptionCommand::AuthoriseRefill(body(json!({"refills": 1}))),
        Step::On(1 | 2) => PrescriptionCommand::UseRefill(body(json!({}))),
        Step::On(3) => PrescriptionCommand::Hold(body(why)),
        Step::On(4) => PrescriptionCommand::Release(body(json!({}))),
        Step::On(5) => PrescriptionCommand::Stop(body(why)),
        Step::On(6) => PrescriptionCommand::Cancel(body(why)),
        Step::On(7) => PrescriptionCommand::Complete(body(json!({}))),
        Step::On(8) => {
            let new: PrescriptionId = id(n % PRESCRIPTIONS + 1);
            PrescriptionCommand::Replace(body(json!({"new_id": new})))
        }
        Step::On(9) => PrescriptionCommand::EnterInError(body(json!({"reason": "a slip"}))),
        Step::On(_) => PrescriptionCommand::Print(body(json!({}))),
        Step::Override(_)
        | Step::Allergy(..)
        | Step::Refute
        | Step::Merge(_)
        | Step::Nurse(_)
        | Step::Days(_)
        | Step::Expire => {
            return None;
        }
    })
}

/// What is done with an active prescription, as [`command`] numbers it.
const NEXT: [u8; 8] = [0, 1, 3, 5, 7, 8, 9, 10];

fn next(n: usize, status: Option<PrescriptionStatus>) -> Step {
    match status {
        None => Step::Draft(vec![n % MEDICINES.len()]),
        Some(PrescriptionStatus::Draft) => Step::Issue(1),
        Some(PrescriptionStatus::OnHold) => Step::On(4),
        Some(_) => Step::On(NEXT[n]),
    }
}

/// The clinic's, of a line that harms nobody and one that may.
fn given_short_key(world: &mut World) {
    world.acts(id::<UserId>(0xF1), &[Role::ClinicAdmin]);
    let items = [item(PARACETAMOL, json!({})), item(AMOXICILLIN, json!({}))];
    let key = body::<DefineShortKey>(json!({"code": "FEVER", "owner": "clinic", "items": items}));
    world.when::<ShortKey>(id::<ShortKeyId>(0x5B), key).expect("a short key is defined");
    as_doctor(world);
}

/// Each use of the short key has brought all of its lines, and is counted.
fn expanded_as_a_whole(log: &[(StreamId, DomainEvent)], world: &World) {
    let used = |(at, (_, event)): (usize, &(StreamId, DomainEvent))| match event {
        DomainEvent::ShortKey(ShortKeyEvent::ShortKeyUsed { prescription: Some(prescription) }) => {
            Some((at, StreamId::from(*prescription)))
        }
        _ => None,
    };
    let uses: Vec<_> = log.iter().enumerate().filter_map(used).collect();
    for (at, prescription) in &uses {
        for (stream, event) in &log[at + 1..=at + 2] {
            let added = matches!(event, DomainEvent::Prescription(PrescriptionEvent::PrescriptionItemAdded { .. }));
            assert!(added && stream == prescription, "{event:?}");
        }
    }
    let key = world.state::<ShortKey>(id::<ShortKeyId>(0x5B)).expect("a short key");
    assert_eq!(usize::try_from(key.uses), Ok(uses.len()));
}

fn turn(world: &mut World, n: u128, step: &Step) {
    let (patient, double) = (id::<PatientId>(PATIENT), id::<PatientId>(DOUBLE));
    match step {
        Step::Override(at_most) => override_some(world, n, *at_most),
        Step::Allergy(substance, of_double) => {
            let allergy = body::<RecordAllergy>(json!({"substance": SUBSTANCES[*substance]}));
            world.patient(if *of_double { double } else { patient }, allergy).unwrap();
        }
        Step::Refute => {
            let known = world.state::<crate::Patient>(patient).unwrap().allergies.keys().next().copied();
            let _outcome = known.map(|allergy_id| world.patient(patient, RefuteAllergy { allergy_id, reason: None }));
        }
        Step::Merge(true) => {
            let merge = crate::patient::MergePatient { survivor_id: patient, reason: None };
            let _outcome = world.patient(double, merge);
        }
        Step::Merge(false) => drop(world.patient(double, UnmergePatient { reason: None })),
        Step::Nurse(true) => as_nurse(world),
        Step::Nurse(false) => as_doctor(world),
        Step::Days(days) => world.now += TimeDelta::days(*days),
        Step::Expire => {
            world.now += TimeDelta::days(YEAR_DAYS);
            let who = std::mem::replace(&mut world.actor, Actor::system());
            let _outcome = give(world, n, PrescriptionCommand::Expire(ExpirePrescription {}));
            world.actor = who;
        }
        _ => {}
    }
}

fn override_some(world: &mut World, n: u128, at_most: usize) {
    let refused = give(&mut world.clone(), n, PrescriptionCommand::Issue(body(json!({}))));
    let Err(Refusal { extra, .. }) = refused else { return };
    let listed = extra.iter().find(|(member, _)| *member == "alerts").map(|(_, alerts)| alerts.clone());
    for alert in listed.iter().flat_map(|alerts| alerts.as_array().unwrap()).take(at_most) {
        let command = json!({"alert_id": alert["id"], "reason": "no_alternative"});
        let _outcome = give(world, n, PrescriptionCommand::OverrideAlert(body(command)));
    }
}

/// Never more than the prescribed quantity and the refills in use; never more refills than were authorised.
fn quantities_hold(prescription: &Prescription) {
    let refills = prescription.refills;
    assert!(refills.used <= refills.authorised, "{prescription:?}");
    for line in &prescription.lines {
        let most = line.supply.quantity.value * Decimal::from(1 + refills.used);
        assert!(line.dispensed <= most && prescription.left(line) >= Decimal::ZERO, "{line:?}");
    }
}

/// Whatever was severe when it was issued had been overridden in that draft, by that name.
fn issued_after_overrides(log: &[(StreamId, DomainEvent)]) {
    let mut overridden = Vec::new();
    for (stream, event) in log {
        match event {
            DomainEvent::Prescription(PrescriptionEvent::PrescriptionAlertOverridden { alert, .. }) => {
                overridden.push((*stream, alert.clone()));
            }
            DomainEvent::Prescription(PrescriptionEvent::PrescriptionIssued { sealed, .. }) => {
                let alerts = &sealed.open().expect("nobody is erased here").alerts;
                for alert in alerts.iter().filter(|alert| alert.severity == AlertSeverity::Severe) {
                    assert!(overridden.contains(&(*stream, alert.id.clone())), "{alert:?}");
                }
            }
            _ => {}
        }
    }
}

/// What was prescribed stays as it was issued.
fn lines_never_change(before: &World, after: &World) {
    for n in 1..=PRESCRIPTIONS {
        let known = |world: &World| world.state::<Prescription>(id::<PrescriptionId>(n)).cloned();
        let (Some(was), Some(is)) = (known(before), known(after)) else { continue };
        if was.status != PrescriptionStatus::Draft {
            let supplies = |prescription: &Prescription| {
                prescription.lines.iter().map(|line| (line.item, line.supply.clone())).collect::<BTreeMap<_, _>>()
            };
            assert_eq!(supplies(&was), supplies(&is));
            assert_ne!(is.status, PrescriptionStatus::Draft);
        }
    }
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[a_prescription_is_sound_whatever_is_done_to_it];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn a_prescription_is_sound_whatever_is_done_to_it(steps in steps()) {
        let mut world = room();
        world.given_patient(DOUBLE);
        given_short_key(&mut world);
        for (n, step) in &steps {
            let before = world.clone();
            turn(&mut world, *n, step);
            if let Some(command) = command(&world, *n, step) {
                let events = world.log.len();
                if give(&mut world, *n, command).is_err() {
                    prop_assert_eq!(world.log.len(), events, "a refused command leaves no event");
                }
            }
            for n in 1..=PRESCRIPTIONS {
                world.state::<Prescription>(id::<PrescriptionId>(n)).into_iter().for_each(quantities_hold);
            }
            lines_never_change(&before, &world);
        }
        issued_after_overrides(&world.log);
        expanded_as_a_whole(&world.log, &world);
        let mut again: BTreeMap<StreamId, State> = BTreeMap::new();
        for (stream, event) in &world.log {
            let before = again.remove(stream);
            again.insert(*stream, State::evolve(before, event).expect("an event of the log follows"));
        }
        prop_assert_eq!(again, world.states().map(|(stream, state)| (*stream, state.clone())).collect());
    }
}
