//! Rows of many clinics' records in one query.

use std::borrow::Cow;

use events::{ClinicId, Ledger, PatientId, Position, UserId};
use sqlx::{FromRow, PgExecutor, Row, postgres::PgRow};
use uuid::Uuid;

use crate::{StoredRow, row::ledger_of};

/// Rows of one clinic behind a position, up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub clinic: ClinicId,
    pub after: Position,
    pub upto: Position,
}

/// The rows of all spans, clinic by clinic, in the order of their positions.
pub async fn read_spans(log: impl PgExecutor<'_>, spans: impl Iterator<Item = Span>) -> sqlx::Result<Vec<StoredRow>> {
    let (clinics, (after, upto)): (Vec<Uuid>, (Vec<Position>, Vec<Position>)) =
        spans.map(|span| (span.clinic.0, (span.after, span.upto))).unzip();
    // OFFSET 0 keeps it one walk along the index for each span, whatever the planner thinks of the array.
    sqlx::query_as(
        "SELECT e.* FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS s(clinic, after, upto, n)
         CROSS JOIN LATERAL (
             SELECT * FROM log.event
             WHERE clinic = s.clinic AND ledger = $1 AND position > s.after AND position <= s.upto OFFSET 0) AS e
         ORDER BY s.n, e.position",
    )
    .bind(Ledger::Record as i16)
    .bind(clinics)
    .bind(after)
    .bind(upto)
    .fetch_all(log)
    .await
}

impl FromRow<'_, PgRow> for StoredRow {
    /// Wants all columns of the table, under their own names.
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let text = |column: &str| row.try_get::<String, _>(column).map(Cow::Owned);
        Ok(Self {
            clinic: ClinicId(row.try_get("clinic")?),
            ledger: ledger_of(row.try_get("ledger")?).ok_or_else(|| sqlx::Error::Decode("no such ledger".into()))?,
            position: row.try_get("position")?,
            stream_kind: text("stream_kind")?,
            stream_id: row.try_get("stream_id")?,
            stream_version: row.try_get("stream_version")?,
            event_id: row.try_get("event_id")?,
            event_type: text("event_type")?,
            schema_version: row.try_get("schema_version")?,
            patient: row.try_get::<Option<_>, _>("patient")?.map(PatientId),
            patient_version: row.try_get("patient_version")?,
            occurred_at: row.try_get("occurred_at")?,
            recorded_at: row.try_get("recorded_at")?,
            actor_kind: text("actor_kind")?,
            actor_user: row.try_get::<Option<_>, _>("actor_user")?.map(UserId),
            actor_name: row.try_get("actor_name")?,
            actor_roles: row.try_get("actor_roles")?,
            actor_session: row.try_get("actor_session")?,
            on_behalf_of: row.try_get::<Option<_>, _>("on_behalf_of")?.map(UserId),
            purpose: text("purpose")?,
            reason: row.try_get("reason")?,
            command: text("command")?,
            correlation_id: row.try_get("correlation_id")?,
            causation_id: row.try_get("causation_id")?,
            client_address: row.try_get("client_address")?,
            client_agent: row.try_get("client_agent")?,
            payload: row.try_get("payload")?,
            payload_hash: row.try_get("payload_hash")?,
            sealed: row.try_get("sealed")?,
            sealed_hash: row.try_get("sealed_hash")?,
            previous_hash: row.try_get("previous_hash")?,
            hash: row.try_get("hash")?,
        })
    }
}
