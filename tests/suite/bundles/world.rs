//! A log on a PostgreSQL of its own, checkpoints, anchors, and somebody who owns the database.

use std::{fs, io::Write, path::Path, process::Command, sync::Arc};

use chrono::{DateTime, TimeDelta};
use event_store::{
    AccessRecord, Append, Circumstances, DbRole, MasterKey, NewEvent, Store, StoreOptions,
    checkpoint::{Anchors, Checkpointer, Made, Signed},
};
use events::{
    AccessEvent, Actor, Client, ClinicEvent, ClinicId, DomainEvent, Ledger, Number, PatientEvent, PatientId, Purpose,
    Sealed, Series, StreamId, clinic::ClinicProfile, patient::Demographics, values::Gender,
};
use local_servers::LocalPostgres;
use proof::note::SigningKey;
use query_api::export::{Everything, Exporter, Of, What};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use tempfile::TempDir;
use tests::MASTER_KEY;
use uuid::Uuid;

pub struct World {
    server: LocalPostgres,
    pub superuser: PgPool,
    pub store: Store,
    pub clinic: ClinicId,
    pub patients: Vec<PatientId>,
    folder: TempDir,
    /// Seed of the signing key.
    key: u8,
}

impl World {
    pub async fn new() -> Self {
        let server = LocalPostgres::start_temporary().await.expect("PostgreSQL starts");
        let owner = PgPool::connect(&server.url()).await.expect("the owner connects");
        event_store::migrate(&owner).await.expect("the migrations run");
        owner.close().await;
        let superuser = PgPool::connect(&server.superuser_url("casebook")).await.expect("the superuser connects");
        let store = store(&server);
        let clinic = ClinicId(Uuid::now_v7());
        store.append(append(clinic, clinic.into(), registration(clinic).into())).await.expect("the clinic registers");
        let folder = tempfile::tempdir().expect("a folder can be made");
        Self { server, superuser, store, clinic, patients: Vec::new(), folder, key: 5 }
    }

    /// Nine events, signed at 3, 6 and 8; accesses at sizes 1 and 2.
    pub async fn with_history() -> Self {
        let mut world = Self::new().await;
        for position in 2..=9 {
            world.event().await;
            if [3, 6, 8].contains(&position) {
                world.access().await;
                world.sign().await;
            }
        }
        world
    }

    /// Registers a patient, or says of the first that no allergies are known.
    pub async fn event(&mut self) {
        let (patient, event) = match self.patients.len() {
            count if count % 3 == 2 => (self.patients[0], PatientEvent::NoKnownAllergiesAsserted {}.into()),
            _ => (PatientId(Uuid::now_v7()), registered()),
        };
        if !self.patients.contains(&patient) || self.patients.len() % 3 == 2 {
            self.patients.push(patient);
        }
        self.store.append(append(self.clinic, patient.into(), event)).await.expect("it is appended");
    }

    pub async fn access(&self) {
        let event = AccessEvent::CrossClinicAttempted { slug: "elsewhere".into() };
        let record = AccessRecord {
            actor: Actor::anonymous(),
            client: Client::default(),
            purpose: Purpose::Treat,
            correlation_id: Uuid::now_v7(),
            operation: "GET /clinic/{slug}/api/v1".into(),
            event,
            shown: Vec::new(),
        };
        self.store.record_access(self.clinic, record).await.expect("it is recorded");
    }

    pub async fn sign(&self) {
        // The one before lets go of its lock a moment after it is made.
        let made = loop {
            let made = self.checkpointer().checkpoint().await.expect("a checkpoint is made");
            if made != Made::Elsewhere {
                break made;
            }
        };
        assert!(matches!(made, Made::Checkpoint { .. }), "{made:?}");
    }

    fn checkpointer(&self) -> Checkpointer {
        let seed = [self.key; 32];
        Checkpointer {
            pool: DbRole::Auditor.pool(self.server.url().parse().expect("a URL"), 2),
            keys: Arc::new(move || Ok(SigningKey::from_seed(&seed).into_iter().collect())),
            anchors: Anchors::at(&self.anchors()),
            nats: None,
        }
    }

    pub fn anchors(&self) -> std::path::PathBuf {
        self.folder.path().join("anchors")
    }

    fn fingerprint(&self) -> String {
        SigningKey::from_seed(&[self.key; 32]).expect("a seed").public().fingerprint()
    }

