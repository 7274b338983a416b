//! The ZIP and its manifest.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use aws_lc_rs::digest::{Context, SHA256};
use events::Ledger;
use proof::{
    bundle::{
        ChartProof, EventProof, Extent, FORMAT, Hex32, Kind, Manifest, ProofLine, Range, files, instant_text,
        manifest_sha256,
    },
    row::{GENESIS, Hash, ledger_of},
};
use uuid::Uuid;
use zip::ZipArchive;

use crate::Unusable;

const BLOCK_BYTES: usize = 1 << 20;
/// No line that Casebook writes is nearly as long.
const LINE_BYTES_MAX: u64 = 64 << 20;

pub(crate) struct Bundle {
    zip: ZipArchive<BufReader<File>>,
    pub(crate) manifest: Manifest,
    /// Files that are not what the manifest says.
    pub(crate) damaged: Vec<String>,
    pub(crate) event_proofs: BTreeMap<(i16, i64), EventProof>,
    pub(crate) chart_proofs: BTreeMap<Uuid, ChartProof>,
}

impl Bundle {
    pub(crate) fn open(path: &Path) -> Result<Self, Unusable> {
        let unusable =
            |error: zip::result::ZipError| Unusable::NoBundle(format!("{} is not a bundle: {error}", path.display()));
        let mut zip = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(unusable)?;
        let text = content(&mut zip, files::MANIFEST)?;
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| unknown_manifest())?;
        check(&manifest).ok_or_else(unknown_manifest)?;
        let stated = content(&mut zip, files::MANIFEST_SHA256).unwrap_or_default();
        let damaged =
            if stated == manifest_sha256(&text).as_bytes() { Vec::new() } else { vec![files::MANIFEST.into()] };
        let mut bundle = Self { zip, manifest, damaged, event_proofs: BTreeMap::new(), chart_proofs: BTreeMap::new() };
        bundle.compare_files()?;
        if bundle.manifest.kind == Kind::Patient {
            bundle.read_proofs()?;
        }
        Ok(bundle)
    }

    pub(crate) fn made_at_text(&self) -> String {
        instant_text(self.manifest.made_at)
    }

    /// Of a bundle that is none of one patient.
    pub(crate) fn range(&self, ledger: Ledger) -> &Range {
        let extent = match ledger {
            Ledger::Record => &self.manifest.record,
            Ledger::Access => &self.manifest.access,
        };
        extent.range.as_ref().expect("a manifest without one was refused")
    }

    pub(crate) fn read(&mut self, name: &str) -> Result<Vec<u8>, Unusable> {
        content(&mut self.zip, name)
    }

    /// The lines of a file, one after another.
    pub(crate) fn lines(&mut self, name: &str) -> Result<Lines<impl BufRead + '_>, Unusable> {
        let file = self.zip.by_name(name).map_err(|_| unreadable(name))?;
        Ok(Lines { file: BufReader::with_capacity(BLOCK_BYTES, file), line: Vec::new(), name: name.to_owned() })
    }

    fn compare_files(&mut self) -> Result<(), Unusable> {
        let names = self.zip.file_names().map(|name| name.map(Cow::into_owned)).collect::<Result<Vec<String>, _>>();
        let mut names = names.map_err(|error| Unusable::NoBundle(error.to_string()))?;
        let mut expected = [&files::LISTED[..], &[files::MANIFEST, files::MANIFEST_SHA256]].concat();
        names.sort_unstable();
        expected.sort_unstable();
        if names != expected {
            return Err(Unusable::NoBundle("the bundle holds other files than its manifest names".into()));
        }
        for entry in &self.manifest.files {
            let mut file = self.zip.by_name(&entry.name).map_err(|_| unreadable(&entry.name))?;
            let (sha256, bytes) = digest(&mut file).map_err(|_| unreadable(&entry.name))?;
            if (sha256, bytes) != (entry.sha256, entry.bytes) {
                self.damaged.push(entry.name.clone());
            }
        }
        Ok(())
    }

    fn read_proofs(&mut self) -> Result<(), Unusable> {
        let (mut events, mut charts) = (BTreeMap::new(), BTreeMap::new());
        let mut lines = self.lines(files::PROOFS)?;
        while let Some(line) = lines.next()? {
            match serde_json::from_slice(line) {
                Ok(ProofLine::Event(proof)) if ledger_of(proof.ledger).is_some() && proof.position > 0 => {
                    events.insert((proof.ledger, proof.position), proof);
                }
                Ok(ProofLine::Chart(proof)) if proof.count >= 0 => _ = charts.insert(proof.patient, proof),
                _ => return Err(Unusable::NoBundle(format!("{} does not hold proofs", files::PROOFS))),
            }
        }
        drop(lines);
        (self.event_proofs, self.chart_proofs) = (events, charts);
        Ok(())
    }
}

/// Lends one line after another; none is kept.
pub(crate) struct Lines<R> {
    file: R,
    line: Vec<u8>,
    name: String,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Unusable> {
        self.line.clear();
        let read = self.file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut self.line);
        read.map_err(|_| unreadable(&self.name))?;
        Ok((!self.line.is_empty()).then_some(&self.line))
    }
}

fn content(zip: &mut ZipArchive<BufReader<File>>, name: &str) -> Result<Vec<u8>, Unusable> {
    let mut content = Vec::new();
    let mut file = zip.by_name(name).map_err(|_| unreadable(name))?;
    file.read_to_end(&mut content).map_err(|_| unreadable(name))?;
    Ok(content)
}

fn digest(file: &mut impl Read) -> std::io::Result<(Hex32, u64)> {
    let (mut digest, mut bytes, mut block) = (Context::new(&SHA256), 0, vec![0; BLOCK_BYTES]);
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            let digest = digest.finish().as_ref().try_into().expect("a SHA-256 has 32 bytes");
            return Ok((Hex32(digest), bytes));
        }
        digest.update(&block[..read]);
        bytes += read as u64;
    }
}

/// Where the rows of a ledger are.
pub(crate) fn file_of(ledger: Ledger) -> &'static str {
    match ledger {
        Ledger::Record => files::RECORD,
        Ledger::Access => files::ACCESS,
    }
}

pub(crate) fn hashes(path: &[Hex32]) -> Vec<Hash> {
    path.iter().map(|hash| hash.0).collect()
}

/// What must hold of a manifest by itself.
fn check(manifest: &Manifest) -> Option<()> {
    let of_patient = manifest.kind == Kind::Patient;
    let names = manifest.files.iter().map(|entry| entry.name.as_str());
    let good = manifest.format == FORMAT
        && names.eq(files::LISTED)
        && manifest.patients.is_empty() != of_patient
        && manifest.last_checkpoint != Some(0)
        && [&manifest.record, &manifest.access].into_iter().all(|extent| check_extent(extent, manifest.kind));
    good.then_some(())
}

fn check_extent(extent: &Extent, kind: Kind) -> bool {
    let Some(range) = &extent.range else { return kind == Kind::Patient };
    kind != Kind::Patient
        && range.from >= 1
        && range.to >= range.from - 1
        && range.peaks.len() == (range.from - 1).count_ones() as usize
        && (range.from > 1 || range.previous_hash.0 == GENESIS)
        && (kind != Kind::Clinic || range.from == 1)
}

fn unknown_manifest() -> Unusable {
    Unusable::NoBundle("the manifest is not one of a bundle that this program knows".into())
}

fn unreadable(name: &str) -> Unusable {
    Unusable::NoBundle(format!("{name} cannot be read from the bundle"))
}
