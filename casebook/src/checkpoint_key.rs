//! The key that signs checkpoints: a file of its own beside the master key, never in the database.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow};
use event_store::checkpoint::Keys;
use proof::note::{PublicKey, SigningKey};

use crate::keys::store;

/// While one key is replaced by another, the other waits in a file with this ending.
const NEXT: &str = "next";

/// The file of the key.
#[derive(Clone, Debug)]
pub struct CheckpointKey(PathBuf);

impl CheckpointKey {
    pub fn at(file: &Path) -> Self {
        Self(file.to_owned())
    }

    pub fn file(&self) -> &Path {
        &self.0
    }

    pub fn exists(&self) -> bool {
        self.0.exists()
    }

    /// Makes a new key where there is none.
    pub fn make(&self) -> Result<PublicKey> {
        make(&self.0)
    }

    /// The key, and the next one while it is replaced; none where it is missing.
    pub fn keys(&self) -> io::Result<Vec<SigningKey>> {
        let keys = [read(&self.0)?, read(&self.next())?];
        Ok(keys.into_iter().flatten().collect())
    }

    /// The same, asked whenever it is needed.
    pub fn source(&self) -> Keys {
        let key = self.clone();
        Arc::new(move || key.keys())
    }

    /// The key that is to follow: made, or that of a replacement that was broken off.
    pub fn begin_replacement(&self) -> Result<PublicKey> {
        match read(&self.next())? {
            Some(key) => Ok(key.public()),
            None => make(&self.next()),
        }
    }

    /// The next key takes the place of this one, whose private part is gone then.
    pub fn end_replacement(&self) -> Result<()> {
        fs::rename(self.next(), &self.0)
            .with_context(|| format!("putting {:?} in the place of {:?}", self.next(), self.0))
    }

    fn next(&self) -> PathBuf {
        self.0.with_added_extension(NEXT)
    }
}

fn make(file: &Path) -> Result<PublicKey> {
    let seed: [u8; 32] = rand::random();
    let key = SigningKey::from_seed(&seed).ok_or_else(|| anyhow!("no key can be made"))?;
    store(file, &hex::encode(seed).into())?;
    Ok(key.public())
}

fn read(file: &Path) -> io::Result<Option<SigningKey>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut seed = [0; 32];
    let key = hex::decode_to_slice(text.trim(), &mut seed).ok().and_then(|()| SigningKey::from_seed(&seed));
    key.map(Some)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, format!("{file:?} is not 64 hexadecimal digits")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_replaced_in_two_steps() {
        let folder = tempfile::tempdir().unwrap();
        let key = CheckpointKey::at(&folder.path().join("checkpoint-key"));
        let public = || key.keys().unwrap().iter().map(SigningKey::public).collect::<Vec<_>>();
        assert!(!key.exists() && public().is_empty());
        let first = key.make().unwrap();
        assert!(key.make().is_err(), "one that is there stays");
        let next = key.begin_replacement().unwrap();
        assert_eq!(key.begin_replacement().unwrap(), next, "what was broken off goes on");
        assert_eq!(public(), [first, next]);
        key.end_replacement().unwrap();
        assert_eq!(public(), [next]);
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let key = CheckpointKey::at(&folder.path().join("checkpoint-key"));
        fs::write(key.file(), "hush").unwrap();
        let error = key.keys().err().unwrap().to_string();
        assert!(error.contains("hexadecimal") && !error.contains("hush"), "{error}");
    }
}
