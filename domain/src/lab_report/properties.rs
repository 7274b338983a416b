//! What holds of reports and their orders whatever is done to them, in whatever order.

use std::collections::BTreeMap;

use events::{DomainEvent, LabReportEvent, LabResultId, Role, StreamId, UserId, lab_report::LabReportStatus};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Critical, Finding, LabReport, LabReportCommand,
    sample::{glucose, report_id},
};
use crate::{
    LabOrder, LabOrderCommand, State,
    lab_order::sample::{COLLEAGUE, DOCTOR, TECHNICIAN, bench, given_ordered, order_id, request},
    testing::{World, body, id},
};

const ORDERS: u128 = 2;
const REPORTS: u128 = 3;
const PEOPLE: [(u128, Role); 3] =
    [(DOCTOR, Role::Doctor), (TECHNICIAN, Role::LabTechnician), (COLLEAGUE, Role::LabTechnician)];

/// A command on the `n`-th report or order, given by one of the people.
#[derive(Clone, Debug)]
enum Step {
    Order(u8),
    Register {
        order: u128,
    },
    Record {
        value: u16,
        replaces: Option<usize>,
    },
    Verify {
        which: usize,
    },
    Release,
    Amend {
        value: u16,
    },
    Correct {
        which: usize,
        value: u16,
    },
    Notify {
        which: usize,
    },
    Acknowledge {
        which: usize,
    },
    EnterInError,
    /// What comes next, for a report as it stands.
    GoesOn {
        value: u16,
    },
}

fn steps() -> impl Strategy<Value = Vec<(u128, usize, Step)>> {
    let value = || prop_oneof![3 => 60..120_u16, 1 => 390..600_u16];
    let which = || 0..3_usize;
    let step = prop_oneof![
        3 => (0..6_u8).prop_map(Step::Order),
        8 => (1..=ORDERS).prop_map(|order| Step::Register { order }),
        6 => (value(), prop::option::weighted(0.2, which())).prop_map(|(value, replaces)| Step::Record { value, replaces }),
        12 => which().prop_map(|which| Step::Verify { which }),
        10 => Just(Step::Release),
        3 => value().prop_map(|value| Step::Amend { value }),
        3 => (which(), value()).prop_map(|(which, value)| Step::Correct { which, value }),
        4 => which().prop_map(|which| Step::Notify { which }),
        3 => which().prop_map(|which| Step::Acknowledge { which }),
        1 => Just(Step::EnterInError),
        30 => value().prop_map(|value| Step::GoesOn { value }),
    ];
    proptest::collection::vec((1..=REPORTS, 0..PEOPLE.len(), step), 1..80)
}

fn next(report: Option<&LabReport>, n: u128, value: u16) -> Step {
    let Some(report) = report else { return Step::Register { order: 1 + n % ORDERS } };
    let first =
        |is: &dyn Fn(&Finding) -> bool| report.results.values().position(|finding| !finding.replaced && is(finding));
    let (unverified, untold) =
        (first(&|finding| !finding.verified), first(&|finding| finding.critical == Some(Critical::Open)));
    match report.status {
        LabReportStatus::Registered | LabReportStatus::EnteredInError => Step::Record { value, replaces: None },
        LabReportStatus::Partial => Step::Verify { which: unverified.unwrap_or(0) },
        LabReportStatus::Preliminary => untold.map_or(Step::Release, |which| Step::Notify { which }),
        LabReportStatus::Final | LabReportStatus::Amended | LabReportStatus::Corrected => match value % 4 {
            0 => Step::Amend { value },
            1 => Step::Correct { which: first(&|_| true).unwrap_or(0), value },
            2 => Step::Acknowledge { which: first(&|finding| finding.critical.is_some()).unwrap_or(0) },
            _ => Step::EnterInError,
        },
    }
}

fn command(world: &World, n: u128, step: &Step) -> Option<LabReportCommand> {
    if let Step::GoesOn { value } = step {
        return command(world, n, &next(world.state(report_id(n)), n, *value));
    }
    let result = |which: usize| -> LabResultId {
        let known = world.state::<LabReport>(report_id(n)).and_then(|report| report.results.keys().nth(which));
        known.copied().unwrap_or_else(|| id(0xBAD))
    };
    let named = |which: usize, others: Value| {
        let mut all = json!({"result_id": result(which)});
        all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        all
    };
    let glucose = |value: u16| glucose(value.into());
    Some(match *step {
        Step::Order(_) | Step::GoesOn { .. } => return None,
        Step::Register { order } => LabReportCommand::Register(body(json!({"order_id": order_id(order)}))),
        Step::Record { value, replaces } => {
            let content = json!({"result": glucose(value), "replaces": replaces.map(result)});
            LabReportCommand::RecordResult(body(content))
        }
        Step::Verify { which } => LabReportCommand::VerifyResult(body(named(which, json!({})))),
        Step::Release => LabReportCommand::Release(body(json!({}))),
        Step::Amend { value } => LabReportCommand::Amend(body(json!({"result": glucose(value)}))),
        Step::Correct { which, value } => {
            let content = json!({"result": glucose(value), "reason": "instrument", "why": "drifted"});
            LabReportCommand::Correct(body(named(which, content)))
        }
        Step::Notify { which } => LabReportCommand::NotifyCritical(body(named(which, json!({"channel": "phone"})))),
        Step::Acknowledge { which } => LabReportCommand::AcknowledgeCritical(body(named(which, json!({})))),
        Step::EnterInError => LabReportCommand::EnterInError(body(json!({"reason": "another's blood"}))),
    })
}

