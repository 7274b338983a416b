//! What answers over HTTP: commands, queries, documents about them, and the keys by which tokens are verified.

use std::{error::Error, num::NonZeroU32, sync::Arc, time::Duration};

use aide::axum::ApiRouter;
use axum::{Json, Router, middleware::from_fn_with_state, routing::get};
use command_api::App;
use query_api::QueryState;
use service_kit::{
    Authority,
    docs::{About, Docs},
    rate::{self, RateLimit},
    scope::{AccessJournal, Attempt, BoxFuture},
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

/// Everything, on one port.
pub fn everything(commands: App, queries: QueryState, keys: &SigningKeys) -> Router {
    let api = command_routes(commands).merge(query_api::router(queries));
    let (router, docs) = Docs::of(api, ABOUT, &[]);
    router.merge(docs.routes()).merge(well_known(keys))
}

fn command_routes(app: App) -> ApiRouter {
    let limit = RateLimit::per_client("login", LOGINS_PER_WINDOW, LOGIN_WINDOW).expect("the window is not empty");
    let logins = command_api::auth::routes().layer(from_fn_with_state(limit, rate::limit));
    command_api::routes::all().merge(logins).with_state(app)
}

/// RFC 7517, for whoever verifies tokens without asking.
fn well_known(keys: &SigningKeys) -> Router {
    let jwks = keys.jwks();
    Router::new().route("/.well-known/jwks.json", get(move || async move { Json(jwks) }))
}

/// Who may ask. A refusal is in the process's log, where the scope writes it.
pub fn authority(keys: &SigningKeys) -> Authority {
    Authority::new(keys.verifier(), Arc::new(InTheProcessLog))
}

/// The scope has written the refusal to the process's log already; the access ledger is where it will go as well.
struct InTheProcessLog;

impl AccessJournal for InTheProcessLog {
    fn record(&self, _: Attempt) -> BoxFuture<'_, Result<(), Box<dyn Error + Send + Sync>>> {
        Box::pin(async { Ok(()) })
    }
}
