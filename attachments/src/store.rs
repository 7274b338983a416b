//! Where objects lie: a folder, or a store that speaks S3.

use std::{convert::Infallible, fmt, path::PathBuf, str::FromStr, sync::Arc};

use chrono::TimeDelta;
use event_store::Erased;
use events::{ClinicId, DocumentId, PatientId};
use futures::{StreamExt, TryStreamExt};
use object_store::{
    ObjectStore, ObjectStoreExt, aws::AmazonS3Builder, local::LocalFileSystem, path::Path, prefix::PrefixStore,
};
use tokio::fs;
use uuid::Uuid;

use crate::{Place, place::under};

const S3: &str = "s3://";

/// The object store refused, or cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Store(#[from] object_store::Error),
    #[error("the folder of the attachments: {0}")]
    Folder(#[from] std::io::Error),
}

/// Where attachments are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    Folder(PathBuf),
    /// `s3://bucket/prefix`; endpoint, region and credentials are the environment's (`AWS_ENDPOINT`, `AWS_REGION`,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, …).
    S3 {
        bucket: String,
        prefix: String,
    },
}

impl FromStr for Location {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix(S3) {
            Some(rest) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                Self::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() }
            }
            None => Self::Folder(text.into()),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::S3 { bucket, prefix } => write!(f, "{S3}{bucket}/{prefix}"),
        }
    }
}

/// What an installation takes.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Of one content.
    pub bytes_max: u64,
    pub media_types: Vec<String>,
    /// How long room is kept for a content that was announced.
    pub within: TimeDelta,
}

/// What is taken unless somebody says otherwise.
pub const BYTES_MAX: u64 = 1_000_000_000;
pub const MEDIA_TYPES: &str = "application/pdf,application/dicom,image/jpeg,image/png,image/gif,image/webp,image/tiff,\
     image/heif,video/mp4,text/plain,text/csv,\
     application/vnd.openxmlformats-officedocument.wordprocessingml.document,\
     application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

impl Default for Accepted {
    fn default() -> Self {
        let media_types = MEDIA_TYPES.split(',').map(str::to_owned).collect();
        Self { bytes_max: BYTES_MAX, media_types, within: TimeDelta::hours(1) }
    }
}

/// The bytes of documents. Cheap to clone.
#[derive(Clone)]
pub struct Attachments {
    store: Arc<dyn ObjectStore>,
    /// The folder, where it is one: an upload that a crash has ended leaves a file there that the store does not list.
    folder: Option<PathBuf>,
    accepted: Arc<Accepted>,
}

impl Attachments {
    /// A folder is made where it is absent.
    ///
    /// # Errors
    /// The folder cannot be made, or what the environment says of S3 is not enough.
    pub fn open(location: &Location, accepted: Accepted) -> Result<Self, StoreError> {
        let accepted = Arc::new(accepted);
        match location {
            Location::Folder(folder) => {
                std::fs::create_dir_all(folder)?;
                // What was said to be stored outlasts a crash of the machine.
                let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true).with_automatic_cleanup(true);
                Ok(Self { store: Arc::new(store), folder: Some(folder.clone()), accepted })
            }
            Location::S3 { bucket, prefix } => {
                let bucket = AmazonS3Builder::from_env().with_bucket_name(bucket).build()?;
                let store = PrefixStore::new(bucket, Path::parse(prefix).map_err(object_store::Error::from)?);
                Ok(Self { store: Arc::new(store), folder: None, accepted })
            }
        }
    }

    pub fn accepted(&self) -> &Accepted {
        &self.accepted
    }

    pub(crate) fn store(&self) -> &dyn ObjectStore {
        &*self.store
    }

    /// Takes one upload away.
    pub async fn take_away(&self, place: &Place) -> Result<(), StoreError> {
        match self.store.delete(&place.path()).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes everything of a document away.
    pub async fn take_document(
        &self,
        clinic: ClinicId,
        patient: PatientId,
        document: DocumentId,
    ) -> Result<(), StoreError> {
        self.take_all(&[clinic.0, patient.0, document.0]).await
    }

    /// Takes everything away of whoever is erased.
    pub async fn erase(&self, erased: Erased) -> Result<(), StoreError> {
        self.take_all(&ids(erased)).await
    }

    /// How many objects, and parts of some, there are of whoever ought to be erased.
    pub async fn left(&self, erased: Erased) -> Result<usize, StoreError> {
        if let Some(folder) = &self.folder {
            return Ok(files_below(folder.join(under(&ids(erased)).as_ref())).await?);
        }
        Ok(self.store.list(Some(&under(&ids(erased)))).try_fold(0, |n, _| async move { Ok(n + 1) }).await?)
    }

    /// Gives every byte of a clinic's objects as it lies there, object by object, to `look`: the name of the object,
    /// and the next of its bytes.
    pub async fn look_at(&self, clinic: ClinicId, mut look: impl FnMut(&str, &[u8])) -> Result<(), StoreError> {
        let mut objects = self.store.list(Some(&under(&[clinic.0])));
        while let Some(object) = objects.try_next().await? {
            let mut pieces = self.store.get(&object.location).await?.into_stream();
            while let Some(piece) = pieces.try_next().await? {
                look(object.location.as_ref(), &piece);
            }
        }
        Ok(())
    }

    async fn take_all(&self, ids: &[Uuid]) -> Result<(), StoreError> {
        let prefix = under(ids);
        if let Some(folder) = &self.folder {
            return match fs::remove_dir_all(folder.join(prefix.as_ref())).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            };
        }
        let objects = self.store.list(Some(&prefix)).map_ok(|object| object.location).boxed();
        self.store.delete_stream(objects).try_for_each(|_| async { Ok(()) }).await?;
        Ok(())
    }
}

fn ids(Erased { clinic, patient }: Erased) -> Vec<Uuid> {
    [clinic.0].into_iter().chain(patient.map(|patient| patient.0)).collect()
}

async fn files_below(folder: PathBuf) -> std::io::Result<usize> {
    let (mut count, mut folders) = (0, vec![folder]);
    while let Some(folder) = folders.pop() {
        let mut entries = match fs::read_dir(&folder).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        while let Some(entry) = entries.next_entry().await? {
            match entry.file_type().await?.is_dir() {
                true => folders.push(entry.path()),
                false => count += 1,
            }
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_folder_unless_it_names_a_bucket() {
        let s3 = |bucket: &str, prefix: &str| Location::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
        for (text, expected) in [
            (".casebook/attachments", Location::Folder(".casebook/attachments".into())),
            ("s3://papers", s3("papers", "")),
            ("s3://papers/of/casebook", s3("papers", "of/casebook")),
        ] {
            assert_eq!(text.parse::<Location>().unwrap(), expected);
        }
    }
}
