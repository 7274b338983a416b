//! Mails as files, for who tries Casebook out, and for who hands mails on by other means.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use tokio::{
    fs::{self, DirBuilder, OpenOptions},
    io::AsyncWriteExt,
};
use uuid::Uuid;

use crate::{letter::Letter, post::Undelivered};

/// Mails bring secrets: nobody else looks at them.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Whoever looks into the folder finds whole mails only, each once.
    pub(crate) async fn keep(&self, letter: &Letter) -> Result<(), Undelivered> {
        self.write(letter).await.map_err(|error| {
            tracing::warn!(folder = %self.0.display(), %error, "a mail cannot be kept in its folder");
            Undelivered::for_now("folder-not-writable")
        })
    }

    async fn write(&self, letter: &Letter) -> std::io::Result<()> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&self.0).await?;
        let (file, part) = (self.file(letter.id()), self.0.join(format!(".{}.part", letter.id())));
        let mut options = OpenOptions::new();
        let mut written = options.create(true).write(true).truncate(true).mode(FILE_MODE).open(&part).await?;
        written.write_all(&letter.bytes()).await?;
        written.sync_all().await?;
        fs::rename(part, file).await
    }

    pub(crate) async fn forget(&self, mail: Uuid) -> std::io::Result<()> {
        match fs::remove_file(self.file(mail)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The ids grow with time: so do the names.
    fn file(&self, mail: Uuid) -> PathBuf {
        self.0.join(format!("{mail}.eml"))
    }
}
