//! A server as a child process: it ends with us, and within a bounded time when asked to.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::wait::until;

/// A log longer than this is put aside at the next start, in place of the one put aside before.
const LOG_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
/// How much of the log an error shows.
const LOG_TAIL_BYTES: u64 = 2_000;
/// How long a dropped server may take to end before it is killed.
const DROP_WAIT: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    /// Where the log of this run begins.
    log_start: u64,
    drop_signal: Signal,
}

impl Process {
    /// Starts a server, made by [`Account::server_command`], with its output in a log. `drop_signal` asks it to end
    /// when this is dropped.
    ///
    /// [`Account::server_command`]: crate::account::Account::server_command
    pub(crate) fn start(name: &'static str, mut command: Command, log: &Path, drop_signal: Signal) -> Result<Self> {
        let (file, log_start) = open_log(log)?;
        command.stdout(file.try_clone()?).stderr(file);
        // Ctrl-C in a terminal reaches the whole group; the servers must outlive us, not race us.
        command.process_group(0);
        let child = spawn_for_good(command).with_context(|| format!("starting {name}"))?;
        Ok(Self { name, child, log: log.to_owned(), log_start, drop_signal })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn exited(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// An error with the end of the server's log when it is not running any more.
    pub(crate) fn check_running(&mut self) -> Result<()> {
        match self.exited()? {
            None => Ok(()),
            Some(status) => bail!("{} ended ({status}):\n{}", self.name, self.log_tail()),
        }
    }

    /// Sends each signal in turn, going on to the next when the server has not ended within its time.
    pub(crate) async fn end(&mut self, steps: &[(Signal, Duration)]) -> Result<()> {
        for (signal, within) in steps {
            self.signal(*signal)?;
            let ended = until(*within, "the end of the server", || self.exited()).await;
            if ended.is_ok() {
                return Ok(());
            }
            tracing::warn!(server = self.name, %signal, "did not end in time");
        }
        bail!("{} (process {}) does not end", self.name, self.pid())
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.exited()?.is_none() {
            kill(Pid::from_raw(self.pid().try_into()?), signal)?;
        }
        Ok(())
    }

    /// What the server has said since this start, its end only.
    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log, self.log_start).unwrap_or_else(|error| format!("(its log cannot be read: {error})"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let deadline = Instant::now() + DROP_WAIT;
        let asked = self.signal(self.drop_signal).is_ok();
        while matches!(self.child.try_wait(), Ok(None)) {
            if !asked || Instant::now() >= deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

/// Runs a helper to its end; an error with what it said when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("running {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

struct Order {
    command: Command,
    answer: mpsc::Sender<io::Result<Child>>,
}

/// Spawns on a thread that lives as long as our process: "its parent dies" means the thread that made the child,
/// and a runtime ends its threads when they have been idle.
fn spawn_for_good(command: Command) -> Result<Child> {
    static KEEPER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| {
        let (orders, queue) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for Order { mut command, answer } in queue {
                let _ = answer.send(command.spawn());
            }
        });
        orders
    });
    let (answer, child) = mpsc::channel();
    keeper.send(Order { command, answer })?;
    Ok(child.recv()??)
}

fn open_log(path: &Path) -> Result<(File, u64)> {
    if fs::metadata(path).is_ok_and(|log| log.len() > LOG_LIMIT_BYTES) {
        fs::rename(path, path.with_extension("log.old"))?;
    }
    let file = OpenOptions::new().create(true).append(true).open(path).with_context(|| format!("opening {path:?}"))?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

fn tail(path: &Path, from: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(from.max(length.saturating_sub(LOG_TAIL_BYTES))))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
