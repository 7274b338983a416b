//! A data folder of PostgreSQL: made whole or not at all, and freed of what a crash left.

use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use nix::unistd::Pid;

use crate::{account::Account, process, programs::Postgres};

/// The database that is made for Casebook, and the role that owns it. The role is no superuser, as on a managed
/// server: it may make roles and databases.
pub(crate) const DATABASE: &str = "casebook";
pub(crate) const OWNER: &str = "casebook";
pub(crate) const SUPERUSER: &str = "postgres";

/// One statement a line, as the single-user server reads them.
const FIRST_STATEMENTS: &str =
    "CREATE ROLE casebook LOGIN CREATEDB CREATEROLE\nCREATE DATABASE casebook OWNER casebook\n";

/// Where data goes when the server's account cannot reach the folder asked for, which becomes a link.
const REACHABLE_FOLDER: &str = "/var/lib/casebook";

pub(crate) struct Cluster {
    pub(crate) postgres: Postgres,
    pub(crate) account: Account,
    /// Without symbolic links.
    pub(crate) data_dir: PathBuf,
}

impl Cluster {
    /// The data in this folder; made first when there is none.
    pub(crate) fn open_or_make(data_dir: &Path, durable: bool) -> Result<Self> {
        let postgres = Postgres::for_data(data_dir)?;
        let account = Account::for_data(data_dir)?;
        if data_dir.join("PG_VERSION").exists() {
            account.take_over(data_dir)?;
        } else {
            make(data_dir, &postgres, account, durable)?;
        }
        Ok(Self { postgres, account, data_dir: data_dir.canonicalize()? })
    }

    /// The processes that serve this folder: a postmaster, or what is left of one that was killed.
    pub(crate) fn processes(&self) -> Result<Vec<Pid>> {
        let all = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Ok(all.filter(|pid| serves(*pid, &self.data_dir)).map(Pid::from_raw).collect())
    }

    /// Removes a `postmaster.pid` that a crash left. PostgreSQL would take any process of that number, which after
    /// a reboot or in a new container is a likely one, for a running server. Only while no process serves the folder.
    pub(crate) fn remove_stale_pid(&self) -> Result<()> {
        match fs::remove_file(self.data_dir.join("postmaster.pid")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Each process of a server works in its data folder.
fn serves(pid: i32, data_dir: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == data_dir)
        && fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres")
}

/// What `postmaster.pid` says of a server that runs.
pub(crate) struct Running {
    pub(crate) pid: i32,
    pub(crate) socket_dir: PathBuf,
    pub(crate) ready: bool,
}

/// The server that runs on this data folder, if one does. Lines: pid, data, start, port, socket folder, address,
/// shared memory, status.
pub(crate) fn running(data_dir: &Path) -> Option<Running> {
    let text = fs::read_to_string(data_dir.join("postmaster.pid")).ok()?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let pid: i32 = lines.first()?.parse().ok()?;
    serves(pid, &data_dir.canonicalize().ok()?).then(|| Running {
        pid,
        socket_dir: lines.get(4).map(PathBuf::from).unwrap_or_default(),
        ready: lines.get(7) == Some(&"ready"),
    })
}

fn make(data_dir: &Path, postgres: &Postgres, account: Account, durable: bool) -> Result<()> {
    let parent = data_dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).with_context(|| format!("making {parent:?}"))?;
    remove_if_empty(data_dir)?;
    tracing::info!(folder = %data_dir.display(), version = postgres.major, "making a database folder");
    let parent = parent.canonicalize()?;
    let near = account.can_enter(&parent)?;
    let (prefix, place) = if near { (".making-", parent) } else { ("postgres-", make_reachable_folder()?) };
    let making = tempfile::Builder::new().prefix(prefix).tempdir_in(place)?;
    fill(making.path(), postgres, account, durable)?;
    let made = making.keep();
    if near {
        fs::rename(made, data_dir)?;
    } else {
        tracing::info!(folder = %made.display(), "the server's account cannot reach the folder asked for: data is here");
        symlink(made, data_dir)?;
    }
    Ok(())
}

fn remove_if_empty(data_dir: &Path) -> Result<()> {
    match fs::remove_dir(data_dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{data_dir:?} exists and is no data folder of PostgreSQL"))
        }
        _ => Ok(()),
    }
}

fn make_reachable_folder() -> Result<PathBuf> {
    fs::create_dir_all(REACHABLE_FOLDER).with_context(|| format!("making {REACHABLE_FOLDER}"))?;
    Ok(PathBuf::from(REACHABLE_FOLDER))
}

/// `initdb`, then the role and the database, by a server that nobody can connect to.
///
/// Order by bytes, case by Unicode: comparing is fast, an index serves `LIKE 'x%'`, and `lower('É')` is `é`.
/// Whoever can reach the socket is trusted; see [`crate::socket::SocketDir`].
fn fill(folder: &Path, postgres: &Postgres, account: Account, durable: bool) -> Result<()> {
    account.give(folder)?;
    let mut initdb = account.command(&postgres.program("initdb"))?;
    initdb.arg("--pgdata").arg(folder).args(["--username", SUPERUSER, "--auth=trust", "--no-instructions"]);
    initdb.args(["--encoding=UTF8", "--lc-collate=C", "--lc-ctype=C.UTF-8", "--lc-messages=C"]);
    if !durable {
        initdb.arg("--no-sync");
    }
    process::run(&mut initdb)?;
    let mut single = account.command(&postgres.program("postgres"))?;
    single.args(["--single", "-c", "exit_on_error=true", "-c", if durable { "fsync=on" } else { "fsync=off" }, "-D"]);
    let mut child =
        single.arg(folder).arg(SUPERUSER).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    child.stdin.take().context("no way to the server")?.write_all(FIRST_STATEMENTS.as_bytes())?;
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "making the database failed ({}):\n{said}", output.status);
    Ok(())
}
