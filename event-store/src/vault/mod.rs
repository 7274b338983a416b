//! The vault: who may read what was sealed.
//!
//! Each patient has a data key, wrapped by the clinic's, that by the master key. Destroying a key erases
//! everything that was sealed under it, in every copy of the log.

mod attachment;
mod group;
mod held;
mod keys;
mod mail;
mod seal;
mod secret;
mod wrap;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use events::{ClinicId, PatientId};
use sqlx::{PgPool, Row, postgres::PgRow};

pub use attachment::{ATTACHMENT_KEY_BYTES, AttachmentKey};
pub(crate) use group::{GroupKeys, KeyNeeds};
use held::Era;
pub use held::OPENED_KEY_LIFE;
pub(crate) use held::{ClinicKey, NewClinic, PatientKey};
pub use keys::{ClinicKeys, MasterKey};
pub(crate) use proof::seal::Place;
pub use proof::seal::{EventKey, NotOpened};
pub use seal::SEAL_SALT;
pub(crate) use seal::SealingKey;
pub use secret::{KEY_BYTES, Key};

use crate::row::StoredRow;

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the clinic has no key: it is not registered")]
    NoClinicKey,
    #[error("the key of the clinic is destroyed")]
    ClinicKeyDestroyed,
    #[error("an event is sealed for somebody who never had a key")]
    NoPatientKey,
    /// Another master key, or a changed row.
    #[error("a stored key does not open: is this the master key of this installation?")]
    WrongKey,
    #[error("position {position}: {source}")]
    NotOpened { position: i64, source: NotOpened },
    #[error("the keys cannot be read: {0}")]
    Database(#[from] sqlx::Error),
}

/// What the vault says about the key of one event.
pub enum HandedKey {
    /// The event has no sealed part.
    NotSealed,
    Good(EventKey),
    /// The patient's, or the clinic's, was destroyed, or is about to be: nobody new opens it any more.
    Destroyed,
    /// There ought to be one, and there is none, or it was exchanged: a stored key is not what it was.
    Lost,
}

/// Of the rows that are opened together.
type PatientKeys = HashMap<(ClinicId, PatientId), PatientKey>;

pub struct Vault {
    master: MasterKey,
    /// Sees keys, of the scoped clinic or of all.
    reads: PgPool,
    /// Makes the platform's key.
    writes: PgPool,
    held: held::Held,
}

impl Vault {
    pub(crate) fn new(master: MasterKey, opened_key_life: Duration, reads: PgPool, writes: PgPool) -> Self {
        Self { master, reads, writes, held: held::Held::new(opened_key_life) }
    }

    /// For a process that opens what others seal. `reads`: the keys of all clinics, or of the scoped one.
    pub fn for_reading(master: MasterKey, opened_key_life: Duration, reads: PgPool) -> Self {
        Self::new(master, opened_key_life, reads.clone(), reads)
    }

    /// The secrets of a clinic. The platform's are made at first use.
    pub async fn clinic(&self, clinic: ClinicId) -> Result<Arc<ClinicKeys>, VaultError> {
        match self.clinic_key(clinic).await? {
            ClinicKey::Good(keys) | ClinicKey::Fenced(keys) => Ok(keys),
            ClinicKey::Destroyed => Err(VaultError::ClinicKeyDestroyed),
            ClinicKey::Absent if clinic.is_platform() => self.make_platform_key().await,
            ClinicKey::Absent => Err(VaultError::NoClinicKey),
        }
    }

    /// The secrets of a clinic that is being registered. The append of its registration, in this process and
    /// within a minute, stores the key; without one, nothing is kept.
    pub fn registering(&self, clinic: ClinicId) -> Arc<ClinicKeys> {
        self.new_clinic(clinic).keys.clone()
    }

    pub(crate) fn new_clinic(&self, clinic: ClinicId) -> Arc<NewClinic> {
        self.held.registering.get_with(clinic, || {
            let key = secret::random();
            let keys = Arc::new(ClinicKeys::new(clinic, &key));
            Arc::new(NewClinic { keys, wrapped: self.master.wrap(clinic, &key) })
        })
    }

    /// The opened sealed part of a row; `None` where there is none and where it was erased.
    pub async fn open(&self, row: &StoredRow) -> Result<Option<Vec<u8>>, VaultError> {
        Ok(self.open_all(std::slice::from_ref(row)).await?.pop().flatten())
    }

