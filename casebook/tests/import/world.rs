//! A database of the test's own, and imports into it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use event_store::{DbRole, MasterKey, Store, StoreOptions};
use local_servers::{LocalPostgres, PostgresOptions};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tempfile::TempDir;

pub const MAPPING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/mappings/medical-appointment-no-shows.toml");
const MASTER_KEY: u8 = 7;

pub struct World {
    postgres: LocalPostgres,
    /// Removed after the server's end: fields are dropped in this order.
    folder: TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::on(|_| async { LocalPostgres::start_temporary().await }).await
    }

    /// On a server that is set up as `casebook up` does it.
    pub async fn durable() -> Self {
        Self::on(|folder| LocalPostgres::start(PostgresOptions::new(folder.join("postgres")))).await
    }

    async fn on<F: Future<Output = anyhow::Result<LocalPostgres>>>(start: impl FnOnce(PathBuf) -> F) -> Self {
        let passable = Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new().permissions(passable).tempdir().unwrap();
        Self { postgres: start(folder.path().to_owned()).await.unwrap(), folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// The folder that imports leave their files in.
    pub fn left(&self) -> PathBuf {
        fs::read_dir(self.path("data/imports")).unwrap().next().unwrap().unwrap().path()
    }

    fn command(&self, file: &Path) -> Command {
        self.importing(&["appointments", file.to_str().unwrap(), "--mapping", MAPPING])
    }

    /// `casebook import …`
    pub fn importing(&self, what: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_casebook"));
        command.arg("import").args(what);
        command.env("CASEBOOK_DATA_DIR", self.path("data")).env("DATABASE_URL", self.postgres.url());
        command.env("CASEBOOK_MASTER_KEY", hex::encode([MASTER_KEY; 32])).env("CASEBOOK_LOG", "warn");
        command.env("RUST_BACKTRACE", "0");
        command
    }

    pub fn import(&self, file: &Path) -> Output {
        self.import_with(file, &[])
    }

    pub fn import_with(&self, file: &Path, options: &[&str]) -> Output {
        self.command(file).args(options).output().unwrap()
    }

    /// An import that is under way.
    pub fn start(&self, file: &Path) -> Child {
        started(&mut self.command(file))
    }

    pub fn options(&self) -> PgConnectOptions {
        self.postgres.url().parse().unwrap()
    }

    /// Sees and opens all clinics.
    pub fn store(&self) -> Store {
        let options = StoreOptions::new(self.options(), MasterKey::new([MASTER_KEY; 32]));
        Store::open(StoreOptions { reads_as: DbRole::Projector, ..options })
    }

    /// Where the server's programs lie.
    pub fn programs(&self) -> &Path {
        self.postgres.programs_dir()
    }

    pub async fn superuser(&self) -> PgPool {
        PgPool::connect(&self.postgres.superuser_url("casebook")).await.unwrap()
    }
}

/// A command that is under way.
pub fn started(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// What a command said, where it ended well.
pub fn said(output: Output) -> String {
    let (said, complained) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}{complained}");
    said
}
