//! What was found, as programs read it.

use std::fmt;

use events::{Ledger, Position};
use proof::Verdict;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{anchors::Anchors, bundle::Bundle, checkpoints::Checkpoints, ledger::Walked};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Intact,
    NotIntact,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fault {
    Proof(Verdict),
    Bundle(BundleFault),
}

/// What can be wrong with a bundle beside what can be wrong with a ledger or its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum BundleFault {
    /// The row is what was written, but its sealed part does not open with the key that belongs to it.
    NotOpenedAt { position: Position },
    /// An event of a patient's chart is not in the bundle.
    EventMissing { patient: Uuid, patient_version: i64 },
    /// How many events the chart has is not proved.
    CountNotProven { patient: Uuid },
    /// The file is not the one that the manifest names.
    FileDamaged { file: String },
}

impl Fault {
    pub(crate) fn not_opened(position: Position) -> Self {
        BundleFault::NotOpenedAt { position }.into()
    }
}

impl From<Verdict> for Fault {
    fn from(verdict: Verdict) -> Self {
        Self::Proof(verdict)
    }
}

impl From<BundleFault> for Fault {
    fn from(fault: BundleFault) -> Self {
        Self::Bundle(fault)
    }
}

/// A fault, and the ledger that it is in, where it is in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerName>,
    #[serde(flatten)]
    pub fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerName {
    Record,
    Access,
}

/// What there is of a ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Rows that were read before the first fault.
    pub rows: u64,
    /// Of these, rows that are withheld.
    pub withheld: u64,
    /// Of these, rows whose sealed part was opened.
    pub opened: u64,
    /// Rows up to this position are proved by a signature, and by an anchor where anchors are given. 0: none are.
    pub covered_upto: Position,
    /// The last position that was read.
    pub last: Position,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub outcome: Outcome,
    /// Empty where all is intact.
    pub findings: Vec<Finding>,
    pub kind: proof::bundle::Kind,
    pub clinic: Uuid,
    /// What the bundle says of itself; nothing proves it.
    pub made_at: String,
    pub last_checkpoint: Option<i64>,
    /// How many anchors were compared; null where none were given.
    pub anchors_compared: Option<usize>,
    pub record: Summary,
    pub access: Summary,
}

impl From<Fault> for Finding {
    fn from(fault: Fault) -> Self {
        Self { ledger: None, fault }
    }
}

impl From<Ledger> for LedgerName {
    fn from(ledger: Ledger) -> Self {
        match ledger {
            Ledger::Record => Self::Record,
            Ledger::Access => Self::Access,
        }
    }
}

impl fmt::Display for LedgerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Record => "record",
            Self::Access => "access",
        })
    }
}

impl Report {
    pub(crate) fn of(
        bundle: &Bundle,
        checkpoints: &Checkpoints,
        anchors: Option<&Anchors>,
        [record, access]: [Walked; 2],
    ) -> Self {
        let mut findings: Vec<Finding> = [&record, &access].into_iter().flat_map(Walked::findings).collect();
        findings.extend(checkpoints.fault.clone().map(Finding::from));
        findings.extend(anchors.and_then(|anchors| anchors.fault.clone()).map(Finding::from));
        findings.extend(
            bundle.damaged.iter().map(|file| Fault::from(BundleFault::FileDamaged { file: file.clone() }).into()),
        );
        Self {
            outcome: if findings.is_empty() { Outcome::Intact } else { Outcome::NotIntact },
            findings,
            kind: bundle.manifest.kind,
            clinic: bundle.manifest.clinic,
            made_at: bundle.made_at_text(),
            last_checkpoint: checkpoints.last_number(),
            anchors_compared: anchors.map(|anchors| anchors.compared.len()),
            record: record.summary,
            access: access.summary,
        }
    }
}