    /// The opened sealed parts of rows, in their order. Keys are read set-wise.
    pub async fn open_all(&self, rows: &[StoredRow]) -> Result<Vec<Option<Vec<u8>>>, VaultError> {
        let mut keys = PatientKeys::new();
        for (clinic, patients) in sealed_by_clinic(rows) {
            self.read_keys(clinic, &patients, &mut keys).await?;
        }
        let mut opened = Vec::with_capacity(rows.len());
        for row in rows {
            opened.push(self.open_with(row, &keys).await?);
        }
        Ok(opened)
    }

    /// The keys of single events, in the order of the rows: what somebody outside may be given, since it opens one
    /// event and nothing else. Keys are read set-wise.
    pub async fn event_keys(&self, rows: &[StoredRow]) -> Result<Vec<HandedKey>, VaultError> {
        let mut keys = PatientKeys::new();
        for (clinic, patients) in sealed_by_clinic(rows) {
            match self.read_keys(clinic, &patients, &mut keys).await {
                // Which of them it is, is found out below.
                Ok(()) | Err(VaultError::WrongKey) => {}
                Err(error) => return Err(error),
            }
        }
        let mut handed = Vec::with_capacity(rows.len());
        for row in rows {
            handed.push(self.handed_key(row, &keys).await?);
        }
        Ok(handed)
    }

    async fn handed_key(&self, row: &StoredRow, keys: &PatientKeys) -> Result<HandedKey, VaultError> {
        if row.sealed.is_none() {
            return Ok(HandedKey::NotSealed);
        }
        match self.key_of(row, keys).await {
            Ok(PatientKey::Good(key)) => Ok(HandedKey::Good(key.of_event(Place::of(row)))),
            Ok(PatientKey::Fenced(_) | PatientKey::Destroyed) => Ok(HandedKey::Destroyed),
            Ok(PatientKey::Absent) | Err(VaultError::WrongKey | VaultError::NoClinicKey) => Ok(HandedKey::Lost),
            Err(error) => Err(error),
        }
    }

