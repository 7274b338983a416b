//! What a follower is given, and where it stands.

use events::{ClinicId, Position, Recorded};

use crate::{GENESIS, Hash, RowError};

/// How far a follower has come in the record of one clinic: the last event that it has applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub position: Position,
    /// The chain's value after that event, so that a log that was restored to an earlier moment and has
    /// gone on differently is noticed.
    pub hash: Hash,
}

impl Checkpoint {
    /// Before the first event.
    pub const START: Self = Self { position: 0, hash: GENESIS };
}

/// Why this program cannot read an event that is there.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error(transparent)]
    Row(#[from] RowError),
    #[error("position {position}: {reason}")]
    Sealed { position: Position, reason: String },
}

/// One event of a clinic's record, decoded and opened once for all followers of this process.
#[derive(Debug)]
pub struct FeedEvent {
    pub clinic: ClinicId,
    pub position: Position,
    pub previous_hash: Hash,
    pub hash: Hash,
    /// An error where this program cannot read the row: for the follower to park, never to skip.
    pub recorded: Result<Recorded, Unreadable>,
}

impl FeedEvent {
    /// Where a follower stands after this event.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { position: self.position, hash: self.hash }
    }

    /// Whether it is the next one for who stands there.
    pub fn follows(&self, checkpoint: Checkpoint) -> bool {
        self.position == checkpoint.position + 1 && self.previous_hash == checkpoint.hash
    }
}
