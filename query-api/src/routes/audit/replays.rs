//! The replays of a clinic: how far they are, and until when they can be asked.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{Position, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{ListQuery, Path, Problem, Query, json::NoFilters, page::List};
use uuid::Uuid;

use crate::{
    QueryState,
    reader::Live,
    routes::ById,
    scope::{Reflected, Select},
    sort::Sort,
    sql::Sql,
};

/// How a replay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplayState {
    /// Nobody has begun to build it.
    Pending,
    Running,
    /// It can be asked.
    Ready,
    /// `error` says why.
    Failed,
    /// Its time is over, or it was deleted.
    Expired,
}

/// A clinic as it was: add `?replay={id}` to any query of the clinic.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Replay")]
pub struct ReplayStatus {
    pub id: Uuid,
    pub state: ReplayState,
    /// The last event of the record that it shows.
    pub position: Position,
    /// What time it is in it: the instant that was asked for, or when that event was recorded.
    pub instant: DateTime<Utc>,
    /// Folded so far, of `events_total`.
    pub events: i64,
    pub events_total: i64,
    pub error: Option<String>,
    /// `null`: from the console.
    pub asked_by: Option<UserId>,
    pub asked_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

fn select() -> Sql {
    Sql::new(
        "r.id, CASE WHEN r.expires_at <= now() OR b.state = 'dropped' THEN 'expired' \
         ELSE coalesce(b.state, 'pending') END AS state, r.position, r.instant, coalesce(b.events, 0) AS events, \
         r.position AS events_total, b.error, r.asked_by, r.asked_at, r.expires_at FROM log.replay r \
         LEFT JOIN read.replay b ON b.clinic_id = s.clinic AND b.id = r.id WHERE r.clinic = s.clinic",
    )
}

/// Where a page ended.
#[derive(Serialize, Deserialize)]
struct Last(DateTime<Utc>, Uuid);

async fn list(Live(reader): Live, query: ListQuery<NoFilters>) -> Result<List<ReplayStatus>, Problem> {
    reader.may_replay().await?;
    let after = query.after::<Last>()?.map(|Last(asked_at, id)| (asked_at, id));
    let sort = Sort::descending("(r.asked_at, r.id)", "r.asked_at DESC, r.id DESC");
    let found = reader.all::<ReplayStatus>(Select::from_log(sort.page(select(), after, query.fetch()))).await?;
    Ok(query.answer(found.value, found.position, |replay| Last(replay.asked_at, replay.id)))
}

async fn one(
    Live(reader): Live,
    Path(path): Path<ById>,
    _: Query<NoFilters>,
) -> Result<Reflected<ReplayStatus>, Problem> {
    reader.may_replay().await?;
    reader.one(Select::from_log(select().push(" AND r.id = ").bind(path.id))).await?.found()
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/audit/replays",
            get_with(list, |op| {
                op.id("listReplays")
                    .tag("Audit")
                    .summary("The clinic's replays")
                    .description("The latest first, those that are over included.")
            }),
        )
        .api_route(
            "/audit/replays/{id}",
            get_with(one, |op| {
                op.id("getReplay").tag("Audit").summary("One replay").description(
                    "How far it is built, and until when it can be asked. Once it is `ready`, every query of the clinic \
                     takes `?replay={id}`.",
                )
            }),
        )
}
