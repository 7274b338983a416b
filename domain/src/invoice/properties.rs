//! What holds of money whatever is done with it, in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use events::{ChargeId, DomainEvent, InvoiceEvent, InvoiceId, charge::ChargeStatus};
use proptest::prelude::*;
use serde_json::json;

use super::{
    Invoice,
    sample::{cancel, capture, credit, issue, office, pay, refund},
};
use crate::{
    Charge,
    testing::{World, id},
};

const INVOICES: u128 = 3;

#[derive(Clone, Debug)]
enum Step {
    Capture { minor: i64, quantity: i64, tax: i64 },
    Cancel(usize),
    Issue(Vec<usize>),
    Pay(i64),
    Credit(i64),
    Refund(i64),
}

fn steps() -> impl Strategy<Value = Vec<(u128, Step)>> {
    let amount = || prop_oneof![3 => 1..200_i64, 1 => 1..100_000_i64];
    let step = prop_oneof![
        5 => (0..500_i64, 1..5_i64, prop_oneof![Just(0), Just(500), Just(1800), 0..=10_000_i64])
            .prop_map(|(minor, quantity, tax)| Step::Capture { minor, quantity, tax }),
        1 => (0..6_usize).prop_map(Step::Cancel),
        4 => proptest::collection::vec(0..8_usize, 1..4).prop_map(Step::Issue),
        5 => amount().prop_map(Step::Pay),
        3 => amount().prop_map(Step::Credit),
        3 => amount().prop_map(Step::Refund),
    ];
    proptest::collection::vec((1..=INVOICES, step), 1..60)
}

/// Refused or not: what holds, holds either way.
fn take(world: &mut World, charges: &mut Vec<ChargeId>, n: u128, step: &Step) {
    let known = |n: &usize| charges.get(*n).copied();
    let _outcome = match step {
        Step::Capture { minor, quantity, tax } => {
            let price = json!({"minor": minor, "currency": "INR"});
            let content = json!({"unit_price": price, "quantity": quantity, "tax_basis_points": tax});
            capture(world, content).map(|charge| charges.push(charge))
        }
        Step::Cancel(n) => known(n).map_or(Ok(()), |charge| cancel(world, charge).map(drop)),
        Step::Issue(on) => {
            let on: Vec<ChargeId> = on.iter().filter_map(known).collect();
            issue(world, n, &on).map(drop)
        }
        Step::Pay(minor) => pay(world, n, *minor).map(drop),
        Step::Credit(minor) => credit(world, n, *minor).map(drop),
        Step::Refund(minor) => refund(world, n, *minor).map(drop),
    };
}

/// What the events of one invoice add up to, counted by themselves.
#[derive(Default)]
struct Counted {
    billed: i64,
    paid: i64,
    credited: i64,
    refunded: i64,
}

fn counted(world: &World) -> BTreeMap<InvoiceId, Counted> {
    let mut all = BTreeMap::<InvoiceId, Counted>::new();
    for (stream, event) in &world.log {
        let DomainEvent::Invoice(event) = event else { continue };
        let one = all.entry(InvoiceId(stream.id)).or_default();
        match event {
            InvoiceEvent::InvoiceIssued { lines, net, tax, total, .. } => {
                assert_eq!(*net, lines.iter().map(|line| line.amount.net).sum::<i64>());
                assert_eq!(*tax, lines.iter().map(|line| line.amount.tax).sum::<i64>());
                assert_eq!(*total, net + tax);
                one.billed += total;
            }
            InvoiceEvent::PaymentRecorded { amount, .. } => one.paid += amount.minor,
            InvoiceEvent::CreditNoteIssued { amount, .. } => one.credited += amount.minor,
            InvoiceEvent::RefundIssued { amount, .. } => one.refunded += amount.minor,
        }
    }
    all
}

fn check(world: &World, charges: &[ChargeId]) {
    let all = counted(world);
    for (id, counted) in &all {
        let balance = world.state::<Invoice>(*id).expect("an invoice").balance;
        let Counted { billed, paid, credited, refunded } = counted;
        assert_eq!(balance.due(), billed - credited - paid + refunded, "nothing is lost and nothing appears");
        assert!(balance.due() >= 0 && *refunded <= *paid && *credited <= *billed);
    }
    let number = |event: &DomainEvent| match event {
        DomainEvent::Invoice(InvoiceEvent::InvoiceIssued { number, .. }) => Some(number.as_str().to_owned()),
        _ => None,
    };
    let numbers: Vec<String> = world.log.iter().filter_map(|(_, event)| number(event)).collect();
    let expected: Vec<String> = (1..=all.len()).map(|n| format!("INV-2026-{n:05}")).collect();
    assert_eq!(numbers, expected, "numbers have no gaps");
    let mut invoiced = BTreeSet::new();
    for (_, event) in &world.log {
        let DomainEvent::Invoice(InvoiceEvent::InvoiceIssued { lines, .. }) = event else { continue };
        assert!(lines.iter().all(|line| invoiced.insert(line.charge)), "a charge is on one invoice");
    }
    for id in charges {
        let is_on_one = world.state::<Charge>(*id).expect("a charge").status == ChargeStatus::Invoiced;
        assert_eq!(is_on_one, invoiced.contains(id));
    }
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[money_adds_up];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn money_adds_up(steps in steps()) {
        let mut world = office();
        let mut charges = Vec::new();
        for (n, step) in &steps {
            take(&mut world, &mut charges, *n, step);
            check(&world, &charges);
        }
    }

    #[test]
    fn a_line_is_rounded_to_the_nearest_half_away_from_zero(
        minor in 0..1_000_000_i64, quantity in 1..100_i64, tax in 0..=10_000_i64
    ) {
        let mut world = office();
        let price = json!({"minor": minor, "currency": "INR"});
        let content = json!({"unit_price": price, "quantity": quantity, "tax_basis_points": tax});
        let charge = capture(&mut world, content).unwrap();
        let amount = &world.state::<Charge>(charge).unwrap().amount;
        prop_assert_eq!(amount.net, minor * quantity);
        prop_assert_eq!(amount.total, amount.net + amount.tax);
        // In ten-thousandths of a minor unit: no further than half of one away, and the half goes up.
        let away = amount.tax * 10_000 - amount.net * tax;
        prop_assert!(-5_000 < away && away <= 5_000, "{}", away);
    }
}

#[test]
fn an_invoice_that_was_not_issued_takes_nothing() {
    let mut world = office();
    for refused in [pay(&mut world, 1, 1), credit(&mut world, 1, 1), refund(&mut world, 1, 1)] {
        assert_eq!(refused.unwrap_err().class, crate::Class::NotFound);
    }
    assert!(world.state::<Invoice>(id::<InvoiceId>(1)).is_none());
}
