//! The services of a process, on given servers.

use std::{
    borrow::Cow,
    convert::Infallible,
    sync::{Arc, OnceLock},
    time::Duration,
};

use ::attachments::Attachments;
use anyhow::Result;
use async_nats::Client;
use command_api::{App, execute::Executor};
use event_store::{
    DbRole, MasterKey, OPENED_KEY_LIFE, Store, StoreOptions, Vault,
    checkpoint::{Anchors, Auditor, Checkpointer, Keys, Signed},
    feed::{Ingest, Source},
    position::PositionWatch,
    publish::Publisher,
    relay::Relay,
};
use printing::{Fonts, Printer};
use projector::{History, Projector};
use query_api::{QueryState, export::Exporter, paper::Press};
use secrecy::{ExposeSecret, SecretString};
use service_kit::{
    Authority,
    lifecycle::{Health, Lifecycle},
    tokens::SigningKeys,
};
use sqlx::{PgPool, postgres::PgConnectOptions};

use crate::{
    Config,
    api::authority,
    bus,
    data_dir::DataDir,
    erasure::{Eraser, ErasureList},
    mail::{Mailer, Outgoing},
    schedule::{AbandonedUploads, ClinicExpiry, DueReminders, Job, NoShows, PrescriptionExpiry, Scheduler},
};

/// One that leads, one that looks.
const RELAY_CONNECTIONS: u32 = 2;
/// One for each read model and some that look.
const PROJECTOR_CONNECTIONS: u32 = 12;
/// One that holds a rebuild's lock and some that fold.
const ERASER_CONNECTIONS: u32 = 4;
/// Keys are read set-wise and remembered.
const KEY_CONNECTIONS: u32 = 2;
const QUERY_CONNECTIONS: u32 = 16;
/// A verification reads one page while it hashes the one before.
const AUDIT_CONNECTIONS: u32 = 4;
/// One that signs and one that looks.
const CHECKPOINT_CONNECTIONS: u32 = 2;
/// Reads checkpoints for export bundles.
const EXPORT_CONNECTIONS: u32 = 2;
/// One that holds the duty and some that look.
const SCHEDULE_CONNECTIONS: u32 = 3;
/// One that asks.
const HEALTH_CONNECTIONS: u32 = 1;

/// The log, for a command that runs beside the services or without them. The relay of those that run publishes what it
/// appends. `name` is what the database shows for this process.
pub fn open_store(config: &Config, database: &SecretString, name: &str) -> Result<Store> {
    let database = database.expose_secret().parse::<PgConnectOptions>()?.application_name(name);
    let key = config.keys.master_key(&DataDir::at(&config.common.data_dir))?;
    Ok(Store::open(StoreOptions::new(database, key)))
}

/// What every service is given.
pub struct System {
    database: PgConnectOptions,
    nats: Client,
    master_key: MasterKey,
    attachments: Attachments,
    press: Press,
    opened_key_life: Duration,
    lifecycle: Lifecycle,
    store: OnceLock<Store>,
    checkpoint_keys: Keys,
    anchors: Option<Anchors>,
}

impl System {
    /// `name` is what the servers show for this process.
    pub async fn connect(
        name: &str,
        database: &SecretString,
        nats: &SecretString,
        master_key: MasterKey,
        attachments: Attachments,
        lifecycle: &Lifecycle,
    ) -> Result<Self> {
        let database = database.expose_secret().parse::<PgConnectOptions>()?.application_name(name);
        let nats = bus::connect(nats, name).await?;
        let (lifecycle, store) = (lifecycle.clone(), OnceLock::new());
        let (checkpoint_keys, anchors): (Keys, _) = (Arc::new(|| Ok(Vec::new())), None);
        let (opened_key_life, press) = (OPENED_KEY_LIFE, Press::new(Printer::new(Fonts::embedded())));
        Ok(Self {
            database,
            nats,
            master_key,
            attachments,
            press,
            opened_key_life,
            lifecycle,
            store,
            checkpoint_keys,
            anchors,
        })
    }

