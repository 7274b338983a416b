//! A whole clinic as it was: its read models at a position, by the folds of the projector, in tables of their own. A
//! replay is asked for in the log (`log.replay`); here it is built, and taken away when its time is over.

mod build;
mod model;
mod serve;

use chrono::{DateTime, Utc};
use events::{ClinicId, Position};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

pub use build::{Built, build};
pub(crate) use serve::{renew, serve};

/// A replay that waits to be built, or is being built.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Replaying {
    #[sqlx(try_from = "Uuid")]
    pub clinic: ClinicId,
    pub id: Uuid,
    /// The last event that it shows; there are as many events to fold.
    pub position: Position,
    /// Folded so far.
    pub events: i64,
    pub asked_at: DateTime<Utc>,
}

/// What waits, the first to be asked for first. The pool's role must see the replays of all clinics.
pub async fn replaying(pool: &PgPool) -> sqlx::Result<Vec<Replaying>> {
    let waiting = sqlx::query_as(
        "SELECT r.clinic, r.id, r.position, coalesce(b.events, 0) AS events, r.asked_at
         FROM log.replay r LEFT JOIN read.replay b ON b.clinic_id = r.clinic AND b.id = r.id
         WHERE r.expires_at > now() AND coalesce(b.state, 'running') = 'running'
         ORDER BY r.asked_at, r.id",
    );
    waiting.fetch_all(pool).await
}

/// Why a replay could not be built; `None` where it could, or was not tried yet.
pub async fn error(pool: &PgPool, clinic: ClinicId, id: Uuid) -> sqlx::Result<Option<String>> {
    let error =
        sqlx::query_scalar("SELECT error FROM read.replay WHERE clinic_id = $1 AND id = $2 AND state = 'failed'");
    Ok(error.bind(clinic.0).bind(id).fetch_optional(pool).await?.flatten())
}
