//! A private nats-server with JetStream, on a port of 127.0.0.1 that it finds free by itself.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use serde::Deserialize;
use tempfile::TempDir;

use crate::{account::Account, process::Process, programs, wait::until};

const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long a server whose parent died may take to end before its store counts as taken.
const PREDECESSOR_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(15);
const FORCED_STOP_WITHIN: Duration = Duration::from_secs(5);
/// Of the one login that a server with a password knows.
const USER: &str = "casebook";
/// The server's own name for "any free port".
const ANY_PORT: &str = "-1";

#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// JetStream's files; made when it is absent.
    pub store_dir: PathBuf,
    /// 0: any free port.
    pub port: u16,
    /// What a client must know, if anything. On a machine that others use too, a stranger could otherwise read
    /// the messages, and send some. It must fit into a URL as it is.
    pub password: Option<String>,
}

impl NatsOptions {
    /// A server on any free port that stores its streams in this folder.
    pub fn new(store_dir: impl Into<PathBuf>) -> Self {
        Self { store_dir: store_dir.into(), port: 0, password: None }
    }
}

/// A nats-server, running or killed. Dropped, it ends.
pub struct LocalNats {
    process: Process,
    /// With the port that was found free.
    options: NatsOptions,
    /// Removed after the server's end: fields are dropped in this order.
    _temporary: Option<TempDir>,
}

impl LocalNats {
    /// Starts the server and waits until it accepts connections.
    pub async fn start(options: NatsOptions) -> Result<Self> {
        Self::start_in(options, None).await
    }

    /// A server whose store is removed with it: for tests.
    pub async fn start_temporary() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("casebook-test-").tempdir()?;
        Self::start_in(NatsOptions::new(folder.path().join("nats")), Some(folder)).await
    }

    async fn start_in(options: NatsOptions, temporary: Option<TempDir>) -> Result<Self> {
        let (process, port) = launch(&options).await?;
        Ok(Self { process, options: NatsOptions { port, ..options }, _temporary: temporary })
    }

    /// JetStream's files.
    pub fn store_dir(&self) -> &Path {
        &self.options.store_dir
    }

    /// The same after every restart; with user and password where one is set.
    pub fn url(&self) -> String {
        let port = self.options.port;
        match &self.options.password {
            Some(password) => format!("nats://{USER}:{password}@127.0.0.1:{port}"),
            None => format!("nats://127.0.0.1:{port}"),
        }
    }

    /// Whether the server has ended without having been asked to; [`restart`](Self::restart) starts it again.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.process.exited()?.is_some())
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Ends the server without giving it a chance to write anything. [`restart`](Self::restart) starts it again.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.end(&[(Signal::SIGKILL, FORCED_STOP_WITHIN)]).await
    }

    /// Ends the server cleanly if it runs, and starts it on the same store and port.
    pub async fn restart(&mut self) -> Result<()> {
        self.end_cleanly().await?;
        (self.process, self.options.port) = launch(&self.options).await?;
        Ok(())
    }

    /// Kills the server if it runs, and removes all that it has stored. [`restart`](Self::restart) starts it again.
    pub async fn wipe(&mut self) -> Result<()> {
        self.kill().await?;
        let store_dir = &self.options.store_dir;
        fs::remove_dir_all(store_dir).with_context(|| format!("removing {store_dir:?}"))
    }

    /// Ends the server after it has written out its streams.
    pub async fn stop(mut self) -> Result<()> {
        self.end_cleanly().await
    }

    async fn end_cleanly(&mut self) -> Result<()> {
        self.process.end(&[(Signal::SIGTERM, STOP_WITHIN), (Signal::SIGKILL, FORCED_STOP_WITHIN)]).await
    }
}

/// Starts a server and learns its port from the file that it writes once it accepts connections.
async fn launch(options: &NatsOptions) -> Result<(Process, u16)> {
    let store_dir = &options.store_dir;
    fs::create_dir_all(store_dir).with_context(|| format!("making {store_dir:?}"))?;
    let store_dir = store_dir.canonicalize()?;
    let lock = lock(&store_dir).await?;
    let (settings, ports) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut command = Account::Own.server_command(&programs::find("nats-server")?, Signal::SIGTERM)?;
    command.arg("--config").arg(write_settings(settings.path(), options)?);
    command.args(["--addr", "127.0.0.1", "--port", &asked(options.port), "--jetstream", "--store_dir"]).arg(&store_dir);
    command.arg("--ports_file_dir").arg(ports.path()).stdin(lock);
    let log = store_dir.with_extension("log");
    let mut process = Process::start("nats-server", command, &log, Signal::SIGTERM)?;
    let port = until(READY_WITHIN, "nats-server's readiness", || {
        process.check_running()?;
        Ok(port_in(ports.path()))
    })
    .await?;
    tracing::info!(pid = process.pid(), port, store = %store_dir.display(), "nats-server is ready");
    Ok((process, port))
}

/// In a file, which is read once: arguments can be seen by everybody on the machine.
fn write_settings(folder: &Path, options: &NatsOptions) -> Result<PathBuf> {
    let path = folder.join("nats.conf");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    if let Some(password) = &options.password {
        writeln!(file, "authorization {{ user: {USER:?}, password: {password:?} }}")?;
    }
    Ok(path)
}

/// The store's lock, for the server to hold as its standard input: it is free again when the server has ended,
/// however that came. The server itself would let a second one write into the same store.
async fn lock(store_dir: &Path) -> Result<File> {
    let path = store_dir.with_extension("lock");
    let file = File::create(&path).with_context(|| format!("making {path:?}"))?;
    until(PREDECESSOR_WITHIN, "the end of the nats-server that uses this store", || match file.try_lock() {
        Ok(()) => Ok(Some(())),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error.into()),
    })
    .await?;
    Ok(file)
}

fn asked(port: u16) -> String {
    if port == 0 { ANY_PORT.to_owned() } else { port.to_string() }
}

#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
}

/// The port in `nats-server_<pid>.ports`: `{"nats": ["nats://127.0.0.1:4222"]}`; none while the file is not whole.
fn port_in(folder: &Path) -> Option<u16> {
    let file = fs::read_dir(folder).ok()?.flatten().next()?.path();
    let ports: Ports = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    ports.nats.first()?.rsplit_once(':')?.1.parse().ok()
}
