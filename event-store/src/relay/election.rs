//! Who relays: the process whose connection holds an advisory lock. It is free again when the connection ends,
//! however that comes.

use std::time::Duration;

use sqlx::{Executor, PgPool, Postgres, pool::PoolConnection};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{Standing, leader::Leader};
use crate::{outage::Outage, publish::Line};

/// "cb_relay", in a database of Casebook's own.
const LOCK: i64 = 0x63_62_5f_72_65_6c_61_79;
const STAND_EVERY: Duration = Duration::from_secs(1);
/// A leader whose machine is gone is given up by the server within 15 seconds. (No matter on a local socket.)
const KEEPALIVE: &str = "SELECT set_config('tcp_keepalives_idle', '5', false),
    set_config('tcp_keepalives_interval', '2', false), set_config('tcp_keepalives_count', '5', false)";

pub(super) struct Candidate {
    pub(super) pool: PgPool,
    pub(super) line: Line,
    pub(super) standing: watch::Sender<Standing>,
    pub(super) stop: CancellationToken,
}

impl Candidate {
    pub(super) async fn run(self) {
        let outage = Outage::new("the relay's connection to the log");
        while !self.stop.is_cancelled() {
            match self.stand().await {
                Ok(()) => drop(outage.works()),
                Err(error) => outage.lasts(&error),
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = sleep(STAND_EVERY) => {}
            }
        }
    }

    /// Leads if nobody else does, until it is stopped or loses its connection.
    async fn stand(&self) -> sqlx::Result<()> {
        let Some(connection) = self.elect().await? else { return Ok(()) };
        let Some(leader) = Leader::begin(connection, &self.line).await? else { return Ok(()) };
        tracing::info!("this process relays");
        self.tell(Standing::Leading);
        let ended = leader.lead(&self.stop).await;
        self.tell(Standing::Waiting);
        ended
    }

    fn tell(&self, standing: Standing) {
        metrics::gauge!("casebook_relay_leading").set(f64::from(standing == Standing::Leading));
        self.standing.send_replace(standing);
    }

    async fn elect(&self) -> sqlx::Result<Option<PoolConnection<Postgres>>> {
        let mut connection = self.pool.acquire().await?;
        let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK);
        if !lock.fetch_one(&mut *connection).await? {
            return Ok(None);
        }
        // The lock lives as long as this connection, which must not go back to the pool with it.
        connection.close_on_drop();
        connection.execute(KEEPALIVE).await?;
        Ok(Some(connection))
    }
}
