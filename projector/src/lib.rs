//! Carries the events of the log into the read models.
//!
//! - [`Projector`] follows the log: batches over all clinics, one task for each read model.
//! - [`rebuild`] makes a read model again from the log, for all clinics or for one; [`compare`] says whether
//!   the served rows are what the log says.
//! - [`purge`] makes one clinic's again after an erasure.
//! - [`past`] folds one patient's rows up to a position.
//! - [`parked`] events wait for people; [`retry`] lets them be tried again; [`status`] shows how all stands.
//!
//! Rows and checkpoint are written in one statement, which does nothing where the checkpoint is not where
//! the writer thought. So each event counts once, whoever follows, and nobody has to be elected.

mod apply;
mod cache;
mod company;
mod compare;
mod digest;
mod failure;
mod fields;
mod follow;
mod history;
pub mod metrics;
mod migrate;
mod parked;
mod past;
mod place;
mod purge;
mod rebuild;
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
pub use past::{PastError, past, position_at};
pub use purge::purge;
pub use rebuild::{Progress, RebuildError, Rebuilding, rebuild};
pub use service::{Projector, pool};
pub use status::{ProjectionStatus, status};
