//! What a test lives in: a PostgreSQL with both schemas, clinics whose histories are folded into the read
//! models, logins, and the router with real tokens.

use std::{error::Error, str::FromStr, sync::Arc, sync::Mutex};

use aide::openapi::OpenApi;
use attachments::{Accepted, Attachments, Location};
use axum::{Router, body::Body};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use event_store::{
    Append, Circumstances, DbRole, MasterKey, NewEvent, Store, StoreOptions, StoredRow,
    checkpoint::{Auditor, Signed},
    feed::{Opened, Opener, SourceError},
    position::PositionWatch,
};
use events::{Actor, Client, ClinicId, Ledger, PatientId, Purpose, Recorded, Role, UserId, codec};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use local_servers::LocalPostgres;
use printing::{Fonts, Printer};
use query_api::{QueryState, export::Exporter, paper::Press};
use read_models::{Projection, Rows, Visitor, sample::History};
use serde_json::{Value, json};
use service_kit::{
    Authority,
    scope::{AccessJournal, Attempt, BoxFuture},
    tokens::{Identity, SigningKeys},
};
use sqlx::{AssertSqlSafe, PgPool, postgres::PgConnectOptions};
use tower::ServiceExt;
use uuid::Uuid;

const CONNECTIONS: u32 = 3;

pub struct World {
    _server: LocalPostgres,
    _folder: tempfile::TempDir,
    keys: SigningKeys,
    pub attempts: Arc<Kept>,
    /// As the service has it: the role that sees the scoped clinic only.
    pub reader: PgPool,
    /// Past all walls.
    pub superuser: PgPool,
    /// Where it is written who saw what.
    pub store: Store,
    app: Router,
}

/// What would go into the access ledger.
#[derive(Default)]
pub struct Kept(Mutex<Vec<Attempt>>);

impl Kept {
    pub fn codes(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().iter().map(|attempt| attempt.refused.code()).collect()
    }
}

impl AccessJournal for Kept {
    fn record(&self, attempt: Attempt) -> BoxFuture<'_, Result<(), Box<dyn Error + Send + Sync>>> {
        self.0.lock().unwrap().push(attempt);
        Box::pin(async { Ok(()) })
    }
}

/// The logs of tests hold their sealed parts in clear.
struct Unsealed;

impl Opener for Unsealed {
    fn open<'a>(&'a self, rows: &'a [StoredRow]) -> BoxFuture<'a, Result<Vec<Opened>, SourceError>> {
        Box::pin(async { Ok(rows.iter().map(|row| Ok(row.sealed.clone())).collect()) })
    }
}

/// A clinic of a test: its history so far, and how its people log in.
pub struct Clinic {
    pub history: History,
    pub slug: String,
}

impl Clinic {
    pub fn id(&self) -> ClinicId {
        self.history.clinic
    }

    /// `/clinic/{slug}/api/v1` and what follows.
    pub fn path(&self, rest: &str) -> String {
        format!("/clinic/{}/api/v1{rest}", self.slug)
    }
}

/// A login of a test.
#[derive(Clone)]
pub struct Login {
    pub identity: Identity,
    pub token: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn ids(&self) -> Vec<&str> {
        self.items().iter().map(|item| item["id"].as_str().unwrap()).collect()
    }

    pub fn items(&self) -> &[Value] {
        self.body["items"].as_array().unwrap_or_else(|| panic!("a list, not {}: {}", self.status, self.body))
    }

    pub fn code(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["code"].as_str().unwrap_or_default())
    }

    pub fn position(&self) -> i64 {
        self.headers["casebook-position"].to_str().unwrap().parse().unwrap()
    }

    pub fn etag(&self) -> &str {
        self.headers["etag"].to_str().unwrap()
    }
}

