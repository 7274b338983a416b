//! Every byte of every file below a folder.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufReader, ErrorKind},
    path::Path,
};

use anyhow::{Context, Result};

use super::{Found, Markers, markers::found};

/// Files that go while one looks are gone; sockets and the like hold nothing.
pub fn files(folder: &Path, markers: &Markers) -> Result<Vec<Found>> {
    let mut places = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.with_context(|| format!("reading the folder {folder:?}"))?,
        };
        for entry in entries {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                places.extend(file(&path, markers).with_context(|| format!("reading the file {path:?}"))?);
            }
        }
    }
    places.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(places)
}

fn file(path: &Path, markers: &Markers) -> Result<Option<Found>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut seen = BTreeSet::new();
    markers.in_reader(BufReader::new(file), &mut seen)?;
    Ok(found(format!("file {}", path.display()), &seen))
}
