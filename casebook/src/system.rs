//! The services of a process, on given servers.

use std::convert::Infallible;

use anyhow::Result;
use async_nats::Client;
use event_store::{DbRole, relay::Relay};
use secrecy::{ExposeSecret, SecretString};
use service_kit::lifecycle::Lifecycle;
use sqlx::postgres::PgConnectOptions;

use crate::bus;

/// One that leads, one that looks.
const RELAY_CONNECTIONS: u32 = 2;

/// What every service is given.
pub struct System {
    database: PgConnectOptions,
    nats: Client,
    lifecycle: Lifecycle,
}

impl System {
    /// `name` is what the servers show for this process.
    pub async fn connect(
        name: &str,
        database: &SecretString,
        nats: &SecretString,
        lifecycle: &Lifecycle,
    ) -> Result<Self> {
        let database = database.expose_secret().parse::<PgConnectOptions>()?.application_name(name);
        Ok(Self { database, nats: bus::connect(nats, name).await?, lifecycle: lifecycle.clone() })
    }

    /// Publishes what the writers of all processes could not, as soon as this process is elected.
    pub fn relay(&self) {
        let pool = DbRole::Relay.pool(self.database.clone(), RELAY_CONNECTIONS);
        let relay = Relay::start(pool, self.nats.clone());
        let stop = self.lifecycle.stopping();
        self.lifecycle.spawn("relay", async move {
            stop.cancelled().await;
            relay.stop().await;
            Ok::<_, Infallible>(())
        });
    }
}