impl World {
    pub async fn new() -> Self {
        let server = LocalPostgres::start_temporary().await.expect("PostgreSQL starts");
        let options = PgConnectOptions::from_str(&server.url()).expect("the server's URL parses");
        let owner = PgPool::connect_with(options.clone()).await.expect("the owner connects");
        event_store::migrate(&owner).await.expect("the schema of the log");
        projector::migrate(&owner).await.expect("the schema of the read models");
        owner.close().await;
        let superuser = PgPool::connect(&server.superuser_url("casebook")).await.expect("the superuser connects");
        let folder = tempfile::tempdir().expect("a folder");
        let keys = SigningKeys::open(&folder.path().join("key.pem")).expect("a key");
        let attempts = Arc::new(Kept::default());
        let store = Store::open(StoreOptions::new(options.clone(), MasterKey::new([7; 32])));
        let reader = DbRole::Reader.pool(options.clone(), CONNECTIONS);
        let authority = Authority::new(keys.verifier(), attempts.clone());
        let (opener, watch) = (Arc::new(Unsealed), PositionWatch::start(None));
        let (auditor, checkpoint_keys) = (Auditor { store: store.clone(), anchors: None }, Arc::new(|| Ok(Vec::new())));
        let (db, store_of_state, ledger) = (reader.clone(), store.clone(), Arc::new(store.clone()));
        let signed = Signed::new(DbRole::Auditor.pool(options, 1));
        let exporter = Exporter { store: store.clone(), signed };
        let location = Location::Folder(folder.path().join("attachments"));
        let attachments = Attachments::open(&location, Accepted::default()).expect("a folder");
        let state = QueryState {
            db,
            authority,
            opener,
            store: store_of_state,
            ledger,
            exporter,
            attachments,
            press: Press::new(Printer::new(Fonts::embedded())),
            watch,
            auditor,
            checkpoint_keys,
        };
        let app = query_api::routes::all().with_state(state).finish_api(&mut OpenApi::default());
        Self { _server: server, _folder: folder, keys, attempts, reader, superuser, store, app }
    }

    /// A clinic, registered two days ago, and folded.
    pub async fn clinic(&self, n: u128) -> Clinic {
        let mut history = History::of(ClinicId(Uuid::from_u128(0xC11_0000 + n)));
        // The log keeps microseconds.
        history.now = (Utc::now() - TimeDelta::days(2)).trunc_subsecs(6);
        history.clinic_registered();
        self.make_key(&history).await;
        let slug = format!("clinic-{}", history.clinic);
        let clinic = Clinic { history, slug };
        self.publish(&clinic).await;
        clinic
    }

    /// A clinic's key is made where it registers. What the log then holds is not of the test's time, so it goes.
    async fn make_key(&self, history: &History) {
        let registered = history.events().next().expect("a clinic has registered");
        let about = Circumstances {
            actor: Actor::anonymous(),
            purpose: Purpose::Hoperat,
            reason: None,
            command: "Test".into(),
            correlation_id: Uuid::now_v7(),
            causation_id: Uuid::now_v7(),
            client: Client::default(),
            occurred_at: None,
        };
        let append = Append {
            clinic: history.clinic,
            ledger: Ledger::Record,
            about,
            events: vec![NewEvent { stream: registered.stream, event: registered.event.clone() }],
            expectations: Vec::new(),
            claims: Vec::new(),
            counters: Vec::new(),
            bounds: Vec::new(),
            idempotency: None,
            credentials: Vec::new(),
            mails: Vec::new(),
            shown: Vec::new(),
        };
        self.store.append(append).await.expect("the clinic registers");
        let forget = "ALTER TABLE log.event DISABLE TRIGGER event_is_only_added; DELETE FROM log.event WHERE ledger = 1
                      AND position = 1 AND command = 'Test' AND actor_kind = 'person';
                      ALTER TABLE log.event ENABLE ALWAYS TRIGGER event_is_only_added";
        sqlx::raw_sql(forget).execute(&self.superuser).await.unwrap();
    }

    /// Folds the whole history into every read model, and writes it into the log.
    pub async fn publish(&self, clinic: &Clinic) {
        self.log(clinic).await;
        self.fold(clinic).await;
    }

    /// The read models alone.
    pub async fn fold(&self, clinic: &Clinic) {
        let events: Vec<&Recorded> = clinic.history.events().collect();
        let position = events.len() as i64;
        for (table, projection, rows) in read_models::each(&mut Fold { events: &events }) {
            let statement = format!("DELETE FROM {table} WHERE clinic_id = $1");
            sqlx::query(AssertSqlSafe(statement)).bind(clinic.id().0).execute(&self.superuser).await.unwrap();
            let statement = format!("INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, $1)");
            let rows: Vec<Value> = rows.into_iter().map(|row| with_clinic(row, clinic.id())).collect();
            sqlx::query(AssertSqlSafe(statement)).bind(Value::from(rows)).execute(&self.superuser).await.unwrap();
            self.reached(clinic, &projection, position).await;
        }
    }

    /// Sets one checkpoint.
    pub async fn reached(&self, clinic: &Clinic, projection: &str, position: i64) {
        sqlx::query(
            "INSERT INTO read.checkpoint (clinic_id, projection, position, hash) VALUES ($1, $2, $3, '') \
             ON CONFLICT (clinic_id, projection) DO UPDATE SET position = excluded.position",
        )
        .bind(clinic.id().0)
        .bind(projection)
        .bind(position)
        .execute(&self.superuser)
        .await
        .unwrap();
    }

