//! Checkpoints for one clinic, and proofs by position.

use std::{collections::BTreeMap, ops::Range};

use events::{ClinicId, Ledger, PatientId, Position};
use proof::{
    checkpoint::{Leaf, Ledgers, ledger_leaf_hash},
    merkle::{Node, Tree, consistency_path, cover, inclusion_path, join},
    row::Hash,
};
use sqlx::{PgPool, Row};

use super::{
    CheckpointError,
    auditor::Auditor,
    charts::{self, ChartProof},
    extend::LEVEL_KEPT_MIN,
    stored::{LEDGERS, Stored, between, leaf, verifier_keys},
};
use crate::stored::hash;

/// A checkpoint, and what it says of one clinic.
#[derive(Clone, Debug)]
pub struct ListedCheckpoint {
    pub number: i64,
    /// As it was signed.
    pub note: String,
    /// Of each ledger of the clinic that it covers.
    pub ledgers: Vec<ListedLeaf>,
}

/// A leaf of the installation's tree, and the proof that it lies there.
#[derive(Clone, Debug)]
pub struct ListedLeaf {
    pub leaf: Leaf,
    pub index: usize,
    pub proof: Vec<Hash>,
}

/// What proves a position of a ledger.
#[derive(Clone, Debug)]
pub struct LedgerProof {
    /// Of the ledger, as the checkpoint signs it.
    pub leaf: Leaf,
    pub checkpoint: i64,
    /// The hash of the row at the position.
    pub hash: Hash,
    pub inclusion: Vec<Hash>,
    /// That the ledger up to the position begins the ledger of the checkpoint.
    pub consistency: Vec<Hash>,
    /// The root of the ledger up to the position.
    pub root_then: Hash,
}

