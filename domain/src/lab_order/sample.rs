//! A laboratory to test at: one patient, a doctor who orders, a nurse, two technicians.

use events::{DomainEvent, LabOrderId, PatientId, Role, lab_order::TestKind};
use serde_json::{Value, json};

use super::{CollectSpecimen, DraftTests, LabOrder, OrderTests};
use crate::{
    Refusal,
    testing::{World, body, id},
};

pub(crate) const PATIENT: u128 = 0xA1;
pub(crate) const DOCTOR: u128 = 0xD1;
pub(crate) const NURSE: u128 = 0x41;
pub(crate) const TECHNICIAN: u128 = 0x71;
pub(crate) const COLLEAGUE: u128 = 0x72;

/// The doctor gives the next commands.
pub(crate) fn bench() -> World {
    let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
    world.given_patient(PATIENT);
    world.given_staff(NURSE, &[Role::Nurse]);
    world.given_staff(TECHNICIAN, &[Role::LabTechnician]);
    world.given_staff(COLLEAGUE, &[Role::LabTechnician]);
    world.given_doctor(DOCTOR);
    world.acts(id(DOCTOR), &[Role::Doctor]);
    world
}

pub(crate) fn order_id(n: u128) -> LabOrderId {
    id(0x1000 + n)
}

/// The body of an order of a blood and a urine test, with other members in place of the usual ones.
pub(crate) fn request(others: Value) -> Value {
    let mut all = json!({
        "patient_id": id::<PatientId>(PATIENT),
        "tests": [
            {"code": "2345-7", "text": "Glucose [Mass/volume] in Serum or Plasma", "kind": "blood"},
            {"code": "5792-7", "text": "Glucose in urine", "kind": "urine"},
        ],
    });
    all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    all
}

pub(crate) fn order(world: &mut World, n: u128, others: Value) -> Result<Vec<DomainEvent>, Refusal> {
    world.lab_order(order_id(n), body::<OrderTests>(request(others)))
}

pub(crate) fn draft(world: &mut World, n: u128, others: Value) -> Result<Vec<DomainEvent>, Refusal> {
    world.lab_order(order_id(n), body::<DraftTests>(request(others)))
}

/// By the doctor, who gives the next commands.
pub(crate) fn given_ordered(world: &mut World, n: u128) -> LabOrderId {
    world.acts(id(DOCTOR), &[Role::Doctor]);
    order(world, n, json!({})).expect("tests are ordered");
    order_id(n)
}

pub(crate) fn collect(world: &mut World, n: u128, barcode: &str, kind: TestKind) -> Result<Vec<DomainEvent>, Refusal> {
    world.lab_order(order_id(n), body::<CollectSpecimen>(json!({"barcode": barcode, "kind": kind})))
}

pub(crate) fn state(world: &World, n: u128) -> &LabOrder {
    world.state::<LabOrder>(order_id(n)).expect("an order")
}

pub(crate) fn code(result: Result<Vec<DomainEvent>, Refusal>) -> &'static str {
    result.map(|events| panic!("{events:?}")).unwrap_err().code
}
