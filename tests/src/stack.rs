//! The whole system, with servers of its own: the same composition that `casebook up` runs.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use attachments::{Accepted, Attachments, Location};
use casebook::{
    api::Api,
    checkpoint_key::CheckpointKey,
    erasure::{self, Eraser, ErasureList},
    mail::{Mailer, Outgoing},
    migrate, platform,
    schedule::Scheduler,
    system::System,
};
use chrono::{TimeDelta, Utc};
use command_api::execute::Executor;
use event_store::{
    AccessRecord, AppendError, DbRole, MasterKey, OPENED_KEY_LIFE, Store, StoreOptions, checkpoint::Anchors,
};
use events::ClinicId;
use futures::future::{BoxFuture, FutureExt};
use local_servers::{LocalNats, LocalPostgres};
use mail::{Post, Sender};
use projector::History;
use query_api::{QueryState, disclosure::Ledger};
use secrecy::SecretString;
use serde_json::json;
use service_kit::{
    layers::{self, HttpSettings},
    lifecycle::Lifecycle,
    tokens::SigningKeys,
};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::OnceCell};

use crate::{
    clinic::PASSWORD,
    http::{Answer, Client},
};

/// In the folder of a stack.
const ATTACHMENTS: &str = "attachments";
const MAIL: &str = "mail";
/// Of every stack: its records are nobody's.
pub const MASTER_KEY: [u8; 32] = [7; 32];

/// How often a stack that does scheduled work looks for some.
const SCHEDULE_EVERY: Duration = Duration::from_millis(500);

/// How long opened keys are remembered where a test waits for it.
const ERASING_KEY_LIFE: Duration = Duration::from_secs(1);

/// A running system. It ends with the test.
pub struct Stack {
    pub nats: LocalNats,
    pub postgres: LocalPostgres,
    pub(crate) system: System,
    executor: Executor,
    keys: SigningKeys,
    lifecycle: Lifecycle,
    base: String,
    activation: String,
    platform: OnceCell<Client>,
    pub(crate) superuser: PgPool,
    pub(crate) folder: TempDir,
}

impl Stack {
    /// Everything in one process, on servers of its own.
    pub async fn start() -> Self {
        Self::try_start(true).await.expect("the stack starts")
    }

    /// Without a projector: for tests that run one of their own.
    pub async fn start_without_projector() -> Self {
        Self::try_start(false).await.expect("the stack starts")
    }

    /// One that forgets opened keys after a moment, and carries out erasures.
    pub async fn start_erasing() -> Self {
        let servers = tokio::try_join!(LocalPostgres::start_temporary(), LocalNats::start_temporary());
        let (postgres, nats) = servers.expect("the servers start");
        let stack = Self::remembering(postgres, nats, true, ERASING_KEY_LIFE, Accepted::default())
            .await
            .expect("the stack starts");
        stack.system.erase(stack.erasure_list());
        stack
    }

    /// The same, with nobody who carries out erasures: for tests that do it step by step.
    pub async fn start_forgetting() -> Self {
        let servers = tokio::try_join!(LocalPostgres::start_temporary(), LocalNats::start_temporary());
        let (postgres, nats) = servers.expect("the servers start");
        let accepted = Accepted::default();
        Self::remembering(postgres, nats, true, ERASING_KEY_LIFE, accepted).await.expect("the stack starts")
    }

    /// One that waits for announced contents no longer than this, and does scheduled work.
    pub async fn start_impatient(within: Duration) -> Self {
        let servers = tokio::try_join!(LocalPostgres::start_temporary(), LocalNats::start_temporary());
        let (postgres, nats) = servers.expect("the servers start");
        let within = TimeDelta::from_std(within).expect("a short while");
        let accepted = Accepted { within, ..Accepted::default() };
        let stack = Self::remembering(postgres, nats, true, OPENED_KEY_LIFE, accepted).await;
        let stack = stack.expect("the stack starts");
        stack.system.schedule(&stack.executor, SCHEDULE_EVERY);
        stack
    }

