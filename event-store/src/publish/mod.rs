//! From the writer's memory to JetStream, off the callers' path.
//!
//! PostgreSQL is the truth and JetStream is disposable: whatever is not published here is published by
//! the [relay](crate::relay), and followers find it in PostgreSQL meanwhile. So nothing here waits for
//! NATS on behalf of a caller, and nothing fails.

mod acknowledged;
mod message;
mod sender;
mod stream;

use std::sync::Arc;

use async_nats::Client;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{CommitSink, StoredRow};

pub use acknowledged::{Acknowledged, Span};
pub use stream::{EVENTS, MAX_AGE, MAX_BYTES, STREAM, ensure_stream};

pub(crate) use message::{Line, Sent};

/// What publishers say: the subjects below.
pub(crate) const PUBLISHERS: &str = "relay.*";
/// Where a publisher says what the stream has acknowledged. Core NATS: whoever misses it loses nothing.
pub(crate) const ACKNOWLEDGED: &str = "relay.acknowledged";
/// Where a publisher says that it can publish (again): what came before may be missed.
pub(crate) const MISSED: &str = "relay.missed";

/// Publishes whose acknowledgement has not come yet.
pub(crate) const IN_FLIGHT_MAX: usize = 1_024;
/// Rows that wait to be sent; what comes on top is left to the relay.
const HELD_ROWS_MAX: usize = 16_384;
/// Committed groups that wait to be sent.
const HELD_BATCHES_MAX: usize = 4_096;

/// Rows of one committed group, and their share of what may wait.
struct Batch {
    rows: Arc<[StoredRow]>,
    _share: OwnedSemaphorePermit,
}

/// Takes committed rows and publishes those of the record. Its tasks end when the last clone is dropped
/// and what it holds is sent.
#[derive(Clone)]
pub struct Publisher {
    batches: mpsc::Sender<Batch>,
    shares: Arc<Semaphore>,
}

impl Publisher {
    pub fn start(client: Client) -> Self {
        let (batches, waiting) = mpsc::channel(HELD_BATCHES_MAX);
        sender::start(client, waiting);
        Self { batches, shares: Arc::new(Semaphore::new(HELD_ROWS_MAX)) }
    }
}

impl CommitSink for Publisher {
    /// Never waits: what exceeds the bound is dropped.
    fn committed(&self, rows: Arc<[StoredRow]>) {
        let count = rows.len();
        let share = u32::try_from(count).ok().and_then(|count| self.shares.clone().try_acquire_many_owned(count).ok());
        let taken = share.is_some_and(|share| self.batches.try_send(Batch { rows, _share: share }).is_ok());
        if !taken {
            dropped(count);
        }
    }
}

fn dropped(rows: usize) {
    metrics::counter!("casebook_publish_dropped_total").increment(rows as u64);
}
