//! What the laboratory has to do: active orders, the most urgent first.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{LabOrderId, LabReportId, lab_order::OrderPriority, lab_report::LabReportStatus};
use read_models::LabOrderRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, ListQuery, Problem, page::List};

use super::lab_orders::LabOrder;
use crate::{
    QueryState,
    audience::{sees_restricted, unrestricted},
    disclosure::{Disclosed, Subjects, disclose},
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

const MODELS: &[&str] = &["lab_order_1", "lab_report_1", "patient_1"];

/// An active order, and how far its report has come.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LabTask {
    #[serde(flatten)]
    pub order: LabOrder,
    /// `null` while nobody has registered one.
    pub report: Option<TaskReport>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TaskReport {
    pub id: LabReportId,
    /// `LR-20260314-001`
    pub number: String,
    pub status: LabReportStatus,
    /// A critical result stands of which no doctor has taken note.
    pub open_critical: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TaskFilters {
    priority: Option<OrderPriority>,
}

#[derive(Deserialize)]
struct Task {
    /// 0 is the most urgent.
    rank: i32,
    report_id_now: Option<LabReportId>,
    report_number: Option<String>,
    report_status: Option<LabReportStatus>,
    report_open_critical: Option<bool>,
    #[serde(flatten)]
    order: LabOrderRow,
}

impl From<Task> for LabTask {
    fn from(task: Task) -> Self {
        let parts = task.report_id_now.zip(task.report_number).zip(task.report_status).zip(task.report_open_critical);
        let report =
            parts.map(|(((id, number), status), open_critical)| TaskReport { id, number, status, open_critical });
        Self { order: task.order.into(), report }
    }
}

/// Where a page ended.
#[derive(Serialize, Deserialize)]
struct Last(i32, DateTime<Utc>, LabOrderId);

fn select(query: &ListQuery<TaskFilters>) -> Result<Sql, Problem> {
    let sql = Sql::new(
        "t.* FROM (SELECT a.*, CASE a.priority WHEN 'stat' THEN 0 WHEN 'asap' THEN 1 WHEN 'urgent' THEN 2 ELSE 3 END \
         AS rank, r.id AS report_id_now, r.number AS report_number, r.status AS report_status, \
         r.open_critical AS report_open_critical FROM read.lab_order_1 a \
         LEFT JOIN read.lab_report_1 r ON r.clinic_id = s.clinic AND r.order_id = a.id AND r.status <> 'entered-in-error' \
         LEFT JOIN read.patient_1 p ON p.clinic_id = s.clinic AND p.id = a.patient_id \
         WHERE a.clinic_id = s.clinic AND a.status = 'active' AND p.status IS DISTINCT FROM 'erased'",
    )
    .bind_some(" AND a.priority = ", query.filters.priority.map(|priority| priority.to_string()))
    .push(") t WHERE true");
    let sql = match query.after::<Last>()? {
        Some(Last(rank, at, id)) => sql
            .push(" AND (t.rank, t.ordered_at, t.id) > (")
            .bind(rank)
            .push(", ")
            .bind(at)
            .push(", ")
            .bind(id.0)
            .push(")"),
        None => sql,
    };
    Ok(sql.push(" ORDER BY t.rank, t.ordered_at, t.id LIMIT ").bind(query.fetch()))
}

async fn worklist(reader: Reader, query: ListQuery<TaskFilters>) -> Result<Disclosed<List<LabTask>>, Problem> {
    if !reader.may_read(Capability::LabResults).await?.is_everything() {
        return Err(reader.refuse(Capability::LabResults).await);
    }
    let Reflected { value: tasks, position } = reader.all::<Task>(Select::new(MODELS, select(&query)?)).await?;
    let open = match sees_restricted(&reader) {
        true => None,
        false => Some(unrestricted(&reader, tasks.iter().map(|task| task.order.patient_id.0).collect()).await?),
    };
    let mut shown = Vec::new();
    let page = query.answer(tasks, position, |task| Last(task.rank, task.order.ordered_at, task.order.id));
    let page = page.filter_map(|task| {
        let patient = task.order.patient_id;
        open.as_ref().is_none_or(|open| open.contains(&patient.0)).then(|| {
            shown.push(patient);
            LabTask::from(task)
        })
    });
    disclose(&reader, Capability::LabResults, Subjects::listed(shown), page).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/lab-orders/worklist",
        get_with(worklist, |op| {
            op.id("listLabWorklist").tag("Lab orders").summary("What the laboratory has to do").description(
                "Active orders with how far their reports have come, the most urgent first, then the oldest.",
            )
        }),
    )
}
