//! The one-time activations of the clinics' first administrators, in a file for the operator alone, who hands
//! them over.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::Mutex,
};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

const OWNER_ONLY: u32 = 0o600;

/// What an operator needs to hand a clinic over: its administrator sets a password with it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Handover {
    pub clinic: String,
    pub slug: String,
    pub username: String,
    pub activation: String,
    pub expires_at: DateTime<Utc>,
}

/// The file, and what it holds by slug.
pub struct Activations {
    path: PathBuf,
    kept: Mutex<BTreeMap<String, Handover>>,
}

impl Activations {
    /// With what earlier runs kept.
    pub fn open(path: PathBuf) -> Result<Self> {
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(|| format!("reading {path:?}")),
        };
        let mut kept = BTreeMap::new();
        for handover in csv::Reader::from_reader(text.as_slice()).deserialize() {
            let handover: Handover = handover.with_context(|| format!("in {path:?}"))?;
            kept.insert(handover.slug.clone(), handover);
        }
        Ok(Self { path, kept: Mutex::new(kept) })
    }

    /// Keeps one, in the place of an earlier one of that clinic. It is on the disk when this returns.
    pub fn keep(&self, handover: Handover) -> Result<()> {
        let mut kept = self.kept.lock().expect("no holder of the lock panics");
        kept.insert(handover.slug.clone(), handover);
        self.write(&kept).with_context(|| format!("writing {:?}", self.path))
    }

    /// Beside it, then in its place: whoever looks sees all of it.
    fn write(&self, kept: &BTreeMap<String, Handover>) -> Result<()> {
        let beside = self.path.with_extension("new");
        let file = OpenOptions::new().create(true).write(true).truncate(true).mode(OWNER_ONLY).open(&beside)?;
        let mut csv = csv::Writer::from_writer(file);
        for handover in kept.values() {
            csv.serialize(handover)?;
        }
        csv.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        Ok(fs::rename(beside, &self.path)?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn they_are_kept_for_the_owner_alone_over_several_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("activations.csv");
        let handover = |slug: &str, activation: &str| Handover {
            clinic: "D'Água, \"Norte\"".into(),
            slug: slug.into(),
            username: "admin".into(),
            activation: activation.into(),
            expires_at: DateTime::UNIX_EPOCH,
        };
        let first = Activations::open(path.clone()).unwrap();
        first.keep(handover("b", "one")).unwrap();
        first.keep(handover("a", "two")).unwrap();
        Activations::open(path.clone()).unwrap().keep(handover("b", "three")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let expected = "clinic,slug,username,activation,expires_at\n\
            \"D'Água, \"\"Norte\"\"\",a,admin,two,1970-01-01T00:00:00Z\n\
            \"D'Água, \"\"Norte\"\"\",b,admin,three,1970-01-01T00:00:00Z\n";
        assert_eq!(text, expected);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        assert!(!path.with_extension("new").exists());
    }
}
