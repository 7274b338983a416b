//! Who relays: the process that has that duty.

use std::time::Duration;

use sqlx::PgPool;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{Standing, leader::Leader};
use crate::{election::Duty, outage::Outage, publish::Line};

const STAND_EVERY: Duration = Duration::from_secs(1);

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
        let Some(connection) = Duty::Relay.stand(&self.pool).await? else { return Ok(()) };
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
}
