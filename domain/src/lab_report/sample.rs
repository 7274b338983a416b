//! Reports to test at. The order's number is the report's.

use events::{DomainEvent, LabOrderId, LabReportId, LabResultId, Role};
use serde_json::{Value, json};

use super::{LabReport, RecordResult, RegisterReport, ReleaseReport, VerifyResult};
use crate::{
    Refusal,
    lab_order::sample::{COLLEAGUE, TECHNICIAN, given_ordered, order_id},
    testing::{World, body, id},
};

pub(crate) use crate::lab_order::sample::code;

pub(crate) fn report_id(n: u128) -> LabReportId {
    id(0x2000 + n)
}

/// A result whose range calls more than 400 critical.
pub(crate) fn glucose(value: f64) -> Value {
    json!({
        "code": "2345-7", "text": "Glucose [Mass/volume] in Serum or Plasma",
        "value": {"type": "quantity", "value": value, "unit": "mg/dL"},
        "range": {"low": 70, "high": 110, "critical_low": 40, "critical_high": 400},
    })
}

pub(crate) fn register(world: &mut World, n: u128, order: LabOrderId) -> Result<Vec<DomainEvent>, Refusal> {
    world.acts(id(TECHNICIAN), &[Role::LabTechnician]);
    world.lab_report(report_id(n), body::<RegisterReport>(json!({"order_id": order})))
}

/// Of an order that there is.
pub(crate) fn given_registered(world: &mut World, n: u128) -> LabReportId {
    register(world, n, order_id(n)).expect("a report is registered");
    report_id(n)
}

/// Of an order of its own.
pub(crate) fn given_registered_in(world: &mut World, n: u128) -> LabReportId {
    given_ordered(world, n);
    given_registered(world, n)
}

pub(crate) fn record(world: &mut World, n: u128, value: f64) -> Result<Vec<DomainEvent>, Refusal> {
    world.acts(id(TECHNICIAN), &[Role::LabTechnician]);
    world.lab_report(report_id(n), body::<RecordResult>(json!({"result": glucose(value)})))
}

/// By the technician, who gives the next commands.
pub(crate) fn given_recorded(world: &mut World, n: u128, value: f64) -> LabResultId {
    let before: Vec<LabResultId> = report(world, n).results.keys().copied().collect();
    record(world, n, value).expect("a result is recorded");
    let mut new = report(world, n).results.keys().filter(|id| !before.contains(id));
    *new.next().expect("a result")
}

pub(crate) fn verify_as(
    world: &mut World,
    who: u128,
    n: u128,
    result: LabResultId,
) -> Result<Vec<DomainEvent>, Refusal> {
    world.acts(id(who), &[Role::LabTechnician]);
    world.lab_report(report_id(n), VerifyResult { result_id: result })
}

/// By the colleague, who gives the next commands.
pub(crate) fn verify(world: &mut World, n: u128, result: LabResultId) {
    verify_as(world, COLLEAGUE, n, result).expect("a result is verified");
}

/// The one result of a report of an order of its own.
pub(crate) fn given_verified(world: &mut World, n: u128, value: f64) -> LabResultId {
    given_registered_in(world, n);
    let result = given_recorded(world, n, value);
    verify(world, n, result);
    result
}

pub(crate) fn release(world: &mut World, n: u128) -> Result<Vec<DomainEvent>, Refusal> {
    world.lab_report(report_id(n), ReleaseReport {})
}

/// The one result of a final report of an order of its own.
pub(crate) fn given_released(world: &mut World, n: u128) -> LabResultId {
    let result = given_verified(world, n, 90.0);
    release(world, n).expect("a report is released");
    result
}

pub(crate) fn report(world: &World, n: u128) -> &LabReport {
    world.state::<LabReport>(report_id(n)).expect("a report")
}
