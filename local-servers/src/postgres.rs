//! A private PostgreSQL, reached by a socket that only its own account may enter.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Result, bail};
use nix::sys::signal::{Signal, kill};
use tempfile::TempDir;

use crate::{
    cluster::{Cluster, DATABASE, OWNER, SUPERUSER, running},
    process::Process,
    socket::{PORT, SocketDir},
    wait::until,
};

/// After a crash the server first applies its log; the more there is of it, the longer.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long a server whose parent died may take to end before its folder counts as taken.
const PREDECESSOR_WITHIN: Duration = Duration::from_secs(30);
/// A clean end writes a checkpoint.
const STOP_WITHIN: Duration = Duration::from_secs(30);
const FORCED_STOP_WITHIN: Duration = Duration::from_secs(5);

const SHARED_BUFFERS_MB: u32 = 128;
const TEMPORARY_SHARED_BUFFERS_MB: u32 = 32;
/// A fresh log segment costs tens of milliseconds, a recycled one nothing.
const MIN_WAL_SIZE_MB: u32 = 512;
/// The least that PostgreSQL allows is two segments of 16 MB.
const TEMPORARY_MIN_WAL_SIZE_MB: u32 = 32;
const MAX_WAL_TO_MIN: u32 = 4;

#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Made when it is absent or empty; what it holds is kept.
    pub data_dir: PathBuf,
    /// The data folder, or a short temporary one, when absent. Nobody else may be able to enter it.
    pub socket_dir: Option<PathBuf>,
    /// `false` (no syncing: a crash of the machine loses data) is for tests alone.
    pub durable: bool,
    pub min_wal_size_mb: u32,
    pub shared_buffers_mb: u32,
    /// Further settings of the server, by their names.
    pub settings: Vec<(String, String)>,
}

impl PostgresOptions {
    /// A durable server on this data folder.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            socket_dir: None,
            durable: true,
            min_wal_size_mb: MIN_WAL_SIZE_MB,
            shared_buffers_mb: SHARED_BUFFERS_MB,
            settings: Vec::new(),
        }
    }
}

/// A running server. Dropped, it ends at once, without a checkpoint; [`stop`](Self::stop) ends it cleanly.
pub struct LocalPostgres {
    process: Process,
    cluster: Cluster,
    socket_dir: SocketDir,
    options: PostgresOptions,
    /// Removed after the server's end: fields are dropped in this order.
    _temporary: Option<TempDir>,
}

impl LocalPostgres {
    /// Makes the data if need be, starts the server and waits until it accepts connections.
    pub async fn start(options: PostgresOptions) -> Result<Self> {
        Self::start_in(options, None).await
    }

    /// A small server without syncing on a folder that is removed with it: for tests.
    pub async fn start_temporary() -> Result<Self> {
        // The server's account must be able to pass through.
        let passable = Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new().prefix("casebook-test-").permissions(passable).tempdir()?;
        let options = PostgresOptions {
            durable: false,
            min_wal_size_mb: TEMPORARY_MIN_WAL_SIZE_MB,
            shared_buffers_mb: TEMPORARY_SHARED_BUFFERS_MB,
            ..PostgresOptions::new(folder.path().join("postgres"))
        };
        Self::start_in(options, Some(folder)).await
    }

    async fn start_in(options: PostgresOptions, temporary: Option<TempDir>) -> Result<Self> {
        let (data_dir, durable) = (options.data_dir.clone(), options.durable);
        let cluster = tokio::task::spawn_blocking(move || Cluster::open_or_make(&data_dir, durable)).await??;
        let socket_dir = SocketDir::new(options.socket_dir.as_deref(), &cluster.data_dir, cluster.account)?;
        let process = launch(&cluster, socket_dir.path(), &options).await?;
        Ok(Self { process, cluster, socket_dir, options, _temporary: temporary })
    }

    /// The database `casebook`, as its owner: no superuser, but one who may make roles and databases.
    pub fn url(&self) -> String {
        self.url_of(OWNER, DATABASE)
    }

    /// Any database as any role: the socket is the access control, no role has a password.
    pub fn url_of(&self, role: &str, database: &str) -> String {
        url(self.socket_dir.path(), role, database)
    }

    pub fn superuser_url(&self, database: &str) -> String {
        self.url_of(SUPERUSER, database)
    }

    /// The URL of the server that another process runs on this data folder, if one does.
    pub fn url_of_running(data_dir: &Path) -> Option<String> {
        let server = running(data_dir).filter(|server| server.ready)?;
        Some(url(&server.socket_dir, OWNER, DATABASE))
    }

    /// The same, as the superuser: past all walls.
    pub fn superuser_url_of_running(data_dir: &Path) -> Option<String> {
        let server = running(data_dir).filter(|server| server.ready)?;
        Some(url(&server.socket_dir, SUPERUSER, DATABASE))
    }

