//! Carries the events of the log into the read models.
//!
//! - [`Projector`] follows the log: batches over all clinics, one task for each read model.
//! - [`rebuild`] makes a read model again from the log, for all clinics or for one; [`compare`] says whether
//!   the served rows are what the log says.
//! - [`purge`] makes one clinic's again after an erasure.
//! - [`build_replay`] makes the read models of one clinic as they were, in tables of their own; the projector does so
//!   for all that were asked for.
//! - [`parked`] events wait for people; [`retry`] lets them be tried again; [`status`] shows how all stands.
//!
//! Rows and checkpoint are written in one statement, which does nothing where the checkpoint is not where
//! the writer thought. So each event counts once, whoever follows, and nobody has to be elected.

mod apply;
mod cache;
mod company;
mod compare;
mod copy;
mod digest;
mod failure;
mod fields;
mod follow;
mod history;
pub mod metrics;
mod migrate;
mod parked;
mod place;
mod purge;
mod rebuild;
mod replay;
mod service;
mod shares;
mod status;
mod steady;
mod switch;
mod table;

pub use compare::{Comparison, Digest, compare};
pub use failure::Failure;
pub use follow::LOOK_EVERY;
pub use history::History;
pub use migrate::migrate;
pub use parked::{Parked, parked, retry};
pub use purge::purge;
pub use rebuild::{Progress, RebuildError, Rebuilding, rebuild};
pub use replay::{Built, Replaying, build as build_replay, error as replay_error, replaying};
pub use service::{Projector, pool};
pub use status::{ProjectionStatus, status};
