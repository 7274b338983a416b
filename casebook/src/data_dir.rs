//! The data folder: keys, and the data of the private servers.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// Others may pass through, which PostgreSQL's account needs when we are root, but look at nothing.
const FOLDER_MODE: u32 = 0o711;

/// The names of what lies in the data folder.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// The folder, without looking whether it is there.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder, made when it is absent.
    pub fn make(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                fs::create_dir_all(parent).with_context(|| format!("making {parent:?}"))?;
            }
            DirBuilder::new().mode(FOLDER_MODE).create(path).with_context(|| format!("making {path:?}"))?;
        }
        Ok(Self(path.to_owned()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }

    pub fn nats(&self) -> PathBuf {
        self.0.join("nats")
    }

    /// The bytes of documents, unless they are kept elsewhere.
    pub fn attachments(&self) -> PathBuf {
        self.0.join("attachments")
    }

    /// Mails, unless they go elsewhere.
    pub fn mail(&self) -> PathBuf {
        self.0.join("mail")
    }

    /// What imports leave for the operator: a folder for each book.
    pub fn imports(&self) -> PathBuf {
        self.0.join("imports")
    }

    pub fn pid_file(&self) -> PathBuf {
        self.0.join("casebook.pid")
    }
}
