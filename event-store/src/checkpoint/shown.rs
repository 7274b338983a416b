//! Whether `log.access_patient` still says what the access records say by their digests.

use std::collections::BTreeMap;

use events::{AccessEvent, AggregateKind, ClinicId, DomainEvent, Ledger, PatientId, Position, codec};
use proof::{patients::digest, row::Hash};
use sqlx::{Row, postgres::PgRow};

use crate::store::{Store, StoreError};

/// Positions compared at once.
const PAGE_POSITIONS: Position = 10_000;

impl Store {
    /// The first access record after `after`, up to `upto`, whose patients are not those that it showed.
    pub(crate) async fn first_changed_list(
        &self,
        clinic: ClinicId,
        mut after: Position,
        upto: Position,
    ) -> Result<Option<Position>, StoreError> {
        while after < upto {
            let page = upto.min(after + PAGE_POSITIONS);
            let expected = self.expected(clinic, after, page).await?;
            let mut found = self.listed(clinic, after, page).await?;
            for (position, digest_then) in expected {
                if digest(found.remove(&position).unwrap_or_default()) != digest_then {
                    return Ok(Some(position));
                }
            }
            if let Some((position, _)) = found.pop_first() {
                return Ok(Some(position));
            }
            after = page;
        }
        Ok(None)
    }

    /// The digest of each record that shows patients beside the one that its row names.
    async fn expected(
        &self,
        clinic: ClinicId,
        after: Position,
        upto: Position,
    ) -> Result<BTreeMap<Position, Hash>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, event_type, schema_version, payload FROM log.event
             WHERE clinic = $1 AND ledger = $2 AND position > $3 AND position <= $4
             AND event_type IN ('PatientShown', 'PatientsListed', 'AuditRead', 'HandedOut')",
        )
        .bind(clinic.0)
        .bind(Ledger::Access as i16)
        .bind(after)
        .bind(upto)
        .fetch_all(&self.reads)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, digest_of(row)?))).collect()
    }

    async fn listed(
        &self,
        clinic: ClinicId,
        after: Position,
        upto: Position,
    ) -> Result<BTreeMap<Position, Vec<PatientId>>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, patient FROM log.access_patient WHERE clinic = $1 AND position > $2 AND position <= $3",
        )
        .bind(clinic.0)
        .bind(after)
        .bind(upto)
        .fetch_all(&self.reads)
        .await?;
        let mut listed: BTreeMap<Position, Vec<PatientId>> = BTreeMap::new();
        for row in rows {
            listed.entry(row.try_get(0)?).or_default().push(PatientId(row.try_get(1)?));
        }
        Ok(listed)
    }
}

/// Of a row that the walk has found as it was written.
fn digest_of(row: &PgRow) -> Result<Hash, StoreError> {
    let (event_type, version, payload): (String, i16, &[u8]) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
    let event = codec::decode(AggregateKind::Access, &event_type, version, payload, None);
    match event.map_err(|error| sqlx::Error::Decode(error.into()))? {
        DomainEvent::Access(AccessEvent::PatientShown { also, .. }) => Ok(digest(also)),
        DomainEvent::Access(
            AccessEvent::PatientsListed { patients_sha256, .. }
            | AccessEvent::AuditRead { patients_sha256: Some(patients_sha256), .. }
            | AccessEvent::HandedOut { patients_sha256: Some(patients_sha256), .. },
        ) => {
            let mut hash = Hash::default();
            // What is no digest is that of no list.
            let _ = hex::decode_to_slice(patients_sha256, &mut hash);
            Ok(hash)
        }
        _ => Ok(digest([])),
    }
}
