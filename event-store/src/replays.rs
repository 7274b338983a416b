//! Replays that are asked for: a whole clinic as its record said at a position. Who builds them is the projector.

use chrono::{DateTime, TimeDelta, Utc};
use events::{ClinicId, Position, UserId};
use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::store::{Store, StoreError};

/// How long a replay can be asked, from when it was asked for.
pub const REPLAY_LIFE: TimeDelta = TimeDelta::hours(24);
/// Replays that a clinic may have at once: each is a copy of its read models.
pub const REPLAYS_MAX: i32 = 3;

/// Up to when a record is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    Position(Position),
    /// By when it was recorded, not by when it happened.
    Instant(DateTime<Utc>),
}

/// A replay as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AskedReplay {
    /// The last event of the record that it shows.
    pub position: Position,
    /// What time it is in it.
    pub instant: DateTime<Utc>,
    pub asked_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayAnswer {
    Asked(AskedReplay),
    /// The same person asked for the same under this id before.
    Known(AskedReplay),
    /// Another replay has this id.
    Taken,
    /// The record has not come so far.
    Beyond,
    /// The clinic's record begins later.
    Before,
    /// The clinic has [`REPLAYS_MAX`] already.
    Full,
}

impl Store {
    /// Asks for a replay under an id of the caller's. `user` is absent where it is asked for from the console.
    pub async fn ask_replay(
        &self,
        clinic: ClinicId,
        id: Uuid,
        user: Option<UserId>,
        until: Until,
    ) -> Result<ReplayAnswer, StoreError> {
        let (position, instant) = match until {
            Until::Position(position) => (Some(position), None),
            Until::Instant(instant) => (None, Some(instant)),
        };
        let row = sqlx::query("SELECT * FROM log.ask_replay($1, $2, $3, $4, $5, $6, $7)")
            .bind(clinic.0)
            .bind(id)
            .bind(user.map(|user| user.0))
            .bind(position)
            .bind(instant)
            .bind(REPLAY_LIFE)
            .bind(REPLAYS_MAX)
            .fetch_one(&self.writes)
            .await?;
        Ok(match row.try_get("outcome")? {
            "asked" => ReplayAnswer::Asked(AskedReplay::from_row(&row)?),
            "known" => ReplayAnswer::Known(AskedReplay::from_row(&row)?),
            "taken" => ReplayAnswer::Taken,
            "beyond" => ReplayAnswer::Beyond,
            "before" => ReplayAnswer::Before,
            _ => ReplayAnswer::Full,
        })
    }

    /// Gives a replay up, so that nothing is answered from it any more. Whether there is one of that id.
    pub async fn end_replay(&self, clinic: ClinicId, id: Uuid) -> Result<bool, StoreError> {
        let ended =
            sqlx::query("UPDATE log.replay SET expires_at = least(expires_at, now()) WHERE clinic = $1 AND id = $2");
        Ok(ended.bind(clinic.0).bind(id).execute(&self.writes).await?.rows_affected() > 0)
    }
}
