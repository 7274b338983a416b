//! A patient's results over time: of one test, or of all.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{LabReportId, LabResultId, PatientId, lab_report::LabReportStatus};
use read_models::{LabReportRow, LabReports, lab_report::LabResultEntry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{AsOf, Capability, ListQuery, Path, Problem, page::List};
use uuid::Uuid;

use super::{ById, lab_reports::shown};
use crate::{
    QueryState,
    clinical::{ClinicalResource, Sight, admitted},
    disclosure::{Disclosed, Subjects, disclose},
    past::Past,
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

/// A result that stands, and the report that it is of.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ResultOverTime {
    pub report_id: LabReportId,
    /// `LR-20260314-001`
    pub report_number: String,
    pub report_status: LabReportStatus,
    pub patient_id: PatientId,
    #[serde(flatten)]
    pub result: LabResultEntry,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResultFilters {
    /// LOINC.
    code: Option<String>,
    /// What the record said then.
    as_of: Option<AsOf>,
}

/// Where a page ended.
#[derive(Serialize, Deserialize)]
struct Last(DateTime<Utc>, LabResultId);

impl Last {
    fn of(result: &ResultOverTime) -> Self {
        Self(result.result.recorded.at, result.result.id)
    }
}

/// The results of a report that stand, where the report does.
fn standing(row: LabReportRow, code: Option<&str>, sight: &Sight) -> Vec<ResultOverTime> {
    let LabReportRow { id, number, status, patient_id, results, .. } = row;
    let stands = |result: &LabResultEntry| {
        status != LabReportStatus::EnteredInError
            && result.replaced_by.is_none()
            && code.is_none_or(|code| result.code.as_deref() == Some(code))
    };
    let told = |result| ResultOverTime {
        report_id: id,
        report_number: number.clone(),
        report_status: status,
        patient_id,
        result: shown(result, sight),
    };
    results.into_iter().filter(stands).map(told).collect()
}

async fn results(
    reader: Reader,
    Path(path): Path<ById>,
    query: ListQuery<ResultFilters>,
) -> Result<Disclosed<List<ResultOverTime>>, Problem> {
    let patient = PatientId(path.id);
    let (group, sight) = admitted::<LabReports>(&reader, patient).await?;
    let group = group.value.ids();
    let code = query.filters.code.as_deref();
    let Reflected { value: reports, position } = match query.filters.as_of {
        None => reports(&reader, &group, &sight, code).await?,
        Some(as_of) => earlier(&reader, patient, &group, &sight, as_of).await?,
    };
    let mut all: Vec<ResultOverTime> = reports.into_iter().flat_map(|report| standing(report, code, &sight)).collect();
    if let Some(Last(at, id)) = query.after::<Last>()? {
        all.retain(|result| (result.result.recorded.at, result.result.id) < (at, id));
    }
    all.sort_by_key(|result| std::cmp::Reverse((result.result.recorded.at, result.result.id)));
    let page = query.answer(all, position, Last::of);
    disclose(&reader, Capability::LabResults, Subjects::person(patient, group), page).await
}

/// The person's reports that hold a result of that code.
async fn reports(
    reader: &Reader,
    group: &[PatientId],
    sight: &Sight,
    code: Option<&str>,
) -> Result<Reflected<Vec<LabReportRow>>, Problem> {
    let ids: Vec<Uuid> = group.iter().map(|id| id.0).collect();
    let sql = Sql::new("a.* FROM read.lab_report_1 a WHERE a.clinic_id = s.clinic AND a.patient_id = ANY(")
        .bind(ids)
        .push(")")
        .bind_some(" AND a.results @> ", code.map(|code| serde_json::json!([{"code": code}])));
    reader.all(Select::new(LabReports::MODELS, sight.narrow::<LabReports>(sql))).await
}

async fn earlier(
    reader: &Reader,
    patient: PatientId,
    group: &[PatientId],
    sight: &Sight,
    as_of: AsOf,
) -> Result<Reflected<Vec<LabReportRow>>, Problem> {
    let past = Past::look_back(reader, patient, group, as_of).await?;
    let mut value = Vec::new();
    for (_, row) in past.rows::<LabReports>().into_sorted() {
        if sight.shows::<LabReports>(reader, &row).await? {
            value.push(row);
        }
    }
    Ok(Reflected { value, position: past.moment.position })
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/patients/{id}/results",
        get_with(results, |op| {
            op.id("listPatientResults").tag("Patients").summary("A patient's results over time").description(
                "Results that stand, the latest first, of one LOINC code or of all; also those under another id of \
                 the same person. A patient sees those of released reports.",
            )
        }),
    )
}
