//! Orders of laboratory tests.

use aide::axum::ApiRouter;
use chrono::{DateTime, Utc};
use events::{
    AggregateKind, DoctorId, LabOrderId, LabReportId, PatientId, VisitId,
    lab_order::{LabOrderStatus, LabTest, OrderPriority},
};
use read_models::{
    LabOrderRow, LabOrders,
    lab_order::{LabStop, SpecimenEntry},
    stamp::Stamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{AsOf, Capability};

use crate::{
    QueryState,
    clinical::{self, ClinicalResource, Filters, Place, Sight},
    sql::Sql,
};

/// What is to be found out about a patient, and the specimens that were taken for it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LabOrder {
    pub id: LabOrderId,
    /// `LAB-20260314-001`
    pub number: String,
    pub status: LabOrderStatus,
    pub version: i64,
    pub patient_id: PatientId,
    /// A draft has none.
    pub doctor_id: Option<DoctorId>,
    pub visit_id: Option<VisitId>,
    pub priority: OrderPriority,
    pub tests: Vec<LabTest>,
    /// The suspicion, the question.
    pub reason: Option<String>,
    pub specimens: Vec<SpecimenEntry>,
    /// The report that completed it.
    pub report_id: Option<LabReportId>,
    /// Ordered, or drafted.
    pub ordered_at: DateTime<Utc>,
    pub activated: Option<Stamp>,
    /// While it is on hold, and the last time it was.
    pub held: Option<LabStop>,
    pub revoked: Option<LabStop>,
    pub completed_at: Option<DateTime<Utc>>,
}

impl From<LabOrderRow> for LabOrder {
    fn from(row: LabOrderRow) -> Self {
        Self {
            id: row.id,
            number: row.number,
            status: row.status,
            version: row.version,
            patient_id: row.patient_id,
            doctor_id: row.doctor_id,
            visit_id: row.visit_id,
            priority: row.priority,
            tests: row.tests,
            reason: row.reason,
            specimens: row.specimens,
            report_id: row.report_id,
            ordered_at: row.ordered_at,
            activated: row.activated,
            held: row.held,
            revoked: row.revoked,
            completed_at: row.completed_at,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabOrderFilters {
    /// Also those that were ordered under another id of the same person.
    patient: Option<PatientId>,
    /// Who ordered them.
    doctor: Option<DoctorId>,
    status: Option<LabOrderStatus>,
    priority: Option<OrderPriority>,
    /// Whether they are drafts, active or on hold.
    open: Option<bool>,
    /// What the record said then; of one patient alone.
    as_of: Option<AsOf>,
}

fn is_open(status: LabOrderStatus) -> bool {
    match status {
        LabOrderStatus::Draft | LabOrderStatus::Active | LabOrderStatus::OnHold => true,
        LabOrderStatus::Completed | LabOrderStatus::Revoked => false,
    }
}

impl Filters<LabOrderRow> for LabOrderFilters {
    fn patient(&self) -> Option<PatientId> {
        self.patient
    }

    fn as_of(&self) -> Option<AsOf> {
        self.as_of
    }

    fn select(&self, sql: Sql) -> Sql {
        sql.bind_some(" AND a.doctor_id = ", self.doctor.map(|doctor| doctor.0))
            .bind_some(" AND a.status = ", self.status.map(|status| status.to_string()))
            .bind_some(" AND a.priority = ", self.priority.map(|priority| priority.to_string()))
            .bind_some(" AND (a.status IN ('draft', 'active', 'on-hold')) = ", self.open)
    }

    fn takes(&self, row: &LabOrderRow) -> bool {
        self.doctor.is_none_or(|doctor| row.doctor_id == Some(doctor))
            && self.status.is_none_or(|status| row.status == status)
            && self.priority.is_none_or(|priority| row.priority == priority)
            && self.open.is_none_or(|open| is_open(row.status) == open)
    }
}

/// A draft is nobody's word yet: the patient sees what a doctor ordered.
impl ClinicalResource for LabOrders {
    const KIND: AggregateKind = AggregateKind::LabOrder;
    const CAPABILITY: Capability = Capability::Prescribe;
    /// Whoever does the tests sees what was asked for.
    const OR: Option<Capability> = Some(Capability::LabResults);
    const COLLECTION: &'static str = "lab-orders";
    const SINGULAR: &'static str = "LabOrder";
    const PLURAL: &'static str = "LabOrders";
    const MODELS: &'static [&'static str] = &["lab_order_1", "patient_1"];
    const AT: &'static str = "ordered_at";

    type Answer = LabOrder;
    type Filters = LabOrderFilters;

    fn place(row: &LabOrderRow) -> Place {
        Place {
            id: row.id.0,
            patient: row.patient_id,
            at: row.ordered_at,
            version: row.version,
            position: row.position,
        }
    }

    fn answer(row: LabOrderRow, _: &Sight) -> LabOrder {
        row.into()
    }

    fn shows(row: &LabOrderRow, sight: &Sight) -> bool {
        sight.own.is_none() || row.activated.is_some()
    }

    fn narrow(sql: Sql, sight: &Sight) -> Sql {
        match sight.own {
            Some(_) => sql.push(" AND a.activated IS NOT NULL"),
            None => sql,
        }
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    clinical::routes::<LabOrders>()
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    #[test]
    fn what_is_open_is_the_same_in_a_statement_and_in_memory() {
        let filters = LabOrderFilters {
            patient: None,
            doctor: None,
            status: None,
            priority: None,
            open: Some(true),
            as_of: None,
        };
        let (text, _) = filters.select(Sql::new("")).finish().unwrap();
        for status in LabOrderStatus::VARIANTS {
            assert_eq!(is_open(*status), text.contains(&format!("'{status}'")), "{status}");
        }
    }
}
