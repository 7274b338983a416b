//! What an export bundle is made of: the shapes of its files, shared by who writes one and who verifies it.
//!
//! A bundle is a ZIP of JSON files. A hash is written as 64 lower-case hexadecimal digits, other bytes as base64
//! (RFC 4648, padded), an instant as RFC 3339 with microseconds and `Z`, an id as its 36 lower-case characters.
//! Files that end in `.ndjson` hold one JSON object per line, each line ended by a line feed.

mod checkpoints;
mod manifest;
mod proofs;
mod row;
mod written;

pub use checkpoints::{CheckpointLine, KeyEntry, Keys, LedgerLeaf};
pub use manifest::{Extent, FileEntry, Kind, Manifest, Range};
pub use proofs::{ChartProof, EventProof, ProofLine};
pub use row::{KeyState, LineError, RowLine, ShownRow, WithheldRow};
pub use written::{Hex32, instant_text};

/// The first thing that a manifest says.
pub const FORMAT: &str = "casebook/bundle/1";

/// The names of the files in a bundle.
pub mod files {
    pub const MANIFEST: &str = "manifest.json";
    /// The manifest's own SHA-256, as `sha256sum` writes it.
    pub const MANIFEST_SHA256: &str = "manifest.sha256";
    pub const RECORD: &str = "record.ndjson";
    pub const ACCESS: &str = "access.ndjson";
    pub const CHECKPOINTS: &str = "checkpoints.ndjson";
    pub const PROOFS: &str = "proofs.ndjson";
    pub const KEYS: &str = "keys.json";
    /// For people. It proves nothing.
    pub const INDEX: &str = "index.html";

    /// What the manifest lists, in the order in which it is written.
    pub const LISTED: [&str; 6] = [RECORD, ACCESS, CHECKPOINTS, PROOFS, KEYS, INDEX];
}

/// What [`files::MANIFEST_SHA256`] holds for this manifest.
pub fn manifest_sha256(manifest: &[u8]) -> String {
    format!("{}  {}\n", Hex32(crate::row::sha256(manifest)), files::MANIFEST)
}
