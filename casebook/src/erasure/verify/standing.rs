//! How far an erasure has come, as the database and the list say it.

use anyhow::Result;
use event_store::Erased;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::erasure::ErasureList;

/// What has to hold of somebody who is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The record says so.
    pub recorded: bool,
    pub key_destroyed: bool,
    pub listed: bool,
    /// The read models were made again.
    pub purged: bool,
}

/// As a role that sees all rows.
pub async fn standing(pool: &PgPool, list: &ErasureList, erased: Erased) -> Result<Standing> {
    let row = sqlx::query(
        "SELECT EXISTS (SELECT FROM log.event e WHERE e.clinic = $1 AND e.patient = $2
                AND e.patient_version IS NOT NULL AND e.event_type = 'PatientErased') AS recorded,
            NOT EXISTS (SELECT FROM log.patient_key k
                WHERE k.clinic = $1 AND k.patient = $2 AND k.wrapped IS NOT NULL) AS destroyed,
            EXISTS (SELECT FROM log.erasure x
                WHERE x.clinic = $1 AND x.patient = $2 AND x.finished_at IS NOT NULL) AS finished",
    )
    .bind(erased.clinic.0)
    .bind(erased.patient.map_or(Uuid::nil(), |patient| patient.0))
    .fetch_one(pool)
    .await?;
    Ok(Standing {
        recorded: row.try_get("recorded")?,
        key_destroyed: row.try_get("destroyed")?,
        listed: list.has(erased),
        purged: row.try_get("finished")?,
    })
}
