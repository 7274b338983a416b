//! The program, started as people start it.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use local_servers::{LocalNats, LocalPostgres};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

pub fn casebook(data_dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_casebook"));
    command.args(arguments).env("CASEBOOK_DATA_DIR", data_dir).env_remove("DATABASE_URL").env_remove("NATS_URL");
    command.env("CASEBOOK_LISTEN", "127.0.0.1:0").env("CASEBOOK_LOG", "warn");
    command
}

/// One of the services, on given servers.
pub fn serve(data_dir: &Path, service: &str, postgres: &LocalPostgres, nats: &LocalNats) -> Started {
    let mut command = casebook(data_dir, &["serve", service]);
    Started::spawn(command.env("DATABASE_URL", postgres.url()).env("NATS_URL", nats.url()))
}

/// A process that has said that it is ready. Dropped, it is told to stop.
pub struct Started {
    process: Child,
    output: BufReader<ChildStdout>,
    /// Until it was ready.
    pub said: String,
    pub address: String,
}

impl Started {
    pub fn up(data_dir: &Path) -> Self {
        Self::spawn(&mut casebook(data_dir, &["up"]))
    }

    pub fn spawn(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "it ended before it was ready: {said}");
            said += &line;
            if let Some((_, address)) = line.split_once(" is ready on ") {
                break address.trim().to_owned();
            }
        };
        Self { process, output, said, address }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for the end; whether it was a good one, and what was said since it was ready.
    pub fn ended(mut self) -> (bool, String) {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        (self.process.wait().unwrap().success(), rest)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if self.process.try_wait().unwrap().is_none() {
            self.signal(Signal::SIGTERM);
            self.process.wait().unwrap();
        }
    }
}

pub async fn ready(process: &Started) -> bool {
    let answer = reqwest::get(format!("{}/readyz", process.address)).await.unwrap();
    answer.status() == 200
}

pub fn text(output: Output) -> String {
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}
