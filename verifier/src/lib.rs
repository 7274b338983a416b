//! Verifies an export bundle without a server, a database or a network: docs/verification.md.
//!
//! A bundle is believed as far as checkpoints say, which are signed by the key whose fingerprint the verifier was
//! told by another way, and, where anchors are given, as far as these say: they lie where the owner of the database
//! cannot rewrite them.

mod anchors;
mod bundle;
mod chart;
mod checkpoints;
mod ledger;
mod points;
mod report;
mod row;
mod sentences;

use std::path::Path;

use events::Ledger;
use proof::bundle::Kind;
pub use report::{BundleFault, Fault, Finding, LedgerName, Outcome, Report, Summary};

use crate::{anchors::Anchors, bundle::Bundle, checkpoints::Checkpoints};

/// Why nothing can be said about a file.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("{0}")]
    NoBundle(String),
    #[error("{0} is no anchor")]
    Anchor(String),
    #[error("a fingerprint has 64 hexadecimal digits")]
    Fingerprint,
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// What the bundle proves. `fingerprint`: hexadecimal SHA-256 of the public key, from outside.
pub fn verify(bundle: &Path, fingerprint: &str, anchors: Option<&Path>) -> Result<Report, Unusable> {
    let fingerprint = fingerprint.to_ascii_lowercase();
    if fingerprint.len() != 64 || !fingerprint.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Unusable::Fingerprint);
    }
    let mut bundle = Bundle::open(bundle)?;
    let checkpoints = Checkpoints::read(&mut bundle, &fingerprint)?;
    let anchors = anchors.map(|folder| Anchors::read(folder, &bundle, &checkpoints)).transpose()?;
    let mut walk = |ledger| match bundle.manifest.kind {
        Kind::Patient => chart::walk(&mut bundle, ledger, &checkpoints),
        Kind::Clinic | Kind::Range => ledger::walk(&mut bundle, ledger, &checkpoints, anchors.as_ref()),
    };
    let ledgers = [walk(Ledger::Record)?, walk(Ledger::Access)?];
    Ok(Report::of(&bundle, &checkpoints, anchors.as_ref(), ledgers))
}
