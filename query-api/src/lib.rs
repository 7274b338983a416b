//! Read models to HTTP.
//!
//! A request becomes a [`reader::Reader`], which only authorising makes; a reader runs queries in the scope of
//! its clinic and nowhere else ([`scope`]), as new as the request asks for ([`fresh`]). One file per read model
//! under [`routes`]. Whatever shows a patient's data is answered through [`disclosure`].

mod audience;
pub mod disclosure;
pub mod fresh;
pub mod past;
pub mod reader;
pub mod routes;
pub mod row;
pub mod scope;
mod sort;
pub mod sql;

use std::sync::Arc;

use aide::axum::ApiRouter;
use axum::extract::FromRef;
use event_store::{feed::Opener, position::PositionWatch};
use service_kit::{
    Authority,
    docs::{About, Docs},
};
use sqlx::PgPool;

/// What the query API needs.
#[derive(Clone)]
pub struct QueryState {
    /// Connections with the role `casebook_reader`.
    pub db: PgPool,
    pub authority: Authority,
    /// Opens sealed parts, for questions about the past.
    pub opener: Arc<dyn Opener>,
    /// Wakes who waits for a position.
    pub watch: PositionWatch,
}

impl FromRef<QueryState> for Authority {
    fn from_ref(state: &QueryState) -> Self {
        state.authority.clone()
    }
}

/// All routes, to be mounted at the root.
pub fn router(state: QueryState) -> ApiRouter {
    routes::all().with_state(state)
}

/// What the document of this API says about itself.
const ABOUT: About = About {
    title: "Casebook: queries",
    version: env!("CARGO_PKG_VERSION"),
    description: "What a clinic's read models say. Every answer tells in `Casebook-Position` which position of the \
                  clinic it reflects; send `Casebook-Min-Position` to read your own writes.",
};

/// The OpenAPI 3.1 document, as it is kept in `docs/api/query-api.json`: the same bytes from the same code.
pub fn openapi() -> Vec<u8> {
    let (_, docs) = Docs::of(routes::all(), ABOUT, &[]);
    let mut document = docs.openapi().to_vec();
    document.push(b'\n');
    document
}
