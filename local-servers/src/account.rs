//! The account that PostgreSQL runs as. It refuses to run as root.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::Signal,
    unistd::{User, geteuid},
};

use crate::{process, programs};

/// The account that Debian's packages of PostgreSQL make.
const SERVER_ACCOUNT: &str = "postgres";

/// Whom a server runs as: ourselves, or, when we are root, another account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    Own,
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// Ourselves, unless we are root: then the owner of the data that is there, or else `postgres`.
    pub(crate) fn for_data(data_dir: &Path) -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Own);
        }
        match fs::metadata(data_dir.join("PG_VERSION")) {
            Ok(data) if data.uid() != 0 => Ok(Self::Other { uid: data.uid(), gid: data.gid() }),
            _ => Self::server(),
        }
    }

    fn server() -> Result<Self> {
        match User::from_name(SERVER_ACCOUNT)? {
            Some(user) => Ok(Self::Other { uid: user.uid.as_raw(), gid: user.gid.as_raw() }),
            None => bail!("PostgreSQL does not run as root, and there is no account `{SERVER_ACCOUNT}` to run it as"),
        }
    }

    /// Gives one file or folder to the account.
    pub(crate) fn give(self, path: &Path) -> Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => chown(path, Some(uid), Some(gid)).with_context(|| format!("giving {path:?}")),
        }
    }

    /// Gives a folder and all that it holds to the account, when root owns it (a copy made by root, say).
    pub(crate) fn take_over(self, folder: &Path) -> Result<()> {
        let Self::Other { uid, gid } = self else { return Ok(()) };
        if fs::metadata(folder.join("PG_VERSION"))?.uid() != 0 {
            return Ok(());
        }
        process::run(Command::new("chown").args(["-R", &format!("{uid}:{gid}")]).arg(folder))
    }

    /// Whether the account can pass through the folder. A home of root's, for one, lets nobody in.
    pub(crate) fn can_enter(self, folder: &Path) -> Result<bool> {
        match self {
            Self::Own => Ok(true),
            Self::Other { .. } => Ok(self.command(Path::new("test"))?.arg("-x").arg(folder).status()?.success()),
        }
    }

    /// A command that runs `program` to its end as this account.
    pub(crate) fn command(self, program: &Path) -> Result<Command> {
        self.wrap(program, None)
    }

    /// A command that runs a server as this account; the kernel sends it the signal when its parent dies, also by
    /// SIGKILL. (The signal must be set after the change of account, which clears it.)
    pub(crate) fn server_command(self, program: &Path, death_signal: Signal) -> Result<Command> {
        self.wrap(program, Some(death_signal))
    }

    fn wrap(self, program: &Path, death_signal: Option<Signal>) -> Result<Command> {
        let mut command = Command::new(programs::find("setpriv")?);
        if let Self::Other { uid, gid } = self {
            command.args([&format!("--reuid={uid}"), &format!("--regid={gid}"), "--clear-groups"]);
        }
        if let Some(signal) = death_signal {
            command.args(["--pdeathsig", signal.as_str().trim_start_matches("SIG")]);
        }
        command.arg("--").arg(program).current_dir("/");
        for (name, _) in env::vars_os().filter(|(name, _)| is_client_setting(name)) {
            command.env_remove(name);
        }
        Ok(command)
    }
}

/// Our own settings for PostgreSQL's clients and server (`PGDATA`, `PGPORT`, …) are not meant for a private one.
fn is_client_setting(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"PG")
}
