//! What a test lives in: a database, a nats-server, and rows that are committed without the rules.

use std::{collections::HashMap, str::FromStr, sync::Arc, time::Duration};

use async_nats::Client;
use chrono::DateTime;
use event_store::{
    CommitSink, DbRole, MasterKey, Store, StoreOptions, StoredRow,
    feed::{Checkpoint, Ingest, Source},
};
use events::{ClinicId, Ledger, PatientId};
use local_servers::{LocalNats, LocalPostgres};
use sqlx::{PgPool, Postgres, QueryBuilder, postgres::PgConnectOptions};
use tokio::sync::Mutex;
use uuid::Uuid;

/// Nothing that a test waits for takes longer.
pub const PATIENCE: Duration = Duration::from_secs(30);
const MASTER_KEY: [u8; 32] = [7; 32];
/// PostgreSQL takes 65,535 values in a statement.
const ROWS_IN_STATEMENT: usize = 1_500;

pub struct World {
    pub postgres: LocalPostgres,
    nats: Option<LocalNats>,
    nats_url: String,
    pub options: PgConnectOptions,
    pub superuser: PgPool,
    heads: Mutex<HashMap<ClinicId, Checkpoint>>,
}

pub fn clinic(n: u128) -> ClinicId {
    ClinicId(Uuid::from_u128(n))
}

impl World {
    pub async fn new() -> Self {
        let (postgres, nats) = tokio::join!(LocalPostgres::start_temporary(), LocalNats::start_temporary());
        let (postgres, nats) = (postgres.expect("PostgreSQL starts"), nats.expect("nats-server starts"));
        let options = PgConnectOptions::from_str(&postgres.url()).expect("the server's URL parses");
        let owner = PgPool::connect_with(options.clone()).await.expect("the owner connects");
        event_store::migrate(&owner).await.expect("the migrations run");
        let superuser = PgPool::connect(&postgres.superuser_url("casebook")).await.expect("the superuser connects");
        let nats_url = nats.url();
        Self { postgres, nats: Some(nats), nats_url, options, superuser, heads: Mutex::default() }
    }

    /// Its own connection each time, as of a process of its own.
    pub async fn client(&self) -> Client {
        let options = async_nats::ConnectOptions::new()
            .retry_on_initial_connect()
            .reconnect_delay_callback(|_| Duration::from_millis(50));
        options.connect(&self.nats_url).await.expect("the client starts")
    }

    pub fn nats(&mut self) -> &mut LocalNats {
        self.nats.as_mut().expect("nobody else has it")
    }

    /// For a test that does something to it while others use the world.
    pub fn take_nats(&mut self) -> LocalNats {
        self.nats.take().expect("nobody else has it")
    }

    /// The log, as a process of its own opens it.
    pub fn store(&self, reads_as: DbRole, sink: Option<Arc<dyn CommitSink>>) -> Store {
        let options = StoreOptions::new(self.options.clone(), MasterKey::new(MASTER_KEY));
        Store::open(StoreOptions { reads_as, sink, ..options })
    }

    /// The ingest of a process that starts now.
    pub fn ingest(&self, nats: Option<Client>) -> Ingest {
        let keys = Arc::new(self.store(DbRole::Projector, None));
        Ingest::start(Source::new(DbRole::Projector.pool(self.options.clone(), 4), keys), nats)
    }

    /// Commits further events of the clinic. The groups of one clinic are committed one after another.
    pub async fn commit(&self, clinic: ClinicId, count: usize) -> Arc<[StoredRow]> {
        let mut heads = self.heads.lock().await;
        let head = heads.entry(clinic).or_insert(Checkpoint::START);
        let rows = rows_after(clinic, *head, count);
        insert(&self.superuser, &rows).await;
        *head = rows.last().map_or(*head, |last| Checkpoint { position: last.position, hash: last.hash });
        rows.into()
    }

    /// Where the record of each clinic stands.
    pub async fn heads(&self) -> HashMap<ClinicId, Checkpoint> {
        self.heads.lock().await.clone()
    }

