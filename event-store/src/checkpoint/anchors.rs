//! Anchors as files: each is written once, and read by whoever verifies.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use proof::note::PublicKey;

const READ_ONLY: u32 = 0o444;
const CHECKPOINT: &str = "checkpoint";
const VERIFIER_KEY: &str = "vkey";

/// The folder of the anchors: on another disk, or another machine's, better than beside the database.
#[derive(Clone, Debug)]
pub struct Anchors(PathBuf);

#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    #[error("the anchors in {folder:?} cannot be read or written: {source}")]
    Io { folder: PathBuf, source: io::Error },
    #[error("checkpoint {0} differs from its anchor: the anchor stays as it is, and nothing more is signed")]
    Differs(i64),
    #[error(
        "there is an anchor of checkpoint {0}, which this database does not have: was an older copy of it restored? \
         Nothing more is signed"
    )]
    Ahead(i64),
}

impl Anchors {
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The anchor of a number, if it is there.
    pub fn read(&self, number: i64) -> Result<Option<String>, AnchorError> {
        match fs::read_to_string(self.file(number)) {
            Ok(anchor) => Ok(Some(anchor)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            // Not even text: it differs from whatever it was.
            Err(error) if error.kind() == ErrorKind::InvalidData => Ok(Some(String::new())),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Writes an anchor once, durably; one that is there already must be the same.
    pub fn write(&self, number: i64, anchor: &str) -> Result<(), AnchorError> {
        match self.read(number)? {
            Some(found) if found == anchor => Ok(()),
            Some(_) => Err(AnchorError::Differs(number)),
            None => self.add(&self.file(number), anchor).map_err(|source| self.failed(source)),
        }
    }

    /// Puts a public key beside the anchors that it has signed.
    pub fn write_key(&self, name: &str, key: &PublicKey) -> Result<(), AnchorError> {
        let file = self.0.join(key.fingerprint()).with_extension(VERIFIER_KEY);
        if file.exists() {
            return Ok(());
        }
        self.add(&file, &(key.to_verifier_key(name) + "\n")).map_err(|source| self.failed(source))
    }

    /// All public keys that lie there.
    pub fn keys(&self) -> Result<Vec<PublicKey>, AnchorError> {
        let mut keys = Vec::new();
        for path in self.files(VERIFIER_KEY)? {
            let text = fs::read_to_string(&path).map_err(|source| self.failed(source))?;
            keys.extend(PublicKey::from_verifier_key(text.trim_end()).map(|(_, key)| key));
        }
        Ok(keys)
    }

    /// The highest number that is there; 0 where there is none.
    pub fn highest(&self) -> Result<i64, AnchorError> {
        let files = self.files(CHECKPOINT)?.into_iter();
        let numbers = files.filter_map(|path| path.file_stem()?.to_str()?.parse::<i64>().ok());
        Ok(numbers.max().unwrap_or(0))
    }

    /// None where there is no folder yet.
    fn files(&self, extension: &str) -> Result<Vec<PathBuf>, AnchorError> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.failed(source)),
        };
        let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
        let paths = paths.map_err(|source| self.failed(source))?.into_iter();
        Ok(paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
    }

    fn file(&self, number: i64) -> PathBuf {
        self.0.join(format!("{number:010}.{CHECKPOINT}"))
    }

    /// Whole or not at all, and never over what is there: a link fails where the name is taken.
    fn add(&self, file: &Path, content: &str) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let unfinished = file.with_extension(format!("{}.new", std::process::id()));
        let mut written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&unfinished)?;
        written.write_all(content.as_bytes())?;
        written.set_permissions(Permissions::from_mode(READ_ONLY))?;
        written.sync_all()?;
        let linked = fs::hard_link(&unfinished, file);
        fs::remove_file(&unfinished)?;
        match linked {
            // Another process was faster: what it wrote is compared at the next look.
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => File::open(&self.0)?.sync_all(),
        }
    }

    fn failed(&self, source: io::Error) -> AnchorError {
        AnchorError::Io { folder: self.0.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let anchors = Anchors::at(&folder.path().join("anchors"));
        assert_eq!((anchors.highest().unwrap(), anchors.read(1).unwrap()), (0, None));
        anchors.write(1, "one").unwrap();
        anchors.write(12, "twelve").unwrap();
        anchors.write(1, "one").unwrap();
        assert!(matches!(anchors.write(1, "another"), Err(AnchorError::Differs(1))));
        assert_eq!(anchors.read(1).unwrap().as_deref(), Some("one"));
        assert_eq!(anchors.highest().unwrap(), 12);
        let mode = fs::metadata(anchors.file(1)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, READ_ONLY);
        assert_eq!(fs::read_dir(anchors.folder()).unwrap().count(), 2, "nothing unfinished is left");
    }

    #[test]
    fn keys_lie_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let (anchors, key) = (Anchors::at(folder.path()), PublicKey([7; 32]));
        assert!(anchors.keys().unwrap().is_empty());
        anchors.write_key("casebook/x", &key).unwrap();
        anchors.write_key("casebook/x", &key).unwrap();
        assert_eq!(anchors.keys().unwrap(), [key]);
    }
}
