//! Up to where a verification found everything intact, for the next one.

use std::collections::BTreeMap;

use events::{ClinicId, Ledger};
use proof::{merkle::Frontier, walk::Matched};
use sqlx::{PgPool, Row, postgres::PgRow};

use super::stored::{LEDGERS, join, split};
use crate::stored::{hash, ledger};

/// Where a ledger was met last, and the checkpoint that signs that size. Not to be believed before it is compared.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    pub(super) checkpoint: i64,
    pub(super) matched: Matched,
}

/// Of both ledgers of a clinic, or none: what cannot be read is verified again.
pub(super) async fn load(db: &PgPool, clinic: ClinicId) -> sqlx::Result<Option<BTreeMap<Ledger, Verified>>> {
    let rows = sqlx::query("SELECT ledger, checkpoint, size, hash, edge FROM log.verified WHERE clinic = $1")
        .bind(clinic.0)
        .fetch_all(db)
        .await?;
    let verified: BTreeMap<Ledger, Verified> = rows.iter().filter_map(read).collect();
    Ok((verified.len() == LEDGERS.len()).then_some(verified))
}

fn read(row: &PgRow) -> Option<(Ledger, Verified)> {
    let (edge, size) = (split(row.try_get(4).ok()?), row.try_get::<i64, _>(2).ok()?);
    let tree = Frontier::from_edge(size.cast_unsigned(), edge)?;
    let matched = Matched { hash: hash(row.try_get(3).ok()?).ok()?, tree };
    Some((ledger(row.try_get(0).ok()?).ok()?, Verified { checkpoint: row.try_get(1).ok()?, matched }))
}

pub(super) async fn store(db: &PgPool, clinic: ClinicId, ledger: Ledger, verified: &Verified) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO log.verified VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (clinic, ledger) DO UPDATE
         SET checkpoint = excluded.checkpoint, size = excluded.size, hash = excluded.hash, edge = excluded.edge",
    )
    .bind(clinic.0)
    .bind(ledger as i16)
    .bind(verified.checkpoint)
    .bind(verified.matched.size())
    .bind(verified.matched.hash.as_slice())
    .bind(join(verified.matched.tree.edge()))
    .execute(db)
    .await?;
    Ok(())
}
