//! The rows of one patient: each by its inclusion proof, and that none is missing by the count that was signed.

use std::collections::BTreeMap;

use events::{Ledger, PatientId, Position};
use proof::{
    Verdict,
    bundle::{ChartProof, EventProof},
    charts::{BUCKETS, bucket_of, chart_leaf_hash},
    checkpoint::{Leaf, ledger_leaf_hash},
    merkle::{leaf_hash, verify_inclusion},
    row::{Hash, StoredRow},
};
use uuid::Uuid;

use crate::{
    Unusable,
    bundle::{Bundle, file_of, hashes},
    checkpoints::Checkpoints,
    ledger::Walked,
    report::{BundleFault, Fault},
    row::{Row, is_of},
};

/// The rows of each patient: `patient_version`, and whether the last checkpoint covers it.
type Versions = BTreeMap<Uuid, Vec<(Option<i64>, bool)>>;

pub(crate) fn walk(bundle: &mut Bundle, ledger: Ledger, checkpoints: &Checkpoints) -> Result<Walked, Unusable> {
    let last = checkpoints.points.last(ledger).filter(|point| Some(point.number) == checkpoints.last_number());
    let signed = last.map(|point| point.leaf);
    let mut chart = Chart {
        ledger,
        clinic: bundle.manifest.clinic,
        patients: bundle.manifest.patients.clone(),
        signed,
        proofs: bundle.event_proofs.clone(),
        position: 0,
        versions: Versions::new(),
        walked: Walked::new(ledger),
    };
    let mut fault = None;
    let mut lines = bundle.lines(file_of(ledger))?;
    while fault.is_none() {
        let Some(line) = lines.next()? else { break };
        fault = chart.take(line).err();
    }
    drop(lines);
    let complete = || if ledger == Ledger::Record { complete(bundle, signed, &chart.versions) } else { Ok(()) };
    chart.walked.fault = fault.or_else(|| complete().err().map(Fault::from));
    Ok(chart.walked)
}

struct Chart {
    ledger: Ledger,
    clinic: Uuid,
    patients: Vec<Uuid>,
    /// What the last checkpoint says of the ledger.
    signed: Option<Leaf>,
    proofs: BTreeMap<(i16, Position), EventProof>,
    position: Position,
    versions: Versions,
    walked: Walked,
}

impl Chart {
    fn take(&mut self, line: &[u8]) -> Result<(), Fault> {
        let altered = |position| Fault::from(Verdict::AlteredAt { position });
        let read = Row::read(line).ok_or(altered(self.position + 1))?;
        let Row::Shown(row, _) = &read else { return Err(altered(read.position())) };
        let is_covered = self.signed.is_some_and(|signed| row.position <= signed.size);
        let patient = row.patient.filter(|patient| self.patients.contains(&patient.0));
        let good = row.is_intact() && row.position > self.position && is_of(row, self.clinic, self.ledger);
        let patient = patient.filter(|_| good && (!is_covered || self.is_proved(row)));
        let patient = patient.ok_or(altered(row.position))?;
        self.position = row.position;
        self.walked.count(&read);
        if is_covered {
            self.walked.summary.covered_upto = row.position;
        }
        self.versions.entry(patient.0).or_default().push((row.patient_version, is_covered));
        Ok(())
    }

    fn is_proved(&self, row: &StoredRow) -> bool {
        let proof = self.proofs.get(&(self.ledger as i16, row.position));
        self.signed.zip(proof).is_some_and(|(signed, proof)| {
            let (index, size) = ((row.position - 1).cast_unsigned(), signed.size.cast_unsigned());
            verify_inclusion(&ledger_leaf_hash(&row.hash), index, size, &hashes(&proof.path), &signed.root)
        })
    }
}

/// That the events of each patient are numbered 1, 2, 3 … and that there are as many as were signed.
fn complete(bundle: &Bundle, signed: Option<Leaf>, versions: &Versions) -> Result<(), BundleFault> {
    for patient in bundle.manifest.patients.iter().copied() {
        let rows = versions.get(&patient).map_or(&[][..], Vec::as_slice);
        let missing = |patient_version| BundleFault::EventMissing { patient, patient_version };
        let not_proven = BundleFault::CountNotProven { patient };
        for (expected, (version, _)) in (1..).zip(rows) {
            if *version != Some(expected) {
                return Err(missing(expected));
            }
        }
        let covered = rows.iter().filter(|(_, is_covered)| *is_covered).count() as i64;
        let Some(proof) = bundle.chart_proofs.get(&patient) else {
            // A chart that was begun after the last checkpoint.
            if covered > 0 || rows.is_empty() {
                return Err(not_proven);
            }
            continue;
        };
        let charts = signed.and_then(|signed| signed.charts);
        if covered > proof.count || !charts.is_some_and(|charts| holds(proof, &charts)) {
            return Err(not_proven);
        }
        if covered < proof.count {
            return Err(missing(covered + 1));
        }
    }
    Ok(())
}

/// Whether the charts tree says so many events of the patient.
fn holds(proof: &ChartProof, charts: &Hash) -> bool {
    let (patient, bucket) = (PatientId(proof.patient), proof.bucket_root.0);
    let leaf = chart_leaf_hash(patient, proof.count);
    verify_inclusion(&leaf, proof.index, proof.bucket_size, &hashes(&proof.path), &bucket)
        && verify_inclusion(
            &leaf_hash(&bucket),
            bucket_of(patient).into(),
            BUCKETS as u64,
            &hashes(&proof.bucket_path),
            charts,
        )
}
