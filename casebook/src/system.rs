//! The services of a process, on given servers.

use std::{convert::Infallible, sync::Arc};

use anyhow::Result;
use async_nats::Client;
use command_api::App;
use event_store::{
    DbRole, MasterKey, Store, StoreOptions,
    feed::{Ingest, Source},
    position::PositionWatch,
    publish::Publisher,
    relay::Relay,
};
use projector::{History, Projector};
use query_api::QueryState;
use secrecy::{ExposeSecret, SecretString};
use service_kit::{lifecycle::Lifecycle, tokens::SigningKeys};
use sqlx::postgres::PgConnectOptions;

use crate::{api::authority, bus};

/// One that leads, one that looks.
const RELAY_CONNECTIONS: u32 = 2;
/// One for each read model and some that look.
const PROJECTOR_CONNECTIONS: u32 = 12;
const QUERY_CONNECTIONS: u32 = 16;

/// What every service is given.
pub struct System {
    database: PgConnectOptions,
    nats: Client,
    master_key: MasterKey,
    lifecycle: Lifecycle,
}

impl System {
    /// `name` is what the servers show for this process.
    pub async fn connect(
        name: &str,
        database: &SecretString,
        nats: &SecretString,
        master_key: MasterKey,
        lifecycle: &Lifecycle,
    ) -> Result<Self> {
        let database = database.expose_secret().parse::<PgConnectOptions>()?.application_name(name);
        Ok(Self { database, nats: bus::connect(nats, name).await?, master_key, lifecycle: lifecycle.clone() })
    }

    /// What commands are given to. What it commits goes to NATS straight from memory.
    pub fn commands(&self, keys: &SigningKeys) -> App {
        let publisher = Arc::new(Publisher::start(self.nats.clone()));
        let store = Store::open(StoreOptions { sink: Some(publisher), ..self.options() });
        App::new(store, authority(keys), keys.signer())
    }

    /// What queries are asked of.
    pub fn queries(&self, keys: &SigningKeys) -> QueryState {
        let db = DbRole::Reader.pool(self.database.clone(), QUERY_CONNECTIONS);
        let opener = Arc::new(Store::open(self.options()));
        QueryState { db, authority: authority(keys), opener, watch: PositionWatch::start(Some(self.nats.clone())) }
    }

    /// Carries events into the read models. Other processes may do the same: they share the clinics.
    pub fn project(&self) {
        let pool = projector::pool(self.database.clone(), PROJECTOR_CONNECTIONS);
        let opener = Arc::new(Store::open(StoreOptions { reads_as: DbRole::Projector, ..self.options() }));
        let source = Source::new(pool.clone(), opener.clone());
        let ingest = Ingest::start(source, Some(self.nats.clone()));
        let projector = Projector::new(History::new(pool, opener), ingest, Some(self.nats.clone()));
        let stop = self.lifecycle.stopping();
        self.lifecycle.spawn("projector", async move {
            projector.run(stop).await;
            Ok::<_, Infallible>(())
        });
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

    fn options(&self) -> StoreOptions {
        StoreOptions::new(self.database.clone(), MasterKey::new(*self.master_key.expose()))
    }
}
