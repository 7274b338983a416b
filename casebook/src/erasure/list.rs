//! The list of erasures, beside the anchors and so outside the database: whatever backup is put back, these keys are
//! destroyed again. A file for each, written once; it names ids and times and nothing personal.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use event_store::Erased;
use events::{ClinicId, PatientId};
use serde::{Deserialize, Serialize};

const FORMAT: &str = "casebook/erasure/1";
const FOLDER: &str = "erasures";
const READ_ONLY: u32 = 0o444;
const SUFFIX: &str = "erasure";

/// A line of the list, as its file holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    format: String,
    pub clinic: ClinicId,
    /// `null`: the whole clinic.
    pub patient: Option<PatientId>,
    pub erased_at: DateTime<Utc>,
}

impl Listed {
    pub fn erased(&self) -> Erased {
        Erased { clinic: self.clinic, patient: self.patient }
    }
}

/// The folder of the list.
#[derive(Clone, Debug)]
pub struct ErasureList(PathBuf);

impl ErasureList {
    /// Below the folder of the anchors.
    pub fn beside(anchors: &Path) -> Self {
        Self(anchors.join(FOLDER))
    }

    /// Writes an erasure down, durably, unless it is there already. A file never changes, so the first time stays.
    pub fn add(&self, erased: Erased, erased_at: DateTime<Utc>) -> Result<()> {
        fs::create_dir_all(&self.0).with_context(|| format!("making {:?}", self.0))?;
        let path = self.path(erased);
        if path.exists() {
            return Ok(());
        }
        let Erased { clinic, patient } = erased;
        let listed = Listed { format: FORMAT.to_owned(), clinic, patient, erased_at };
        // Under another name first: whoever finds a file finds all of it.
        let draft = path.with_extension("draft");
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(READ_ONLY).open(&draft)?;
        writeln!(file, "{}", serde_json::to_string(&listed)?)?;
        file.sync_all()?;
        fs::rename(&draft, &path).with_context(|| format!("writing {path:?}"))?;
        Ok(File::open(&self.0)?.sync_all()?)
    }

    /// Whether an erasure is written down.
    pub fn has(&self, erased: Erased) -> bool {
        self.path(erased).exists()
    }

    /// All of it. None where nothing was ever erased.
    ///
    /// # Errors
    /// A file that is no line of the list: better not to start than to show who was erased.
    pub fn read(&self) -> Result<Vec<Listed>> {
        let files = match fs::read_dir(&self.0) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("reading {:?}", self.0)),
        };
        let mut listed = Vec::new();
        for file in files {
            let path = file?.path();
            if path.extension().is_some_and(|suffix| suffix == SUFFIX) {
                listed.push(line(&path).with_context(|| format!("reading the erasure {path:?}"))?);
            }
        }
        listed.sort_by_key(Listed::erased);
        Ok(listed)
    }

    fn path(&self, Erased { clinic, patient }: Erased) -> PathBuf {
        let whom = patient.map_or("clinic".to_owned(), |patient| patient.to_string());
        self.0.join(format!("{clinic}.{whom}.{SUFFIX}"))
    }
}

fn line(path: &Path) -> Result<Listed> {
    let listed: Listed = serde_json::from_str(&fs::read_to_string(path)?)?;
    ensure!(listed.format == FORMAT, "its format is {:?}, not {FORMAT:?}", listed.format);
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn whom(patient: Option<u128>) -> Erased {
        let patient = patient.map(|n| PatientId(Uuid::from_u128(n)));
        Erased { clinic: ClinicId(Uuid::from_u128(1)), patient }
    }

    #[test]
    fn an_erasure_is_written_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let list = ErasureList::beside(folder.path());
        assert!(list.read().unwrap().is_empty());
        let first = "2026-03-14T09:00:00Z".parse().unwrap();
        for (erased, at) in [(whom(Some(2)), first), (whom(None), first), (whom(Some(2)), Utc::now())] {
            list.add(erased, at).unwrap();
        }
        let read = list.read().unwrap();
        assert_eq!(
            read.iter().map(|one| (one.erased(), one.erased_at)).collect::<Vec<_>>(),
            [(whom(None), first), (whom(Some(2)), first)]
        );
        assert!(list.has(whom(None)) && !list.has(whom(Some(3))));
    }

    #[test]
    fn a_draft_that_a_crash_left_is_no_erasure_and_hinders_none() {
        let folder = tempfile::tempdir().unwrap();
        let list = ErasureList::beside(folder.path());
        list.add(whom(Some(2)), Utc::now()).unwrap();
        let path = list.path(whom(Some(3)));
        fs::write(path.with_extension("draft"), "{\"form").unwrap();
        assert_eq!(list.read().unwrap().len(), 1);
        list.add(whom(Some(3)), Utc::now()).unwrap();
        assert_eq!(list.read().unwrap().len(), 2);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let list = ErasureList::beside(folder.path());
        list.add(whom(Some(2)), Utc::now()).unwrap();
        fs::write(list.path(whom(Some(3))), "{}").unwrap();
        assert!(list.read().is_err());
    }
}
