//! Read models to HTTP.
//!
//! A request becomes a [`reader::Reader`], which only authorising makes; a reader runs queries in the scope of
//! its clinic and nowhere else ([`scope`]), as new as the request asks for ([`fresh`]). One file per read model
//! under [`routes`]. Whatever shows a patient's data is answered through [`disclosure`].

mod audience;
pub mod disclosure;
pub mod fresh;
pub mod reader;
pub mod routes;
pub mod row;
pub mod scope;
mod sort;
pub mod sql;

use aide::axum::ApiRouter;
use axum::extract::FromRef;
use service_kit::Authority;
use sqlx::PgPool;

/// What the query API needs.
#[derive(Clone)]
pub struct QueryState {
    /// Connections with the role `casebook_reader`.
    pub db: PgPool,
    pub authority: Authority,
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
