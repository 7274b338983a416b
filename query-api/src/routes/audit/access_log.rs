//! Who was shown a patient's data, when and why: for administrators, auditors, and the patient.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{
    Position,
    audit::{Action, Category},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{ListQuery, Path, Problem, page::List};
use uuid::Uuid;

use super::person::Person;
use crate::{
    QueryState,
    audit::{AccessPage, AuditEntry, Last, access_rows, showing, tell},
    disclosure::{Disclosed, disclose_audit},
    reader::Live,
    routes::ById,
    scope::Reflected,
};

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AccessLogFilters {
    /// Then or later.
    from: Option<DateTime<Utc>>,
    /// Before.
    to: Option<DateTime<Utc>>,
}

/// Somebody was shown data of the patient, alone or in a list, or it was handed out or disclosed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccessLogEntry {
    /// In the access ledger.
    pub position: Position,
    pub recorded_at: DateTime<Utc>,
    pub category: Category,
    pub action: Action,
    pub sentence: String,
    pub actor: AccessLogActor,
    /// What kind of data it was: a capability of the table of rights.
    pub data: Option<String>,
    /// HL7 PurposeOfUse; `ETREAT` is emergency treatment.
    pub purpose: String,
    /// The emergency access under which it was seen.
    pub emergency: Option<Uuid>,
    pub correlation_id: Uuid,
}

/// Who it was, as they were then.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccessLogActor {
    pub kind: String,
    /// User name.
    pub name: String,
    pub roles: Vec<String>,
}

impl AccessLogEntry {
    fn of(entry: AuditEntry) -> Self {
        Self {
            position: entry.position,
            recorded_at: entry.recorded_at,
            category: entry.category,
            action: entry.action,
            sentence: entry.sentence,
            actor: AccessLogActor { kind: entry.actor.kind, name: entry.actor.name, roles: entry.actor.roles },
            data: entry.data,
            purpose: entry.purpose,
            emergency: entry.emergency,
            correlation_id: entry.correlation_id,
        }
    }
}

async fn access_log(
    Live(reader): Live,
    Path(path): Path<ById>,
    query: ListQuery<AccessLogFilters>,
) -> Result<Disclosed<List<AccessLogEntry>>, Problem> {
    let person = Person::of(&reader, path.id.into()).await?;
    let page = AccessPage {
        events: showing(),
        patients: Some(&person.ids),
        for_patient: person.asks_themselves,
        from: query.filters.from,
        to: query.filters.to,
        before: query.after::<Position>()?,
        limit: query.fetch(),
    };
    let Reflected { value: rows, position } = access_rows(&reader, page).await?;
    let entries = tell(&reader, rows.into_iter().map(|row| (row, Last::default())).collect(), false).await?;
    let entries = entries.into_iter().map(AccessLogEntry::of).collect();
    let page = query.answer(entries, position, |entry: &AccessLogEntry| entry.position);
    disclose_audit(&reader, "access_log", Some(path.id.into()), page.items().len(), page).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/patients/{id}/access-log",
        get_with(access_log, |op| {
            op.id("listPatientAccessLog").tag("Audit").summary("Who saw a patient's record").description(
                "Each time that data of the patient, under any id of the same person, was shown alone or in a list, \
                 searched, exported, downloaded, printed or disclosed, the latest first. For administrators, auditors \
                 and the patient, who sees what people did.",
            )
        }),
    )
}
