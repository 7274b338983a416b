//! Which clinics this process follows. Clinics fall into shards; a process holds a shard by an advisory
//! lock, and as many of them as its part is. It saves double work, no more: that each event counts once is
//! held by the checkpoints.

use std::time::Duration;

use events::ClinicId;
use sqlx::{PgConnection, PgPool, Row, pool::PoolConnection};
use tokio::{sync::watch, time::sleep};

/// Shards that there are, each a bit of [`Shares`].
const SHARDS: u32 = 32;
/// How often processes look whether their part has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The first key of the advisory locks, for ever: "casebook shards". The second is the shard.
const LOCK_CLASS: i32 = 0x0CA5_EB00;
/// The second key that each process holds shared, so that they can be counted.
const PRESENT: i32 = -1;

/// The shards that this process holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares(u32);

impl Shares {
    pub const ALL: Self = Self(u32::MAX);

    pub fn takes(self, clinic: ClinicId) -> bool {
        self.holds(shard_of(clinic))
    }

    fn holds(self, shard: u32) -> bool {
        self.0 & (1 << shard) != 0
    }

    fn count(self) -> u32 {
        self.0.count_ones()
    }
}

/// The last bits of a UUIDv7 are random.
fn shard_of(clinic: ClinicId) -> u32 {
    (clinic.0.as_u128() % u128::from(SHARDS)) as u32
}

/// Keeps this process's part of the shards, until its receivers are gone. While the database is away the
/// process holds nothing.
pub(crate) async fn keep(pool: PgPool, shares: watch::Sender<Shares>) {
    while !shares.is_closed() {
        if let Err(error) = hold(&pool, &shares).await {
            tracing::warn!(%error, "the shards of clinics cannot be held");
        }
        shares.send_if_modified(|held| std::mem::take(held) != Shares::default());
        sleep(LOOK_EVERY).await;
    }
}

/// The locks live as long as this connection, which nobody else may use, nor find locked in the pool.
async fn hold(pool: &PgPool, shares: &watch::Sender<Shares>) -> sqlx::Result<()> {
    let mut connection = PoolConnection::detach(pool.acquire().await?);
    sqlx::query("SELECT pg_advisory_lock_shared($1, $2)")
        .bind(LOCK_CLASS)
        .bind(PRESENT)
        .execute(&mut connection)
        .await?;
    let mut held = Shares::default();
    while !shares.is_closed() {
        balance(&mut connection, &mut held).await?;
        shares.send_if_modified(|told| std::mem::replace(told, held) != held);
        tokio::select! {
            () = sleep(LOOK_EVERY) => {}
            () = shares.closed() => {}
        }
    }
    Ok(())
}

/// Gives up what is more than this process's part, and takes what is free up to it.
async fn balance(connection: &mut PgConnection, held: &mut Shares) -> sqlx::Result<()> {
    let part = SHARDS.div_ceil(processes(connection).await?);
    for shard in 0..SHARDS {
        if held.holds(shard) && held.count() > part {
            lock(connection, "SELECT pg_advisory_unlock($1, $2)", shard).await?;
            held.0 &= !(1 << shard);
        } else if !held.holds(shard) && held.count() < part {
            let taken = lock(connection, "SELECT pg_try_advisory_lock($1, $2)", shard).await?;
            held.0 |= u32::from(taken) << shard;
        }
    }
    Ok(())
}

async fn lock(connection: &mut PgConnection, statement: &'static str, shard: u32) -> sqlx::Result<bool> {
    sqlx::query_scalar(statement).bind(LOCK_CLASS).bind(shard.cast_signed()).fetch_one(connection).await
}

async fn processes(connection: &mut PgConnection) -> sqlx::Result<u32> {
    let row = sqlx::query(
        "SELECT count(*) AS present FROM pg_locks
         WHERE locktype = 'advisory' AND classid = $1::int::oid AND objid = $2::int::oid AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .bind(LOCK_CLASS)
    .bind(PRESENT)
    .fetch_one(connection)
    .await?;
    Ok(u32::try_from(row.try_get::<i64, _>("present")?).unwrap_or(1).max(1))
}
