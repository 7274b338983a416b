//! An installation in memory: two clinics, ledgers, a key, checkpoints, anchors.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use events::{ClinicId, Ledger, PatientId};
use proof::{
    charts::{BUCKETS, bucket_of, bucket_tree, charts_tree},
    checkpoint::{Checkpoint, Leaf, Ledgers, ledger_leaf_hash, name, write_anchor, write_changes},
    merkle::{Tree, empty_root},
    note::{PublicKey, SigningKey},
    row::{GENESIS, Hash, StoredRow, sha256},
    seal::{EventKey, Place},
};
use uuid::Uuid;
use zeroize::Zeroizing;

pub const OURS: ClinicId = ClinicId(Uuid::from_u128(1));
const THEIRS: ClinicId = ClinicId(Uuid::from_u128(2));
pub const INSTALLATION: Uuid = Uuid::from_u128(7);

/// What happens, one after another.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// An event of the patient's chart.
    Event(u8),
    Access,
    /// An event of the other clinic.
    Elsewhere,
    Checkpoint,
    /// A checkpoint that names another key as the next.
    Rotation,
}

#[derive(Clone)]
pub struct Made {
    pub note: String,
    pub changes: String,
    pub ledgers: Ledgers,
    pub next_key: Option<PublicKey>,
}

#[derive(Clone)]
pub struct World {
    seed: u8,
    /// Every key that has signed.
    pub keys: Vec<PublicKey>,
    pub ours: [Vec<StoredRow>; 2],
    theirs: Vec<StoredRow>,
    ledgers: Ledgers,
    pub checkpoints: Vec<Made>,
    pub now: DateTime<Utc>,
}

/// How many events a patient has, and the trees that say so.
pub struct Chart {
    pub count: i64,
    /// In the bucket, of so many.
    pub index: usize,
    pub in_bucket: usize,
    pub bucket: Tree,
    pub charts: Tree,
}

pub fn patient(n: u8) -> PatientId {
    PatientId(Uuid::from_u128(0x100 + u128::from(n)))
}

fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

/// Of an event; anybody can compute it here.
pub fn event_key(row: &StoredRow) -> EventKey {
    let half = sha256(row.event_id.as_bytes());
    EventKey::new(Zeroizing::new([half, half].concat().try_into().unwrap()))
}

impl World {
    /// Its first key comes from the seed.
    pub fn new(seed: u8) -> Self {
        Self {
            seed,
            keys: vec![signing_key(seed).public()],
            ours: [Vec::new(), Vec::new()],
            theirs: Vec::new(),
            ledgers: Ledgers::default(),
            checkpoints: Vec::new(),
            now: DateTime::from_timestamp_micros(1_767_225_600_000_001).unwrap(),
        }
    }

    /// After these steps and a last checkpoint.
    pub fn after(steps: &[Step]) -> Self {
        let mut world = Self::new(1);
        world.take(Step::Event(0));
        steps.iter().for_each(|step| world.take(*step));
        world.take(Step::Checkpoint);
        world
    }

    pub fn fingerprint(&self) -> String {
        self.keys[0].fingerprint()
    }

    pub fn take(&mut self, step: Step) {
        self.now += TimeDelta::minutes(1);
        match step {
            Step::Event(n) => self.append(Ledger::Record, Some(patient(n % 4))),
            Step::Access => self.append(Ledger::Access, Some(patient(0))),
            Step::Elsewhere => {
                let row = row(THEIRS, Ledger::Record, &self.theirs, None, self.now);
                self.theirs.push(row);
            }
            Step::Checkpoint => self.checkpoint(None),
            Step::Rotation => {
                self.checkpoint(Some(self.seed + 1));
                self.seed += 1;
                self.keys.push(signing_key(self.seed).public());
            }
        }
    }

    fn append(&mut self, ledger: Ledger, patient: Option<PatientId>) {
        let rows = &mut self.ours[ledger as usize - 1];
        let row = row(OURS, ledger, rows, patient, self.now);
        rows.push(row);
    }

    /// All rows are given new hashes that fit each other, as whoever owns the database can do.
    pub fn rechain(&mut self, ledger: Ledger) {
        let mut previous = GENESIS;
        for row in &mut self.ours[ledger as usize - 1] {
            row.chain_to(previous);
            previous = row.hash;
        }
    }

