//! Read models to HTTP.
//!
//! A request becomes a [`reader::Reader`], which only authorising makes; a reader runs queries in the scope of
//! its clinic and nowhere else ([`scope`]), as new as the request asks for ([`fresh`]). One file per read model
//! under [`routes`]. Resources of patients' records share their
//! routes ([`clinical`]); some are printed ([`paper`]). Whatever shows a patient's data is answered through [`disclosure`].

mod audience;
mod audit;
pub mod clinical;
pub mod disclosure;
pub mod export;
pub mod fresh;
mod glass;
mod grants;
pub mod paper;
pub mod past;
pub mod reader;
pub mod replay;
pub mod routes;
pub mod row;
pub mod scope;
mod sort;
pub mod sql;
mod versions;

use std::sync::Arc;

use attachments::Attachments;
use axum::extract::FromRef;
use event_store::{
    Store,
    checkpoint::{Auditor, Keys},
    feed::Opener,
    position::PositionWatch,
};
use service_kit::Authority;
use sqlx::PgPool;

use crate::{disclosure::Ledger, export::Exporter, paper::Press};

/// What the query API needs.
#[derive(Clone)]
pub struct QueryState {
    /// Connections with the role `casebook_reader`.
    pub db: PgPool,
    pub authority: Authority,
    /// Opens sealed parts, for questions about the past.
    pub opener: Arc<dyn Opener>,
    /// Whose keys hash what is searched for.
    pub store: Store,
    /// Where it is written who saw what: the store.
    pub ledger: Arc<dyn Ledger>,
    /// Makes export bundles.
    pub exporter: Exporter,
    /// Where the bytes of documents are.
    pub attachments: Attachments,
    /// Prints documents.
    pub press: Press,
    /// Wakes who waits for a position.
    pub watch: PositionWatch,
    /// Verifies the ledgers; its store sees all clinics.
    pub auditor: Auditor,
    /// Of this installation: which checkpoints it trusts.
    pub checkpoint_keys: Keys,
}

impl FromRef<QueryState> for Authority {
    fn from_ref(state: &QueryState) -> Self {
        state.authority.clone()
    }
}
