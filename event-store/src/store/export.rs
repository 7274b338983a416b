//! What an export bundle is made of.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use events::{ClinicId, Ledger, PatientId, Position};
use sqlx::Row;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::{
    row::{Hash, StoredRow},
    stored::{event_columns, hash, stored_row},
};

impl Store {
    /// The last position of a ledger that was recorded before an instant; 0 where there is none.
    pub async fn position_before(
        &self,
        clinic: ClinicId,
        ledger: Ledger,
        instant: DateTime<Utc>,
    ) -> Result<Position, StoreError> {
        let sql = "SELECT log.position_before(s.clinic, $2, $3) FROM log.scope($1) AS s(clinic)";
        let query = sqlx::query_scalar(sql).bind(clinic.0).bind(ledger as i16).bind(instant);
        Ok(query.fetch_one(&self.reads).await?)
    }

    /// The chain's values of at most `limit` rows after a position, in order.
    pub async fn chain_hashes(
        &self,
        clinic: ClinicId,
        ledger: Ledger,
        after: Position,
        limit: u32,
    ) -> Result<Vec<(Position, Hash)>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.position, e.hash FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT position, hash FROM log.event WHERE clinic = s.clinic AND ledger = $2 AND position > $3
                ORDER BY position LIMIT $4) AS e ORDER BY e.position",
        )
        .bind(clinic.0)
        .bind(ledger as i16)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.reads)
        .await?;
        let read = rows.iter().map(|row| Ok((row.try_get(0)?, hash(row.try_get(1)?)?)));
        read.collect::<sqlx::Result<_>>().map_err(StoreError::from)
    }

    /// The rows of a ledger that name one of these patients, as they are stored, in order.
    pub async fn rows_of_patients(
        &self,
        clinic: ClinicId,
        ledger: Ledger,
        patients: &[PatientId],
    ) -> Result<Vec<StoredRow>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            event_columns!(),
            " FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT * FROM log.event WHERE clinic = s.clinic AND ledger = $2 AND patient = ANY ($3)
                OFFSET 0) AS e ORDER BY e.position"
        ))
        .bind(clinic.0)
        .bind(ledger as i16)
        .bind(patients.iter().map(|patient| patient.0).collect::<Vec<Uuid>>())
        .fetch_all(&self.reads)
        .await?;
        rows.iter().map(stored_row).collect::<sqlx::Result<_>>().map_err(StoreError::from)
    }

    /// How many events each chart of a clinic had at a size of its record, sorted by the patient.
    pub async fn chart_counts(&self, clinic: ClinicId, size: Position) -> Result<Vec<(PatientId, i64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.patient, e.count FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT patient, max(patient_version) AS count FROM log.event
                WHERE clinic = s.clinic AND ledger = 1 AND patient_version IS NOT NULL AND position <= $2
                GROUP BY patient OFFSET 0) AS e WHERE e.patient IS NOT NULL ORDER BY e.patient",
        )
        .bind(clinic.0)
        .bind(size)
        .fetch_all(&self.reads)
        .await?;
        let read = rows.iter().map(|row| Ok((PatientId(row.try_get(0)?), row.try_get(1)?)));
        read.collect::<sqlx::Result<_>>().map_err(StoreError::from)
    }

    /// The patient whom people know by this number.
    pub async fn patient_of_number(&self, clinic: ClinicId, number: &str) -> Result<Option<PatientId>, StoreError> {
        let mark = serde_json::json!({"number": number}).to_string();
        let found: Option<Uuid> = sqlx::query_scalar(
            "SELECT e.stream_id FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT stream_id FROM log.event WHERE clinic = s.clinic AND stream_kind = 'patient'
                AND stream_version = 1 AND position(convert_to($2, 'UTF8') IN payload) > 0 OFFSET 0) AS e",
        )
        .bind(clinic.0)
        .bind(mark.trim_matches(['{', '}']))
        .fetch_optional(&self.reads)
        .await?;
        Ok(found.map(PatientId))
    }

    /// The numbers by which people know these patients.
    pub async fn patient_numbers(
        &self,
        clinic: ClinicId,
        patients: &[Uuid],
    ) -> Result<HashMap<Uuid, String>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.stream_id, e.payload FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT stream_id, payload FROM log.event WHERE clinic = s.clinic AND stream_kind = 'patient'
                AND stream_id = ANY ($2) AND stream_version = 1 OFFSET 0) AS e",
        )
        .bind(clinic.0)
        .bind(patients)
        .fetch_all(&self.reads)
        .await?;
        let mut numbers = HashMap::new();
        for row in &rows {
            let payload: serde_json::Value = serde_json::from_slice(row.try_get(1)?).unwrap_or_default();
            if let Some(number) = payload["number"].as_str() {
                numbers.insert(row.try_get(0)?, number.to_owned());
            }
        }
        Ok(numbers)
    }
}