    pub async fn run(&self, statement: impl Into<String>) {
        sqlx::query(AssertSqlSafe(statement.into())).execute(&self.superuser).await.expect("the owner may do it");
    }

    /// Makes a bundle, and says what both verifiers say of it: they say the same.
    pub async fn said_of(&self, what: What) -> Value {
        let path = self.bundle(what).await;
        let fingerprint = self.fingerprint();
        let anchors = self.anchors();
        let rust = verifier::verify(&path, &fingerprint, Some(&anchors)).expect("it is a bundle");
        let rust = serde_json::to_value(rust).expect("a report is plain data");
        assert_eq!(rust, python(&path, &fingerprint, &anchors), "on the left Rust, on the right Python");
        rust
    }

    pub async fn bundle(&self, what: What) -> std::path::PathBuf {
        // What one process remembers of keys, another does not.
        let auditor = DbRole::Auditor.pool(self.server.url().parse().expect("a URL"), 2);
        let exporter = Exporter { store: store(&self.server), signed: Signed::new(auditor) };
        let of = Of { clinic: self.clinic, slug: "asha".into() };
        let sights = Arc::new(Everything { with_keys: true });
        let mut bundle = exporter.export(&of, &what, sights).await.expect("a bundle is made");
        let mut file = tempfile::Builder::new().suffix(".zip").tempfile_in(self.folder.path()).expect("a file");
        std::io::copy(&mut bundle.file, &mut file).expect("it can be copied");
        file.flush().expect("it can be written");
        file.into_temp_path().keep().expect("it can be kept")
    }
}

/// What the program in Python says, and that its exit code says the same.
fn python(bundle: &Path, fingerprint: &str, anchors: &Path) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../verifier/python/casebook_verify.py");
    let mut command = Command::new("python3");
    command.args(["-B", script]).arg(bundle).args(["--json", "--fingerprint", fingerprint, "--anchors"]).arg(anchors);
    let output = command.output().expect("python3 is there");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).expect("it says JSON");
    let code = if said["outcome"] == "intact" { 0 } else { 1 };
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

fn store(server: &LocalPostgres) -> Store {
    Store::open(StoreOptions::new(server.url().parse().expect("a URL"), MasterKey::new(MASTER_KEY)))
}

fn append(clinic: ClinicId, stream: StreamId, event: DomainEvent) -> Append {
    Append {
        clinic,
        ledger: Ledger::Record,
        about: Circumstances {
            actor: Actor { name: "asha".into(), roles: vec![events::Role::Doctor], ..Actor::anonymous() },
            purpose: Purpose::Treat,
            reason: Some("test".into()),
            command: "Test".into(),
            correlation_id: Uuid::now_v7(),
            causation_id: Uuid::now_v7(),
            client: Client { address: Some([192, 0, 2, 7].into()), agent: Some("<script>".into()) },
            occurred_at: None,
        },
        events: vec![NewEvent { stream, event }],
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

fn registration(clinic: ClinicId) -> ClinicEvent {
    let profile = ClinicProfile {
        name: "Asha".into(),
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
    ClinicEvent::ClinicRegistered { slug: clinic.to_string(), profile, trial_ends_at }
}

fn registered() -> DomainEvent {
    PatientEvent::PatientRegistered {
        number: Number::Next(Series::Patient { zone: chrono_tz::Asia::Kolkata }),
        gender: Gender::Unknown,
        birth_year: None,
        sealed: Sealed::Open(Demographics { first_name: "Asha".into(), ..Demographics::default() }),
    }
    .into()
}

impl World {
    /// What somebody else signs, with a key of their own, after everything that was signed is gone.
    pub async fn sign_anew_with_another_key(&mut self) {
        let kept = self.folder.path().join("kept");
        fs::rename(self.anchors(), &kept).expect("a folder can be renamed");
        for table in ["checkpoint", "checkpoint_key", "checkpoint_leaf", "tree_node", "tree", "chart", "chart_bucket"] {
            self.run(format!("DELETE FROM log.{table}")).await;
        }
        self.key += 1;
        self.sign().await;
        self.key -= 1;
        fs::remove_dir_all(self.anchors()).expect("the forged anchors are nobody's");
        fs::rename(kept, self.anchors()).expect("a folder can be renamed");
    }
}
