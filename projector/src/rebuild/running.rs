//! That a rebuild runs: at most one of a read model at a time, and for people to see how far it is.

use chrono::{DateTime, Utc};
use events::ClinicId;
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool, pool::PoolConnection};
use uuid::Uuid;

use super::RebuildError;

/// The first key of the advisory locks, for ever: "casebook rebuilds". The second is the read model's hash.
const LOCK_CLASS: i32 = 0x0CA5_EB01;

/// How many events of how many have been folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub events: i64,
    pub total: i64,
}

/// A rebuild that runs, or was broken off.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Rebuilding {
    /// Read model and revision: `patient_1`.
    pub projection: String,
    /// The platform, where all clinics are rebuilt.
    #[sqlx(try_from = "Uuid")]
    pub clinic_id: ClinicId,
    pub events: i64,
    pub events_total: i64,
    pub started_at: DateTime<Utc>,
    /// `false`: its process ended before it did. Start it again.
    pub runs: bool,
}

/// Rebuilds that run or were broken off.
pub(crate) async fn rebuilding(pool: impl PgExecutor<'_>) -> sqlx::Result<Vec<Rebuilding>> {
    sqlx::query_as(
        "SELECT r.*, EXISTS (
             SELECT FROM pg_locks l
             WHERE l.locktype = 'advisory' AND l.classid = $1::int::oid AND l.objid = hashtext(r.projection)::oid
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS runs
         FROM read.rebuild r ORDER BY r.started_at",
    )
    .bind(LOCK_CLASS)
    .fetch_all(pool)
    .await
}

/// Holds the read model's lock, which goes with this connection.
pub(crate) struct Running {
    connection: PgConnection,
    projection: String,
    clinic: ClinicId,
}

impl Running {
    /// Begins a rebuild of one clinic, or with the platform's id of all.
    pub(crate) async fn begin(
        pool: &PgPool,
        projection: &str,
        clinic: ClinicId,
        total: i64,
    ) -> Result<Self, RebuildError> {
        let mut connection = PoolConnection::detach(pool.acquire().await?);
        let is_free: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, hashtext($2))")
            .bind(LOCK_CLASS)
            .bind(projection)
            .fetch_one(&mut connection)
            .await?;
        if !is_free {
            return Err(RebuildError::Busy(projection.to_owned()));
        }
        sqlx::query(
            "INSERT INTO read.rebuild (clinic_id, projection, events_total) VALUES ($1, $2, $3)
             ON CONFLICT (clinic_id, projection) DO UPDATE
                 SET events = 0, events_total = excluded.events_total, started_at = now()",
        )
        .bind(clinic.0)
        .bind(projection)
        .bind(total)
        .execute(&mut connection)
        .await?;
        Ok(Self { connection, projection: projection.to_owned(), clinic })
    }

    pub(crate) async fn progress(&mut self, events: i64) -> sqlx::Result<()> {
        let told = sqlx::query("UPDATE read.rebuild SET events = $3 WHERE clinic_id = $1 AND projection = $2");
        told.bind(self.clinic.0).bind(&self.projection).bind(events).execute(&mut self.connection).await.map(|_| ())
    }

    pub(crate) async fn end(mut self) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM read.rebuild WHERE clinic_id = $1 AND projection = $2")
            .bind(self.clinic.0)
            .bind(&self.projection)
            .execute(&mut self.connection)
            .await?;
        sqlx::Connection::close(self.connection).await
    }
}
