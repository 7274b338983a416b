//! Everything about a patient in the order in which it happened.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use event_store::StoredRow;
use events::{AggregateKind, PatientId, Position};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{AsOf, Capability, ListQuery, Path, Problem, page::List};
use uuid::Uuid;

use super::{
    ById,
    history::{self, Told},
};
use crate::{
    QueryState,
    audit::{AuditChange, AuditEntry, AuditResource, Last, tell},
    disclosure::{Disclosed, Subjects, disclose},
    reader::{Live, Reader},
    scope::{Reflected, Select},
    sql::Sql,
};

/// Something that happened to a patient.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TimelineEntry {
    /// In the clinic's record.
    pub position: Position,
    /// When it happened; earlier than it was recorded for what was imported.
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    /// The id under which it was recorded: another one of the group, where patients were merged.
    pub patient_id: Option<PatientId>,
    /// What it happened to: the record itself, a visit, a prescription.
    pub resource: Option<AuditResource>,
    /// `PrescriptionIssued`
    pub event: String,
    /// Who did what to which numbered record.
    pub sentence: String,
    /// User name at the time.
    pub actor: String,
    /// Roles at the time.
    pub roles: Vec<String>,
    /// A code.
    pub reason: Option<String>,
    /// What it changed: each field with its value before and after, as far as the asker may see them.
    pub changes: Vec<AuditChange>,
}

impl TimelineEntry {
    fn of(entry: AuditEntry) -> Self {
        Self {
            position: entry.position,
            occurred_at: entry.occurred_at,
            recorded_at: entry.recorded_at,
            patient_id: entry.patients.first().map(|patient| patient.id),
            resource: entry.resource,
            event: entry.event,
            sentence: entry.sentence,
            actor: entry.actor.name,
            roles: entry.actor.roles,
            reason: entry.reason,
            changes: entry.changes.unwrap_or_default(),
        }
    }
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TimelineFilters {
    /// Only what happened to resources of this kind.
    kind: Option<AggregateKind>,
    /// Happened then or later.
    from: Option<DateTime<Utc>>,
    /// Happened before.
    to: Option<DateTime<Utc>>,
    #[serde(default)]
    sort: TimelineSort,
    /// As the record told it then.
    as_of: Option<AsOf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
enum TimelineSort {
    /// The latest first.
    #[default]
    #[serde(rename = "-occurred_at")]
    LatestFirst,
    #[serde(rename = "occurred_at")]
    EarliestFirst,
}

/// Where a page ended.
#[derive(Serialize, Deserialize)]
struct End(DateTime<Utc>, Position);

fn select(told: &Told, upto: Option<Position>, query: &ListQuery<TimelineFilters>) -> Result<Select, Problem> {
    let filters = &query.filters;
    let sql = told
        .narrow(Sql::new("e.* FROM log.event e WHERE e.clinic = s.clinic AND e.patient_version IS NOT NULL"))
        .bind_some(" AND e.stream_kind = ", filters.kind.map(AggregateKind::as_str))
        .bind_some(" AND e.occurred_at >= ", filters.from)
        .bind_some(" AND e.occurred_at < ", filters.to)
        .bind_some(" AND e.position <= ", upto);
    let (after, order) = match filters.sort {
        TimelineSort::LatestFirst => {
            (" AND (e.occurred_at, e.position) < (", " ORDER BY e.occurred_at DESC, e.position DESC LIMIT ")
        }
        TimelineSort::EarliestFirst => {
            (" AND (e.occurred_at, e.position) > (", " ORDER BY e.occurred_at, e.position LIMIT ")
        }
    };
    let sql = match query.after::<End>()? {
        Some(End(at, position)) => sql.push(after).bind(at).push(", ").bind(position).push(")"),
        None => sql,
    };
    Ok(Select::from_log(sql.push(order).bind(query.fetch())))
}

async fn entries(reader: &Reader, rows: Vec<StoredRow>) -> Result<Vec<TimelineEntry>, Problem> {
    let told = tell(reader, rows.into_iter().map(|row| (row, Last::default())).collect(), false).await?;
    Ok(told.into_iter().map(TimelineEntry::of).collect())
}

async fn timeline(
    Live(reader): Live,
    Path(path): Path<ById>,
    query: ListQuery<TimelineFilters>,
) -> Result<Disclosed<List<TimelineEntry>>, Problem> {
    let patient = PatientId(path.id);
    let (group, upto) = history::person(&reader, patient, query.filters.as_of).await?;
    let ids: Vec<Uuid> = group.iter().map(|patient| patient.0).collect();
    let told = Told::to(&reader, ids).await?;
    let Reflected { value: rows, position } = reader.log(select(&told, upto, &query)?).await?;
    let entries = entries(&reader, rows).await?;
    let page = query.answer(entries, upto.unwrap_or(position), |entry| End(entry.occurred_at, entry.position));
    disclose(&reader, Capability::PatientRead, Subjects::person(patient, group), page).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/patients/{id}/timeline",
        get_with(timeline, |op| {
            op.id("listPatientTimeline").tag("Patients").summary("Everything about a patient in time order").description(
                "Bookings, visits, findings, prescriptions, results, notes, invoices and changes of the record itself, by \
                 when they happened, each with a sentence and with what it changed. Of a merged patient, those of the \
                 whole group. What the asker may not see is left out.",
            )
        }),
    )
}
