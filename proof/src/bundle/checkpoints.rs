//! `checkpoints.ndjson` and `keys.json`.

use serde::{Deserialize, Serialize};

use super::written::{Hex32, base64_bytes};

/// One checkpoint, and what it says of the bundle's clinic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointLine {
    pub number: i64,
    /// The signed note, exactly as it was signed and anchored.
    pub note: String,
    /// Ascending. Empty where neither ledger of the clinic had changed since the checkpoint before.
    pub ledgers: Vec<LedgerLeaf>,
}

/// A leaf of the installation's tree, and the proof that it is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerLeaf {
    pub ledger: i16,
    pub size: i64,
    pub root: Hex32,
    /// Of the record alone.
    pub charts: Option<Hex32>,
    /// Its place among the leaves, from 0.
    pub index: u64,
    /// RFC 6962 inclusion proof, from the leaf upwards.
    pub path: Vec<Hex32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    pub keys: Vec<KeyEntry>,
}

/// A key that has signed checkpoints of this installation. A verifier believes none of them for being here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// Ed25519, 32 bytes.
    #[serde(with = "base64_bytes")]
    pub public_key: Vec<u8>,
    /// SHA-256 of it.
    pub fingerprint: Hex32,
}
