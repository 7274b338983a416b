//! `manifest.json`: what a bundle says of itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::written::{Hex32, id, instant};

/// What a bundle is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Both ledgers of a clinic, from their first row.
    Clinic,
    /// A stretch of both.
    Range,
    /// The chart of one person: rows of several places of a ledger, each with its proof.
    Patient,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`](super::FORMAT)
    pub format: String,
    pub kind: Kind,
    /// Whose checkpoints they are.
    #[serde(with = "id")]
    pub installation: Uuid,
    #[serde(with = "id")]
    pub clinic: Uuid,
    /// The name of the clinic in addresses. For people: nothing proves it.
    pub slug: String,
    /// The ids of one person, who may have been registered more than once. Empty unless [`Kind::Patient`].
    pub patients: Vec<Uuid>,
    /// What was committed or signed later is not in the bundle. By the clock of the log.
    #[serde(with = "instant")]
    pub made_at: DateTime<Utc>,
    pub record: Extent,
    pub access: Extent,
    /// The number of the last checkpoint; null where none had been made yet.
    pub last_checkpoint: Option<i64>,
    pub files: Vec<FileEntry>,
}

/// How much of a ledger is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    /// Lines of the ledger's file.
    pub rows: u64,
    /// Null in a bundle of one patient.
    pub range: Option<Range>,
}

/// Positions `from` to `to`, both included; `to = from − 1` where there are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    pub from: i64,
    pub to: i64,
    /// The chain's value at `from − 1`.
    pub previous_hash: Hex32,
    /// The roots of the perfect subtrees of which the ledger's tree of size `from − 1` consists, the largest first.
    pub peaks: Vec<Hex32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    pub name: String,
    pub bytes: u64,
    pub sha256: Hex32,
}