    fn checkpoint(&mut self, next: Option<u8>) {
        let all = [(OURS, Ledger::Record, &self.ours[0]), (OURS, Ledger::Access, &self.ours[1])];
        let all = all.into_iter().chain([(THEIRS, Ledger::Record, &self.theirs)]);
        let before: BTreeMap<_, _> = self.ledgers.leaves().iter().map(|leaf| (leaf.place(), leaf.size)).collect();
        let changed = |leaf: &Leaf| leaf.size > 0 && before.get(&leaf.place()) != Some(&leaf.size);
        let changes: Vec<Leaf> = all.map(|(clinic, ledger, rows)| leaf(clinic, ledger, rows)).filter(changed).collect();
        self.ledgers.change(&changes).unwrap();
        let changes = write_changes(&changes);
        let next_key = next.map(|seed| signing_key(seed).public());
        let checkpoint = Checkpoint {
            installation: INSTALLATION,
            leaves: self.ledgers.leaves().len() as u64,
            root: self.ledgers.root(),
            number: self.checkpoints.len() as i64 + 1,
            time: self.now,
            previous: self.checkpoints.last().map(|last| sha256(last.note.as_bytes())),
            changed: sha256(changes.as_bytes()),
            next_key,
        };
        let note = signing_key(self.seed).sign(&name(INSTALLATION), &checkpoint.write());
        self.checkpoints.push(Made { note, changes, ledgers: self.ledgers.clone(), next_key });
    }

    /// As they are kept elsewhere: name and content.
    pub fn anchors(&self) -> Vec<(String, String)> {
        let named = |(at, made): (usize, &Made)| {
            (format!("{:010}.checkpoint", at + 1), write_anchor(&made.note, &made.changes))
        };
        self.checkpoints.iter().enumerate().map(named).collect()
    }

    /// The tree of the rows that were there at a size.
    pub fn tree(&self, ledger: Ledger, size: usize) -> Tree {
        tree(&self.ours[ledger as usize - 1][..size])
    }

    /// Of the record at a size.
    pub fn chart(&self, size: usize, patient: PatientId) -> Option<Chart> {
        let rows = &self.ours[0][..size];
        let bucket = bucket(rows, bucket_of(patient));
        let index = bucket.iter().position(|(id, _)| *id == patient)?;
        let (count, in_bucket) = (bucket[index].1, bucket.len());
        Some(Chart { count, index, in_bucket, bucket: bucket_tree(bucket), charts: charts(rows) })
    }
}

fn row(
    clinic: ClinicId,
    ledger: Ledger,
    before: &[StoredRow],
    patient: Option<PatientId>,
    now: DateTime<Utc>,
) -> StoredRow {
    let position = before.len() as i64 + 1;
    let id = Uuid::from_u128(clinic.0.as_u128() << 64 | (ledger as u128) << 32 | position as u128);
    let of_patient = before.iter().filter(|row| row.patient == patient).count() as i64;
    let mut row = StoredRow {
        clinic,
        ledger,
        position,
        stream_kind: "patient".into(),
        stream_id: id,
        stream_version: 1,
        event_id: id,
        event_type: "Something".into(),
        schema_version: 1,
        patient,
        patient_version: patient.filter(|_| ledger == Ledger::Record).map(|_| of_patient + 1),
        occurred_at: now,
        recorded_at: now,
        actor_kind: "person".into(),
        actor_user: None,
        actor_name: "asha".into(),
        actor_roles: "doctor".into(),
        actor_session: Some(id),
        on_behalf_of: None,
        purpose: "TREAT".into(),
        reason: None,
        command: "Do \"something\" → ü".into(),
        correlation_id: id,
        causation_id: id,
        client_address: Some("192.0.2.7".into()),
        client_agent: None,
        payload: format!("{{\"n\": {position}}}").into_bytes(),
        payload_hash: GENESIS,
        sealed: None,
        sealed_hash: None,
        previous_hash: GENESIS,
        hash: GENESIS,
    };
    if position % 2 == 1 {
        row.sealed = Some(event_key(&row).seal(Place::of(&row), b"{\"first_name\":\"Asha\"}"));
    }
    row.chain_to(before.last().map_or(GENESIS, |last| last.hash));
    row
}

fn tree(rows: &[StoredRow]) -> Tree {
    Tree::new(rows.iter().map(|row| ledger_leaf_hash(&row.hash)).collect())
}

fn leaf(clinic: ClinicId, ledger: Ledger, rows: &[StoredRow]) -> Leaf {
    let charts = (ledger == Ledger::Record).then(|| charts(rows).root());
    Leaf { clinic, ledger, size: rows.len() as i64, root: tree(rows).root(), charts }
}

fn bucket(rows: &[StoredRow], bucket: u8) -> Vec<(PatientId, i64)> {
    let mut counts = BTreeMap::new();
    for (patient, version) in rows.iter().filter_map(|row| row.patient.zip(row.patient_version)) {
        counts.insert(patient, version);
    }
    counts.into_iter().filter(|(patient, _)| bucket_of(*patient) == bucket).collect()
}

fn charts(rows: &[StoredRow]) -> Tree {
    let mut roots: [Hash; BUCKETS] = [empty_root(); BUCKETS];
    for (number, root) in (0..=u8::MAX).zip(&mut roots) {
        *root = bucket_tree(bucket(rows, number)).root();
    }
    charts_tree(&roots)
}
