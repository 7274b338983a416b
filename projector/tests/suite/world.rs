//! A private PostgreSQL with both schemas, a log to append to, and projectors that follow it.

use std::{
    collections::HashMap,
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

use event_store::{
    Append, Circumstances, DbRole, MasterKey, NewEvent, Store, StoreOptions,
    feed::{Ingest, Source},
};
use events::{Client, ClinicId, Ledger, Recorded};
use local_servers::LocalPostgres;
use projector::{Comparison, History as Log, Projector, compare, status};
use read_models::{Visitor, each, sample::Life};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Nothing here takes nearly so long, on any machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(10);
const MASTER_KEY: [u8; 32] = [7; 32];
const CONNECTIONS_MAX: u32 = 24;

pub struct World {
    pub postgres: LocalPostgres,
    options: PgConnectOptions,
    pub projector: PgPool,
    pub reader: PgPool,
    /// Past all walls: for tampering.
    pub superuser: PgPool,
    store: Mutex<Store>,
    heads: Mutex<HashMap<ClinicId, i64>>,
}

impl World {
    pub async fn new() -> Self {
        let postgres = LocalPostgres::start_temporary().await.unwrap();
        let options = PgConnectOptions::from_str(&postgres.url()).unwrap();
        let owner = PgPool::connect_with(options.clone()).await.unwrap();
        event_store::migrate(&owner).await.unwrap();
        projector::migrate(&owner).await.unwrap();
        owner.close().await;
        Self {
            projector: projector::pool(options.clone(), CONNECTIONS_MAX),
            reader: DbRole::Reader.pool(options.clone(), 4),
            superuser: PgPool::connect_lazy(&postgres.superuser_url("casebook")).unwrap(),
            store: Mutex::new(store(&options)),
            heads: Mutex::default(),
            options,
            postgres,
        }
    }

    /// As a process that has just started reads it: no opened key is remembered.
    pub fn log(&self) -> Log {
        Log::new(self.projector.clone(), Arc::new(store(&self.options)))
    }

    /// A projector as a process of its own would run it.
    pub fn start(&self) -> Running {
        self.start_with(None)
    }

    /// One that follows all clinics, whoever else does.
    pub fn start_alone(&self) -> Running {
        Running::start(self.a_projector(None).alone())
    }

    pub fn start_with(&self, nats: Option<async_nats::Client>) -> Running {
        Running::start(self.a_projector(nats))
    }

    fn a_projector(&self, nats: Option<async_nats::Client>) -> Projector {
        let source = Source::new(self.projector.clone(), Arc::new(store(&self.options)));
        Projector::new(self.log(), Ingest::start(source, nats.clone()), nats)
    }

    /// Appends what the log does not have yet of these events, which are one clinic's.
    pub async fn append<'e>(&self, events: impl IntoIterator<Item = &'e Recorded>) {
        let store = self.store();
        for event in events {
            let known = self.heads.lock().unwrap().get(&event.clinic).copied().unwrap_or(0);
            if event.position > known {
                let appended = store.append(append(event)).await.unwrap();
                assert_eq!(appended.position, event.position);
                self.heads.lock().unwrap().insert(event.clinic, appended.position);
            }
        }
    }

    pub fn store(&self) -> Store {
        self.store.lock().unwrap().clone()
    }

    /// After somebody else has touched the log: the writers start anew.
    pub fn forget(&self) {
        *self.store.lock().unwrap() = store(&self.options);
    }

    /// The database was away: the test's own connections are made anew, the projector's are as they are.
    pub fn reconnect(&mut self) {
        self.projector = projector::pool(self.options.clone(), CONNECTIONS_MAX);
        self.forget();
    }

    /// The log as it is after a restore: shorter.
    pub fn was_cut(&self, clinic: ClinicId, position: i64) {
        self.heads.lock().unwrap().insert(clinic, position);
        self.forget();
    }

    /// Until every read model has all that is in the log, but for what is parked.
    pub async fn caught_up(&self) {
        self.until("all read models have caught up", async || {
            let status = status(&self.projector).await.unwrap();
            status.iter().all(|one| one.clinics_behind == one.parked.len() as i64)
        })
        .await;
    }

    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds().await {
            assert!(Instant::now() < deadline, "waited in vain until {what}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Every read model of every clinic is, byte for byte, what the log says.
    pub async fn assert_true(&self) -> Vec<(&'static str, Comparison)> {
        let mut all = Vec::new();
        for name in read_models::registry::NAMES {
            for comparison in compare(&self.log(), name, None).await.unwrap() {
                assert!(comparison.is_same(), "{name}: {comparison:?}");
                all.push((*name, comparison));
            }
        }
        assert!(!all.is_empty());
        all
    }

    /// How many processes hold shards of clinics.
    pub async fn holders(&self) -> i64 {
        let holders = sqlx::query_scalar(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted",
        );
        holders.fetch_one(&self.projector).await.unwrap()
    }

    /// Where each read model of each clinic stands.
    pub async fn checkpoints(&self) -> Vec<(Uuid, String, i64)> {
        let checkpoints = sqlx::query_as("SELECT clinic_id, projection, position FROM read.checkpoint");
        checkpoints.fetch_all(&self.projector).await.unwrap()
    }

    /// How far the patients of a clinic are projected.
    pub async fn position(&self, clinic: ClinicId) -> sqlx::Result<i64> {
        let position = sqlx::query_scalar(
            "SELECT coalesce(max(position), 0) FROM read.checkpoint WHERE projection = 'patient_1' AND clinic_id = $1",
        );
        position.bind(clinic.0).fetch_one(&self.projector).await
    }

    pub async fn rebuild_everything(&self) {
        for name in read_models::registry::NAMES {
            projector::rebuild(&self.log(), name, None, &mut |_| ()).await.unwrap();
        }
    }
}

/// A projector that runs.
pub struct Running {
    task: JoinHandle<()>,
    cancelled: CancellationToken,
}

impl Running {
    fn start(projector: Projector) -> Self {
        let cancelled = CancellationToken::new();
        Self { task: tokio::spawn(projector.run(cancelled.clone())), cancelled }
    }

    pub async fn stop(self) {
        self.cancelled.cancel();
        self.task.await.unwrap();
    }

    /// Ends it in the middle of whatever it does.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Lives of several clinics, each of so many steps.
pub fn lives(clinics: u128, steps: u32, seed: u32) -> Vec<Life> {
    (0..clinics).map(|n| life(clinic(n), steps, seed.wrapping_add(n as u32))).collect()
}

pub fn clinic(n: u128) -> ClinicId {
    ClinicId(Uuid::from_u128(0xC000_0000 + n))
}

pub fn life(clinic: ClinicId, steps: u32, seed: u32) -> Life {
    let mut life = Life::new(clinic);
    go_on(&mut life, steps, seed);
    life
}

pub fn go_on(life: &mut Life, steps: u32, seed: u32) {
    (0..steps).for_each(|step| life.step(step.wrapping_mul(2_654_435_761).wrapping_add(seed)));
}

/// Rows per read model, in the order of their list.
pub fn rows_of(life: &Life) -> Vec<usize> {
    struct Count<'l>(&'l Life);
    impl Visitor for Count<'_> {
        type Output = usize;
        fn visit<P: read_models::Projection>(&mut self) -> usize {
            self.0.history.events().collect::<read_models::Rows<P>>().len()
        }
    }
    each(&mut Count(life))
}

fn store(options: &PgConnectOptions) -> Store {
    let options = StoreOptions::new(options.clone(), MasterKey::new(MASTER_KEY));
    Store::open(StoreOptions { reads_as: DbRole::Projector, ..options })
}

fn append(event: &Recorded) -> Append {
    Append {
        clinic: event.clinic,
        ledger: Ledger::Record,
        about: Circumstances {
            actor: event.actor.clone(),
            purpose: event.purpose,
            reason: None,
            command: "Test".into(),
            correlation_id: Uuid::nil(),
            causation_id: Uuid::nil(),
            client: Client::default(),
            occurred_at: Some(event.occurred_at),
        },
        events: vec![NewEvent { stream: event.stream, event: event.event.clone() }],
        expectations: Vec::new(),
        claims: Vec::new(),
        counters: Vec::new(),
        bounds: Vec::new(),
        idempotency: None,
        credentials: Vec::new(),
        mails: Vec::new(),
        shown: Vec::new(),
    }
}
