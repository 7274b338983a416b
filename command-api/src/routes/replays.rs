//! Replays: asked for here, recorded in the access ledger, and built by the projector.

use aide::axum::{
    ApiRouter,
    routing::{delete_with, post_with},
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use event_store::{
    AccessRecord,
    replays::{AskedReplay, REPLAYS_MAX, ReplayAnswer, Until},
};
use events::{
    AccessEvent, Position,
    access::{Parameter, Parameters},
};
use http::{HeaderMap, HeaderValue, StatusCode, header::LOCATION};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    AsOf, Capability, ClinicScope, Json, Need, Problem,
    headers::IDEMPOTENCY_REPLAYED,
    problem::{DUPLICATE, KEY_REUSED, TOO_MANY_REPLAYS},
};
use uuid::Uuid;

use super::collection::chosen_id;
use crate::{
    app::App,
    execute::Failure,
    handle::{self, Sent},
    incoming::{Incoming, Whole, WithId},
};

const COLLECTION: &str = "/clinic/{slug}/api/v1/audit/replays";
const ONE: &str = "/clinic/{slug}/api/v1/audit/replays/{id}";
/// Which part of the audit trail they belong to.
const PART: &str = "replays";

/// Up to when the clinic is to be replayed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AskReplay {
    /// UUIDv7; made by the server where it is left out.
    id: Option<Uuid>,
    /// The last event that it shows; by an instant, the last that was recorded not later.
    until: AsOf,
}

/// A replay that will be built.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct AcceptedReplay {
    id: Uuid,
    /// The last event of the record that it shows.
    position: Position,
    /// What time it is in it.
    instant: DateTime<Utc>,
    asked_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

async fn ask(
    State(app): State<App>,
    scope: ClinicScope,
    incoming: Incoming<AskReplay, Whole>,
) -> Result<Response, Problem> {
    may_replay(&scope).await?;
    handle::must_stand(&app, &scope).await?;
    let AskReplay { id, until } = incoming.body.value.clone();
    let of_key = match id {
        Some(_) => None,
        None => of_key(&app, &scope, &incoming).await?,
    };
    let id = chosen_id(id)?.or(of_key).unwrap_or_else(Uuid::now_v7);
    record(&app, &scope, [("until", written(until)), ("replay", id.to_string())]).await?;
    let asked = app.store().ask_replay(scope.clinic(), id, Some(scope.user()), as_stored(until)).await;
    match asked.map_err(Failure::from)? {
        ReplayAnswer::Asked(asked) => accepted(&incoming.path, id, asked, false),
        ReplayAnswer::Known(asked) => accepted(&incoming.path, id, asked, true),
        ReplayAnswer::Taken if of_key.is_some() => Err(Problem::new(KEY_REUSED)),
        ReplayAnswer::Taken => Err(Problem::new(DUPLICATE).detail("There is another replay of this id.")),
        ReplayAnswer::Beyond => Err(Problem::invalid("/until", "The clinic's record has not reached this position.")),
        ReplayAnswer::Before => Err(Problem::invalid("/until", "The clinic's record begins later.")),
        ReplayAnswer::Full => Err(Problem::new(TOO_MANY_REPLAYS).member("limit", REPLAYS_MAX)),
    }
}

async fn end(State(app): State<App>, scope: ClinicScope, WithId(id): WithId) -> Result<StatusCode, Problem> {
    may_replay(&scope).await?;
    handle::must_stand(&app, &scope).await?;
    record(&app, &scope, [("replay", id.to_string())]).await?;
    match app.store().end_replay(scope.clinic(), id).await.map_err(Failure::from)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found()),
    }
}

/// The past of a whole clinic is for who may see all of it; else 403, recorded.
async fn may_replay(scope: &ClinicScope) -> Result<(), Problem> {
    match scope.require(Capability::Replay, Need::Write).await?.write.is_everything() {
        true => Ok(()),
        false => Err(scope.refuse(Capability::Replay, Need::Write).await),
    }
}

/// The id that an idempotency key leads to, the same one each time: so a request that is sent again finds its replay.
async fn of_key(
    app: &App,
    scope: &ClinicScope,
    incoming: &Incoming<AskReplay, Whole>,
) -> Result<Option<Uuid>, Problem> {
    let Some(key) = incoming.key.0.as_deref() else { return Ok(None) };
    let (method, body) = (incoming.method.clone(), &incoming.body.bytes[..]);
    let sent = Sent { who: Some(scope), method, path: &incoming.path, body, key: Some(key) };
    let hash = handle::keyed(app, &sent, key).await?.key_hash;
    let bytes: [u8; 16] = std::array::from_fn(|n| hash[n] ^ scope.user().0.as_bytes()[n]);
    Ok(Some(uuid::Builder::from_random_bytes(bytes).into_uuid()))
}

/// Who asked for the past, or gave it up, is in the access ledger before anything comes of it.
async fn record<const N: usize>(
    app: &App,
    scope: &ClinicScope,
    parameters: [(&str, String); N],
) -> Result<(), Problem> {
    let plain = |(name, value): (&str, String)| (name.to_owned(), Parameter::Plain(value));
    let parameters: Parameters = parameters.into_iter().map(plain).collect();
    let record = AccessRecord {
        actor: scope.actor(),
        purpose: scope.purpose(),
        client: scope.client().clone(),
        correlation_id: scope.correlation_id(),
        operation: scope.operation().to_owned().into(),
        event: AccessEvent::AuditRead {
            part: PART.to_owned(),
            patient: None,
            parameters,
            count: 0,
            patients_sha256: None,
        },
        shown: Vec::new(),
    };
    let recorded = app.store().record_access(scope.clinic(), record).await;
    recorded.map(drop).map_err(|error| Problem::unavailable("access ledger", error))
}

fn accepted(collection: &str, id: Uuid, asked: AskedReplay, again: bool) -> Result<Response, Problem> {
    let AskedReplay { position, instant, asked_at, expires_at } = asked;
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, HeaderValue::from_str(&format!("{collection}/{id}")).map_err(Problem::internal)?);
    if again {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    let body = AcceptedReplay { id, position, instant, asked_at, expires_at };
    Ok((StatusCode::ACCEPTED, headers, Json(body)).into_response())
}

fn as_stored(until: AsOf) -> Until {
    match until {
        AsOf::Position(position) => Until::Position(position),
        AsOf::Instant(instant) => Until::Instant(instant),
    }
}

fn written(until: AsOf) -> String {
    match until {
        AsOf::Position(position) => position.to_string(),
        AsOf::Instant(instant) => instant.to_rfc3339(),
    }
}

pub fn routes() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            COLLECTION,
            post_with(ask, |op| {
                op.id("AskReplay")
                    .tag("Audit")
                    .summary("Replay the whole clinic")
                    .description(
                        "Builds the clinic's read models as they were, in tables of their own. `GET \
                         …/audit/replays/{id}` says how far that is; once it is `ready`, every query of the clinic takes \
                         `?replay={id}`. A clinic may have three at once, each for 24 hours.",
                    )
                    .response::<202, Json<AcceptedReplay>>()
            }),
        )
        .api_route(
            ONE,
            delete_with(end, |op| {
                op.id("EndReplay")
                    .tag("Audit")
                    .summary("Give a replay up")
                    .description("Nothing is answered from it any more, and its tables are taken away.")
                    .response::<204, ()>()
            }),
        )
}
