//! Duties that one process of all has: the one whose connection holds an advisory lock. The lock lives exactly as long
//! as the connection, so a duty is free again when its holder ends, however that comes.

use std::{
    io::ErrorKind,
    ops::{Deref, DerefMut},
    time::Duration,
};

use chrono::{DateTime, Utc};
use sqlx::{Executor, PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::time::timeout;

/// A connection that does not answer for so long is lost, and the duty with it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// A holder whose machine is gone is given up by the server within 15 seconds. (No matter on a local socket.)
const KEEPALIVE: &str = "SELECT set_config('tcp_keepalives_idle', '5', false),
    set_config('tcp_keepalives_interval', '2', false), set_config('tcp_keepalives_count', '5', false)";

/// What one process does for all. The numbers are advisory locks, for ever, in a database of Casebook's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum Duty {
    /// Publishes what the writers could not.
    Relay = i64::from_be_bytes(*b"cb_relay"),
    /// Signs checkpoints.
    Checkpoints = i64::from_be_bytes(*b"cb_chkpt"),
    /// Does what has fallen due.
    Schedule = i64::from_be_bytes(*b"cb_sched"),
}

/// That this process has a duty, and the connection that holds it. Dropped, it is free a moment later.
pub struct Elected {
    connection: PoolConnection<Postgres>,
    duty: Duty,
}

/// Who has a duty, as the database sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Of its connection, in the database.
    pub pid: i32,
    /// The name that the process gave itself; `None` for who may not see it.
    pub process: Option<String>,
    /// Since when it is connected; likewise.
    pub since: Option<DateTime<Utc>>,
}

impl Duty {
    /// `None`: another process has it.
    pub async fn elect(self, pool: &PgPool) -> sqlx::Result<Option<Elected>> {
        let mut connection = pool.acquire().await?;
        // It never goes back to the pool with the lock: not even where nobody waits for the answer any more.
        connection.close_on_drop();
        let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(self as i64);
        if !in_time(lock.fetch_one(&mut *connection)).await? {
            return Ok(None);
        }
        in_time(connection.execute(KEEPALIVE)).await?;
        Ok(Some(Elected { connection, duty: self }))
    }

    /// The same for who asks again and again: costs no connection as long as another process has it.
    pub async fn stand(self, pool: &PgPool) -> sqlx::Result<Option<Elected>> {
        match self.holder(pool).await? {
            Some(_) => Ok(None),
            None => self.elect(pool).await,
        }
    }

    /// Who has it now. The role of a service is told of its connection alone.
    pub async fn holder(self, pool: &PgPool) -> sqlx::Result<Option<Holder>> {
        let held = sqlx::query_as(
            "SELECT l.pid, nullif(a.application_name, ''), a.backend_start
             FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
             WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND l.classid::bigint = $1 >> 32 AND l.objid::bigint = $1 & 4294967295",
        );
        let held = held.bind(self as i64).fetch_optional(pool).await?;
        Ok(held.map(|(pid, process, since)| Holder { pid, process, since }))
    }
}

impl Elected {
    /// An error: the connection is lost, and with it the duty.
    pub async fn confirm(&mut self) -> sqlx::Result<()> {
        in_time(sqlx::query("SELECT 1").execute(&mut *self.connection)).await.map(|_| ())
    }

    /// Whoever asks from now on may have it at once. (The server sees the end of a connection a little later.)
    pub async fn resign(mut self) -> sqlx::Result<()> {
        let unlock = sqlx::query("SELECT pg_advisory_unlock($1)").bind(self.duty as i64);
        in_time(unlock.execute(&mut *self.connection)).await?;
        self.connection.close().await
    }
}

impl Deref for Elected {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Elected {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

pub(crate) async fn in_time<T>(answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(ANSWER_TIMEOUT, answer).await.unwrap_or_else(|_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into())))
}
