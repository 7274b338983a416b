//! The files of a bundle, to be written honestly or otherwise.

use std::{collections::BTreeMap, fs, io::Write, path::Path};

use events::{Ledger, PatientId};
use proof::{
    bundle::{
        ChartProof, CheckpointLine, EventProof, Extent, FORMAT, FileEntry, Hex32, KeyEntry, KeyState, Keys, Kind,
        LedgerLeaf, Manifest, ProofLine, Range, RowLine, ShownRow, WithheldRow, files, manifest_sha256,
    },
    charts::bucket_of,
    checkpoint::ledger_leaf_hash,
    merkle::Frontier,
    row::{GENESIS, Hash, StoredRow, sha256},
};
use serde::Serialize;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::world::{Chart, INSTALLATION, OURS, World, event_key};

/// By their names, the manifest without its list of files.
#[derive(Clone)]
pub struct Files {
    pub manifest: Manifest,
    pub content: BTreeMap<&'static str, Vec<u8>>,
}

fn line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).unwrap();
    line.push(b'\n');
    line
}

fn lines<T: Serialize>(values: impl IntoIterator<Item = T>) -> Vec<u8> {
    values.into_iter().flat_map(|value| line(&value)).collect()
}

fn hex(hashes: &[Hash]) -> Vec<Hex32> {
    hashes.iter().copied().map(Hex32).collect()
}

/// Every fifth row is withheld where the bundle is none of a chart, every third without its key.
fn row_line(row: &StoredRow, kind: Kind) -> RowLine {
    let shown = ShownRow::of(row.clone());
    match (row.position % 15, row.sealed.is_some()) {
        (0 | 5 | 10, _) if kind != Kind::Patient => RowLine::Withheld(WithheldRow::of(row)),
        (3, true) => RowLine::Shown(Box::new(shown.without_key(KeyState::Destroyed))),
        (_, true) if row.position % 3 > 0 => RowLine::Shown(Box::new(shown.with_key(&event_key(row)))),
        _ => RowLine::Shown(Box::new(shown)),
    }
}

fn extent(world: &World, ledger: Ledger, kind: Kind, from: usize) -> (Extent, Vec<u8>) {
    let rows = &world.ours[ledger as usize - 1];
    let from = from.min(rows.len() + 1);
    let mut before = Frontier::default();
    rows[..from - 1].iter().for_each(|row| before.push(ledger_leaf_hash(&row.hash)));
    let previous = rows[..from - 1].last().map_or(GENESIS, |row| row.hash);
    let range =
        Range { from: from as i64, to: rows.len() as i64, previous_hash: Hex32(previous), peaks: hex(before.edge()) };
    let content = lines(rows[from - 1..].iter().map(|row| row_line(row, kind)));
    (Extent { rows: (rows.len() + 1 - from) as u64, range: Some(range) }, content)
}

impl Files {
    /// Of the whole clinic, or from a position of each ledger on.
    pub fn of_clinic(world: &World, from: usize) -> Self {
        let kind = if from == 1 { Kind::Clinic } else { Kind::Range };
        let (record, record_rows) = extent(world, Ledger::Record, kind, from);
        let (access, access_rows) = extent(world, Ledger::Access, kind, from);
        let mut files = Self::new(world, kind, &[], record, access);
        files.content.insert(files::RECORD, record_rows);
        files.content.insert(files::ACCESS, access_rows);
        files
    }

    /// The chart of patients, as one person's.
    pub fn of_patients(world: &World, patients: &[PatientId]) -> Self {
        let none = Extent { rows: 0, range: None };
        let mut files = Self::new(world, Kind::Patient, patients, none.clone(), none);
        let last = world.checkpoints.last().unwrap();
        let mut proofs = Vec::new();
        for (ledger, name) in [(Ledger::Record, files::RECORD), (Ledger::Access, files::ACCESS)] {
            let of_person = |row: &&StoredRow| row.patient.is_some_and(|patient| patients.contains(&patient));
            let rows: Vec<_> = world.ours[ledger as usize - 1].iter().filter(of_person).collect();
            let size = last.ledgers.prove(OURS, ledger).map_or(0, |(leaf, ..)| leaf.size);
            let tree = world.tree(ledger, size as usize);
            for row in rows.iter().filter(|row| row.position <= size) {
                let (ledger, path) = (ledger as i16, hex(&tree.inclusion(row.position as usize - 1)));
                proofs.push(ProofLine::Event(EventProof { ledger, position: row.position, path }));
            }
            files.content.insert(name, lines(rows.iter().map(|row| row_line(row, Kind::Patient))));
            if ledger == Ledger::Record {
                proofs.extend(patients.iter().filter_map(|patient| chart_proof(world, size as usize, *patient)));
            }
        }
        files.content.insert(files::PROOFS, lines(proofs));
        files
    }

