//! One patient's rows as they were at a position, folded in memory.

use chrono::{DateTime, Utc};
use event_store::feed::SourceError;
use events::{ClinicId, Ledger, PatientId, Position};
use read_models::{Projection, Rows};

use crate::history::History;

#[derive(Debug, thiserror::Error)]
pub enum PastError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("an event cannot be read: {0}")]
    Unreadable(String),
}

/// The rows of a read model that the charts of some patients make, up to a position of the clinic. Give all
/// patients of a merged group to see what was recorded under each.
pub async fn past<P: Projection>(
    history: &History,
    clinic: ClinicId,
    patients: &[PatientId],
    upto: Position,
) -> Result<Rows<P>, PastError> {
    let mut events = Vec::new();
    for patient in patients {
        events.extend(history.chart(clinic, *patient, upto).await?);
    }
    events.sort_by_key(|event| event.position);
    let mut rows = Rows::default();
    for event in &events {
        rows.apply(event.recorded.as_ref().map_err(|error| PastError::Unreadable(error.to_string()))?);
    }
    Ok(rows)
}

/// The last position of a clinic that was recorded not later than the instant; 0 before its first event.
pub async fn position_at(history: &History, clinic: ClinicId, instant: DateTime<Utc>) -> sqlx::Result<Position> {
    // `recorded_at` never runs backwards in a clinic, so the last one is near the end of the walk.
    let position = sqlx::query_scalar(
        "SELECT position FROM log.event WHERE clinic = $1 AND ledger = $2 AND recorded_at <= $3
         ORDER BY position DESC LIMIT 1",
    );
    let position = position.bind(clinic.0).bind(Ledger::Record as i16).bind(instant);
    Ok(position.fetch_optional(history.pool()).await?.unwrap_or(0))
}
