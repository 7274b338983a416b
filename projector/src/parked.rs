//! Events that could not be applied. The clinic's read model stops before the event, everything else goes
//! on, and nothing is skipped: people look, mend, and let it be tried again.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use events::{ClinicId, Position};
use sqlx::{FromRow, PgExecutor};
use uuid::Uuid;

use crate::Failure;

/// A clinic's read model that has stopped before an event.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Parked {
    #[sqlx(try_from = "Uuid")]
    pub clinic_id: ClinicId,
    /// Read model and revision: `patient_1`.
    pub projection: String,
    pub position: Position,
    /// Codes and names of the schema; never a value.
    pub error: String,
    /// How often it was tried before it was parked.
    pub attempts: i32,
    pub parked_at: DateTime<Utc>,
}

/// All that is parked, oldest first.
pub async fn parked(pool: impl PgExecutor<'_>) -> sqlx::Result<Vec<Parked>> {
    sqlx::query_as("SELECT * FROM read.parked ORDER BY parked_at, clinic_id, projection").fetch_all(pool).await
}

/// Lets parked events be tried again: those of a read model, of a clinic, or all. How many there were.
/// Followers go on with them within [`crate::LOOK_EVERY`].
pub async fn retry(pool: impl PgExecutor<'_>, projection: Option<&str>, clinic: Option<ClinicId>) -> sqlx::Result<u64> {
    let gone = sqlx::query(
        "DELETE FROM read.parked WHERE ($1::text IS NULL OR projection = $1) AND ($2::uuid IS NULL OR clinic_id = $2)",
    )
    .bind(projection)
    .bind(clinic.map(|clinic| clinic.0))
    .execute(pool)
    .await?;
    Ok(gone.rows_affected())
}

pub(crate) async fn park(
    pool: impl PgExecutor<'_>,
    projection: &str,
    clinic: ClinicId,
    position: Position,
    failure: &Failure,
    attempts: u32,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO read.parked (clinic_id, projection, position, error, attempts) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (clinic_id, projection) DO UPDATE
             SET position = excluded.position, error = excluded.error, attempts = excluded.attempts, parked_at = now()",
    )
    .bind(clinic.0)
    .bind(projection)
    .bind(position)
    .bind(failure.to_string())
    .bind(attempts.cast_signed())
    .execute(pool)
    .await?;
    tracing::error!(projection, %clinic, position, %failure, "an event could not be applied and is parked");
    Ok(())
}

/// Clinics whose read model is parked.
pub(crate) async fn clinics(pool: impl PgExecutor<'_>, projection: &str) -> sqlx::Result<HashSet<ClinicId>> {
    let parked = sqlx::query_scalar::<_, Uuid>("SELECT clinic_id FROM read.parked WHERE projection = $1");
    Ok(parked.bind(projection).fetch_all(pool).await?.into_iter().map(ClinicId).collect())
}
