//! What answers over HTTP: commands, queries, documents about them, and the keys by which tokens are verified.

use std::{error::Error, num::NonZeroU32, sync::Arc, time::Duration};

use aide::axum::ApiRouter;
use axum::{Json, Router, middleware::from_fn_with_state, routing::get};
use command_api::App;
use event_store::{AccessRecord, Store};
use events::AccessEvent;
use query_api::QueryState;
use service_kit::{
    Authority,
    docs::{About, Collected, Docs},
    rate::{self, RateLimit},
    scope::{AccessJournal, Attempt, BoxFuture, Refused, purpose_of},
    tokens::SigningKeys,
};

/// Secrets can be guessed at so many times a minute from one address: a whole clinic may share one.
const LOGINS_PER_WINDOW: NonZeroU32 = NonZeroU32::new(300).expect("it is not zero");
const LOGIN_WINDOW: Duration = Duration::from_secs(60);

/// What the document says about itself.
const ABOUT: About = About {
    title: "Casebook",
    version: env!("CARGO_PKG_VERSION"),
    description: "The backend of many clinics at once. A command answers with the clinic's position; send it back as \
                  `Casebook-Min-Position` and a query sees at least that command.",
};

/// The routes of both services and the one document of both, whichever of them a process serves.
pub struct Api {
    commands: Router<App>,
    queries: Router<QueryState>,
    docs: Docs,
}

impl Api {
    pub fn new() -> Self {
        let (commands, queries) = (command_routes(), query_api::routes::all());
        let mut collected = Collected::default();
        let (commands, queries) = (collected.take(commands), collected.take(queries));
        Self { commands, queries, docs: collected.finish(ABOUT, &[]) }
    }

    /// The OpenAPI 3.1 document, as it is served and as it is kept in `docs/api`.
    pub fn openapi(&self) -> &[u8] {
        self.docs.openapi()
    }

    /// Everything, on one port.
    pub fn everything(self, commands: App, queries: QueryState, keys: &SigningKeys) -> Router {
        let commands_alone = self.commands.clone().with_state(commands);
        self.queries(queries, keys).merge(commands_alone)
    }

    /// What is sent to the command API: all that is neither GET nor HEAD.
    pub fn commands(self, commands: App) -> Router {
        self.commands.with_state(commands)
    }

    /// What is sent to the query API, and what is about the whole.
    pub fn queries(self, queries: QueryState, keys: &SigningKeys) -> Router {
        self.queries.with_state(queries).merge(self.docs.routes()).merge(well_known(keys))
    }
}

impl Default for Api {
    fn default() -> Self {
        Self::new()
    }
}

fn command_routes() -> ApiRouter<App> {
    let limit = RateLimit::per_client("login", LOGINS_PER_WINDOW, LOGIN_WINDOW).expect("the window is not empty");
    let logins = command_api::auth::routes().layer(from_fn_with_state(limit, rate::limit));
    command_api::routes::all().merge(logins)
}

/// RFC 7517, for whoever verifies tokens without asking.
fn well_known(keys: &SigningKeys) -> Router {
    let jwks = keys.jwks();
    Router::new().route("/.well-known/jwks.json", get(move || async move { Json(jwks) }))
}

/// Who may ask. A refusal is in the access ledger before it is answered.
pub fn authority(keys: &SigningKeys, store: Store) -> Authority {
    Authority::new(keys.verifier(), Arc::new(InTheAccessLedger(store)))
}

struct InTheAccessLedger(Store);

impl AccessJournal for InTheAccessLedger {
    fn record(&self, attempt: Attempt) -> BoxFuture<'_, Result<(), Box<dyn Error + Send + Sync>>> {
        Box::pin(async move {
            self.0.record_access(attempt.clinic, refusal(attempt)).await?;
            Ok(())
        })
    }
}

fn refusal(attempt: Attempt) -> AccessRecord {
    let Attempt { clinic: _, actor, client, correlation_id, operation, patient, refused } = attempt;
    let event = match refused {
        Refused::CrossClinic { slug } => AccessEvent::CrossClinicAttempted { slug },
        Refused::Capability { capability, need } => {
            AccessEvent::AccessRefused { capability: capability.to_string(), need: need.to_string(), patient }
        }
        Refused::Platform => AccessEvent::PlatformRefused {},
    };
    let (purpose, operation) = (purpose_of(&actor), operation.to_string().into());
    AccessRecord { actor, client, purpose, correlation_id, operation, event, shown: Vec::new() }
}
