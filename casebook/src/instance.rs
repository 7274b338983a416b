//! One `casebook up` for each data folder, and how another terminal finds it.
//!
//! The file names the process; a lock on it says whether that process lives. A file that a crash left behind is
//! unlocked, so it hinders nobody.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Write},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::{Instant, sleep};

use crate::data_dir::DataDir;

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// This process as the one that serves the data folder, until it is dropped.
pub struct Instance {
    _locked: File,
}

impl Instance {
    /// # Errors
    /// When another process serves this data folder.
    pub fn claim(data_dir: &DataDir) -> Result<Self> {
        let path = data_dir.pid_file();
        let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("casebook runs already on {:?} (process {:?})", data_dir.path(), running(data_dir)?)
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("locking {path:?}")),
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        Ok(Self { _locked: file })
    }
}

/// The process that serves the data folder, if one does.
pub fn running(data_dir: &DataDir) -> Result<Option<i32>> {
    let mut file = match File::open(data_dir.pid_file()) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match file.try_lock_shared() {
        Ok(()) => return Ok(None),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let mut pid = String::new();
    file.read_to_string(&mut pid)?;
    // Empty for the moment between the lock and the number.
    Ok(pid.parse().ok())
}

/// Asks the process that serves the data folder to stop, and waits until it has. `false`: there is none.
pub async fn stop(data_dir: &DataDir, within: Duration) -> Result<bool> {
    let Some(pid) = running(data_dir)? else { return Ok(false) };
    kill(Pid::from_raw(pid), Signal::SIGTERM).with_context(|| format!("stopping process {pid}"))?;
    let deadline = Instant::now() + within;
    while running(data_dir)? == Some(pid) {
        if Instant::now() >= deadline {
            bail!("process {pid} has not stopped within {} s", within.as_secs());
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_served_once_and_a_file_left_behind_hinders_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::make(&folder.path().join("data")).unwrap();
        assert_eq!(running(&data_dir).unwrap(), None);
        let instance = Instance::claim(&data_dir).unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        assert_eq!(running(&data_dir).unwrap(), Some(own));
        assert!(Instance::claim(&data_dir).err().unwrap().to_string().contains(&own.to_string()));
        drop(instance);
        assert!(data_dir.pid_file().exists());
        assert_eq!(running(&data_dir).unwrap(), None);
        Instance::claim(&data_dir).unwrap();
    }
}
