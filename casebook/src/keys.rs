//! The master key: it wraps the key of every clinic. Without it nothing that was sealed can be read again.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use event_store::{MasterKey, vault::Key};
use secrecy::{ExposeSecret, SecretString};

use crate::{checkpoint_key::CheckpointKey, data_dir::DataDir};

const OWNER_ONLY: u32 = 0o600;

/// Where the keys come from that are files.
#[derive(Clone, Debug, Args)]
pub struct KeyConfig {
    /// The file of the master key; by default master-key in the data folder.
    #[arg(long, global = true, env = "CASEBOOK_MASTER_KEY_FILE")]
    master_key_file: Option<PathBuf>,
    /// The master key itself, as 64 hexadecimal digits, where no file is wanted. In the environment only: arguments
    /// can be seen by everybody on the machine.
    #[arg(long, global = true, hide = true, env = "CASEBOOK_MASTER_KEY", hide_env_values = true)]
    master_key: Option<SecretString>,
    /// The file of the key that signs checkpoints; by default checkpoint-key in the data folder.
    #[arg(long, global = true, env = "CASEBOOK_CHECKPOINT_KEY_FILE")]
    checkpoint_key_file: Option<PathBuf>,
}

impl KeyConfig {
    /// # Errors
    /// There is no key, or what is there is none.
    pub fn master_key(&self, data_dir: &DataDir) -> Result<MasterKey> {
        Ok(MasterKey::new(*parse(self.text(data_dir)?.expose_secret())?))
    }

    /// The key in the form that it is kept in.
    pub fn text(&self, data_dir: &DataDir) -> Result<SecretString> {
        if let Some(key) = &self.master_key {
            return Ok(key.clone());
        }
        let path = self.file(data_dir);
        let text = fs::read_to_string(&path).with_context(|| format!("reading the master key {path:?}"))?;
        Ok(text.trim().into())
    }

    pub fn exists(&self, data_dir: &DataDir) -> bool {
        self.master_key.is_some() || self.file(data_dir).exists()
    }

    /// Makes a new key and stores it. Only for an installation that has sealed nothing yet.
    pub fn make(&self, data_dir: &DataDir) -> Result<PathBuf> {
        let path = self.file(data_dir);
        store(&path, &hex::encode(MasterKey::random().expose()).into())?;
        Ok(path)
    }

    pub fn checkpoint_key(&self, data_dir: &DataDir) -> CheckpointKey {
        let by_default = || data_dir.path().join("checkpoint-key");
        CheckpointKey::at(&self.checkpoint_key_file.clone().unwrap_or_else(by_default))
    }

    fn file(&self, data_dir: &DataDir) -> PathBuf {
        self.master_key_file.clone().unwrap_or_else(|| data_dir.path().join("master-key"))
    }
}

/// Writes a file that its owner alone may read, and that was not there before.
pub fn store(path: &Path, key: &SecretString) -> Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path);
    let mut file = made.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!("{path:?} exists already, and is left as it is"),
        _ => anyhow!(error).context(format!("making {path:?}")),
    })?;
    writeln!(file, "{}", key.expose_secret())?;
    file.sync_all()?;
    // The name must outlast a crash too.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(File::open(folder)?.sync_all()?)
}

fn parse(text: &str) -> Result<Key> {
    let mut key = Key::default();
    hex::decode_to_slice(text.trim(), &mut *key).map_err(|_| anyhow!("the master key is not 64 hexadecimal digits"))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use event_store::vault::KEY_BYTES;

    use super::*;

    fn config() -> KeyConfig {
        KeyConfig { master_key_file: None, master_key: None, checkpoint_key_file: None }
    }

    #[test]
    fn a_key_is_made_once_for_the_owner_only_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::at(folder.path());
        assert!(!config().exists(&data_dir) && config().master_key(&data_dir).is_err());
        let path = config().make(&data_dir).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        let made = config().master_key(&data_dir).unwrap();
        assert!(config().make(&data_dir).unwrap_err().to_string().contains("exists already"));
        assert_eq!(config().master_key(&data_dir).unwrap().expose(), made.expose());
    }

    #[test]
    fn the_environment_comes_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::at(folder.path());
        let given = KeyConfig { master_key: Some("07".repeat(KEY_BYTES).into()), ..config() };
        assert_eq!(given.master_key(&data_dir).unwrap().expose(), &[7; KEY_BYTES]);
        let wrong = KeyConfig { master_key: Some("7".into()), ..config() };
        assert!(wrong.master_key(&data_dir).is_err());
    }
}
