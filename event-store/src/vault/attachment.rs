//! The keys of what lies outside the log and goes with the patient's key: attachments.
//!
//! As an event's, such a key is derived from the patient's (`info` is longer than an event's, so none is ever the same),
//! and is two halves: one for the cipher, one that commits to it.

use events::{ClinicId, PatientId};
use zeroize::Zeroizing;

use super::{Era, PatientKey, PatientKeys, Vault, VaultError};

/// Both halves.
pub const ATTACHMENT_KEY_BYTES: usize = 64;
pub type AttachmentKey = Zeroizing<[u8; ATTACHMENT_KEY_BYTES]>;

impl Vault {
    /// The key of one attachment; `None` once the patient's erasure has begun. The patient's own is read anew each
    /// time: an attachment is large, and a key of before a restore must not seal one.
    ///
    /// # Errors
    /// The keys cannot be read, or there is none.
    pub async fn attachment_key(
        &self,
        clinic: ClinicId,
        patient: PatientId,
        info: &[u8],
    ) -> Result<Option<AttachmentKey>, VaultError> {
        self.held.patients.invalidate(&(clinic, patient, Era::Reading));
        let mut keys = PatientKeys::new();
        self.read_keys(clinic, &[patient], &mut keys).await?;
        match keys.remove(&(clinic, patient)) {
            Some(PatientKey::Good(key)) => Ok(Some(key.derive(info))),
            Some(PatientKey::Fenced(_) | PatientKey::Destroyed) => Ok(None),
            Some(PatientKey::Absent) | None => Err(VaultError::NoPatientKey),
        }
    }
}