fn take(world: &mut World, n: u128, who: usize, step: &Step) {
    let (user, role) = PEOPLE[who];
    world.acts(id(user), &[role]);
    // Refused or not: the rules hold either way.
    if let Some(command) = command(world, n, step) {
        let _outcome = world.lab_report(report_id(n), command);
    }
    if let Step::Order(what) = step {
        let command = match what {
            0 | 1 => LabOrderCommand::Order(body(request(json!({})))),
            2 => LabOrderCommand::Hold(body(json!({}))),
            3 | 4 => LabOrderCommand::Release(body(json!({}))),
            _ => LabOrderCommand::Revoke(body(json!({"reason": "left"}))),
        };
        let _outcome = world.lab_order(order_id(1 + n % ORDERS), command);
    }
}

fn reports(world: &World) -> BTreeMap<u128, LabReport> {
    (1..=REPORTS).filter_map(|n| Some((n, world.state::<LabReport>(report_id(n))?.clone()))).collect()
}

/// An order has one report at a time, and is completed by it exactly if it is released.
fn check_orders(world: &World) {
    let reports = reports(world);
    for order in (1..=ORDERS).map(order_id) {
        let stands = |report: &&LabReport| report.order == order && report.status != LabReportStatus::EnteredInError;
        let standing: Vec<&LabReport> = reports.values().filter(stands).collect();
        assert!(standing.len() <= 1, "{standing:?}");
        let released = standing.iter().any(|report| report.status.is_released());
        let completed = world.state::<LabOrder>(order).is_some_and(|order| order.report.is_some());
        assert_eq!(released, completed, "{standing:?}");
        let claimed = world.claims.contains_key(&crate::lab_order::report_claim(order));
        assert_eq!(claimed, !standing.is_empty());
    }
}

/// What was released stays: every result that it had is there, as it was recorded and verified.
fn check_final(before: &LabReport, after: &LabReport) {
    if before.status == LabReportStatus::EnteredInError {
        assert_eq!(before, after);
    }
    if before.status.is_released() {
        assert!(after.status.is_released() || after.status == LabReportStatus::EnteredInError, "{after:?}");
        assert_eq!((before.order, before.patient, before.doctor), (after.order, after.patient, after.doctor));
    }
    for (id, earlier) in &before.results {
        let now = &after.results[id];
        assert_eq!(earlier.by, now.by);
        assert!(now.verified || !earlier.verified, "{now:?}");
        assert!(now.replaced || !earlier.replaced, "{now:?}");
        assert!(earlier.critical <= now.critical && earlier.critical.is_some() == now.critical.is_some(), "{now:?}");
    }
}

/// Nobody verified their own result, and nothing was released that nobody had verified.
fn check_verified(world: &World) {
    let mut recorded: BTreeMap<LabResultId, Option<UserId>> = BTreeMap::new();
    for (_, event) in &world.log {
        let DomainEvent::LabReport(event) = event else { continue };
        match event {
            LabReportEvent::LabResultRecorded { result, by, .. }
            | LabReportEvent::LabReportAmended { result, by, .. }
            | LabReportEvent::LabReportCorrected { result, by, .. } => drop(recorded.insert(*result, *by)),
            LabReportEvent::LabResultVerified { result, by, .. } => assert_ne!(recorded[result], *by),
            _ => {}
        }
    }
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[reports_are_sound_whatever_is_done];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn reports_are_sound_whatever_is_done(steps in steps()) {
        let mut world = bench();
        for n in 1..=ORDERS {
            given_ordered(&mut world, n);
        }
        for (n, who, step) in &steps {
            let before = reports(&world);
            take(&mut world, *n, *who, step);
            for (n, after) in reports(&world) {
                before.get(&n).inspect(|before| check_final(before, &after));
                let released_now = after.status == LabReportStatus::Final;
                prop_assert!(!released_now || after.standing().all(|(_, finding)| finding.verified));
            }
            check_orders(&world);
        }
        check_verified(&world);
        let mut again: BTreeMap<StreamId, State> = BTreeMap::new();
        for (stream, event) in &world.log {
            let before = again.remove(stream);
            again.insert(*stream, State::evolve(before, event).expect("an event of the log follows"));
        }
        prop_assert_eq!(again, world.states().map(|(stream, state)| (*stream, state.clone())).collect());
    }
}