    async fn open_with(&self, row: &StoredRow, keys: &PatientKeys) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(sealed) = &row.sealed else { return Ok(None) };
        let Some(key) = self.opening_key(row, keys).await? else { return Ok(None) };
        if let Ok(opened) = key.open(Place::of(row), sealed) {
            return Ok(Some(opened));
        }
        // The key that is remembered may be one of before a restore: what is stored counts.
        self.forget_keys_of(row);
        let Some(key) = self.opening_key(row, &PatientKeys::new()).await? else { return Ok(None) };
        let opened = key.open(Place::of(row), sealed);
        opened.map(Some).map_err(|source| VaultError::NotOpened { position: row.position, source })
    }

    fn forget_keys_of(&self, row: &StoredRow) {
        self.held.clinics.invalidate(&(row.clinic, Era::Reading));
        if let Some(patient) = row.patient {
            self.held.patients.invalidate(&(row.clinic, patient, Era::Reading));
        }
    }

    async fn opening_key(&self, row: &StoredRow, keys: &PatientKeys) -> Result<Option<Arc<SealingKey>>, VaultError> {
        match self.key_of(row, keys).await? {
            PatientKey::Good(key) | PatientKey::Fenced(key) => Ok(Some(key)),
            PatientKey::Destroyed => Ok(None),
            PatientKey::Absent => Err(VaultError::NoPatientKey),
        }
    }

    /// The key under which the row is sealed: its patient's, or its clinic's where it is about none.
    async fn key_of(&self, row: &StoredRow, keys: &PatientKeys) -> Result<PatientKey, VaultError> {
        let Some(patient) = row.patient else {
            return match self.clinic_key(row.clinic).await? {
                ClinicKey::Good(keys) => Ok(PatientKey::Good(keys.sealing())),
                ClinicKey::Fenced(keys) => Ok(PatientKey::Fenced(keys.sealing())),
                ClinicKey::Destroyed => Ok(PatientKey::Destroyed),
                ClinicKey::Absent => Err(VaultError::NoClinicKey),
            };
        };
        if let Some(key) = keys.get(&(row.clinic, patient)) {
            return Ok(key.clone());
        }
        let mut keys = PatientKeys::new();
        self.read_keys(row.clinic, &[patient], &mut keys).await?;
        Ok(keys.remove(&(row.clinic, patient)).unwrap_or(PatientKey::Absent))
    }

    async fn clinic_key(&self, clinic: ClinicId) -> Result<ClinicKey, VaultError> {
        if let Some(key) = self.held.clinics.get(&(clinic, Era::Reading)) {
            return Ok(key);
        }
        let row = sqlx::query(
            "SELECT k.clinic, k.wrapped, k.fenced FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT clinic, wrapped, fenced_at IS NOT NULL AS fenced FROM log.clinic_key
                WHERE clinic = s.clinic OFFSET 0) AS k",
        )
        .bind(clinic.0)
        .fetch_optional(&self.reads)
        .await?;
        // That there is none is not remembered: there may be one in a moment.
        let Some(row) = row else { return Ok(ClinicKey::Absent) };
        let key = self.opened_clinic_key(clinic, &row)?;
        self.held.clinics.insert((clinic, Era::Reading), key.clone());
        Ok(key)
    }

    /// Adds the keys of patients of one clinic; those that are not remembered are read, and remembered. What is remembered
    /// may be driven out before it is used, or be let in never: whoever opens many rows keeps `keys` meanwhile.
    async fn read_keys(
        &self,
        clinic: ClinicId,
        patients: &[PatientId],
        keys: &mut PatientKeys,
    ) -> Result<(), VaultError> {
        let mut unknown = Vec::new();
        for patient in patients {
            match self.held.patients.get(&(clinic, *patient, Era::Reading)) {
                Some(key) => _ = keys.insert((clinic, *patient), key),
                None => unknown.push(patient.0),
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let clinic_key = self.clinic_key(clinic).await?;
        let rows = sqlx::query(
            "SELECT k.patient, k.wrapped, k.fenced FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT patient, wrapped, fenced_at IS NOT NULL AS fenced FROM log.patient_key
                WHERE clinic = s.clinic AND patient = ANY ($2) OFFSET 0) AS k",
        )
        .bind(clinic.0)
        .bind(unknown)
        .fetch_all(&self.reads)
        .await?;
        for row in &rows {
            let patient = PatientId(row.try_get("patient")?);
            let key = opened_patient_key(&clinic_key, patient, row)?;
            self.held.patients.insert((clinic, patient, Era::Reading), key.clone());
            keys.insert((clinic, patient), key);
        }
        Ok(())
    }

    async fn make_platform_key(&self) -> Result<Arc<ClinicKeys>, VaultError> {
        let key = secret::random();
        sqlx::query("INSERT INTO log.clinic_key (clinic, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(ClinicId::PLATFORM.0)
            .bind(self.master.wrap(ClinicId::PLATFORM, &key))
            .execute(&self.writes)
            .await?;
        // Another process may have been first: what is stored counts.
        let stored = self.clinic_key(ClinicId::PLATFORM).await?;
        stored.keys().cloned().ok_or(VaultError::NoClinicKey)
    }

    fn opened_clinic_key(&self, clinic: ClinicId, row: &PgRow) -> Result<ClinicKey, VaultError> {
        let Some(wrapped) = row.try_get::<Option<&[u8]>, _>("wrapped")? else { return Ok(ClinicKey::Destroyed) };
        let key = self.master.unwrap(clinic, wrapped).map_err(|_| VaultError::WrongKey)?;
        let keys = Arc::new(ClinicKeys::new(clinic, &key));
        Ok(if row.try_get("fenced")? { ClinicKey::Fenced(keys) } else { ClinicKey::Good(keys) })
    }
}

/// A patient's key is destroyed also by destroying the clinic's, and fenced by fencing it.
fn opened_patient_key(clinic: &ClinicKey, patient: PatientId, row: &PgRow) -> Result<PatientKey, VaultError> {
    let Some(wrapped) = row.try_get::<Option<&[u8]>, _>("wrapped")? else { return Ok(PatientKey::Destroyed) };
    let Some(keys) = clinic.keys() else { return Ok(PatientKey::Destroyed) };
    let key = Arc::new(keys.patient(patient, wrapped).map_err(|_| VaultError::WrongKey)?);
    let fenced = row.try_get("fenced")? || matches!(clinic, ClinicKey::Fenced(_));
    Ok(if fenced { PatientKey::Fenced(key) } else { PatientKey::Good(key) })
}

/// The patients for whom something is sealed, by clinic.
fn sealed_by_clinic(rows: &[StoredRow]) -> BTreeMap<ClinicId, Vec<PatientId>> {
    let mut patients: BTreeMap<ClinicId, Vec<PatientId>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.sealed.is_some()) {
        patients.entry(row.clinic).or_default().extend(row.patient);
    }
    for ids in patients.values_mut() {
        ids.sort_unstable();
        ids.dedup();
    }
    patients
}
