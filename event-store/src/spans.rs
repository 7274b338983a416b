//! Rows of many clinics' records in one query.

use events::{ClinicId, Ledger, Position};
use sqlx::{PgExecutor, postgres::PgRow};
use uuid::Uuid;

use crate::{
    StoredRow,
    stored::{event_columns, stored_row},
};

/// Rows of one clinic behind a position, up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub clinic: ClinicId,
    pub after: Position,
    pub upto: Position,
}

/// The rows of all spans, in the order of the spans and of their positions.
pub(crate) async fn read_spans(
    log: impl PgExecutor<'_>,
    spans: impl IntoIterator<Item = Span>,
) -> sqlx::Result<Vec<StoredRow>> {
    let (clinics, (after, upto)): (Vec<Uuid>, (Vec<Position>, Vec<Position>)) =
        spans.into_iter().map(|span| (span.clinic.0, (span.after, span.upto))).unzip();
    // OFFSET 0 keeps it one walk along the index for each span, whatever the planner thinks of the array.
    sqlx::query(concat!(
        "SELECT ",
        event_columns!(),
        " FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS s(clinic, after, upto, n)
         CROSS JOIN LATERAL (
             SELECT * FROM log.event
             WHERE clinic = s.clinic AND ledger = $1 AND position > s.after AND position <= s.upto OFFSET 0) AS e
         ORDER BY s.n, e.position"
    ))
    .bind(Ledger::Record as i16)
    .bind(clinics)
    .bind(after)
    .bind(upto)
    .try_map(|row: PgRow| stored_row(&row))
    .fetch_all(log)
    .await
}
