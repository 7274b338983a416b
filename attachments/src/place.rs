//! Where an object lies, and what its key is derived from: ids and nothing else.

use event_store::{Vault, VaultError};
use events::{ClinicId, DocumentId, PatientId};
use object_store::path::Path;
use uuid::Uuid;

use crate::ContentKey;

/// Stored for ever in the derivation of every key.
const LABEL: &[u8] = b"casebook/attachment/1";

/// One upload of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub clinic: ClinicId,
    pub patient: PatientId,
    pub document: DocumentId,
    /// Of this try alone: no key is used for two contents.
    pub upload: Uuid,
}

impl Place {
    /// `<clinic>/<patient>/<document>/<upload>`
    pub(crate) fn path(&self) -> Path {
        under(&[self.clinic.0, self.patient.0, self.document.0, self.upload])
    }

    /// What the content is sealed and opened with; `None` once the patient's erasure has begun.
    ///
    /// # Errors
    /// The keys cannot be read.
    pub async fn key(&self, vault: &Vault) -> Result<Option<ContentKey>, VaultError> {
        let info = [LABEL, &self.bytes()].concat();
        let key = vault.attachment_key(self.clinic, self.patient, &info).await?;
        Ok(key.map(|key| ContentKey::new(&key, self.bytes())))
    }

    /// `clinic ‖ patient ‖ document ‖ upload`
    fn bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        for (part, id) in bytes.chunks_exact_mut(16).zip([self.clinic.0, self.patient.0, self.document.0, self.upload])
        {
            part.copy_from_slice(id.as_bytes());
        }
        bytes
    }
}

pub(crate) fn under(ids: &[Uuid]) -> Path {
    ids.iter().map(ToString::to_string).collect()
}