    async fn log(&self, clinic: &Clinic) {
        for event in clinic.history.events() {
            self.append(event).await;
        }
        sqlx::query(
            "INSERT INTO log.head (clinic, ledger, position, hash, recorded_at) VALUES ($1, 1, $2, '', now()) \
             ON CONFLICT (clinic, ledger) DO UPDATE SET position = excluded.position",
        )
        .bind(clinic.id().0)
        .bind(clinic.history.events().count() as i64)
        .execute(&self.superuser)
        .await
        .unwrap();
    }

    async fn append(&self, recorded: &Recorded) {
        let stored = codec::encode(&recorded.event);
        sqlx::query(
            "INSERT INTO log.event (clinic, ledger, position, stream_kind, stream_id, stream_version, event_id, \
             event_type, schema_version, patient, patient_version, occurred_at, recorded_at, actor_kind, actor_name, \
             actor_roles, purpose, command, correlation_id, causation_id, payload, sealed, payload_hash, previous_hash, \
             hash) VALUES ($1, 1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10, $11, 'system', '', '', 'TREAT', 'Test', $6, \
             $6, $12, $13, $14, $14, $14) ON CONFLICT DO NOTHING",
        )
        .bind(recorded.clinic.0)
        .bind(recorded.position)
        .bind(recorded.stream.kind.as_str())
        .bind(recorded.stream.id)
        .bind(recorded.version)
        .bind(recorded.event_id)
        .bind(stored.event_type)
        .bind(recorded.patient.map(|patient| patient.0))
        .bind(recorded.patient_version)
        .bind(recorded.occurred_at)
        .bind(recorded.recorded_at)
        .bind(stored.payload)
        .bind(stored.sealed)
        .bind([0_u8; 32].as_slice())
        .execute(&self.superuser)
        .await
        .unwrap();
    }

    /// A login with these roles, active, with a session and a token.
    pub async fn login(&self, clinic: &Clinic, roles: &[Role]) -> Login {
        self.login_as(clinic, UserId(Uuid::now_v7()), roles, None).await
    }

    pub async fn login_as(&self, clinic: &Clinic, user: UserId, roles: &[Role], patient: Option<PatientId>) -> Login {
        let identity = Identity {
            user,
            clinic: clinic.id(),
            slug: Some(clinic.slug.clone()),
            roles: roles.to_vec(),
            name: "asha".to_owned(),
            session: Uuid::now_v7(),
            patient,
        };
        sqlx::query(
            "WITH login AS (INSERT INTO log.credential (clinic, user_id, username_hash) VALUES ($1, $2, $2::uuid::text)) \
             INSERT INTO log.session (clinic, session, user_id, begun_at, expires_at) \
             VALUES ($1, $3, $2, now(), now() + interval '7 days')",
        )
        .bind(identity.clinic.0)
        .bind(identity.user.0)
        .bind(identity.session)
        .execute(&self.superuser)
        .await
        .unwrap();
        let token = self.token(&identity, Utc::now());
        Login { identity, token }
    }

    pub fn token(&self, identity: &Identity, at: DateTime<Utc>) -> String {
        self.keys.signer().sign(identity.clone(), at).unwrap()
    }

    /// Runs a statement past all walls, with the clinic as `$1`.
    pub async fn execute(&self, clinic: &Clinic, statement: &'static str) {
        sqlx::query(statement).bind(clinic.id().0).execute(&self.superuser).await.unwrap();
    }

    pub async fn get(&self, login: &Login, path: &str) -> Answer {
        self.ask(Some(&login.token), path, &[]).await
    }

    pub async fn ask(&self, token: Option<&str>, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", token, path, headers).await
    }

    pub async fn send(&self, method: &str, token: Option<&str>, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// The rows of every read model, as the projector would write them.
struct Fold<'a> {
    events: &'a [&'a Recorded],
}

impl Visitor for Fold<'_> {
    type Output = (&'static str, String, Vec<Value>);

    fn visit<P: Projection>(&mut self) -> Self::Output {
        let rows: Rows<P> = self.events.iter().copied().collect();
        let rows = rows.into_sorted().into_iter().map(|(_, row)| serde_json::to_value(row).unwrap());
        (P::TABLE, format!("{}_{}", P::NAME, P::REVISION), rows.collect())
    }
}

fn with_clinic(mut row: Value, clinic: ClinicId) -> Value {
    row["clinic_id"] = json!(clinic);
    row
}