impl Auditor {
    /// At most `limit` checkpoints after a number, in order, each with the clinic's leaves as of then.
    pub async fn listed(
        &self,
        clinic: ClinicId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<ListedCheckpoint>, CheckpointError> {
        let mut ledgers = ledgers_at(&self.store.reads, after).await?;
        let mut listed = Vec::new();
        for Stored { number, note, changes } in between(&self.store.reads, after + 1, after + limit).await? {
            // A leaf that was tampered with proves nothing: its proof fails where it is checked.
            let _ = ledgers.change(&changes);
            let leaves = LEDGERS.into_iter().filter_map(|ledger| ledgers.prove(clinic, ledger));
            let leaves = leaves.map(|(leaf, index, proof)| ListedLeaf { leaf: *leaf, index, proof }).collect();
            listed.push(ListedCheckpoint { number, note, ledgers: leaves });
        }
        Ok(listed)
    }

    /// The number of the last checkpoint; 0: none.
    pub async fn last_checkpoint(&self) -> Result<i64, CheckpointError> {
        let last = sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM log.checkpoint");
        Ok(last.fetch_one(&self.store.reads).await?)
    }

    /// The public keys that have signed, as C2SP verifier keys.
    pub async fn verifier_keys(&self) -> Result<Vec<String>, CheckpointError> {
        Ok(verifier_keys(&self.store.reads).await?)
    }

    /// Proves the row at a position against the first checkpoint that covers it; `None`: none does.
    pub async fn prove(
        &self,
        clinic: ClinicId,
        ledger: Ledger,
        position: Position,
    ) -> Result<Option<LedgerProof>, CheckpointError> {
        let row = sqlx::query(
            "SELECT clinic, ledger, size, root, charts, checkpoint FROM log.checkpoint_leaf
             WHERE clinic = $1 AND ledger = $2 AND size >= $3 ORDER BY checkpoint LIMIT 1",
        )
        .bind(clinic.0)
        .bind(ledger as i16)
        .bind(position)
        .fetch_optional(&self.store.reads)
        .await?;
        let Some(row) = row.filter(|_| position > 0) else { return Ok(None) };
        let (leaf, checkpoint) = (leaf(&row)?, row.try_get(5)?);
        let (position, size) = (position.cast_unsigned(), leaf.size.cast_unsigned());
        let (inclusion, consistency) = (inclusion_path(position - 1, size), consistency_path(position, size));
        let ranges: Vec<Range<u64>> =
            inclusion.iter().chain(&consistency).cloned().chain(std::iter::once(0..position)).collect();
        let nodes = self.nodes(&leaf, ranges.iter().cloned().flat_map(cover).collect()).await?;
        let roots: Option<Vec<Hash>> = ranges.iter().map(|range| root_of(range, &nodes)).collect();
        let Some(mut roots) = roots else { return Ok(None) };
        let Some(hash) = self.hashes(&leaf, position - 1..position).await?.pop() else { return Ok(None) };
        let root_then = roots.pop().unwrap_or_default();
        let consistency = roots.split_off(inclusion.len());
        Ok(Some(LedgerProof { leaf, checkpoint, hash, inclusion: roots, consistency, root_then }))
    }

    /// How many events a patient has in the last checkpoint, and what proves it; `None` where there is none.
    pub async fn chart(&self, clinic: ClinicId, patient: PatientId) -> Result<Option<ChartProof>, CheckpointError> {
        charts::prove(&self.store.reads, clinic, patient).await
    }

    /// That the row at a position lies in the ledger's tree of a size that a checkpoint signs.
    pub async fn inclusion(&self, of: &Leaf, position: Position) -> Result<Option<Vec<Hash>>, CheckpointError> {
        if !(1..=of.size).contains(&position) {
            return Ok(None);
        }
        let path = inclusion_path((position - 1).cast_unsigned(), of.size.cast_unsigned());
        let nodes = self.nodes(of, path.iter().cloned().flat_map(cover).collect()).await?;
        Ok(path.iter().map(|range| root_of(range, &nodes)).collect())
    }

    /// The roots of these subtrees, as far as they can be had.
    async fn nodes(&self, of: &Leaf, wanted: Vec<Node>) -> Result<BTreeMap<Node, Hash>, CheckpointError> {
        let (large, small): (Vec<Node>, Vec<Node>) = wanted.into_iter().partition(|node| node.level >= LEVEL_KEPT_MIN);
        let mut nodes = self.stored_nodes(of, &large).await?;
        for node in small {
            let Range { start, end } = node.leaves();
            let hashes = self.hashes(of, start..end).await?;
            if hashes.len() as u64 == end - start {
                nodes.insert(node, Tree::new(hashes.iter().map(ledger_leaf_hash).collect()).root());
            }
        }
        Ok(nodes)
    }

    async fn stored_nodes(&self, of: &Leaf, wanted: &[Node]) -> Result<BTreeMap<Node, Hash>, CheckpointError> {
        let levels: Vec<i16> = wanted.iter().map(|node| node.level.into()).collect();
        let places: Vec<i64> = wanted.iter().map(|node| node.index.cast_signed()).collect();
        let rows = sqlx::query(
            "SELECT n.level, n.place, n.hash FROM unnest($3::smallint[], $4::bigint[]) AS w(level, place)
             JOIN log.tree_node n USING (level, place) WHERE n.clinic = $1 AND n.ledger = $2",
        )
        .bind(of.clinic.0)
        .bind(of.ledger as i16)
        .bind(levels)
        .bind(places)
        .fetch_all(&self.store.reads)
        .await?;
        let node = |row: &sqlx::postgres::PgRow| {
            let (level, index) = (row.try_get::<i16, _>(0)? as u8, row.try_get::<i64, _>(1)?.cast_unsigned());
            Ok((Node { level, index }, hash(row.try_get(2)?)?))
        };
        Ok(rows.iter().map(node).collect::<sqlx::Result<_>>()?)
    }

    /// The chain's hashes of a range of leaves.
    async fn hashes(&self, of: &Leaf, leaves: Range<u64>) -> Result<Vec<Hash>, CheckpointError> {
        let rows = sqlx::query(
            "SELECT hash FROM log.event WHERE clinic = $1 AND ledger = $2 AND position > $3 AND position <= $4
             ORDER BY position",
        )
        .bind(of.clinic.0)
        .bind(of.ledger as i16)
        .bind(leaves.start.cast_signed())
        .bind(leaves.end.cast_signed())
        .fetch_all(&self.store.reads)
        .await?;
        Ok(rows.iter().map(|row| hash(row.try_get(0)?)).collect::<sqlx::Result<_>>()?)
    }
}

/// `None` where a subtree of the range is missing.
fn root_of(range: &Range<u64>, nodes: &BTreeMap<Node, Hash>) -> Option<Hash> {
    let subtrees: Option<Vec<Hash>> = cover(range.clone()).iter().map(|node| nodes.get(node).copied()).collect();
    Some(join(&subtrees?))
}

/// All ledgers as a checkpoint left them.
async fn ledgers_at(db: &PgPool, number: i64) -> Result<Ledgers, CheckpointError> {
    let rows = sqlx::query(
        "SELECT DISTINCT ON (clinic, ledger) clinic, ledger, size, root, charts FROM log.checkpoint_leaf
         WHERE checkpoint <= $1 ORDER BY clinic, ledger, checkpoint DESC",
    )
    .bind(number)
    .fetch_all(db)
    .await?;
    let leaves = rows.iter().map(leaf).collect::<sqlx::Result<Vec<_>>>()?;
    let mut ledgers = Ledgers::default();
    let _ = ledgers.change(&leaves);
    Ok(ledgers)
}
