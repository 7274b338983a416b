//! Reading stored rows.

use chrono::{DateTime, Utc};
use events::Ledger;
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use crate::row::{Hash, StoredRow, ledger_of};

/// The columns of `log.event`, by the name `e`, as [`stored_row`] wants them.
macro_rules! event_columns {
    () => {
        "e.clinic, e.ledger, e.position, e.stream_kind, e.stream_id, e.stream_version, e.event_id, e.event_type,
         e.schema_version, e.patient, e.patient_version, e.occurred_at, e.recorded_at, e.actor_kind, e.actor_user,
         e.actor_name, e.actor_roles, e.actor_session, e.on_behalf_of, e.purpose, e.reason, e.command,
         e.correlation_id, e.causation_id, e.client_address, e.client_agent, e.payload, e.payload_hash, e.sealed,
         e.sealed_hash, e.previous_hash, e.hash"
    };
}
pub(crate) use event_columns;

/// A row of `log.event`, all columns in their order. They are taken by their place: by name, each would be searched for in each row.
pub fn stored_row(row: &PgRow) -> sqlx::Result<StoredRow> {
    Ok(StoredRow {
        clinic: row.try_get::<Uuid, _>(0)?.into(),
        ledger: ledger(row.try_get(1)?)?,
        position: row.try_get(2)?,
        stream_kind: row.try_get::<String, _>(3)?.into(),
        stream_id: row.try_get(4)?,
        stream_version: row.try_get(5)?,
        event_id: row.try_get(6)?,
        event_type: row.try_get::<String, _>(7)?.into(),
        schema_version: row.try_get(8)?,
        patient: row.try_get::<Option<Uuid>, _>(9)?.map(Into::into),
        patient_version: row.try_get(10)?,
        occurred_at: instant(row, 11)?,
        recorded_at: instant(row, 12)?,
        actor_kind: row.try_get::<String, _>(13)?.into(),
        actor_user: row.try_get::<Option<Uuid>, _>(14)?.map(Into::into),
        actor_name: row.try_get(15)?,
        actor_roles: row.try_get(16)?,
        actor_session: row.try_get(17)?,
        on_behalf_of: row.try_get::<Option<Uuid>, _>(18)?.map(Into::into),
        purpose: row.try_get::<String, _>(19)?.into(),
        reason: row.try_get(20)?,
        command: row.try_get::<String, _>(21)?.into(),
        correlation_id: row.try_get(22)?,
        causation_id: row.try_get(23)?,
        client_address: row.try_get(24)?,
        client_agent: row.try_get(25)?,
        payload: row.try_get(26)?,
        payload_hash: hash(row.try_get(27)?)?,
        sealed: row.try_get(28)?,
        sealed_hash: row.try_get::<Option<&[u8]>, _>(29)?.map(hash).transpose()?,
        previous_hash: hash(row.try_get(30)?)?,
        hash: hash(row.try_get(31)?)?,
    })
}

/// Microseconds from 1970 to the year 2000, from which PostgreSQL counts.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Not by sqlx's own decoding, which panics at an instant that is too far away: whoever tampers may write one.
fn instant(row: &PgRow, column: usize) -> sqlx::Result<DateTime<Utc>> {
    let bytes = row.try_get_raw(column)?.as_bytes().map_err(sqlx::Error::Decode)?;
    let micros = bytes.try_into().ok().map(i64::from_be_bytes);
    let since_1970 = micros.and_then(|micros| micros.checked_add(POSTGRES_EPOCH_MICROS));
    since_1970.and_then(DateTime::from_timestamp_micros).ok_or_else(|| sqlx::Error::Decode("no such instant".into()))
}

pub(crate) fn ledger(number: i16) -> sqlx::Result<Ledger> {
    ledger_of(number).ok_or_else(|| sqlx::Error::Decode("an unknown ledger".into()))
}

pub(crate) fn hash(bytes: &[u8]) -> sqlx::Result<Hash> {
    bytes.try_into().map_err(|_| sqlx::Error::Decode("a hash has 32 bytes".into()))
}
