//! A private PostgreSQL with both schemas, and a log to append to.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

use event_store::{
    DbRole, GENESIS, Hash, StoredRow,
    feed::{Ingest, Opened, Opener, Source, SourceError},
    row::join_roles,
};
use events::{ClinicId, Ledger, PatientId, Recorded, codec};
use futures::future::BoxFuture;
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

pub struct World {
    postgres: LocalPostgres,
    pub projector: PgPool,
    pub reader: PgPool,
    writer: PgPool,
    pub keys: Arc<Keys>,
    heads: Mutex<HashMap<ClinicId, (i64, Hash)>>,
}

/// Opens sealed parts, which lie open in this log, except those of patients who were erased.
#[derive(Default)]
pub struct Keys {
    pub destroyed: Mutex<HashSet<PatientId>>,
}

impl Opener for Keys {
    fn open<'a>(&'a self, rows: &'a [StoredRow]) -> BoxFuture<'a, Result<Vec<Opened>, SourceError>> {
        let destroyed = self.destroyed.lock().unwrap();
        let erased = |row: &StoredRow| row.patient.is_some_and(|patient| destroyed.contains(&patient));
        let opened = rows.iter().map(|row| if erased(row) { Ok(None) } else { Ok(row.sealed.clone()) }).collect();
        Box::pin(async move { Ok(opened) })
    }
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
            projector: projector::pool(options.clone(), 24),
            reader: DbRole::Reader.pool(options.clone(), 4),
            writer: DbRole::Writer.pool(options, 1),
            postgres,
            keys: Arc::default(),
            heads: Mutex::default(),
        }
    }

    pub fn log(&self) -> Log {
        Log::new(self.projector.clone(), self.keys.clone())
    }

    /// A projector as a process of its own would run it.
    pub fn start(&self) -> Running {
        self.start_with(None)
    }

    pub fn start_with(&self, nats: Option<async_nats::Client>) -> Running {
        let ingest = Ingest::start(Source::new(self.projector.clone(), self.keys.clone()), nats.clone());
        let cancelled = CancellationToken::new();
        let projector = Projector::new(self.log(), ingest, nats);
        Running { task: tokio::spawn(projector.run(cancelled.clone())), cancelled }
    }

    /// Appends what the log does not have yet of these events.
    pub async fn append<'e>(&self, events: impl IntoIterator<Item = &'e Recorded>) {
        for event in events {
            self.append_row(stored(event)).await;
        }
    }

    pub async fn append_row(&self, mut row: StoredRow) {
        let known = self.heads.lock().unwrap().get(&row.clinic).copied();
        let (position, hash) = known.unwrap_or((0, GENESIS));
        if row.position <= position {
            return;
        }
        row.chain_to(hash);
        let mut transaction = self.writer.begin().await.unwrap();
        insert(&row).execute(&mut *transaction).await.unwrap();
        sqlx::query(
            "INSERT INTO log.head (clinic, ledger, position, hash, recorded_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (clinic, ledger) DO UPDATE
                 SET position = excluded.position, hash = excluded.hash, recorded_at = excluded.recorded_at",
        )
        .bind(row.clinic.0)
        .bind(row.ledger as i16)
        .bind(row.position)
        .bind(row.hash)
        .bind(row.recorded_at)
        .execute(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
        self.heads.lock().unwrap().insert(row.clinic, (row.position, row.hash));
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

    /// How far the patients of a clinic are projected.
    pub async fn position(&self, clinic: ClinicId) -> sqlx::Result<i64> {
        let position = sqlx::query_scalar(
            "SELECT coalesce(max(position), 0) FROM read.checkpoint WHERE projection = 'patient_1' AND clinic_id = $1",
        );
        position.bind(clinic.0).fetch_one(&self.projector).await
    }

    /// Kills the database and starts it again. The projector keeps its broken connections, the test gets
    /// new ones.
    pub async fn crash_database(&mut self) {
        self.postgres.kill().await.unwrap();
        self.postgres.restart().await.unwrap();
        let options = PgConnectOptions::from_str(&self.postgres.url()).unwrap();
        self.projector = projector::pool(options.clone(), 24);
        self.writer = DbRole::Writer.pool(options, 1);
    }

    /// Another process goes on, which remembers no opened parts.
    pub async fn restart_reading(&self, running: Running) -> Running {
        running.stop().await;
        self.start()
    }

    /// The log as it was at an earlier position, as a restored backup has it.
    pub async fn restore_to(&self, clinic: ClinicId, position: i64) {
        let options = PgConnectOptions::from_str(&self.postgres.superuser_url("casebook")).unwrap();
        let owner = PgPool::connect_with(options).await.unwrap();
        let mut transaction = owner.begin().await.unwrap();
        sqlx::raw_sql("ALTER TABLE log.event DISABLE TRIGGER ALL").execute(&mut *transaction).await.unwrap();
        sqlx::query("DELETE FROM log.event WHERE clinic = $1 AND position > $2")
            .bind(clinic.0)
            .bind(position)
            .execute(&mut *transaction)
            .await
            .unwrap();
        let hash: Hash = sqlx::query_scalar(
            "UPDATE log.head SET position = $2,
                 hash = (SELECT hash FROM log.event WHERE clinic = $1 AND position = $2) WHERE clinic = $1
             RETURNING hash",
        )
        .bind(clinic.0)
        .bind(position)
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
        owner.close().await;
        self.heads.lock().unwrap().insert(clinic, (position, hash));
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

pub fn stored(event: &Recorded) -> StoredRow {
    let encoded = codec::encode(&event.event);
    StoredRow {
        clinic: event.clinic,
        ledger: Ledger::Record,
        position: event.position,
        stream_kind: event.stream.kind.as_str().into(),
        stream_id: event.stream.id,
        stream_version: event.version,
        event_id: event.event_id,
        event_type: encoded.event_type.into(),
        schema_version: encoded.schema_version,
        patient: event.patient,
        patient_version: event.patient_version,
        occurred_at: event.occurred_at,
        recorded_at: event.recorded_at,
        actor_kind: event.actor.kind.to_string().into(),
        actor_user: None,
        actor_name: event.actor.name.clone(),
        actor_roles: join_roles(&event.actor.roles),
        actor_session: None,
        on_behalf_of: None,
        purpose: event.purpose.to_string().into(),
        reason: None,
        command: "Test".into(),
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        client_address: None,
        client_agent: None,
        payload: encoded.payload,
        payload_hash: GENESIS,
        sealed: encoded.sealed,
        sealed_hash: None,
        previous_hash: GENESIS,
        hash: GENESIS,
    }
}

fn insert(row: &StoredRow) -> sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments> {
    sqlx::query(
        "INSERT INTO log.event VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)",
    )
    .bind(row.clinic.0)
    .bind(row.ledger as i16)
    .bind(row.position)
    .bind(&*row.stream_kind)
    .bind(row.stream_id)
    .bind(row.stream_version)
    .bind(row.event_id)
    .bind(&*row.event_type)
    .bind(row.schema_version)
    .bind(row.patient.map(|patient| patient.0))
    .bind(row.patient_version)
    .bind(row.occurred_at)
    .bind(row.recorded_at)
    .bind(&*row.actor_kind)
    .bind(row.actor_user.map(|user| user.0))
    .bind(&row.actor_name)
    .bind(&row.actor_roles)
    .bind(row.actor_session)
    .bind(row.on_behalf_of.map(|user| user.0))
    .bind(&*row.purpose)
    .bind(&row.reason)
    .bind(&*row.command)
    .bind(row.correlation_id)
    .bind(row.causation_id)
    .bind(&row.client_address)
    .bind(&row.client_agent)
    .bind(&row.payload)
    .bind(row.payload_hash)
    .bind(&row.sealed)
    .bind(row.sealed_hash)
    .bind(row.previous_hash)
    .bind(row.hash)
}