    /// Another time than a minute for which opened keys are remembered, and for which an erasure waits: the same in
    /// every process of an installation.
    #[must_use]
    pub fn with_opened_key_life(self, opened_key_life: Duration) -> Self {
        Self { opened_key_life, ..self }
    }

    /// Prints in these fonts instead of those that come along.
    #[must_use]
    pub fn with_fonts(self, fonts: Fonts) -> Self {
        Self { press: Press::new(Printer::new(fonts)), ..self }
    }

    /// Signs and verifies by the key and the anchors of the configuration.
    #[must_use]
    pub fn with_checkpoints(self, config: &Config) -> Self {
        let key = config.keys.checkpoint_key(&DataDir::at(&config.common.data_dir));
        self.with_checkpoints_at(key.source(), Anchors::at(&config.common.anchors()))
    }

    #[must_use]
    pub fn with_checkpoints_at(self, checkpoint_keys: Keys, anchors: Anchors) -> Self {
        Self { checkpoint_keys, anchors: Some(anchors), ..self }
    }

    /// What commands are given to.
    pub fn commands(&self, keys: &SigningKeys) -> App {
        App::new(self.store().clone(), self.authority(keys), keys.signer(), self.attachments.clone())
    }

    /// What queries are asked of.
    pub fn queries(&self, keys: &SigningKeys) -> QueryState {
        let db = DbRole::Reader.pool(self.database.clone(), QUERY_CONNECTIONS);
        let (store, watch) = (self.store().clone(), PositionWatch::start(Some(self.nats.clone())));
        let (auditor, checkpoint_keys) = (self.auditor(), self.checkpoint_keys.clone());
        let authority = self.authority(keys);
        let (opener, ledger) = (Arc::new(store.clone()), Arc::new(store.clone()));
        let signed = Signed::new(DbRole::Auditor.pool(self.database.clone(), EXPORT_CONNECTIONS));
        let exporter = Exporter { store: store.clone(), signed };
        let (attachments, press) = (self.attachments.clone(), self.press.clone());
        QueryState {
            db,
            authority,
            opener,
            store,
            ledger,
            exporter,
            attachments,
            press,
            watch,
            auditor,
            checkpoint_keys,
        }
    }

    /// Verifies by what was anchored.
    pub fn auditor(&self) -> Auditor {
        let options = StoreOptions::new(self.database.clone(), self.master_key());
        let options = StoreOptions { read_connections_max: AUDIT_CONNECTIONS, reads_as: DbRole::Auditor, ..options };
        Auditor { store: Store::open(options), anchors: self.anchors.clone() }
    }

    /// What makes checkpoints; `None` where there is no folder for anchors.
    pub fn checkpointer(&self) -> Option<Checkpointer> {
        Some(Checkpointer {
            pool: DbRole::Auditor.pool(self.database.clone(), CHECKPOINT_CONNECTIONS),
            keys: self.checkpoint_keys.clone(),
            anchors: self.anchors.clone()?,
            nats: Some(self.nats.clone()),
        })
    }

    /// Signs each minute what is new, unless another process does.
    pub fn sign(&self) {
        let Some(checkpointer) = self.checkpointer() else { return };
        let stop = self.lifecycle.stopping();
        self.lifecycle.spawn("checkpoints", async move {
            checkpointer.run(stop).await;
            Ok::<_, Infallible>(())
        });
    }

    /// Carries events into the read models. Other processes may do the same: they share the clinics.
    pub fn project(&self) {
        let pool = projector::pool(self.database.clone(), PROJECTOR_CONNECTIONS);
        let opener = self.keys();
        let source = Source::new(pool.clone(), opener.clone());
        let ingest = Ingest::start(source, Some(self.nats.clone()));
        let projector = Projector::new(History::new(pool, opener), ingest, Some(self.nats.clone()));
        let stop = self.lifecycle.stopping();
        self.lifecycle.spawn("projector", async move {
            projector.run(stop).await;
            Ok::<_, Infallible>(())
        });
    }

