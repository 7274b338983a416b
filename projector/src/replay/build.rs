//! How a replay is built: all read models folded in one walk over the record, then written and dressed in one
//! transaction, which also says that it is ready. So it is there whole or not at all, whoever is killed when.

use chrono::{DateTime, Utc};
use event_store::Span;
use events::ClinicId;
use sqlx::{Connection, PgConnection, PgPool, pool::PoolConnection};
use uuid::Uuid;

use super::{
    Replaying,
    model::{Model, models},
};
use crate::{
    Failure, Progress, RebuildError,
    history::{History, pages},
};

/// The first key of the advisory locks, for ever: "casebook replays are built". The second is the replay's hash.
const LOCK_CLASS: i32 = 0x0CA5_EB02;

/// What came of building a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Built {
    Ready,
    /// It says why.
    Failed,
    /// Another process builds it.
    Busy,
    /// It was built before, or given up.
    Over,
}

/// Builds a replay that was asked for, from the beginning, whatever a process that was killed has left.
///
/// # Errors
/// Nothing was built, and trying again may help.
pub async fn build(
    history: &History,
    replay: &Replaying,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Built, RebuildError> {
    let Some(mut builder) = Builder::begin(history.pool(), replay).await? else { return Ok(Built::Busy) };
    let Some(began) = builder.starts().await? else { return Ok(Built::Over) };
    match builder.run(history, began, progress).await {
        Err(RebuildError::Failure(failure)) if !failure.is_passing() => builder.fail(&failure).await,
        done => done,
    }
}

/// Whether nobody builds a replay: then its lock is held, which goes with the connection.
pub(super) async fn lock(pool: &PgPool, clinic: ClinicId, replay: Uuid) -> sqlx::Result<Option<PgConnection>> {
    let mut connection = PoolConnection::detach(pool.acquire().await?);
    let is_free: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, hashtext(read.replay_place($2, $3)))")
        .bind(LOCK_CLASS)
        .bind(clinic.0)
        .bind(replay)
        .fetch_one(&mut connection)
        .await?;
    Ok(is_free.then_some(connection))
}

/// Writes by the connection that holds the lock, so that who has lost the lock cannot write.
struct Builder<'r> {
    connection: PgConnection,
    replay: &'r Replaying,
}

impl<'r> Builder<'r> {
    async fn begin(pool: &PgPool, replay: &'r Replaying) -> sqlx::Result<Option<Self>> {
        Ok(lock(pool, replay.clinic, replay.id).await?.map(|connection| Self { connection, replay }))
    }

    /// When it was begun; `None` where it is not to be built any more.
    async fn starts(&mut self) -> sqlx::Result<Option<DateTime<Utc>>> {
        let started = sqlx::query_scalar(
            "INSERT INTO read.replay (clinic_id, id, state, looked_at)
             SELECT r.clinic, r.id, 'running', h.position FROM log.replay r
             JOIN log.head h ON h.clinic = r.clinic AND h.ledger = 1
             WHERE r.clinic = $1 AND r.id = $2 AND r.expires_at > now()
             ON CONFLICT (clinic_id, id) DO UPDATE
                 SET events = 0, started_at = now(), looked_at = excluded.looked_at
                 WHERE replay.state = 'running'
             RETURNING started_at",
        );
        started.bind(self.replay.clinic.0).bind(self.replay.id).fetch_optional(&mut self.connection).await
    }

    async fn run(
        &mut self,
        history: &History,
        began: DateTime<Utc>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Built, RebuildError> {
        let mut models = models(history.pool(), self.replay.clinic).await?;
        let total = self.replay.position;
        for page in pages([Span { clinic: self.replay.clinic, after: 0, upto: total }]) {
            let events = history.page(&page).await?;
            models.iter_mut().for_each(|model| model.fold(&events));
            if let Some(position) = models.iter().find_map(|model| model.stuck()).map(|(position, _)| *position) {
                return Err(Failure::Unreadable(format!("at position {position}")).into());
            }
            let events = page.last().map_or(total, |span| span.upto);
            self.folded(events).await?;
            progress(Progress { events, total });
        }
        Ok(self.write(models, began).await?)
    }

    async fn folded(&mut self, events: i64) -> sqlx::Result<()> {
        let told = sqlx::query("UPDATE read.replay SET events = $3 WHERE clinic_id = $1 AND id = $2");
        let told = told.bind(self.replay.clinic.0).bind(self.replay.id).bind(events);
        told.execute(&mut self.connection).await.map(|_| ())
    }

    /// Unless it was given up meanwhile, or is to begin again.
    async fn write(&mut self, models: Vec<Box<dyn Model>>, began: DateTime<Utc>) -> Result<Built, Failure> {
        let replay = self.replay;
        let names: Vec<&str> = models.iter().map(|model| model.projection()).collect();
        let mut transaction = self.connection.begin().await?;
        let place: String = sqlx::query_scalar("SELECT read.make_replay($1, $2, $3, $4)")
            .bind(replay.clinic.0)
            .bind(replay.id)
            .bind(replay.position)
            .bind(&names)
            .fetch_one(&mut *transaction)
            .await?;
        for model in models {
            model.write(&mut transaction, &place).await?;
        }
        let finish = sqlx::query("SELECT read.finish_replay($1, $2, $3)");
        finish.bind(replay.clinic.0).bind(replay.id).bind(&names).execute(&mut *transaction).await?;
        let ready = sqlx::query(
            "UPDATE read.replay b SET state = 'ready', ended_at = now() FROM log.replay r
             WHERE b.clinic_id = $1 AND b.id = $2 AND b.started_at = $3
               AND r.clinic = b.clinic_id AND r.id = b.id AND r.expires_at > now()",
        );
        let ready = ready.bind(replay.clinic.0).bind(replay.id).bind(began).execute(&mut *transaction).await?;
        if ready.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(Built::Over);
        }
        transaction.commit().await?;
        Ok(Built::Ready)
    }

    async fn fail(&mut self, failure: &Failure) -> Result<Built, RebuildError> {
        tracing::error!(clinic = %self.replay.clinic, replay = %self.replay.id, %failure, "a replay cannot be built");
        let failed = sqlx::query(
            "UPDATE read.replay SET state = 'failed', error = $3, ended_at = now() WHERE clinic_id = $1 AND id = $2",
        );
        let failed = failed.bind(self.replay.clinic.0).bind(self.replay.id).bind(failure.to_string());
        failed.execute(&mut self.connection).await?;
        Ok(Built::Failed)
    }
}
