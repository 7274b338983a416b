//! What a test lives in: a database of its own with the schema in it, and a clinic.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, str::FromStr, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use event_store::{
    Append, AppendError, Appended, Circumstances, CommitSink, DbRole, Expectation, MasterKey, NewEvent, Store,
    StoreOptions, Verdict,
};
use events::{
    Actor, Client, ClinicEvent, ClinicId, DomainEvent, Ledger, Number, PatientEvent, PatientId, Position, Purpose,
    Sealed, Series, StreamId,
    claim::{ClaimChange, ClaimKey, Fact},
    clinic::ClinicProfile,
    patient::Demographics,
    values::Gender,
};
use local_servers::{LocalPostgres, PostgresOptions};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tempfile::TempDir;
use uuid::Uuid;

pub const MASTER_KEY: [u8; 32] = [7; 32];

pub struct World {
    pub server: LocalPostgres,
    pub options: PgConnectOptions,
    /// Past all walls: for looking, and for tampering.
    pub superuser: PgPool,
    /// Removed after the server's end: fields are dropped in this order.
    _folder: Option<TempDir>,
}

impl World {
    pub async fn new() -> Self {
        Self::on(LocalPostgres::start_temporary().await.expect("PostgreSQL starts"), None).await
    }

    /// On a server that keeps what it has confirmed, also when it is killed.
    pub async fn durable() -> Self {
        let passable = Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new().permissions(passable).tempdir().expect("a folder can be made");
        let small = PostgresOptions { min_wal_size_mb: 32, ..PostgresOptions::new(folder.path().join("postgres")) };
        Self::on(LocalPostgres::start(small).await.expect("PostgreSQL starts"), Some(folder)).await
    }

    async fn on(server: LocalPostgres, folder: Option<TempDir>) -> Self {
        let options = PgConnectOptions::from_str(&server.url()).expect("the server's URL parses");
        let owner = PgPool::connect_with(options.clone()).await.expect("the owner connects");
        event_store::migrate(&owner).await.expect("the migrations run");
        event_store::migrate(&owner).await.expect("and run again");
        owner.close().await;
        let superuser = PgPool::connect(&server.superuser_url("casebook")).await.expect("the superuser connects");
        Self { server, options, superuser, _folder: folder }
    }

    /// A process of its own, as far as the log can tell.
    pub fn store(&self) -> Store {
        self.store_at(self.options.clone())
    }

    pub fn store_at(&self, database: PgConnectOptions) -> Store {
        Store::open(StoreOptions::new(database, MasterKey::new(MASTER_KEY)))
    }

    /// One that remembers no opened key.
    pub fn forgetful(&self, database: PgConnectOptions) -> Store {
        let options = StoreOptions::new(database, MasterKey::new(MASTER_KEY));
        Store::open(StoreOptions { opened_key_life: Duration::ZERO, ..options })
    }

    pub fn store_as(&self, role: DbRole) -> Store {
        let options = StoreOptions::new(self.options.clone(), MasterKey::new(MASTER_KEY));
        Store::open(StoreOptions { reads_as: role, ..options })
    }

    pub fn store_with_sink(&self, sink: Arc<dyn CommitSink>) -> Store {
        let options = StoreOptions::new(self.options.clone(), MasterKey::new(MASTER_KEY));
        Store::open(StoreOptions { sink: Some(sink), ..options })
    }

    /// Every ledger is intact, and PostgreSQL's own hashes say the same.
    pub async fn assert_intact(&self) {
        let auditor = self.store_as(DbRole::Auditor);
        for head in auditor.heads().await.unwrap() {
            let intact = Verdict::Intact { up_to: 0, not_yet_anchored: head.position };
            assert_eq!(auditor.verify(head.clinic, head.ledger).await.unwrap(), intact);
        }
        let altered: i64 = sqlx::query_scalar("SELECT count(*) FROM log.event e WHERE NOT log.row_is_intact(e)")
            .fetch_one(&self.superuser)
            .await
            .unwrap();
        assert_eq!(altered, 0);
    }
}

/// A clinic that has registered through `store`.
pub async fn clinic(store: &Store) -> ClinicId {
    let clinic = ClinicId(Uuid::now_v7());
    store.append(registration(clinic, &clinic.to_string())).await.expect("the clinic registers");
    clinic
}

pub fn registration(clinic: ClinicId, slug: &str) -> Append {
    let profile = ClinicProfile {
        name: slug.to_owned(),
        email: "office@example.org".into(),
        phone: None,
        website: None,
        address: None,
        registration_number: None,
        tax_id: None,
        logo: None,
        time_zone: chrono_tz::Asia::Kolkata,
    };
    let trial_ends_at = DateTime::UNIX_EPOCH + TimeDelta::days(40_000);
    let event = ClinicEvent::ClinicRegistered { slug: slug.to_owned(), profile, trial_ends_at };
    let mut append = append(clinic, [(clinic.into(), event.into())]);
    append.claims.push((clinic.into(), ClaimChange::Take(ClaimKey::platform("slug", slug))));
    append
}

pub fn append(clinic: ClinicId, events: impl IntoIterator<Item = (StreamId, DomainEvent)>) -> Append {
    Append {
        clinic,
        ledger: Ledger::Record,
        about: circumstances(),
        events: events.into_iter().map(|(stream, event)| NewEvent { stream, event }).collect(),
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

fn circumstances() -> Circumstances {
    Circumstances {
        actor: Actor { name: "asha".into(), roles: vec![events::Role::Doctor], ..Actor::anonymous() },
        purpose: Purpose::Treat,
        reason: Some("test".into()),
        command: "Test".into(),
        correlation_id: Uuid::now_v7(),
        causation_id: Uuid::now_v7(),
        client: Client { address: Some([192, 0, 2, 7].into()), agent: Some("nextest".into()) },
        occurred_at: None,
    }
}

pub fn new_patient() -> PatientId {
    PatientId(Uuid::now_v7())
}

pub fn registered(name: &str) -> DomainEvent {
    PatientEvent::PatientRegistered {
        number: Number::Next(Series::Patient { zone: chrono_tz::Asia::Kolkata }),
        gender: Gender::Unknown,
        birth_year: None,
        sealed: Sealed::Open(Demographics { first_name: name.into(), ..Demographics::default() }),
    }
    .into()
}

pub fn registers(clinic: ClinicId, patient: PatientId) -> Append {
    let mut append = append(clinic, [(patient.into(), registered("Asha"))]);
    append.expectations.push(expects(Fact::Stream(patient.into()), Some(0), 0));
    append
}

pub fn no_allergies() -> DomainEvent {
    PatientEvent::NoKnownAllergiesAsserted {}.into()
}

pub fn expects(fact: Fact, version: Option<i64>, read_at: Position) -> Expectation {
    Expectation { fact, version, read_at }
}

/// One more event in a patient's stream, decided on what the stream was, as often as it takes.
pub async fn append_until_it_holds(store: &Store, clinic: ClinicId, patient: PatientId) -> Appended {
    loop {
        let loaded = store.load_stream(clinic, patient.into(), 0).await.unwrap();
        let mut append = append(clinic, [(patient.into(), no_allergies())]);
        append.expectations.push(expects(Fact::Stream(patient.into()), Some(loaded.version), loaded.read_at));
        match store.append(append).await {
            Ok(appended) => return appended,
            Err(AppendError::Moved(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

pub fn number_of(appended: &Appended) -> String {
    let mut event = appended.events[0].event.clone();
    event.number_mut().expect("it has a number").as_str().to_owned()
}

/// Some minute of some day.
pub fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap()
}