    /// Carries out erasures: the list, the keys, the read models.
    pub fn erase(&self, list: ErasureList) {
        let stop = self.lifecycle.stopping();
        self.lifecycle.spawn("eraser", self.eraser(list).run(stop));
    }

    pub fn eraser(&self, list: ErasureList) -> Eraser {
        let pool = projector::pool(self.database.clone(), ERASER_CONNECTIONS);
        Eraser::new(self.store().clone(), History::new(pool, self.keys()), list, self.attachments.clone())
    }

    /// Does what falls due, looking so often, unless another process does.
    pub fn schedule(&self, executor: &Executor, every: Duration) {
        let stop = self.lifecycle.stopping();
        self.lifecycle.spawn("schedule", self.scheduler(executor, every).run(stop));
    }

    /// The executor's clock says what is due.
    pub fn scheduler(&self, executor: &Executor, every: Duration) -> Scheduler {
        let pool = DbRole::Projector.pool(self.database.clone(), SCHEDULE_CONNECTIONS);
        Scheduler::new(executor.clone(), pool.clone(), self.jobs(executor, &pool), every)
    }

    /// All that falls due with time. A further job is a line here.
    fn jobs(&self, executor: &Executor, pool: &PgPool) -> Vec<Box<dyn Job>> {
        let (executor, pool) = (|| executor.clone(), || pool.clone());
        vec![
            Box::new(AbandonedUploads::new(executor(), self.attachments.clone(), pool())),
            Box::new(ClinicExpiry { executor: executor(), pool: pool() }),
            Box::new(NoShows { executor: executor(), pool: pool() }),
            Box::new(PrescriptionExpiry { executor: executor(), pool: pool() }),
            Box::new(DueReminders { executor: executor(), pool: pool() }),
        ]
    }

    /// Sends the mails that wait. Other processes may do the same.
    pub fn send_mails(&self, executor: &Executor, outgoing: Outgoing) {
        let stop = self.lifecycle.stopping();
        self.lifecycle.spawn("mail", Mailer::new(executor.clone(), outgoing).run(stop));
    }

    pub fn attachments(&self) -> &Attachments {
        &self.attachments
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

    /// Whether this process can do its work: NATS is no part of it, since without it all goes on, only later.
    pub fn health(&self) -> Health {
        Health::new(self.lifecycle.stopping()).database(DbRole::Reader.pool(self.database.clone(), HEALTH_CONNECTIONS))
    }

    /// The same, of a process that carries events into the read models.
    pub fn projector_health(&self) -> Health {
        let pool = DbRole::Projector.pool(self.database.clone(), HEALTH_CONNECTIONS);
        self.health().check("read models", move || {
            let pool = pool.clone();
            async move { nothing_parked(&pool).await }
        })
    }

    fn authority(&self, keys: &SigningKeys) -> Authority {
        authority(keys, self.store().clone())
    }

    /// The one log of this process: two would move the same heads from under each other. What it commits goes to NATS
    /// straight from memory.
    fn store(&self) -> &Store {
        self.store.get_or_init(|| {
            let publisher = Arc::new(Publisher::start(self.nats.clone()));
            Store::open(StoreOptions {
                opened_key_life: self.opened_key_life,
                sink: Some(publisher),
                ..StoreOptions::new(self.database.clone(), self.master_key())
            })
        })
    }

    /// The keys of all clinics, to read with.
    fn keys(&self) -> Arc<Vault> {
        let pool = DbRole::Projector.pool(self.database.clone(), KEY_CONNECTIONS);
        Arc::new(Vault::for_reading(self.master_key(), self.opened_key_life, pool))
    }

    fn master_key(&self) -> MasterKey {
        MasterKey::new(*self.master_key.expose())
    }
}

/// A read model that has stopped before an event waits for people.
async fn nothing_parked(pool: &PgPool) -> Result<(), Cow<'static, str>> {
    match projector::parked(pool).await {
        Ok(parked) if parked.is_empty() => Ok(()),
        Ok(parked) => Err(format!("{} are parked: casebook parked", parked.len()).into()),
        Err(_) => Err("cannot be asked".into()),
    }
}
