//! Beginning a report.

use events::{LabOrderId, LabReportEvent, LabReportId, Number, Series, lab_order::LabOrderStatus};
use schemars::JsonSchema;
use serde::Deserialize;

use super::LabReport;
use crate::{Context, Facts, LabOrder, Refusal, lab_order::report_claim};

/// Registers the report of an active order. An order has one at a time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterReport {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<LabReportId>,
    pub order_id: LabOrderId,
}

impl RegisterReport {
    pub(super) fn decide(
        self,
        state: Option<&LabReport>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<LabReportEvent, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is a report with this id already.").at("/id"));
        }
        let order = facts.get::<LabOrder>(self.order_id);
        let order = order.ok_or_else(|| Refusal::not_found("laboratory order").at("/order_id"))?;
        let doctor = order.doctor.filter(|_| order.status == LabOrderStatus::Active).ok_or_else(|| {
            let detail = format!("A report is registered for an active order; this one is {}.", order.status);
            Refusal::conflict("order-not-active", detail).at("/order_id").with("status", order.status.to_string())
        })?;
        if let Some(report) = facts.holder(&report_claim(self.order_id)) {
            let detail = "The order has a report already.";
            let refusal = Refusal::conflict("report-registered", detail).at("/order_id");
            return Err(refusal.with("report_id", report.id.to_string()));
        }
        let number = Number::Next(Series::LabReport { zone: context.in_clinic()?.zone() });
        Ok(LabReportEvent::LabReportRegistered { number, order: self.order_id, patient: order.patient, doctor })
    }
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::json;

    use super::{
        super::sample::{code, given_registered, register, report_id},
        *,
    };
    use crate::{
        lab_order::{
            HoldLabOrder,
            sample::{DOCTOR, PATIENT, bench, draft, given_ordered, order_id},
        },
        testing::{body, id},
    };

    #[test]
    fn a_report_belongs_to_its_order_and_the_patient_and_doctor_of_it() {
        let mut world = bench();
        given_ordered(&mut world, 1);
        given_registered(&mut world, 1);
        let Some((_, DomainEvent::LabReport(LabReportEvent::LabReportRegistered { number, order, patient, doctor }))) =
            world.log.last()
        else {
            panic!("a report was registered");
        };
        assert_eq!(number.as_str(), "LR-20260302-001");
        assert_eq!((*order, *patient, *doctor), (order_id(1), id(PATIENT), id(DOCTOR)));
    }

    #[test]
    fn an_order_has_one_report_at_a_time() {
        let mut world = bench();
        given_ordered(&mut world, 1);
        let report = given_registered(&mut world, 1);
        let refusal = register(&mut world, 2, order_id(1)).unwrap_err();
        assert_eq!((refusal.code, refusal.extra), ("report-registered", vec![("report_id", json!(report))]));
        assert_eq!(code(register(&mut world, 1, order_id(1))), "duplicate");
        let strike = body::<super::super::EnterReportInError>(json!({"reason": "wrong order"}));
        world.lab_report(report_id(1), strike).unwrap();
        register(&mut world, 2, order_id(1)).unwrap();
    }

    #[test]
    fn an_order_is_active_when_its_report_begins() {
        let mut world = bench();
        draft(&mut world, 1, json!({})).unwrap();
        assert_eq!(code(register(&mut world, 1, order_id(1))), "order-not-active");
        given_ordered(&mut world, 2);
        world.lab_order(order_id(2), body::<HoldLabOrder>(json!({}))).unwrap();
        assert_eq!(code(register(&mut world, 1, order_id(2))), "order-not-active");
        assert_eq!(register(&mut world, 1, id(0xBAD)).unwrap_err().class, crate::Class::NotFound);
    }
}
