//! The part of the projector that builds what was asked for and takes away what is over. Every process looks; a lock
//! for each replay sees to it that one of them does the work.

use std::time::Duration;

use events::ClinicId;
use sqlx::{Connection, PgPool};
use tokio::time::sleep;
use uuid::Uuid;

use super::{build, build::lock, replaying};
use crate::{RebuildError, history::History};

/// How often the projector looks what is asked for and what is over.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long queries of other replays, and of the served tables, may have to wait while one is taken away.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '1s'";

/// Events after which something of the past may not be read any more.
const ERASURES: [&str; 2] = ["PatientErased", "ClinicShredded"];
/// So many events of a clinic are looked through at most again and again.
const LOOKED_AT_AGAIN_MAX: i64 = 500;

/// Looks until it is dropped.
pub(crate) async fn serve(history: History) {
    loop {
        if let Err(error) = look(&history).await {
            tracing::warn!(%error, "the replays wait");
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn look(history: &History) -> Result<(), RebuildError> {
    for (clinic, replay) in over(history.pool()).await? {
        clear(history.pool(), ClinicId(clinic), replay, "dropped").await?;
        tracing::info!(%clinic, %replay, "a replay is over and its tables are gone");
    }
    for (clinic, replay) in outlived(history.pool()).await? {
        tracing::info!(%clinic, %replay, "somebody was erased since: a replay is built again");
        clear(history.pool(), ClinicId(clinic), replay, "running").await?;
    }
    for replay in replaying(history.pool()).await? {
        build(history, &replay, &mut |_| ()).await?;
    }
    Ok(())
}

/// Takes the tables of a clinic's replays away, to be built again; one that is being built begins again.
pub(crate) async fn renew(pool: &PgPool, clinic: ClinicId) -> sqlx::Result<()> {
    let again = "UPDATE read.replay SET started_at = clock_timestamp() WHERE clinic_id = $1 AND state = 'running'";
    sqlx::query(again).bind(clinic.0).execute(pool).await?;
    let ready = sqlx::query_scalar("SELECT id FROM read.replay WHERE clinic_id = $1 AND state = 'ready'");
    for replay in ready.bind(clinic.0).fetch_all(pool).await? {
        clear(pool, clinic, replay, "running").await?;
    }
    Ok(())
}

/// Those that have tables, or may have, and whose time is over.
async fn over(pool: &PgPool) -> sqlx::Result<Vec<(Uuid, Uuid)>> {
    let over = sqlx::query_as(
        "SELECT b.clinic_id, b.id FROM read.replay b WHERE b.state <> 'dropped' AND NOT EXISTS (
             SELECT FROM log.replay r WHERE r.clinic = b.clinic_id AND r.id = b.id AND r.expires_at > now())",
    );
    over.fetch_all(pool).await
}

/// Those in which somebody stands who was erased since.
async fn outlived(pool: &PgPool) -> sqlx::Result<Vec<(Uuid, Uuid)>> {
    let outlived = sqlx::query_as(
        "SELECT b.clinic_id, b.id FROM read.replay b WHERE b.state = 'ready' AND EXISTS (
             SELECT FROM log.event e WHERE e.clinic = b.clinic_id AND e.ledger = 1 AND e.position > b.looked_at
                 AND e.event_type = ANY($1))",
    );
    let outlived = outlived.bind(&ERASURES[..]).fetch_all(pool).await?;
    sqlx::query(
        "UPDATE read.replay b SET looked_at = h.position FROM log.head h
         WHERE b.state = 'ready' AND h.clinic = b.clinic_id AND h.ledger = 1 AND h.position > b.looked_at + $1
           AND NOT EXISTS (SELECT FROM log.event e WHERE e.clinic = b.clinic_id AND e.ledger = 1
               AND e.position > b.looked_at AND e.position <= h.position AND e.event_type = ANY($2))",
    )
    .bind(LOOKED_AT_AGAIN_MAX)
    .bind(&ERASURES[..])
    .execute(pool)
    .await?;
    Ok(outlived)
}

/// Takes the tables away, and says what the replay is then.
async fn clear(pool: &PgPool, clinic: ClinicId, replay: Uuid, state: &str) -> sqlx::Result<()> {
    // Who builds it finds that it is over, and leaves nothing.
    let Some(mut connection) = lock(pool, clinic, replay).await? else { return Ok(()) };
    let mut transaction = connection.begin().await?;
    sqlx::query(LOCK_TIMEOUT).execute(&mut *transaction).await?;
    sqlx::query("SELECT read.drop_replay($1, $2)").bind(clinic.0).bind(replay).execute(&mut *transaction).await?;
    sqlx::query("UPDATE read.replay SET state = $3 WHERE clinic_id = $1 AND id = $2")
        .bind(clinic.0)
        .bind(replay)
        .bind(state)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