    async fn try_start(project: bool) -> anyhow::Result<Self> {
        let (postgres, nats) = tokio::try_join!(LocalPostgres::start_temporary(), LocalNats::start_temporary())?;
        Self::on(postgres, nats, project).await
    }

    /// On other servers: those of a bench are durable.
    pub async fn on(postgres: LocalPostgres, nats: LocalNats, project: bool) -> anyhow::Result<Self> {
        Self::remembering(postgres, nats, project, OPENED_KEY_LIFE, Accepted::default()).await
    }

    async fn remembering(
        postgres: LocalPostgres,
        nats: LocalNats,
        project: bool,
        opened_key_life: Duration,
        accepted: Accepted,
    ) -> anyhow::Result<Self> {
        // Only the first test of a process installs it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir()?;
        let keys = SigningKeys::open(&folder.path().join("signing-key"))?;
        let owner = PgPoolOptions::new().max_connections(1).connect(&postgres.url()).await?;
        migrate(&owner).await?;
        owner.close().await;
        let superuser = PgPoolOptions::new().max_connections(2).connect(&postgres.superuser_url("casebook")).await?;
        let lifecycle = Lifecycle::new();
        let attachments = Attachments::open(&Location::Folder(folder.path().join(ATTACHMENTS)), accepted)?;
        let system = connect(&postgres, &nats, attachments, &lifecycle).await?.with_opened_key_life(opened_key_life);
        let key = CheckpointKey::at(&folder.path().join("checkpoint-key"));
        key.make()?;
        let system = system.with_checkpoints_at(key.source(), Anchors::at(&folder.path().join("anchors")));
        let commands = system.commands(&keys);
        let executor = commands.executor.clone();
        let first = platform::first_administrator(&executor).await?.expect("the stack is new");
        system.relay();
        if project {
            system.project();
        }
        let router = Api::new().everything(commands, system.queries(&keys), &keys);
        let base = serve(&lifecycle, router).await?;
        let (activation, platform) = (first.activation, OnceCell::new());
        Ok(Self { nats, postgres, system, executor, keys, lifecycle, base, activation, platform, superuser, folder })
    }

    /// Signs all that is new, as the services do each minute.
    pub async fn checkpoint(&self) {
        let checkpointer = self.system.checkpointer().expect("it has a folder for anchors");
        checkpointer.checkpoint().await.expect("a checkpoint can be made");
    }

    /// What takes erasures further, as another process would.
    pub fn eraser(&self) -> Eraser {
        self.eraser_with(self.erasure_list())
    }

    /// The same, with a list elsewhere.
    pub fn eraser_with(&self, list: ErasureList) -> Eraser {
        self.system.eraser(list)
    }

    /// What sends mails to a place, when it is told to.
    pub fn mailer(&self, place: &str) -> Mailer {
        let post = Post::open(&place.parse().expect("a place for mails")).expect("a way to it");
        let from = "no-reply@casebook.example".parse().expect("an address");
        let public_url = Some("https://clinics.example".parse().expect("a URL"));
        Mailer::new(self.executor.clone(), Outgoing { post, sender: Sender { from, public_url } })
    }

    /// The same, into a folder of the stack.
    pub fn mailer_to_folder(&self) -> Mailer {
        self.mailer(self.folder.path().join(MAIL).to_str().expect("a path in UTF-8"))
    }

