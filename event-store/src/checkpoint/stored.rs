//! Checkpoints as they lie in the database.

use chrono::{DateTime, Utc};
use events::{ClinicId, Ledger};
use proof::{
    checkpoint::{Leaf, write_anchor, write_changes},
    row::{Hash, sha256},
};
use sqlx::{PgExecutor, Row, postgres::PgRow};
use uuid::Uuid;

use crate::stored::{hash, ledger};

/// A checkpoint with the leaves that it changed.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) number: i64,
    pub(super) note: String,
    pub(super) changes: Vec<Leaf>,
}

impl Stored {
    pub(super) fn anchor(&self) -> String {
        write_anchor(&self.note, &write_changes(&self.changes))
    }
}

/// The last note.
pub(super) struct Last {
    pub(super) number: i64,
    pub(super) made_at: DateTime<Utc>,
    pub(super) note: String,
}

impl Last {
    pub(super) fn hash(&self) -> Hash {
        sha256(self.note.as_bytes())
    }
}

pub(super) async fn last(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Last>> {
    let row = sqlx::query("SELECT number, made_at, note FROM log.checkpoint ORDER BY number DESC LIMIT 1")
        .fetch_optional(db)
        .await?;
    row.map(|row| Ok(Last { number: row.try_get(0)?, made_at: row.try_get(1)?, note: row.try_get(2)? })).transpose()
}

/// The checkpoints of these numbers that there are, in order.
pub(super) async fn between(db: impl PgExecutor<'_>, from: i64, to: i64) -> sqlx::Result<Vec<Stored>> {
    let rows = sqlx::query(
        "SELECT l.clinic, l.ledger, l.size, l.root, l.charts, c.number, c.note FROM log.checkpoint c
         LEFT JOIN log.checkpoint_leaf l ON l.checkpoint = c.number
         WHERE c.number BETWEEN $1 AND $2 ORDER BY c.number, l.clinic, l.ledger",
    )
    .bind(from)
    .bind(to)
    .fetch_all(db)
    .await?;
    let mut all: Vec<Stored> = Vec::new();
    for row in &rows {
        let number = row.try_get(5)?;
        if all.last().is_none_or(|last| last.number != number) {
            all.push(Stored { number, note: row.try_get(6)?, changes: Vec::new() });
        }
        // None where nothing changed, and what cannot be read is no leaf that was signed.
        let is_leaf = row.try_get::<Option<Uuid>, _>(0)?.is_some();
        all.last_mut().filter(|_| is_leaf).into_iter().for_each(|stored| stored.changes.extend(leaf(row)));
    }
    Ok(all)
}

/// The public keys that have signed.
pub(super) async fn verifier_keys(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("SELECT verifier_key FROM log.checkpoint_key ORDER BY 1").fetch_all(db).await
}

/// From the columns clinic, ledger, size, root and charts, which come first.
pub(super) fn leaf(row: &PgRow) -> sqlx::Result<Leaf> {
    Ok(Leaf {
        clinic: ClinicId(row.try_get(0)?),
        ledger: ledger(row.try_get(1)?)?,
        size: row.try_get(2)?,
        root: hash(row.try_get(3)?)?,
        charts: row.try_get::<Option<&[u8]>, _>(4)?.map(hash).transpose()?,
    })
}

/// Hashes one after another, as an edge is kept.
pub(super) fn join(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

pub(super) fn split(joined: &[u8]) -> Vec<Hash> {
    joined.chunks_exact(32).map(|hash| hash.try_into().expect("it has 32 bytes")).collect()
}

/// Columns of leaves, for one statement.
#[derive(Default)]
pub(super) struct LeafColumns {
    pub(super) clinics: Vec<Uuid>,
    pub(super) ledgers: Vec<i16>,
    pub(super) sizes: Vec<i64>,
    pub(super) roots: Vec<Vec<u8>>,
    pub(super) charts: Vec<Option<Vec<u8>>>,
}

impl FromIterator<Leaf> for LeafColumns {
    fn from_iter<I: IntoIterator<Item = Leaf>>(leaves: I) -> Self {
        let mut columns = Self::default();
        for Leaf { clinic, ledger, size, root, charts } in leaves {
            columns.clinics.push(clinic.0);
            columns.ledgers.push(ledger as i16);
            columns.sizes.push(size);
            columns.roots.push(root.to_vec());
            columns.charts.push(charts.map(|root| root.to_vec()));
        }
        columns
    }
}

/// Of every ledger, in the order in which a report lists them.
pub(super) const LEDGERS: [Ledger; 2] = [Ledger::Record, Ledger::Access];
