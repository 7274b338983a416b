//! What an export bundle says of checkpoints: of those of the whole installation, what one clinic may know.

use chrono::{DateTime, Utc};
use events::{ClinicId, Ledger, Position};
use proof::{
    bundle::{CheckpointLine, Hex32, LedgerLeaf},
    checkpoint::{Leaf, Ledgers, of_note},
    note::PublicKey,
    row::Hash,
};
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::stored::{LEDGERS, Stored, between, verifier_keys};
use crate::stored::hash;

/// Checkpoints read at once.
const PAGE_CHECKPOINTS: i64 = 500;

/// Reads checkpoints as the role casebook_auditor: their proofs rest on the leaves of all clinics.
#[derive(Clone)]
pub struct Signed(PgPool);

/// A checkpoint by which a bundle is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastCheckpoint {
    pub number: i64,
    pub installation: Uuid,
}

/// What was signed of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedLeaf {
    pub size: Position,
    pub root: Hash,
}

impl Signed {
    pub fn new(auditor: PgPool) -> Self {
        Self(auditor)
    }

    /// The public keys that have signed.
    pub async fn keys(&self) -> sqlx::Result<Vec<PublicKey>> {
        let keys = verifier_keys(&self.0).await?;
        Ok(keys.iter().filter_map(|key| PublicKey::from_verifier_key(key)).map(|(_, key)| key).collect())
    }

    /// The last one that was made no later than this; `None` where it does not know of the clinic.
    pub async fn last(&self, clinic: ClinicId, until: DateTime<Utc>) -> sqlx::Result<Option<LastCheckpoint>> {
        let row = sqlx::query(
            "SELECT c.number, c.note FROM log.checkpoint c WHERE c.made_at <= $2 AND EXISTS (
                SELECT FROM log.checkpoint_leaf l WHERE l.clinic = $1 AND l.ledger = 1 AND l.checkpoint <= c.number)
             ORDER BY c.number DESC LIMIT 1",
        )
        .bind(clinic.0)
        .bind(until)
        .fetch_optional(&self.0)
        .await?;
        let Some(row) = row else { return Ok(None) };
        // A note that somebody made unreadable is for the verifier to find.
        let installation = of_note(row.try_get(1)?).map_or(Uuid::nil(), |(_, checkpoint)| checkpoint.installation);
        Ok(Some(LastCheckpoint { number: row.try_get(0)?, installation }))
    }

    /// What a checkpoint says of a ledger; `None` where it had no rows yet.
    pub async fn leaf(&self, clinic: ClinicId, ledger: Ledger, checkpoint: i64) -> sqlx::Result<Option<SignedLeaf>> {
        let row = sqlx::query(
            "SELECT size, root FROM log.checkpoint_leaf WHERE clinic = $1 AND ledger = $2 AND checkpoint <= $3
             ORDER BY checkpoint DESC LIMIT 1",
        )
        .bind(clinic.0)
        .bind(ledger as i16)
        .bind(checkpoint)
        .fetch_optional(&self.0)
        .await?;
        row.map(|row| Ok(SignedLeaf { size: row.try_get(0)?, root: hash(row.try_get(1)?)? })).transpose()
    }

    /// The smallest size not below a position that a checkpoint up to this one signs.
    pub async fn next_size(
        &self,
        clinic: ClinicId,
        ledger: Ledger,
        position: Position,
        upto: i64,
    ) -> sqlx::Result<Option<Position>> {
        sqlx::query_scalar(
            "SELECT min(size) FROM log.checkpoint_leaf
             WHERE clinic = $1 AND ledger = $2 AND size >= $3 AND checkpoint <= $4",
        )
        .bind(clinic.0)
        .bind(ledger as i16)
        .bind(position)
        .bind(upto)
        .fetch_one(&self.0)
        .await
    }

    /// All checkpoints up to a number, a page at a time.
    pub fn history(&self, clinic: ClinicId, upto: i64) -> SignedHistory {
        SignedHistory { pool: self.0.clone(), clinic, upto, taken: 0, ledgers: Ledgers::default() }
    }
}

/// Walks over the checkpoints, with the installation's tree as it was at each.
pub struct SignedHistory {
    pool: PgPool,
    clinic: ClinicId,
    upto: i64,
    taken: i64,
    ledgers: Ledgers,
}

impl SignedHistory {
    /// The next ones, each with whether it names another key as the next; `None` at the end.
    pub async fn next(&mut self) -> sqlx::Result<Option<Vec<(CheckpointLine, bool)>>> {
        if self.taken >= self.upto {
            return Ok(None);
        }
        let (from, to) = (self.taken + 1, self.upto.min(self.taken + PAGE_CHECKPOINTS));
        self.taken = to;
        let page = between(&self.pool, from, to).await?;
        Ok(Some(page.into_iter().map(|stored| self.line(stored)).collect()))
    }

    fn line(&mut self, stored: Stored) -> (CheckpointLine, bool) {
        // Leaves that were tampered with do not fit: then no proof does either, and that is for the verifier to find.
        if self.ledgers.change(&stored.changes).is_err() {
            tracing::warn!(number = stored.number, "the leaves of a checkpoint are not those that were signed");
        }
        let hands_on = of_note(&stored.note).is_ok_and(|(_, checkpoint)| checkpoint.next_key.is_some());
        let is_said = |ledger: &Ledger| {
            let is_own = |leaf: &Leaf| (leaf.clinic, leaf.ledger) == (self.clinic, *ledger);
            stored.number == self.upto || stored.changes.iter().any(is_own)
        };
        let ledgers = LEDGERS.into_iter().filter(is_said).filter_map(|ledger| self.leaf(ledger)).collect();
        (CheckpointLine { number: stored.number, note: stored.note, ledgers }, hands_on)
    }

    fn leaf(&self, ledger: Ledger) -> Option<LedgerLeaf> {
        let (leaf, index, path) = self.ledgers.prove(self.clinic, ledger)?;
        Some(LedgerLeaf {
            ledger: ledger as i16,
            size: leaf.size,
            root: Hex32(leaf.root),
            charts: leaf.charts.map(Hex32),
            index: index as u64,
            path: path.into_iter().map(Hex32).collect(),
        })
    }
}