    /// The mails in that folder, the oldest first.
    pub fn mails(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join(MAIL)) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files.iter().map(|file| std::fs::read_to_string(file).expect("a mail")).collect()
    }

    /// Past all walls.
    pub fn superuser(&self) -> &PgPool {
        &self.superuser
    }

    /// All that the stack keeps in files: PostgreSQL's, NATS's, and its own.
    pub fn folders(&self) -> [PathBuf; 3] {
        [self.postgres.data_dir().to_owned(), self.nats.store_dir().to_owned(), self.folder.path().to_owned()]
    }

    /// The list of erasures, outside the database.
    pub fn erasure_list(&self) -> ErasureList {
        ErasureList::beside(self.folder.path())
    }

    /// The bytes of documents.
    pub fn attachments(&self) -> &Attachments {
        self.system.attachments()
    }

    /// Where they lie.
    pub fn attachments_folder(&self) -> PathBuf {
        self.folder.path().join(ATTACHMENTS)
    }

    /// What a start does with the list of erasures.
    pub async fn repeat_erasures(&self) -> usize {
        let again = erasure::repeat(&self.executor, &self.history(), &self.erasure_list(), self.attachments()).await;
        again.expect("the list is applied")
    }

    /// Somebody without a token.
    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// The platform's administrator, logged in.
    pub async fn platform(&self) -> Client {
        let log_in = async || {
            let body = json!({"username": "admin", "activation": self.activation, "password": PASSWORD});
            let tokens: Answer = self.client().post("/api/v1/auth/activate", body).await.expect(200);
            self.client().with_token(tokens.text_of("access_token"))
        };
        self.platform.get_or_init(log_in).await.clone()
    }

    /// A second process on the same servers, as far as its memory goes.
    pub async fn second_command_api(&self) -> Client {
        let attachments = self.attachments().clone();
        let system =
            connect(&self.postgres, &self.nats, attachments, &self.lifecycle).await.expect("a second one starts");
        let router = Api::new().everything(system.commands(&self.keys), system.queries(&self.keys), &self.keys);
        Client::new(serve(&self.lifecycle, router).await.expect("a second one serves"))
    }

    /// What does scheduled work in another process on the same servers, as far as its memory goes, whose clock is ahead
    /// (or behind). It does nothing by itself.
    pub async fn scheduler(&self, ahead: TimeDelta) -> Scheduler {
        let attachments = self.attachments().clone();
        let system = connect(&self.postgres, &self.nats, attachments, &self.lifecycle).await.expect("it connects");
        let executor = system.commands(&self.keys).executor.with_clock(Arc::new(move || Utc::now() + ahead));
        system.scheduler(&executor, SCHEDULE_EVERY)
    }

    /// The same queries, without access records: for a benchmark of what they cost. Its address.
    pub async fn unrecorded_queries(&self) -> anyhow::Result<SocketAddr> {
        let system = connect(&self.postgres, &self.nats, self.attachments().clone(), &self.lifecycle).await?;
        let queries = QueryState { ledger: Arc::new(Unrecorded), ..system.queries(&self.keys) };
        let base = serve(&self.lifecycle, Api::new().queries(queries, &self.keys)).await?;
        Ok(base.strip_prefix("http://").context("a base without TLS")?.parse()?)
    }

    /// `http://127.0.0.1:…`
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The log as a process that sees all clinics.
    pub fn store(&self) -> Store {
        let options = StoreOptions::new(self.postgres.url().parse().expect("a URL"), MasterKey::new(MASTER_KEY));
        Store::open(StoreOptions { reads_as: DbRole::Projector, ..options })
    }

    /// What rebuilds and comparisons read.
    pub fn history(&self) -> History {
        let pool = projector::pool(self.postgres.url().parse().expect("a URL"), 4);
        History::new(pool, std::sync::Arc::new(self.store()))
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.lifecycle.stop();
    }
}

async fn connect(
    postgres: &LocalPostgres,
    nats: &LocalNats,
    attachments: Attachments,
    lifecycle: &Lifecycle,
) -> anyhow::Result<System> {
    let (database, nats) = (SecretString::from(postgres.url()), SecretString::from(nats.url()));
    System::connect("casebook-test", &database, &nats, MasterKey::new(MASTER_KEY), attachments, lifecycle).await
}

/// On a port of its own; the address.
async fn serve(lifecycle: &Lifecycle, router: axum::Router) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    lifecycle.serve("http", listener, layers::apply(router, HttpSettings::default()));
    Ok(base)
}

/// Forgets who saw what.
struct Unrecorded;

impl Ledger for Unrecorded {
    fn record(&self, _: ClinicId, _: AccessRecord) -> BoxFuture<'_, Result<(), AppendError>> {
        async { Ok(()) }.boxed()
    }
}
