//! Where a verification takes checkpoints from: the anchors, and the database for what is not anchored yet.

use std::collections::BTreeMap;

use proof::{Verdict, checkpoint::split_anchor};
use sqlx::PgPool;
use tokio::task::spawn_blocking;

use super::{
    AnchorError, Anchors, CheckpointError,
    stored::{Stored, between},
};

/// Checkpoints read at once.
const PAGE: i64 = 500;

/// A checkpoint as it is given to be verified: note and changes.
pub(super) struct Given {
    pub(super) note: String,
    pub(super) changes: String,
    /// The database does not have it.
    pub(super) anchored_only: bool,
}

/// All checkpoints, page by page.
pub(super) struct Source<'a> {
    db: &'a PgPool,
    anchors: Option<&'a Anchors>,
    /// The highest number that was anchored when the reading began; those after it are taken from the database alone.
    anchored: i64,
}

impl<'a> Source<'a> {
    pub(super) async fn open(db: &'a PgPool, anchors: Option<&'a Anchors>) -> Result<Self, CheckpointError> {
        let anchored = match anchors.cloned() {
            Some(anchors) => spawn_blocking(move || anchors.highest()).await.expect("reading does not panic")?,
            None => 0,
        };
        Ok(Self { db, anchors, anchored })
    }

    /// The checkpoints from a number on, until the end of the page or something that is wrong; none after the last.
    pub(super) async fn page(&self, from: i64) -> Result<Vec<Result<Given, Verdict>>, CheckpointError> {
        let to = from + PAGE - 1;
        // Anchors before the database: whatever is anchored was committed before.
        let mut files = self.files(from, to.min(self.anchored)).await?;
        let stored = between(self.db, from, to).await?.into_iter();
        let mut stored: BTreeMap<i64, Stored> = stored.map(|stored| (stored.number, stored)).collect();
        let last = stored.keys().next_back().copied().unwrap_or(0).max(to.min(self.anchored));
        Ok((from..=last).map(|number| self.one(number, files.remove(&number), stored.remove(&number))).collect())
    }

    fn one(&self, number: i64, file: Option<String>, stored: Option<Stored>) -> Result<Given, Verdict> {
        let is_anchored = self.anchors.is_some() && number <= self.anchored;
        let anchored_only = stored.is_none();
        let anchor = match (file, stored) {
            (Some(file), Some(stored)) if file != stored.anchor() => Err(Verdict::CheckpointDiffers { number }),
            (Some(file), _) => Ok(file),
            (None, Some(stored)) if !is_anchored => Ok(stored.anchor()),
            (None, _) => Err(Verdict::CheckpointMissing { number }),
        }?;
        let (note, changes) = split_anchor(&anchor).map_err(|_| Verdict::CheckpointUntrusted { number })?;
        Ok(Given { note: note.to_owned(), changes: changes.to_owned(), anchored_only })
    }

    async fn files(&self, from: i64, to: i64) -> Result<BTreeMap<i64, String>, CheckpointError> {
        let Some(anchors) = self.anchors.cloned() else { return Ok(BTreeMap::new()) };
        let read = move || {
            let numbered = |number| Ok(anchors.read(number)?.map(|anchor| (number, anchor)));
            (from..=to).filter_map(|number| numbered(number).transpose()).collect::<Result<_, AnchorError>>()
        };
        Ok(spawn_blocking(read).await.expect("reading does not panic")?)
    }
}