    fn new(world: &World, kind: Kind, patients: &[PatientId], record: Extent, access: Extent) -> Self {
        let manifest = Manifest {
            format: FORMAT.into(),
            kind,
            installation: INSTALLATION,
            clinic: OURS.0,
            slug: "asha".into(),
            patients: patients.iter().map(|patient| patient.0).collect(),
            made_at: world.now,
            record,
            access,
            last_checkpoint: Some(world.checkpoints.len() as i64),
            files: Vec::new(),
        };
        let key =
            |key: &proof::note::PublicKey| KeyEntry { public_key: key.0.to_vec(), fingerprint: Hex32(sha256(&key.0)) };
        let keys = Keys { keys: world.keys.iter().map(key).collect() };
        let content = BTreeMap::from([
            (files::CHECKPOINTS, lines(checkpoints(world, kind))),
            (files::PROOFS, Vec::new()),
            (files::KEYS, serde_json::to_vec(&keys).unwrap()),
            (files::INDEX, b"<!doctype html>".to_vec()),
        ]);
        Self { manifest, content }
    }

    /// With a manifest that fits the content, as whoever makes one can do.
    pub fn write(&self, path: &Path) {
        self.write_as(path, &self.entries());
    }

    /// What a manifest of this content lists.
    pub fn entries(&self) -> Vec<FileEntry> {
        let entry = |name: &str| {
            let content = &self.content[name];
            FileEntry { name: name.into(), bytes: content.len() as u64, sha256: Hex32(sha256(content)) }
        };
        files::LISTED.into_iter().map(entry).collect()
    }

    /// With the list of files that is given.
    pub fn write_as(&self, path: &Path, entries: &[FileEntry]) {
        let manifest = Manifest { files: entries.to_vec(), ..self.manifest.clone() };
        let manifest = serde_json::to_vec(&manifest).unwrap();
        let sum = manifest_sha256(&manifest).into_bytes();
        let mut all: Vec<(&str, Vec<u8>)> = self.content.iter().map(|(name, bytes)| (*name, bytes.clone())).collect();
        all.extend([(files::MANIFEST, manifest), (files::MANIFEST_SHA256, sum)]);
        write_zip(path, &all);
    }
}

pub fn write_zip(path: &Path, files: &[(&str, Vec<u8>)]) {
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
}

fn checkpoints(world: &World, kind: Kind) -> Vec<CheckpointLine> {
    let last = world.checkpoints.len();
    let mut lines = Vec::new();
    for (number, made) in (1..).zip(&world.checkpoints) {
        if kind == Kind::Patient && number != last && made.next_key.is_none() {
            continue;
        }
        let is_said =
            |ledger: &Ledger| number == last || made.changes.contains(&format!("{} {} ", OURS.0, *ledger as i16));
        let ledgers = [Ledger::Record, Ledger::Access].into_iter().filter(is_said);
        let ledgers = ledgers.filter_map(|ledger| {
            let (leaf, index, path) = made.ledgers.prove(OURS, ledger)?;
            let (root, charts) = (Hex32(leaf.root), leaf.charts.map(Hex32));
            Some(LedgerLeaf {
                ledger: ledger as i16,
                size: leaf.size,
                root,
                charts,
                index: index as u64,
                path: hex(&path),
            })
        });
        lines.push(CheckpointLine { number: number as i64, note: made.note.clone(), ledgers: ledgers.collect() });
    }
    lines
}

fn chart_proof(world: &World, size: usize, patient: PatientId) -> Option<ProofLine> {
    let Chart { count, index, in_bucket, bucket, charts } = world.chart(size, patient)?;
    Some(ProofLine::Chart(ChartProof {
        patient: patient.0,
        count,
        index: index as u64,
        bucket_size: in_bucket as u64,
        bucket_root: Hex32(bucket.root()),
        path: hex(&bucket.inclusion(index)),
        bucket_path: hex(&charts.inclusion(bucket_of(patient).into())),
    }))
}
