//! Signed checkpoints of all ledgers: made off the write path, anchored outside the database, and verified.
//!
//! [`Checkpointer`] makes one, as the only process at that moment. What it says is committed before anybody hears of
//! it, and only then anchored; the next one is not signed before the last is anchored. So a number that was seen
//! outside is always in the database, and never signed twice with different contents: killed at any step, the next
//! run finds either nothing, or a checkpoint whose anchor it adds. Where the anchors are ahead of the database (an
//! older copy of it was restored) nothing is signed any more.
//!
//! [`Auditor`] verifies what lies in the log by what was anchored.

mod anchors;
mod auditor;
mod charts;
mod extend;
mod make;
mod proofs;
mod shown;
mod signed;
mod source;
mod stored;
mod stream;
mod verified;

use std::{io, sync::Arc, time::Duration};

use async_nats::Client;
use proof::note::SigningKey;
use sqlx::PgPool;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

pub use anchors::{AnchorError, Anchors};
pub use auditor::{Auditor, LedgerReport, Report};
pub use charts::ChartProof;
pub use make::{CheckpointError, Made};
pub use proofs::{LedgerProof, ListedCheckpoint, ListedLeaf};
pub use signed::{LastCheckpoint, Signed, SignedHistory, SignedLeaf};
pub use stream::ANCHORS_STREAM;

use crate::outage::Outage;

/// How often a checkpoint is made while events arrive.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// The keys that may sign: the one of today and, while one is replaced, the next. Asked each time, since another
/// process may replace it.
pub type Keys = Arc<dyn Fn() -> io::Result<Vec<SigningKey>> + Send + Sync>;

/// Makes checkpoints.
#[derive(Clone)]
pub struct Checkpointer {
    /// The role is the auditor's; two connections are enough.
    pub pool: PgPool,
    pub keys: Keys,
    pub anchors: Anchors,
    /// Where anchors are published as well; what is missed is published later.
    pub nats: Option<Client>,
}

impl Checkpointer {
    /// Makes one each minute in which events arrive, until it is stopped. All processes may do this: one at a time does.
    pub async fn run(self, stop: CancellationToken) {
        let outage = Outage::new("making checkpoints");
        let mut minutes = interval(CHECKPOINT_EVERY);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = minutes.tick() => {}
            }
            match self.due().await {
                Ok(()) => drop(outage.works()),
                Err(error) => outage.lasts(&error),
            }
        }
    }

    /// As many as it takes to sign everything; none where another process has just made one.
    async fn due(&self) -> Result<(), CheckpointError> {
        let mut youngest = Some(CHECKPOINT_EVERY / 2);
        while let Made::Checkpoint { is_everything: false, .. } = self.make(None, youngest).await? {
            youngest = None;
        }
        Ok(())
    }
}
