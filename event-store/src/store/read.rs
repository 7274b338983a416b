//! Reading events.

use chrono::{DateTime, Utc};
use events::{ClinicId, Ledger, PatientId, Position, Recorded, StreamId};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{AtPosition, Store, StoreError};
use crate::{
    row::{GENESIS, Hash, StoredRow},
    stored::{event_columns, hash, ledger, stored_row},
};

/// Where a ledger stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerHead {
    pub clinic: ClinicId,
    pub ledger: Ledger,
    /// 0 where there is no event.
    pub position: Position,
    pub hash: Hash,
    /// When the last event was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// A stream's events after a version.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// In order. Sealed parts stay closed: no rule rests on them.
    pub events: Vec<Recorded>,
    /// The version of the last event, or the one that was asked after. 0: the stream does not exist.
    pub version: i64,
    /// The record's position in the same snapshot: the facts hold as of here.
    pub read_at: Position,
}

impl Store {
    /// The events of a stream after `after_version`.
    pub async fn load_stream(
        &self,
        clinic: ClinicId,
        stream: StreamId,
        after_version: i64,
    ) -> Result<Loaded, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            event_columns!(),
            ", coalesce(h.position, 0) AS read_at
             FROM log.scope($1) AS s(clinic)
             LEFT JOIN LATERAL (SELECT position FROM log.head WHERE clinic = s.clinic AND ledger = 1 OFFSET 0) AS h
                ON true
             LEFT JOIN LATERAL (SELECT * FROM log.event WHERE clinic = s.clinic AND stream_kind = $2
                AND stream_id = $3 AND stream_version > $4 ORDER BY stream_version OFFSET 0) AS e ON true
             ORDER BY e.stream_version"
        ))
        .bind(clinic.0)
        .bind(stream.kind.as_str())
        .bind(stream.id)
        .bind(after_version)
        .fetch_all(&self.reads)
        .await?;
        let read_at = rows.first().map_or(Ok(0), |row| row.try_get("read_at"))?;
        let exists = |row: &&PgRow| row.try_get::<Option<Uuid>, _>("event_id").is_ok_and(|id| id.is_some());
        let mut events = Vec::with_capacity(rows.len());
        for row in rows.iter().filter(exists) {
            events.push(stored_row(row)?.recorded(None)?);
        }
        let version = events.last().map_or(after_version, |event| event.version);
        Ok(Loaded { events, version, read_at })
    }

    /// All events of a stream, in order, opened: for what no rule rests on, such as a user's name.
    pub async fn open_stream(&self, clinic: ClinicId, stream: StreamId) -> Result<Vec<Recorded>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            event_columns!(),
            " FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT * FROM log.event WHERE clinic = s.clinic AND stream_kind = $2 AND stream_id = $3
                ORDER BY stream_version OFFSET 0) AS e ORDER BY e.stream_version"
        ))
        .bind(clinic.0)
        .bind(stream.kind.as_str())
        .bind(stream.id)
        .fetch_all(&self.reads)
        .await?;
        let rows = rows.iter().map(stored_row).collect::<sqlx::Result<Vec<_>>>()?;
        self.open_rows(&rows).await
    }

    /// How many events a patient's chart has; 0 where there is none.
    pub async fn chart_version(&self, clinic: ClinicId, patient: PatientId) -> Result<AtPosition<i64>, StoreError> {
        let row = sqlx::query(
            "SELECT coalesce(h.position, 0), coalesce(e.version, 0) FROM log.scope($1) AS s(clinic)
             LEFT JOIN LATERAL (SELECT position FROM log.head WHERE clinic = s.clinic AND ledger = 1 OFFSET 0) AS h
                ON true
             LEFT JOIN LATERAL (SELECT max(patient_version) AS version FROM log.event
                WHERE clinic = s.clinic AND patient = $2 OFFSET 0) AS e ON true",
        )
        .bind(clinic.0)
        .bind(patient.0)
        .fetch_one(&self.reads)
        .await?;
        Ok(AtPosition { read_at: row.try_get(0)?, read: row.try_get(1)? })
    }

    /// Where a ledger stands; position 0 where nothing was appended yet.
    pub async fn head(&self, clinic: ClinicId, ledger: Ledger) -> Result<LedgerHead, StoreError> {
        let row = sqlx::query(
            "SELECT h.position, h.hash, h.recorded_at FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT position, hash, recorded_at FROM log.head WHERE clinic = s.clinic AND ledger = $2 OFFSET 0) AS h",
        )
        .bind(clinic.0)
        .bind(ledger as i16)
        .fetch_optional(&self.reads)
        .await?;
        let Some(row) = row else {
            return Ok(LedgerHead { clinic, ledger, position: 0, hash: GENESIS, recorded_at: DateTime::UNIX_EPOCH });
        };
        Ok(LedgerHead {
            clinic,
            ledger,
            position: row.try_get(0)?,
            hash: hash(row.try_get(1)?)?,
            recorded_at: row.try_get(2)?,
        })
    }

    /// Where every ledger stands that has an event. Only for those who see all clinics.
    pub async fn heads(&self) -> Result<Vec<LedgerHead>, StoreError> {
        let rows = sqlx::query(
            "SELECT clinic, ledger, position, hash, recorded_at FROM log.head WHERE position > 0 ORDER BY clinic, ledger",
        )
        .fetch_all(&self.reads)
        .await?;
        rows.iter().map(ledger_head).collect::<sqlx::Result<_>>().map_err(StoreError::from)
    }

    /// Every clinic that has recorded something, the platform among them. Only for those who see all clinics.
    pub async fn clinics(&self) -> Result<Vec<ClinicId>, StoreError> {
        let heads = self.heads().await?;
        Ok(heads.iter().filter(|head| head.ledger == Ledger::Record).map(|head| head.clinic).collect())
    }

    /// A page of a ledger as it is stored: at most `limit` rows after a position, in order.
    pub async fn read_rows(
        &self,
        clinic: ClinicId,
        ledger: Ledger,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            event_columns!(),
            " FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT * FROM log.event WHERE clinic = s.clinic AND ledger = $2 AND position > $3
                ORDER BY position LIMIT $4) AS e ORDER BY e.position"
        ))
        .bind(clinic.0)
        .bind(ledger as i16)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.reads)
        .await?;
        rows.iter().map(stored_row).collect::<sqlx::Result<_>>().map_err(StoreError::from)
    }

    /// A page of a clinic's record, decoded, sealed parts opened where their keys exist.
    pub async fn read_clinic(
        &self,
        clinic: ClinicId,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.open_rows(&self.read_rows(clinic, Ledger::Record, after, limit).await?).await
    }

    /// The chart of a patient: every event about them, in order, opened; `up_to` a position of the record.
    pub async fn read_patient(
        &self,
        clinic: ClinicId,
        patient: PatientId,
        up_to: Option<Position>,
    ) -> Result<Vec<Recorded>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            event_columns!(),
            " FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT * FROM log.event WHERE clinic = s.clinic AND patient = $2 AND patient_version IS NOT NULL
                AND position <= $3 ORDER BY patient_version OFFSET 0) AS e ORDER BY e.patient_version"
        ))
        .bind(clinic.0)
        .bind(patient.0)
        .bind(up_to.unwrap_or(Position::MAX))
        .fetch_all(&self.reads)
        .await?;
        let rows = rows.iter().map(stored_row).collect::<sqlx::Result<Vec<_>>>()?;
        self.open_rows(&rows).await
    }

    /// Opens and decodes rows.
    pub async fn open_rows(&self, rows: &[StoredRow]) -> Result<Vec<Recorded>, StoreError> {
        let opened = self.vault().open_all(rows).await?;
        let recorded = rows.iter().zip(opened).map(|(row, opened)| row.recorded(opened.as_deref()));
        recorded.collect::<Result<_, _>>().map_err(StoreError::from)
    }
}

fn ledger_head(row: &PgRow) -> sqlx::Result<LedgerHead> {
    Ok(LedgerHead {
        clinic: row.try_get::<Uuid, _>(0)?.into(),
        ledger: ledger(row.try_get(1)?)?,
        position: row.try_get(2)?,
        hash: hash(row.try_get(3)?)?,
        recorded_at: row.try_get(4)?,
    })
}
