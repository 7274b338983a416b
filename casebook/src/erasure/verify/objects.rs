//! Every byte of every attachment of a clinic, as it lies in the object store.

use std::collections::{BTreeSet, HashMap};

use ::attachments::Attachments;
use anyhow::{Context, Result};
use events::ClinicId;

use super::{Found, Markers, markers::found};

/// A word that is cut by the end of a piece is found in the next one: longer words than this are not looked for.
const OVERLAP_BYTES: usize = 4_096;

pub async fn objects(attachments: &Attachments, clinic: ClinicId, markers: &Markers) -> Result<Vec<Found>> {
    let mut seen: HashMap<String, BTreeSet<usize>> = HashMap::new();
    let (mut last, mut kept) = (String::new(), Vec::new());
    let look = |name: &str, piece: &[u8]| {
        if name != last {
            name.clone_into(&mut last);
            kept.clear();
        }
        kept.extend_from_slice(piece);
        markers.in_bytes(&kept, seen.entry(name.to_owned()).or_default());
        kept.drain(..kept.len().saturating_sub(OVERLAP_BYTES));
    };
    attachments.look_at(clinic, look).await.context("reading the attachments")?;
    let mut places: Vec<Found> =
        seen.iter().filter_map(|(name, words)| found(format!("attachment {name}"), words)).collect();
    places.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(places)
}
