//! Rows of many clinics' records in one query.

use events::{ClinicId, Ledger, Position};
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::StoredRow;

/// Rows of one clinic behind a position, up to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) clinic: ClinicId,
    pub(crate) after: Position,
    pub(crate) upto: Position,
}

/// The rows of all spans, clinic by clinic, in the order of their positions.
pub(crate) async fn read_spans(
    log: impl PgExecutor<'_>,
    spans: impl Iterator<Item = Span>,
) -> sqlx::Result<Vec<StoredRow>> {
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
