//! The keys for one group of appends: of many clinics at once, each under the key epoch of its head.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use events::{ClinicId, PatientId};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{
    Vault, VaultError,
    held::{ClinicKey, Era, PatientKey},
    opened_patient_key,
    seal::SealingKey,
};

/// Keys that were looked up; one that is not here does not exist.
#[derive(Default)]
pub(crate) struct GroupKeys {
    clinics: HashMap<ClinicId, ClinicKey>,
    patients: HashMap<(ClinicId, PatientId), PatientKey>,
}

impl GroupKeys {
    pub(crate) fn clinic(&self, clinic: ClinicId) -> &ClinicKey {
        self.clinics.get(&clinic).unwrap_or(&ClinicKey::Absent)
    }

    pub(crate) fn patient(&self, clinic: ClinicId, patient: PatientId) -> &PatientKey {
        self.patients.get(&(clinic, patient)).unwrap_or(&PatientKey::Absent)
    }
}

/// Whose keys a group may need, with the key epoch of the clinic.
#[derive(Default)]
pub(crate) struct KeyNeeds {
    pub(crate) clinics: BTreeSet<(ClinicId, i64)>,
    pub(crate) patients: BTreeSet<(ClinicId, PatientId, i64)>,
}

impl Vault {
    pub(crate) async fn keys_for(
        &self,
        connection: &mut PgConnection,
        needs: &KeyNeeds,
    ) -> Result<GroupKeys, VaultError> {
        let mut keys = GroupKeys::default();
        let mut unknown = Vec::new();
        for (clinic, epoch) in &needs.clinics {
            match self.held.clinics.get(&(*clinic, Era::Epoch(*epoch))) {
                Some(key) => _ = keys.clinics.insert(*clinic, key),
                None => unknown.push((*clinic, *epoch)),
            }
        }
        self.read_clinics(connection, &unknown, &mut keys).await?;
        let mut unknown = Vec::new();
        for (clinic, patient, epoch) in &needs.patients {
            match self.held.patients.get(&(*clinic, *patient, Era::Epoch(*epoch))) {
                Some(key) => _ = keys.patients.insert((*clinic, *patient), key),
                None => unknown.push((*clinic, *patient, *epoch)),
            }
        }
        self.read_patients(connection, &unknown, &mut keys).await?;
        Ok(keys)
    }

    /// The key of a patient whom an append has just registered.
    pub(crate) fn remember(&self, clinic: ClinicId, patient: PatientId, epoch: i64, key: Arc<SealingKey>) {
        self.held.patients.insert((clinic, patient, Era::Epoch(epoch)), PatientKey::Good(key));
    }

    async fn read_clinics(
        &self,
        connection: &mut PgConnection,
        clinics: &[(ClinicId, i64)],
        keys: &mut GroupKeys,
    ) -> Result<(), VaultError> {
        if clinics.is_empty() {
            return Ok(());
        }
        if clinics.iter().any(|(clinic, _)| clinic.is_platform()) {
            self.clinic(ClinicId::PLATFORM).await?;
        }
        let epochs: HashMap<_, _> = clinics.iter().copied().collect();
        let ids: Vec<Uuid> = clinics.iter().map(|(clinic, _)| clinic.0).collect();
        let rows = sqlx::query(
            "SELECT k.clinic, k.wrapped, k.fenced_at IS NOT NULL AS fenced
             FROM unnest($1::uuid[]) AS w(clinic) JOIN log.clinic_key k ON k.clinic = w.clinic",
        )
        .bind(ids)
        .fetch_all(connection)
        .await?;
        for row in &rows {
            let clinic = ClinicId(row.try_get("clinic")?);
            let key = self.opened_clinic_key(clinic, row)?;
            self.held.clinics.insert((clinic, Era::Epoch(epochs[&clinic])), key.clone());
            keys.clinics.insert(clinic, key);
        }
        Ok(())
    }

    async fn read_patients(
        &self,
        connection: &mut PgConnection,
        patients: &[(ClinicId, PatientId, i64)],
        keys: &mut GroupKeys,
    ) -> Result<(), VaultError> {
        if patients.is_empty() {
            return Ok(());
        }
        let epochs: HashMap<_, _> = patients.iter().map(|(clinic, _, epoch)| (*clinic, *epoch)).collect();
        let clinics: Vec<Uuid> = patients.iter().map(|(clinic, ..)| clinic.0).collect();
        let ids: Vec<Uuid> = patients.iter().map(|(_, patient, _)| patient.0).collect();
        let rows = sqlx::query(
            "SELECT k.clinic, k.patient, k.wrapped, k.fenced_at IS NOT NULL AS fenced
             FROM unnest($1::uuid[], $2::uuid[]) AS w(clinic, patient)
             JOIN log.patient_key k ON k.clinic = w.clinic AND k.patient = w.patient",
        )
        .bind(clinics)
        .bind(ids)
        .fetch_all(connection)
        .await?;
        for row in &rows {
            let (clinic, patient) = (ClinicId(row.try_get("clinic")?), PatientId(row.try_get("patient")?));
            let key = opened_patient_key(keys.clinic(clinic), patient, row)?;
            self.held.patients.insert((clinic, patient, Era::Epoch(epochs[&clinic])), key.clone());
            keys.patients.insert((clinic, patient), key);
        }
        Ok(())
    }
}
