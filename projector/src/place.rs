//! How far each clinic has been folded.

use std::collections::HashMap;

use event_store::{Hash, feed::Checkpoint};
use events::ClinicId;
use sqlx::{PgExecutor, Row, postgres::PgRow};
use uuid::Uuid;

/// A checkpoint as this process knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) checkpoint: Checkpoint,
    /// Counted up when the clinic's rows are replaced without being folded on: who remembers rows of an
    /// earlier epoch must not write them.
    pub(crate) epoch: i64,
}

pub(crate) type Places = HashMap<ClinicId, Place>;

/// The places of all clinics that have one.
pub(crate) async fn all(pool: impl PgExecutor<'_>, projection: &str) -> sqlx::Result<Places> {
    let rows = sqlx::query("SELECT clinic_id, position, hash, epoch FROM read.checkpoint WHERE projection = $1")
        .bind(projection)
        .fetch_all(pool)
        .await?;
    rows.iter().map(place).collect()
}

/// The places of some clinics; one that has none yet gets the start.
pub(crate) async fn of(pool: impl PgExecutor<'_>, projection: &str, clinics: &[ClinicId]) -> sqlx::Result<Places> {
    let clinics: Vec<Uuid> = clinics.iter().map(|clinic| clinic.0).collect();
    let rows = sqlx::query(
        "WITH made AS (
             INSERT INTO read.checkpoint (clinic_id, projection, position, hash)
             SELECT clinic_id, $1, 0, $3 FROM unnest($2::uuid[]) AS w(clinic_id) ORDER BY clinic_id
             ON CONFLICT DO NOTHING RETURNING clinic_id, position, hash, epoch)
         SELECT * FROM made UNION ALL
         SELECT clinic_id, position, hash, epoch FROM read.checkpoint
         WHERE projection = $1 AND clinic_id = ANY($2)",
    )
    .bind(projection)
    .bind(&clinics)
    .bind(Checkpoint::START.hash)
    .fetch_all(pool)
    .await?;
    rows.iter().map(place).collect()
}

fn place(row: &PgRow) -> sqlx::Result<(ClinicId, Place)> {
    let checkpoint = Checkpoint { position: row.try_get("position")?, hash: row.try_get::<Hash, _>("hash")? };
    Ok((ClinicId(row.try_get("clinic_id")?), Place { checkpoint, epoch: row.try_get("epoch")? }))
}