    /// Whether the server has ended without having been asked to; [`restart`](Self::restart) starts it again.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.process.exited()?.is_some())
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Where `psql`, `pg_dump` and the other programs of the same version lie.
    pub fn programs_dir(&self) -> &Path {
        &self.cluster.postgres.folder
    }

    pub fn data_dir(&self) -> &Path {
        &self.cluster.data_dir
    }

    /// Ends the server without giving it a chance to write anything: the postmaster and all its processes are
    /// killed. [`restart`](Self::restart) starts it again.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.end(&[(Signal::SIGKILL, FORCED_STOP_WITHIN)]).await?;
        for process in self.cluster.processes()? {
            // One that has seen its postmaster go may be gone already.
            let _ = kill(process, Signal::SIGKILL);
        }
        until(FORCED_STOP_WITHIN, "the end of the server's processes", || none_left(&self.cluster)).await
    }

    /// Ends the server cleanly if it runs, and starts it on the same data; the URL stays.
    pub async fn restart(&mut self) -> Result<()> {
        self.end_cleanly().await?;
        self.process = launch(&self.cluster, self.socket_dir.path(), &self.options).await?;
        Ok(())
    }

    /// Ends the server: open transactions are rolled back, everything is written out.
    pub async fn stop(mut self) -> Result<()> {
        self.end_cleanly().await
    }

    async fn end_cleanly(&mut self) -> Result<()> {
        let fast_then_immediate = [
            (Signal::SIGINT, STOP_WITHIN),
            (Signal::SIGQUIT, FORCED_STOP_WITHIN),
            (Signal::SIGKILL, FORCED_STOP_WITHIN),
        ];
        self.process.end(&fast_then_immediate).await
    }
}

fn url(socket_dir: &Path, role: &str, database: &str) -> String {
    format!("postgresql:///{database}?host={}&port={PORT}&user={role}&sslmode=disable", socket_dir.display())
}

async fn launch(cluster: &Cluster, socket_dir: &Path, options: &PostgresOptions) -> Result<Process> {
    until(PREDECESSOR_WITHIN, "the end of the server that runs on this data folder", || none_left(cluster)).await?;
    cluster.remove_stale_pid()?;
    let mut command =
        cluster.account.server_command(&cluster.postgres.program("postgres"), death_signal(options.durable))?;
    command.stdin(Stdio::null()).arg("-D").arg(&cluster.data_dir);
    for (name, value) in settings(socket_dir, options)? {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    let log = options.data_dir.with_extension("log");
    let mut process = Process::start("PostgreSQL", command, &log, Signal::SIGQUIT)?;
    until(READY_WITHIN, "PostgreSQL's readiness", || is_ready(cluster, &mut process)).await?;
    tracing::info!(pid = process.pid(), data = %cluster.data_dir.display(), "PostgreSQL is ready");
    Ok(process)
}

fn none_left(cluster: &Cluster) -> Result<Option<()>> {
    Ok(cluster.processes()?.is_empty().then_some(()))
}

/// What a server does when our process dies: a durable one ends cleanly, one for tests at once.
fn death_signal(durable: bool) -> Signal {
    if durable { Signal::SIGINT } else { Signal::SIGQUIT }
}

fn is_ready(cluster: &Cluster, process: &mut Process) -> Result<Option<()>> {
    process.check_running()?;
    let ready =
        running(&cluster.data_dir).is_some_and(|server| server.pid.unsigned_abs() == process.pid() && server.ready);
    Ok(ready.then_some(()))
}

/// Terse errors name no values of a row: those may be a patient's, and the log is not sealed.
fn settings(socket_dir: &Path, options: &PostgresOptions) -> Result<Vec<(String, String)>> {
    let Some(socket_dir) = socket_dir.to_str() else { bail!("the folder {socket_dir:?} has no name in UTF-8") };
    let on = if options.durable { "on" } else { "off" };
    let mut settings: Vec<(String, String)> = [
        ("listen_addresses", ""),
        ("unix_socket_directories", socket_dir),
        ("unix_socket_permissions", "0700"),
        ("port", &PORT.to_string()),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_error_verbosity", "terse"),
        ("log_checkpoints", "off"),
        ("fsync", on),
        ("synchronous_commit", on),
        ("full_page_writes", on),
        ("shared_buffers", &format!("{}MB", options.shared_buffers_mb)),
        ("min_wal_size", &format!("{}MB", options.min_wal_size_mb)),
        ("max_wal_size", &format!("{}MB", options.min_wal_size_mb * MAX_WAL_TO_MIN)),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    settings.extend(options.settings.iter().cloned());
    Ok(settings)
}
