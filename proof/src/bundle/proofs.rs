//! `proofs.ndjson` of a bundle of one patient. All proofs are of the trees of the bundle's last checkpoint.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::written::{Hex32, id};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "snake_case")]
pub enum ProofLine {
    Event(EventProof),
    Chart(ChartProof),
}

/// That a row is in the tree of its ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventProof {
    pub ledger: i16,
    pub position: i64,
    /// RFC 6962 inclusion proof of leaf `position − 1`, from the leaf upwards.
    pub path: Vec<Hex32>,
}

/// How many events the chart of a patient had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartProof {
    #[serde(with = "id")]
    pub patient: Uuid,
    pub count: i64,
    /// The patient's place in the bucket, from 0.
    pub index: u64,
    /// Patients in the bucket.
    pub bucket_size: u64,
    pub bucket_root: Hex32,
    /// That the patient's leaf is in the bucket.
    pub path: Vec<Hex32>,
    /// That the bucket's root is leaf number (last byte of the patient's id) of the 256 under the charts root.
    pub bucket_path: Vec<Hex32>,
}
