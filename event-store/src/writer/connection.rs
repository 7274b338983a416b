//! The writer's own connection. It is not one of a pool: a pool asks the server before and after each use
//! whether it is still there, and the writer needs every round trip.

use std::time::Duration;

use sqlx::{ConnectOptions, Executor, PgConnection, postgres::PgConnectOptions};
use tokio::time::{Instant, sleep};

use crate::schema::DbRole;

/// How long a group waits for a lost server before its callers are told.
const RECONNECT_WITHIN: Duration = Duration::from_secs(10);
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

/// Plans are made once. Every look-up of the append goes by an index, also on tables that were empty when the
/// plan was made. A writer that vanished in the middle of a transaction must not hold heads for long.
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
    SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s'";

pub(super) struct Connector {
    options: PgConnectOptions,
    current: Option<PgConnection>,
}

impl Connector {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options, current: None }
    }

    /// The connection, made again if it was lost; an error after a while without a server.
    pub(super) async fn get(&mut self) -> sqlx::Result<&mut PgConnection> {
        if self.current.is_none() {
            self.current = Some(self.connect_within(RECONNECT_WITHIN).await?);
        }
        Ok(self.current.as_mut().expect("it was just made"))
    }

    /// Gives the connection up: whatever it was doing, nobody asks it again.
    pub(super) fn give_up(&mut self) {
        self.current = None;
    }

    async fn connect_within(&self, limit: Duration) -> sqlx::Result<PgConnection> {
        let give_up_at = Instant::now() + limit;
        loop {
            match self.connect().await {
                Ok(connection) => return Ok(connection),
                Err(error) if Instant::now() + RECONNECT_PAUSE >= give_up_at => return Err(error),
                Err(error) => tracing::warn!(%error, "the log's database cannot be reached"),
            }
            sleep(RECONNECT_PAUSE).await;
        }
    }

    async fn connect(&self) -> sqlx::Result<PgConnection> {
        let mut connection = self.options.connect().await?;
        connection.execute(SETTINGS).await?;
        connection.execute(DbRole::Writer.set_role()).await?;
        Ok(connection)
    }
}
