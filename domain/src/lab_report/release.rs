//! Giving a report out, and taking it back as a whole.

use events::{LabOrderEvent, LabReportEvent, LabReportId, lab_order::LabOrderStatus, lab_report::LabReportStatus};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Critical, LabReport, note, wrong_status};
use crate::{Context, Decision, Facts, LabOrder, Refusal, values::Reason};

/// Releases a report all of whose results are verified. It is final, completes its order, and the patient may see it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseReport {}

/// Strikes a report out that should never have been: of another patient, of another specimen. It stays on record, and
/// its order waits for another report.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterReportInError {
    pub reason: Reason,
}

impl ReleaseReport {
    pub(super) fn decide(self, state: &LabReport, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        may_be_released(state)?;
        let order = facts.get::<LabOrder>(state.order).ok_or_else(|| Refusal::not_found("laboratory order"))?;
        if order.status != LabOrderStatus::Active {
            let detail = format!("The order is {}; its report waits.", order.status);
            return Err(Refusal::conflict("order-not-active", detail).with("status", order.status.to_string()));
        }
        let (patient, report) = (state.patient, LabReportId(context.target.id));
        Ok(Decision::one(report, LabReportEvent::LabReportReleased { patient, order: state.order })
            .and(state.order, LabOrderEvent::LabOrderCompleted { patient: order.patient, report }))
    }
}

fn may_be_released(state: &LabReport) -> Result<(), Refusal> {
    match state.status {
        LabReportStatus::Preliminary => {}
        LabReportStatus::Registered => {
            return Err(Refusal::conflict("no-results", "A report is released with results; it has none."));
        }
        LabReportStatus::Partial => {
            let open = state.standing().filter(|(_, finding)| !finding.verified);
            let results: Vec<String> = open.map(|(id, _)| id.to_string()).collect();
            let detail = "A report is released once all of its results are verified.";
            return Err(Refusal::conflict("results-not-verified", detail).with("results", results));
        }
        LabReportStatus::Final
        | LabReportStatus::Amended
        | LabReportStatus::Corrected
        | LabReportStatus::EnteredInError => return Err(wrong_status(state, "released")),
    }
    let untold = state.standing().filter(|(_, finding)| finding.critical == Some(Critical::Open));
    let results: Vec<String> = untold.map(|(id, _)| id.to_string()).collect();
    if results.is_empty() {
        return Ok(());
    }
    let detail = "A doctor is told of a critical result before the report is released.";
    Err(Refusal::conflict("critical-not-notified", detail).with("results", results))
}

impl EnterReportInError {
    pub(super) fn decide(self, state: &LabReport, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        if state.status == LabReportStatus::EnteredInError {
            return Err(wrong_status(state, "struck out again"));
        }
        let (patient, report) = (state.patient, LabReportId(context.target.id));
        let (order, was, sealed) = (state.order, state.status, note(Some(self.reason)));
        let struck_out = Decision::one(report, LabReportEvent::LabReportEnteredInError { patient, order, was, sealed });
        let completed = facts.get::<LabOrder>(order).is_some_and(|order| order.report == Some(report));
        Ok(match completed {
            true => struck_out.and(order, LabOrderEvent::LabOrderReopened { patient, report }),
            false => struck_out,
        })
    }
}

#[cfg(test)]
mod tests {
    use events::Role;
    use serde_json::json;

    use super::{
        super::sample::{
            code, given_recorded, given_registered_in, given_released, given_verified, register, release, report,
            report_id, verify,
        },
        *,
    };
    use crate::{
        lab_order::{
            HoldLabOrder, ReleaseLabOrder,
            sample::{DOCTOR, bench, order_id, state},
        },
        lab_report::NotifyCritical,
        testing::{World, body, id},
    };

    fn strike_out(world: &mut World, n: u128) -> Result<Vec<events::DomainEvent>, Refusal> {
        let strike = body::<EnterReportInError>(json!({"reason": "another patient's blood"}));
        world.lab_report(report_id(n), strike)
    }

    #[test]
    fn a_release_completes_the_order() {
        let mut world = bench();
        given_released(&mut world, 1);
        assert_eq!(report(&world, 1).status, LabReportStatus::Final);
        assert_eq!((state(&world, 1).status, state(&world, 1).report), (LabOrderStatus::Completed, Some(report_id(1))));
        assert_eq!(code(release(&mut world, 1)), "wrong-status");
    }

    #[test]
    fn only_what_is_verified_is_released() {
        let mut world = bench();
        given_registered_in(&mut world, 1);
        assert_eq!(code(release(&mut world, 1)), "no-results");
        let [one, two] = [90.0, 95.0].map(|value| given_recorded(&mut world, 1, value));
        verify(&mut world, 1, one);
        let refusal = release(&mut world, 1).unwrap_err();
        assert_eq!((refusal.code, refusal.extra), ("results-not-verified", vec![("results", json!([two]))]));
    }

    #[test]
    fn a_critical_result_is_told_before_the_release() {
        let mut world = bench();
        let result = given_verified(&mut world, 1, 500.0);
        let refusal = release(&mut world, 1).unwrap_err();
        assert_eq!((refusal.code, refusal.extra), ("critical-not-notified", vec![("results", json!([result]))]));
        let notify = body::<NotifyCritical>(json!({"result_id": result, "channel": "phone"}));
        world.lab_report(report_id(1), notify).unwrap();
        release(&mut world, 1).unwrap();
    }

    #[test]
    fn an_order_on_hold_waits_with_its_report() {
        let mut world = bench();
        given_verified(&mut world, 1, 90.0);
        world.acts(id(DOCTOR), &[Role::Doctor]);
        world.lab_order(order_id(1), body::<HoldLabOrder>(json!({}))).unwrap();
        assert_eq!(code(release(&mut world, 1)), "order-not-active");
        world.lab_order(order_id(1), ReleaseLabOrder {}).unwrap();
        release(&mut world, 1).unwrap();
    }

    #[test]
    fn a_report_that_was_struck_out_makes_room_for_another() {
        let mut world = bench();
        given_released(&mut world, 1);
        assert_eq!(strike_out(&mut world, 1).unwrap().len(), 2);
        assert_eq!((state(&world, 1).status, state(&world, 1).report), (LabOrderStatus::Active, None));
        assert_eq!(code(strike_out(&mut world, 1)), "wrong-status");
        register(&mut world, 2, order_id(1)).unwrap();
        assert_eq!(strike_out(&mut world, 2).unwrap().len(), 1, "its order was not completed by it");
    }
}
