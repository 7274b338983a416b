//! Checkpoints as they were signed, with what they say of this clinic, and proofs of single positions.

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use base64::{Engine, prelude::BASE64_STANDARD};
use event_store::checkpoint::{LedgerProof, ListedCheckpoint, ListedLeaf};
use events::{Ledger, Position};
use proof::{checkpoint::of_note, note::PublicKey, row::Hash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use service_kit::{ListQuery, Path, Problem, Query, page::List};

use super::{trail::may_audit, verify::nothing};
use crate::{
    QueryState,
    audit::LedgerName,
    disclosure::{Disclosed, disclose_audit},
    reader::Live,
    scope::Reflected,
};

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoFilters {}

/// A signed checkpoint of all ledgers of the installation. Hashes are in base64.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckpointItem {
    number: i64,
    /// The signed note (C2SP), exactly as it was anchored.
    note: String,
    /// Of the key that has signed it; missing where the key is unknown.
    fingerprint: Option<String>,
    /// This clinic's ledgers as of then.
    ledgers: Vec<LeafItem>,
}

/// A ledger as a checkpoint signs it, and the proof that the checkpoint does.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LeafItem {
    ledger: LedgerName,
    size: Position,
    root: String,
    /// The root over the number of events of each patient; of the record alone.
    charts: Option<String>,
    /// Its place among the leaves of the installation's tree, from 0.
    index: u64,
    /// RFC 6962 inclusion proof, from the leaf upwards.
    proof: Vec<String>,
}

/// What proves that a row lies where it lies in what a checkpoint signs. Hashes are in base64.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PositionProof {
    ledger: LedgerName,
    position: Position,
    /// The chain's hash of the row: the data of its leaf.
    hash: String,
    /// The first checkpoint that covers the position.
    checkpoint: i64,
    /// The size and the root that it signs.
    size: Position,
    root: String,
    /// RFC 6962 inclusion proof of leaf `position` − 1 in the tree of `size`.
    inclusion: Vec<String>,
    /// The root of the ledger up to the position, and the RFC 6962 consistency proof from there to `size`.
    root_then: String,
    consistency: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
struct ByPosition {
    position: Position,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfLedger {
    /// The record unless it is said.
    ledger: Option<LedgerName>,
}

async fn list(
    State(state): State<QueryState>,
    Live(reader): Live,
    query: ListQuery<NoFilters>,
) -> Result<Disclosed<List<CheckpointItem>>, Problem> {
    may_audit(&reader).await?;
    let position = reader.all::<IgnoredAny>(nothing()).await?.position;
    let (after, auditor) = (query.after::<i64>()?.unwrap_or(0), &state.auditor);
    let keys = auditor.verifier_keys().await.map_err(Problem::internal)?;
    let listed = auditor.listed(reader.scope().clinic(), after, query.fetch()).await.map_err(Problem::internal)?;
    let items = listed.into_iter().map(|one| CheckpointItem::of(one, &keys)).collect();
    let page = query.answer(items, position, |item: &CheckpointItem| item.number);
    disclose_audit(&reader, "checkpoints", None, page.items().len(), page).await
}

impl CheckpointItem {
    fn of(ListedCheckpoint { number, note, ledgers }: ListedCheckpoint, keys: &[String]) -> Self {
        let fingerprint = signer(&note, keys);
        Self { number, note, fingerprint, ledgers: ledgers.into_iter().map(LeafItem::from).collect() }
    }
}

fn signer(note: &str, keys: &[String]) -> Option<String> {
    let (signed, checkpoint) = of_note(note).ok()?;
    let name = checkpoint.name();
    let mut keys = keys.iter().filter_map(|key| PublicKey::from_verifier_key(key)).map(|(_, key)| key);
    Some(keys.find(|key| signed.is_signed_by(&name, key))?.fingerprint())
}

impl From<ListedLeaf> for LeafItem {
    fn from(ListedLeaf { leaf, index, proof }: ListedLeaf) -> Self {
        Self {
            ledger: leaf.ledger.into(),
            size: leaf.size,
            root: base64(&leaf.root),
            charts: leaf.charts.as_ref().map(base64),
            index: index as u64,
            proof: proof.iter().map(base64).collect(),
        }
    }
}

async fn prove(
    State(state): State<QueryState>,
    Live(reader): Live,
    Path(ByPosition { position }): Path<ByPosition>,
    Query(OfLedger { ledger }): Query<OfLedger>,
) -> Result<Disclosed<Reflected<PositionProof>>, Problem> {
    may_audit(&reader).await?;
    let stands = reader.all::<IgnoredAny>(nothing()).await?;
    let ledger = ledger.map_or(Ledger::Record, Ledger::from);
    let proof = state.auditor.prove(reader.scope().clinic(), ledger, position).await.map_err(Problem::internal)?;
    let proof = proof.ok_or_else(Problem::not_found)?;
    let proof = stands.map(|_| PositionProof::of(position, &proof));
    disclose_audit(&reader, "proof", None, 1, proof).await
}

impl PositionProof {
    fn of(position: Position, proof: &LedgerProof) -> Self {
        Self {
            ledger: proof.leaf.ledger.into(),
            position,
            hash: base64(&proof.hash),
            checkpoint: proof.checkpoint,
            size: proof.leaf.size,
            root: base64(&proof.leaf.root),
            inclusion: proof.inclusion.iter().map(base64).collect(),
            root_then: base64(&proof.root_then),
            consistency: proof.consistency.iter().map(base64).collect(),
        }
    }
}

fn base64(hash: &Hash) -> String {
    BASE64_STANDARD.encode(hash)
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/audit/checkpoints",
            get_with(list, |op| {
                op.id("listCheckpoints").tag("Audit").summary("Signed checkpoints").description(
                    "The oldest first. Each says how long every ledger of the installation was and what was in it; of \
                     other clinics it shows nothing but hashes. docs/verification.md says how to check them.",
                )
            }),
        )
        .api_route(
            "/audit/proofs/{position}",
            get_with(prove, |op| {
                op.id("proveAuditPosition").tag("Audit").summary("Proof of one row").description(
                    "That the row at a position lies in what a checkpoint signs, and that the ledger up to it is the \
                     beginning of that. 404 for a position that no checkpoint covers yet.",
                )
            }),
        )
}
