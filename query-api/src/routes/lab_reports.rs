//! Laboratory reports: what was found, with every earlier version of it.

use aide::axum::ApiRouter;
use chrono::{DateTime, Utc};
use events::{AggregateKind, DoctorId, LabOrderId, LabReportId, PatientId, lab_report::LabReportStatus};
use read_models::{
    LabReportRow, LabReports,
    lab_report::{LabCorrectionEntry, LabResultEntry, StruckOut},
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

/// The results of one order.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LabReport {
    pub id: LabReportId,
    /// `LR-20260314-001`
    pub number: String,
    pub status: LabReportStatus,
    pub version: i64,
    pub order_id: LabOrderId,
    pub patient_id: PatientId,
    /// Who ordered the tests.
    pub doctor_id: DoctorId,
    /// Those that stand.
    pub results: Vec<LabResultEntry>,
    /// Those in whose place others stand.
    pub replaced_results: Vec<LabResultEntry>,
    pub corrections: Vec<LabCorrectionEntry>,
    /// A critical result stands of which no doctor has taken note.
    pub open_critical: bool,
    pub registered_at: DateTime<Utc>,
    pub released: Option<Stamp>,
    pub struck_out: Option<StruckOut>,
}

impl LabReport {
    fn of(row: LabReportRow, sight: &Sight) -> Self {
        let results = row.results.into_iter().map(|result| shown(result, sight));
        let (replaced_results, results) = results.partition(|result| result.replaced_by.is_some());
        Self {
            id: row.id,
            number: row.number,
            status: row.status,
            version: row.version,
            order_id: row.order_id,
            patient_id: row.patient_id,
            doctor_id: row.doctor_id,
            results,
            replaced_results,
            corrections: row.corrections,
            open_critical: row.open_critical,
            registered_at: row.registered_at,
            released: row.released,
            struck_out: row.struck_out,
        }
    }
}

/// What the laboratory and the doctor said to each other is theirs.
pub(super) fn shown(mut result: LabResultEntry, sight: &Sight) -> LabResultEntry {
    if sight.own.is_some() {
        result.notices.clear();
    }
    result
}

/// `open`: a doctor has yet to take note of a critical result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CriticalFilter {
    Open,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabReportFilters {
    /// Also those that were made under another id of the same person.
    patient: Option<PatientId>,
    order: Option<LabOrderId>,
    /// Who ordered the tests.
    doctor: Option<DoctorId>,
    status: Option<LabReportStatus>,
    critical: Option<CriticalFilter>,
    /// What the record said then; of one patient alone.
    as_of: Option<AsOf>,
}

impl Filters<LabReportRow> for LabReportFilters {
    fn patient(&self) -> Option<PatientId> {
        self.patient
    }

    fn as_of(&self) -> Option<AsOf> {
        self.as_of
    }

    fn select(&self, sql: Sql) -> Sql {
        let sql = sql
            .bind_some(" AND a.order_id = ", self.order.map(|order| order.0))
            .bind_some(" AND a.doctor_id = ", self.doctor.map(|doctor| doctor.0))
            .bind_some(" AND a.status = ", self.status.map(|status| status.to_string()));
        match self.critical {
            Some(CriticalFilter::Open) => sql.push(" AND a.open_critical"),
            None => sql,
        }
    }

    fn takes(&self, row: &LabReportRow) -> bool {
        self.order.is_none_or(|order| row.order_id == order)
            && self.doctor.is_none_or(|doctor| row.doctor_id == doctor)
            && self.status.is_none_or(|status| row.status == status)
            && self.critical.is_none_or(|CriticalFilter::Open| row.open_critical)
    }
}

/// A patient sees what was released.
impl ClinicalResource for LabReports {
    const KIND: AggregateKind = AggregateKind::LabReport;
    const CAPABILITY: Capability = Capability::LabResults;
    const COLLECTION: &'static str = "lab-reports";
    const SINGULAR: &'static str = "LabReport";
    const PLURAL: &'static str = "LabReports";
    const MODELS: &'static [&'static str] = &["lab_report_1", "patient_1"];
    const AT: &'static str = "registered_at";

    type Answer = LabReport;
    type Filters = LabReportFilters;

    fn place(row: &LabReportRow) -> Place {
        Place {
            id: row.id.0,
            patient: row.patient_id,
            at: row.registered_at,
            version: row.version,
            position: row.position,
        }
    }

    fn answer(row: LabReportRow, sight: &Sight) -> LabReport {
        LabReport::of(row, sight)
    }

    fn shows(row: &LabReportRow, sight: &Sight) -> bool {
        sight.own.is_none() || row.status.is_released()
    }

    fn narrow(sql: Sql, sight: &Sight) -> Sql {
        match sight.own {
            Some(_) => sql.push(" AND a.status IN ('final', 'amended', 'corrected')"),
            None => sql,
        }
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    clinical::routes::<LabReports>()
}

#[cfg(test)]
mod tests {
    use events::UserId;
    use service_kit::Reach;
    use strum::VariantArray;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_a_patient_sees_is_the_same_in_a_statement_and_in_memory() {
        let (user, own) = (UserId(Uuid::nil()), Some(PatientId(Uuid::nil())));
        let sight = Sight { reach: Reach::Nothing, user, own, restricted: true, parts: clinical::Parts::ALL };
        let (text, _) = LabReports::narrow(Sql::new(""), &sight).finish().unwrap();
        for status in LabReportStatus::VARIANTS {
            assert_eq!(status.is_released(), text.contains(&format!("'{status}'")), "{status}");
        }
    }
}
