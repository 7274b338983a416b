//! What a mail keeps until it is sent: sealed by the writer with the key of its patient or of its clinic, and opened
//! here for whoever sends it.

use events::{ClinicId, PatientId};
use uuid::Uuid;

use super::{ClinicKey, PatientKey, PatientKeys, Place, Vault, VaultError};

impl Vault {
    /// The content of a mail; `None` once an erasure has begun.
    ///
    /// # Errors
    /// The keys cannot be read, or what is stored is not what was sealed.
    pub(crate) async fn open_mail(
        &self,
        clinic: ClinicId,
        patient: Option<PatientId>,
        mail: Uuid,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let key = match patient {
            None => match self.clinic_key(clinic).await? {
                ClinicKey::Good(keys) => keys.sealing(),
                ClinicKey::Fenced(_) | ClinicKey::Destroyed => return Ok(None),
                ClinicKey::Absent => return Err(VaultError::NoClinicKey),
            },
            Some(patient) => {
                let mut keys = PatientKeys::new();
                self.read_keys(clinic, &[patient], &mut keys).await?;
                match keys.remove(&(clinic, patient)) {
                    Some(PatientKey::Good(key)) => key,
                    Some(PatientKey::Fenced(_) | PatientKey::Destroyed) => return Ok(None),
                    Some(PatientKey::Absent) | None => return Err(VaultError::NoPatientKey),
                }
            }
        };
        let place = Place::new(clinic, patient, mail);
        key.of_mail(place).open(place, sealed).map(Some).map_err(|_| VaultError::WrongKey)
    }
}
