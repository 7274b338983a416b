//! Checkpoints that were kept where the owner of the database cannot rewrite them.
//!
//! An anchor needs no signature to be heard: it can only refuse what a signature would let pass.

use std::{fs, path::Path};

use chrono::TimeDelta;
use proof::{
    Verdict,
    checkpoint::{Checkpoint, Leaf, of_note, parse_changes, split_anchor},
    row::sha256,
};

use crate::{Unusable, bundle::Bundle, checkpoints::Checkpoints, points::Points, report::Fault};

const EXTENSION: &str = ".checkpoint";
const NUMBER_DIGITS: usize = 10;
/// A checkpoint may be on its way from the anchors to the database while a bundle is made.
const ON_ITS_WAY: TimeDelta = TimeDelta::seconds(60);

#[derive(Default)]
pub(crate) struct Anchors {
    pub(crate) points: Points,
    /// The numbers of those that are older than the bundle.
    pub(crate) compared: Vec<i64>,
    /// The first thing that is wrong.
    pub(crate) fault: Option<Fault>,
}

struct Anchor {
    note: String,
    checkpoint: Checkpoint,
    /// Of the bundle's clinic.
    changes: Vec<Leaf>,
}

impl Anchors {
    pub(crate) fn read(folder: &Path, bundle: &Bundle, checkpoints: &Checkpoints) -> Result<Self, Unusable> {
        let mut numbers = Vec::new();
        for file in fs::read_dir(folder)? {
            numbers.extend(file?.file_name().to_str().and_then(number));
        }
        numbers.sort_unstable();
        let mut anchors = Self::default();
        for number in numbers {
            let name = format!("{number:0NUMBER_DIGITS$}{EXTENSION}");
            let anchor = read(&folder.join(&name), number, bundle).ok_or(Unusable::Anchor(name))?;
            // What was anchored later cannot be in the bundle.
            if anchor.checkpoint.time > bundle.manifest.made_at {
                continue;
            }
            anchors.compared.push(number);
            anchor.changes.iter().for_each(|leaf| anchors.points.push(number, *leaf));
            // What later ones say of the ledgers counts all the same.
            let fault = compare(&anchor, bundle, checkpoints).err().map(Fault::from);
            anchors.fault = anchors.fault.take().or(fault);
        }
        Ok(anchors)
    }
}

fn number(file_name: &str) -> Option<i64> {
    let digits = file_name.strip_suffix(EXTENSION)?;
    let is_number = digits.len() == NUMBER_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// `None`: it is none. Of which installation it is, the bundle says otherwise where it was forged.
fn read(path: &Path, number: i64, bundle: &Bundle) -> Option<Anchor> {
    let content = fs::read_to_string(path).ok()?;
    let (note, changes) = split_anchor(&content).ok()?;
    let (_, checkpoint) = of_note(note).ok()?;
    let agrees = checkpoint.number == number && checkpoint.changed == sha256(changes.as_bytes());
    let mut changes = parse_changes(changes).ok().filter(|_| agrees)?;
    changes.retain(|leaf| leaf.clinic.0 == bundle.manifest.clinic);
    Some(Anchor { note: note.to_owned(), checkpoint, changes })
}

fn compare(anchor: &Anchor, bundle: &Bundle, checkpoints: &Checkpoints) -> Result<(), Verdict> {
    let number = anchor.checkpoint.number;
    let Some(note) = checkpoints.notes.get(&number) else {
        let is_due = bundle.manifest.made_at - anchor.checkpoint.time >= ON_ITS_WAY;
        let is_later = number > checkpoints.last_number().unwrap_or(0);
        return if is_due && is_later && checkpoints.fault.is_none() {
            Err(Verdict::CheckpointMissing { number })
        } else {
            Ok(())
        };
    };
    if *note != sha256(anchor.note.as_bytes()) {
        return Err(Verdict::CheckpointDiffers { number });
    }
    let said: Vec<&Leaf> = checkpoints.points.at(number).collect();
    match !checkpoints.is_trusted || anchor.changes.iter().all(|leaf| said.contains(&leaf)) {
        true => Ok(()),
        false => Err(Verdict::CheckpointUntrusted { number }),
    }
}
