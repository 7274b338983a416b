//! The bundle's checkpoints, and what those that can be trusted say of the clinic.

use std::collections::{BTreeMap, BTreeSet};

use events::ClinicId;
use proof::{
    Verdict,
    bundle::{CheckpointLine, Keys, Kind, LedgerLeaf, files},
    checkpoint::{Checkpoint, Leaf, name, of_note},
    merkle::verify_inclusion,
    note::PublicKey,
    row::{Hash, ledger_of, sha256},
    trust::Trust,
};

use crate::{
    Unusable,
    bundle::{Bundle, hashes},
    points::Points,
    report::{BundleFault, Fault},
};

#[derive(Default)]
pub(crate) struct Checkpoints {
    /// Whether the key that the verifier was told stands behind them.
    pub(crate) is_trusted: bool,
    /// The first thing that is wrong.
    pub(crate) fault: Option<Fault>,
    /// Empty where no checkpoint is trusted.
    pub(crate) points: Points,
    /// The hash of each note that was taken, by its number.
    pub(crate) notes: BTreeMap<i64, Hash>,
}

impl Checkpoints {
    pub(crate) fn read(bundle: &mut Bundle, fingerprint: &str) -> Result<Self, Unusable> {
        let Some(keys) = keys(&bundle.read(files::KEYS)?) else {
            let fault = BundleFault::FileDamaged { file: files::KEYS.into() };
            return Ok(Self { fault: Some(fault.into()), ..Self::default() });
        };
        let last_stated = bundle.manifest.last_checkpoint;
        let mut taken = Taken {
            clinic: bundle.manifest.clinic.into(),
            name: name(bundle.manifest.installation),
            found: Self::default(),
        };
        let mut chain: Box<dyn Chain> = match bundle.manifest.kind {
            Kind::Patient => Box::new(Handovers::new(fingerprint, keys)),
            Kind::Clinic | Kind::Range => Box::new(Whole(Trust::new(fingerprint, keys, 1))),
        };
        let mut lines = bundle.lines(files::CHECKPOINTS)?;
        let mut outcome = Ok(());
        while outcome.is_ok() {
            let Some(line) = lines.next()? else { break };
            outcome = taken.take(&mut *chain, line);
        }
        let trusted = chain.end();
        let mut found = taken.found;
        found.fault = outcome.and(trusted).and_then(|()| found.check_end(last_stated)).err().map(Fault::from);
        found.is_trusted = trusted.is_ok();
        if !found.is_trusted {
            found.points = Points::default();
        }
        Ok(found)
    }

    pub(crate) fn last_number(&self) -> Option<i64> {
        self.notes.keys().next_back().copied()
    }

    /// That the last checkpoint is the one that the manifest names, and speaks of this clinic.
    fn check_end(&self, stated: Option<i64>) -> Result<(), Verdict> {
        let Some(last) = self.last_number() else { return Err(Verdict::CheckpointMissing { number: 1 }) };
        if stated != Some(last) {
            return Err(Verdict::CheckpointMissing { number: last + 1 });
        }
        match self.points.last(events::Ledger::Record) {
            Some(point) if point.number == last => Ok(()),
            _ => Err(Verdict::CheckpointUntrusted { number: last }),
        }
    }
}

fn keys(text: &[u8]) -> Option<Vec<PublicKey>> {
    let Keys { keys } = serde_json::from_slice(text).ok()?;
    let read = |public_key: Vec<u8>| <[u8; 32]>::try_from(public_key).ok();
    keys.into_iter()
        .map(|entry| read(entry.public_key).filter(|key| sha256(key) == entry.fingerprint.0).map(PublicKey))
        .collect()
}

struct Taken {
    clinic: ClinicId,
    name: String,
    found: Checkpoints,
}

impl Taken {
    fn take(&mut self, chain: &mut dyn Chain, line: &[u8]) -> Result<(), Verdict> {
        let expected = self.found.last_number().unwrap_or(0) + 1;
        let untrusted = Verdict::CheckpointUntrusted { number: expected };
        let line: CheckpointLine = serde_json::from_slice(line).map_err(|_| untrusted)?;
        let (_, said) = of_note(&line.note).map_err(|_| untrusted)?;
        if said.number != line.number || said.name() != self.name {
            return Err(untrusted);
        }
        let checkpoint = chain.take(&line.note)?;
        let ascending = line.ledgers.is_sorted_by(|one, next| one.ledger < next.ledger);
        let leaves: Option<Vec<Leaf>> = line.ledgers.iter().map(|stated| self.leaf(stated, &checkpoint)).collect();
        let leaves = leaves.filter(|_| ascending).ok_or(untrusted)?;
        leaves.into_iter().for_each(|leaf| self.found.points.push(line.number, leaf));
        self.found.notes.insert(line.number, sha256(line.note.as_bytes()));
        Ok(())
    }

    /// `None`: it is none of the checkpoint's, or says less than was said before.
    fn leaf(&self, stated: &LedgerLeaf, checkpoint: &Checkpoint) -> Option<Leaf> {
        let (ledger, charts) = (ledger_of(stated.ledger)?, stated.charts.map(|charts| charts.0));
        let leaf = Leaf { clinic: self.clinic, ledger, size: stated.size, root: stated.root.0, charts };
        let before = self.found.points.last(ledger).map_or(1, |point| point.leaf.size);
        let path = hashes(&stated.path);
        let holds = verify_inclusion(&leaf.hash(), stated.index, checkpoint.leaves, &path, &checkpoint.root);
        (holds && leaf.size >= before).then_some(leaf)
    }
}

/// Who is trusted, as one note after another is taken.
trait Chain {
    fn take(&mut self, note: &str) -> Result<Checkpoint, Verdict>;
    /// After the last.
    fn end(&self) -> Result<(), Verdict>;
}

/// All checkpoints that there are.
struct Whole(Trust);

impl Chain for Whole {
    fn take(&mut self, note: &str) -> Result<Checkpoint, Verdict> {
        self.0.note(note)
    }

    fn end(&self) -> Result<(), Verdict> {
        self.0.end()
    }
}

/// What comes with a chart: the checkpoints in which a key names the next, and the last.
struct Handovers {
    trusted: BTreeSet<String>,
    keys: Vec<PublicKey>,
    last: i64,
    /// Whether the last one is signed by a key that is trusted.
    ends_well: bool,
}

impl Handovers {
    fn new(fingerprint: &str, keys: Vec<PublicKey>) -> Self {
        Self { trusted: BTreeSet::from([fingerprint.to_owned()]), keys, last: 0, ends_well: true }
    }
}

impl Chain for Handovers {
    fn take(&mut self, note: &str) -> Result<Checkpoint, Verdict> {
        let untrusted = Verdict::CheckpointUntrusted { number: self.last + 1 };
        let (signed, checkpoint) = of_note(note).map_err(|_| untrusted)?;
        if checkpoint.number <= self.last {
            return Err(untrusted);
        }
        let name = checkpoint.name();
        let mut signers = self.keys.iter().filter(|key| signed.is_signed_by(&name, key));
        self.ends_well = signers.any(|key| self.trusted.contains(&key.fingerprint()));
        if let Some(next) = checkpoint.next_key.filter(|_| self.ends_well) {
            self.trusted.insert(next.fingerprint());
        }
        self.last = checkpoint.number;
        Ok(checkpoint)
    }

    fn end(&self) -> Result<(), Verdict> {
        if self.ends_well { Ok(()) } else { Err(Verdict::CheckpointUntrusted { number: self.last }) }
    }
}
