//! The folder of PostgreSQL's socket.

use std::{
    env,
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use tempfile::TempDir;

use crate::account::Account;

/// The name that PostgreSQL gives to the socket of [`PORT`].
const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// Part of the socket's name only: a private server listens on no network.
pub(crate) const PORT: u16 = 5432;
/// What the kernel allows for the path of a socket, without the closing zero.
const SOCKET_PATH_LIMIT_BYTES: usize = 107;

/// Nobody but the server's account (and root) may enter the folder: that is the server's access control.
pub(crate) enum SocketDir {
    Lasting(PathBuf),
    Temporary(TempDir),
}

impl SocketDir {
    /// The folder asked for; else the data folder; else, when its path is too long for a socket, a temporary one.
    pub(crate) fn new(asked: Option<&Path>, data_dir: &Path, account: Account) -> Result<Self> {
        match asked {
            Some(folder) if !fits(folder) => bail!("the path {folder:?} is too long for a unix socket"),
            Some(folder) => Ok(Self::Lasting(folder.to_owned())),
            None if fits(data_dir) => Ok(Self::Lasting(data_dir.to_owned())),
            None => Self::temporary(account),
        }
    }

    fn temporary(account: Account) -> Result<Self> {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
        let parent = match (account, runtime) {
            (Account::Own, Some(runtime)) => runtime,
            _ => PathBuf::from("/tmp"),
        };
        let closed = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("casebook-").permissions(closed).tempdir_in(parent)?;
        account.give(folder.path())?;
        Ok(Self::Temporary(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Lasting(folder) => folder,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

fn fits(folder: &Path) -> bool {
    folder.as_os_str().len() + "/".len() + SOCKET_NAME.len() <= SOCKET_PATH_LIMIT_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_gets_a_short_folder() {
        let long = PathBuf::from(format!("/tmp/{}", "x".repeat(100)));
        let chosen = SocketDir::new(None, &long, Account::Own).unwrap();
        assert!(chosen.path() != long && fits(chosen.path()));
        let short = Path::new("/tmp/data");
        assert_eq!(SocketDir::new(None, short, Account::Own).unwrap().path(), short);
    }
}
