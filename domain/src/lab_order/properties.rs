//! What holds of orders and specimens whatever is done to them, in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use events::{Role, SpecimenId, StreamId, claim::ClaimKey, lab_order::LabOrderStatus};
use proptest::prelude::*;
use serde_json::json;

use super::{
    LabOrder, LabOrderCommand,
    sample::{DOCTOR, NURSE, PATIENT, bench, order_id, request},
};
use crate::{
    State,
    patient::{DeactivatePatient, ReactivatePatient},
    testing::{World, body, id},
};

const ORDERS: u128 = 4;

/// A command on the `n`-th order, or a turn of the world.
#[derive(Clone, Debug)]
enum Step {
    Draft,
    Order,
    Activate,
    Collect { barcode: u8, kind: Option<&'static str> },
    Reject { which: usize },
    Hold,
    Release,
    Revoke,
    Acts(bool),
    PatientComesAgain(bool),
}

fn steps() -> impl Strategy<Value = Vec<(u128, Step)>> {
    let kind = prop_oneof![Just(None), Just(Some("blood")), Just(Some("urine")), Just(Some("x-ray"))];
    let step = prop_oneof![
        2 => Just(Step::Draft),
        4 => Just(Step::Order),
        2 => Just(Step::Activate),
        6 => (0..8_u8, kind).prop_map(|(barcode, kind)| Step::Collect { barcode, kind }),
        4 => (0..4_usize).prop_map(|which| Step::Reject { which }),
        1 => Just(Step::Hold),
        2 => Just(Step::Release),
        1 => Just(Step::Revoke),
        1 => any::<bool>().prop_map(Step::Acts),
        1 => any::<bool>().prop_map(Step::PatientComesAgain),
    ];
    proptest::collection::vec((1..=ORDERS, step), 1..60)
}

fn command(world: &World, n: u128, step: &Step) -> Option<LabOrderCommand> {
    Some(match step {
        Step::Draft => LabOrderCommand::Draft(body(request(json!({})))),
        Step::Order => LabOrderCommand::Order(body(request(json!({})))),
        Step::Activate => LabOrderCommand::Activate(body(json!({}))),
        Step::Collect { barcode, kind } => {
            LabOrderCommand::CollectSpecimen(body(json!({"barcode": format!("B-{barcode}"), "kind": kind})))
        }
        Step::Reject { which } => {
            let known = world.state::<LabOrder>(order_id(n)).and_then(|order| order.specimens.keys().nth(*which));
            let specimen = known.copied().unwrap_or_else(|| id::<SpecimenId>(0xBAD));
            LabOrderCommand::RejectSpecimen(body(json!({"specimen_id": specimen, "reason": "clotted"})))
        }
        Step::Hold => LabOrderCommand::Hold(body(json!({}))),
        Step::Release => LabOrderCommand::Release(body(json!({}))),
        Step::Revoke => LabOrderCommand::Revoke(body(json!({"reason": "left"}))),
        Step::Acts(_) | Step::PatientComesAgain(_) => return None,
    })
}

fn take(world: &mut World, n: u128, step: &Step) {
    match step {
        Step::Acts(true) => world.acts(id(DOCTOR), &[Role::Doctor]),
        Step::Acts(false) => world.acts(id(NURSE), &[Role::Nurse]),
        Step::PatientComesAgain(true) => drop(world.patient(id(PATIENT), ReactivatePatient {})),
        Step::PatientComesAgain(false) => drop(world.patient(id(PATIENT), DeactivatePatient { reason: None })),
        _ => {}
    }
    if let Some(command) = command(world, n, step) {
        // Refused or not: the rules hold either way.
        let _outcome = world.lab_order(order_id(n), command);
    }
}

fn orders(world: &World) -> BTreeMap<u128, LabOrder> {
    (1..=ORDERS).filter_map(|n| Some((n, world.state::<LabOrder>(order_id(n))?.clone()))).collect()
}

/// A label is on one tube, and exactly the labels of all tubes are claimed.
fn check_labels(world: &World) {
    let (mut tubes, mut claimed) = (0, BTreeMap::new());
    for (n, order) in orders(world) {
        tubes += order.specimens.len();
        claimed.extend(order.held().into_iter().map(|claim| (claim, StreamId::from(order_id(n)))));
    }
    assert_eq!(claimed.len(), tubes, "two tubes have one label");
    let held: BTreeMap<ClaimKey, StreamId> = world
        .claims
        .iter()
        .filter(|(_, holder)| claimed.values().any(|order| order == *holder))
        .map(|(k, v)| (k.clone(), *v))
        .collect();
    assert_eq!(held, claimed);
}

fn check_order(order: &LabOrder) {
    let good: Vec<_> = order.specimens.values().filter(|tube| !tube.rejected).map(|tube| tube.kind).collect();
    assert_eq!(good.iter().collect::<BTreeSet<_>>().len(), good.len(), "one good specimen of a kind");
    assert!(order.specimens.values().all(|tube| order.kinds.contains(&tube.kind)), "{order:?}");
    assert_eq!(order.status == LabOrderStatus::Completed, order.report.is_some());
    let may_lack_a_doctor = matches!(order.status, LabOrderStatus::Draft | LabOrderStatus::Revoked);
    assert!(order.doctor.is_some() || may_lack_a_doctor, "{order:?}");
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[orders_are_sound_whatever_is_done];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn orders_are_sound_whatever_is_done(steps in steps()) {
        let mut world = bench();
        for (n, step) in &steps {
            let before = orders(&world);
            take(&mut world, *n, step);
            for (n, order) in orders(&world) {
                check_order(&order);
                let earlier = before.get(&n);
                let was_revoked = earlier.is_some_and(|earlier| earlier.status == LabOrderStatus::Revoked);
                prop_assert!(!was_revoked || earlier == Some(&order), "a revoked order never changes");
            }
            check_labels(&world);
        }
        let mut again: BTreeMap<StreamId, State> = BTreeMap::new();
        for (stream, event) in &world.log {
            let before = again.remove(stream);
            again.insert(*stream, State::evolve(before, event).expect("an event of the log follows"));
        }
        prop_assert_eq!(again, world.states().map(|(stream, state)| (*stream, state.clone())).collect());
    }
}
