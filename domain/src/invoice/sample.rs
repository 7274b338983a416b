//! A billing office to test in: one patient, whose charges cost 500.25 rupees and 18 % of tax.

use events::{ChargeId, DomainEvent, InvoiceId, PatientId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Invoice, InvoiceCommand};
use crate::{
    Charge, Refusal,
    testing::{World, body, id},
};

pub(super) const PATIENT: PatientId = PatientId(Uuid::from_u128(1));
pub(super) const INVOICE: InvoiceId = InvoiceId(Uuid::from_u128(1));

pub(super) fn office() -> World {
    let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
    world.given_patient(1);
    world
}

pub(super) fn capture(world: &mut World, others: Value) -> Result<ChargeId, Refusal> {
    let mut all = json!({
        "patient_id": PATIENT, "description": "Consultation", "unit_price": {"minor": 50_025, "currency": "INR"},
        "tax_basis_points": 1800
    });
    all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    let charge: ChargeId = id(0xC0 + world.log.len() as u128);
    let capture = body::<crate::charge::CaptureCharge>(all);
    world.when::<Charge>(charge, capture).map(|_| charge)
}

pub(super) fn given_charge(world: &mut World, others: Value) -> ChargeId {
    capture(world, others).expect("it is captured")
}

pub(super) fn cancel(world: &mut World, charge: ChargeId) -> Result<Vec<DomainEvent>, Refusal> {
    let cancel = body::<crate::charge::CancelCharge>(json!({"reason": "waived", "text": "a colleague"}));
    world.when::<Charge>(charge, cancel)
}

pub(super) fn issue(world: &mut World, n: u128, charges: &[ChargeId]) -> Result<Vec<DomainEvent>, Refusal> {
    on(world, n, InvoiceCommand::Issue(body(json!({"patient_id": PATIENT, "charge_ids": charges}))))
}

fn inr(minor: i64) -> Value {
    json!({"minor": minor, "currency": "INR"})
}

pub(super) fn pay(world: &mut World, n: u128, minor: i64) -> Result<Vec<DomainEvent>, Refusal> {
    let content = json!({"amount": inr(minor), "method": "upi", "reference": "UTR 1"});
    on(world, n, InvoiceCommand::RecordPayment(body(content)))
}

pub(super) fn credit(world: &mut World, n: u128, minor: i64) -> Result<Vec<DomainEvent>, Refusal> {
    on(world, n, InvoiceCommand::IssueCreditNote(body(json!({"amount": inr(minor), "reason": "discount"}))))
}

pub(super) fn refund(world: &mut World, n: u128, minor: i64) -> Result<Vec<DomainEvent>, Refusal> {
    let content = json!({"amount": inr(minor), "method": "cash", "reason": "billing_error", "text": "twice"});
    on(world, n, InvoiceCommand::IssueRefund(body(content)))
}

fn on(world: &mut World, n: u128, command: InvoiceCommand) -> Result<Vec<DomainEvent>, Refusal> {
    world.when::<Invoice>(id::<InvoiceId>(n), command)
}

pub(super) fn invoice(world: &World, n: u128) -> &Invoice {
    world.state::<Invoice>(id::<InvoiceId>(n)).expect("an invoice")
}

pub(super) fn charge(world: &World, id: ChargeId) -> &Charge {
    world.state::<Charge>(id).expect("a charge")
}