    /// Takes the clinic back to an earlier moment, as a restored backup does.
    pub async fn rewind(&self, clinic: ClinicId, to: Checkpoint) {
        let mut heads = self.heads.lock().await;
        let mut transaction = self.superuser.begin().await.unwrap();
        sqlx::raw_sql("ALTER TABLE log.event DISABLE TRIGGER event_is_only_added")
            .execute(&mut *transaction)
            .await
            .unwrap();
        let delete =
            sqlx::query("DELETE FROM log.event WHERE clinic = $1 AND position > $2").bind(clinic.0).bind(to.position);
        delete.execute(&mut *transaction).await.unwrap();
        let move_back = sqlx::query("UPDATE log.head SET position = $2, hash = $3 WHERE clinic = $1");
        move_back.bind(clinic.0).bind(to.position).bind(to.hash).execute(&mut *transaction).await.unwrap();
        sqlx::raw_sql("ALTER TABLE log.event ENABLE ALWAYS TRIGGER event_is_only_added")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        heads.insert(clinic, to);
    }
}

pub fn rows_after(clinic: ClinicId, head: Checkpoint, count: usize) -> Vec<StoredRow> {
    let mut previous = head.hash;
    let positions = head.position + 1..=head.position + count as i64;
    positions
        .map(|position| {
            let mut row = row(clinic, position);
            row.chain_to(previous);
            previous = row.hash;
            row
        })
        .collect()
}

fn row(clinic: ClinicId, position: i64) -> StoredRow {
    let patient = Uuid::now_v7();
    let at = DateTime::from_timestamp(1_767_225_600 + position, 0).unwrap();
    StoredRow {
        clinic,
        ledger: Ledger::Record,
        position,
        stream_kind: "patient".into(),
        stream_id: patient,
        stream_version: 1,
        event_id: Uuid::now_v7(),
        event_type: "NoKnownAllergiesAsserted".into(),
        schema_version: 1,
        patient: Some(PatientId(patient)),
        patient_version: Some(1),
        occurred_at: at,
        recorded_at: at,
        actor_kind: "system".into(),
        actor_user: None,
        actor_name: String::new(),
        actor_roles: String::new(),
        actor_session: None,
        on_behalf_of: None,
        purpose: "TREAT".into(),
        reason: None,
        command: "AssertNoKnownAllergies".into(),
        correlation_id: patient,
        causation_id: patient,
        client_address: None,
        client_agent: None,
        payload: b"{}".to_vec(),
        payload_hash: event_store::GENESIS,
        sealed: None,
        sealed_hash: None,
        previous_hash: event_store::GENESIS,
        hash: event_store::GENESIS,
    }
}

async fn insert(pool: &PgPool, rows: &[StoredRow]) {
    let mut transaction = pool.begin().await.unwrap();
    for some in rows.chunks(ROWS_IN_STATEMENT) {
        statement(some).build().execute(&mut *transaction).await.unwrap();
    }
    let Some(last) = rows.last() else { return };
    let head = "INSERT INTO log.head VALUES ($1, 1, $2, $3, now())
                ON CONFLICT (clinic, ledger) DO UPDATE SET position = excluded.position, hash = excluded.hash";
    let head = sqlx::query(head).bind(last.clinic.0).bind(last.position).bind(last.hash);
    head.execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

fn statement(rows: &[StoredRow]) -> QueryBuilder<Postgres> {
    let mut statement = QueryBuilder::new("INSERT INTO log.event ");
    statement.push_values(rows, |mut values, row| {
        values.push_bind(row.clinic.0).push_bind(row.ledger as i16).push_bind(row.position);
        values.push_bind(row.stream_kind.to_string()).push_bind(row.stream_id).push_bind(row.stream_version);
        values.push_bind(row.event_id).push_bind(row.event_type.to_string()).push_bind(row.schema_version);
        values.push_bind(row.patient.map(|patient| patient.0)).push_bind(row.patient_version);
        values.push_bind(row.occurred_at).push_bind(row.recorded_at);
        values.push_bind(row.actor_kind.to_string()).push_bind(row.actor_user.map(|user| user.0));
        values.push_bind(row.actor_name.clone()).push_bind(row.actor_roles.clone()).push_bind(row.actor_session);
        values.push_bind(row.on_behalf_of.map(|user| user.0)).push_bind(row.purpose.to_string());
        values.push_bind(row.reason.clone()).push_bind(row.command.to_string());
        values.push_bind(row.correlation_id).push_bind(row.causation_id);
        values.push_bind(row.client_address.clone()).push_bind(row.client_agent.clone());
        values.push_bind(row.payload.clone()).push_bind(row.payload_hash);
        values.push_bind(row.sealed.clone()).push_bind(row.sealed_hash);
        values.push_bind(row.previous_hash).push_bind(row.hash);
    });
    statement
}
