//! Where the servers' programs lie.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// Versions of PostgreSQL that the migrations are written for.
const POSTGRES_MAJORS: std::ops::RangeInclusive<u32> = 15..=18;
/// Debian keeps each major version apart, outside of `PATH`.
const DEBIAN_POSTGRES: &str = "/usr/lib/postgresql";
/// Debian puts servers into a folder that ordinary users do not have in `PATH`.
const SYSTEM_FOLDERS: [&str; 4] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"];

/// A program of `PATH`, or of the system's folders.
pub(crate) fn find(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(SYSTEM_FOLDERS.iter().map(PathBuf::from));
    folders
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .with_context(|| format!("`{name}` is not installed; scripts/install-prerequisites.sh installs it"))
}

/// One installed PostgreSQL.
#[derive(Clone, Debug)]
pub(crate) struct Postgres {
    pub(crate) major: u32,
    pub(crate) folder: PathBuf,
}

impl Postgres {
    /// The version that the data was made with; for new data, the newest.
    pub(crate) fn for_data(data_dir: &Path) -> Result<Self> {
        let installed = installed();
        let Ok(version) = fs::read_to_string(data_dir.join("PG_VERSION")) else {
            // Of two that are equally new the first found: the one where Debian puts it.
            return installed.into_iter().rev().max_by_key(|postgres| postgres.major).with_context(|| {
                format!("PostgreSQL {POSTGRES_MAJORS:?} is not installed; scripts/install-prerequisites.sh installs it")
            });
        };
        let major = version.trim();
        match installed.into_iter().find(|postgres| postgres.major.to_string() == major) {
            Some(postgres) => Ok(postgres),
            None => bail!("{data_dir:?} was made by PostgreSQL {major}, which is not installed (any more)"),
        }
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn installed() -> Vec<Postgres> {
    let mut folders: Vec<PathBuf> = fs::read_dir(DEBIAN_POSTGRES)
        .map(|majors| majors.flatten().map(|major| major.path().join("bin")).collect())
        .unwrap_or_default();
    folders.extend(folder_by_pg_config());
    folders.extend(find("postgres").ok().and_then(|program| program.parent().map(Path::to_owned)));
    folders.into_iter().filter_map(postgres_in).collect()
}

fn folder_by_pg_config() -> Option<PathBuf> {
    let output = Command::new(find("pg_config").ok()?).arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

/// The server in this folder, when there is one, with `initdb`, of a version that we know.
fn postgres_in(folder: PathBuf) -> Option<Postgres> {
    if !folder.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    let major = major(std::str::from_utf8(&output.stdout).ok()?)?;
    POSTGRES_MAJORS.contains(&major).then_some(Postgres { major, folder })
}

/// `postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)` is 15.
fn major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_releases_and_from_betas() {
        assert_eq!(major("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major("something else"), None);
    }
}
