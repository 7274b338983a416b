//! The versions of what lies in nobody's record (a doctor, a department, a medicine): who made each, when, by which command.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{ActorKind, AggregateKind, Position, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{ListQuery, Path, Problem, json::NoFilters, page::List};
use uuid::Uuid;

use crate::{
    QueryState,
    reader::Reader,
    routes::ById,
    scope::{Reflected, Select},
    sql::Sql,
};

/// One version of a resource. What it said then is told by the audit trail.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ResourceVersion {
    /// In the clinic's record.
    pub position: Position,
    /// 1, 2, 3 …
    pub version: i64,
    /// `DoctorRegistered`
    pub event: String,
    /// `RegisterDoctor`
    pub command: String,
    /// When it happened; earlier than it was recorded for what was imported.
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub actor_kind: ActorKind,
    pub actor_id: Option<UserId>,
    /// User name and roles at the time.
    pub actor_name: String,
    pub actor_roles: Vec<String>,
    /// A code.
    pub reason: Option<String>,
    /// What to name when asking about it; shared by all that one request recorded.
    pub correlation_id: Uuid,
}

/// A kind of resource that lies in nobody's record.
pub(crate) trait Versioned: Send + 'static {
    const KIND: AggregateKind;
    /// As in an address: `doctors`.
    const COLLECTION: &'static str;
    /// As in the names of operations: `Doctor`.
    const SINGULAR: &'static str;
    /// As commands and queries are grouped: `Short keys`.
    const TAG: &'static str;

    /// 403, recorded, for who may not know what happened to it; 404 where there is none.
    fn find(reader: &Reader, id: Uuid) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// `GET /doctors/{id}/history`
pub(crate) fn routes<R: Versioned>() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        &format!("/{}/{{id}}/history", R::COLLECTION),
        get_with(history::<R>, |op| {
            op.id(&format!("list{}History", R::SINGULAR))
                .tag(R::TAG)
                .summary("What happened to it")
                .description("Each version, the latest first: who made it, when, by which command.")
        }),
    )
}

async fn history<R: Versioned>(
    reader: Reader,
    Path(path): Path<ById>,
    query: ListQuery<NoFilters>,
) -> Result<List<ResourceVersion>, Problem> {
    R::find(&reader, path.id).await?;
    of_stream(&reader, R::KIND, path.id, query).await
}

/// A page of the versions of a stream that the asker may know of.
pub(crate) async fn of_stream(
    reader: &Reader,
    kind: AggregateKind,
    id: Uuid,
    query: ListQuery<NoFilters>,
) -> Result<List<ResourceVersion>, Problem> {
    let sql = Sql::new(
        "e.position, e.stream_version AS version, e.event_type AS event, e.command, e.occurred_at, e.recorded_at, \
         e.actor_kind, e.actor_user AS actor_id, e.actor_name, \
         array_remove(string_to_array(e.actor_roles, ','), '') AS actor_roles, e.reason, e.correlation_id \
         FROM log.event e WHERE e.clinic = s.clinic AND e.ledger = 1 AND e.stream_kind = ",
    )
    .bind(kind.as_str())
    .push(" AND e.stream_id = ")
    .bind(id)
    .bind_some(" AND e.stream_version < ", query.after::<i64>()?)
    .push(" ORDER BY e.stream_version DESC LIMIT ")
    .bind(query.fetch());
    let Reflected { value: versions, position } = reader.all::<ResourceVersion>(Select::from_record(sql)).await?;
    Ok(query.answer(versions, position, |version: &ResourceVersion| version.version))
}
