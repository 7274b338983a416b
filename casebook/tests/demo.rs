//! `casebook demo`, against a `casebook up`.

use std::{
    fs::Permissions,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

fn casebook(data_dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_casebook"));
    command.args(arguments).env("CASEBOOK_DATA_DIR", data_dir).env_remove("DATABASE_URL").env_remove("NATS_URL");
    command.env("CASEBOOK_LISTEN", "127.0.0.1:0").env("CASEBOOK_LOG", "warn");
    command
}

/// Stopped, and waited for, when it is dropped.
struct Up(Child);

impl Up {
    /// The process, and where it serves.
    fn start(data_dir: &Path) -> (Self, String) {
        let mut process = casebook(data_dir, &["up"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let ready = lines.find_map(|line| line.strip_prefix("Casebook is ready on ").map(str::to_owned));
        (Self(process), ready.expect("it ended before it was ready").trim().to_owned())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        self.0.wait().unwrap();
    }
}

/// The bodies of the logins that the demo prints.
fn logins(said: &str) -> Vec<Value> {
    let bodies = said.lines().filter_map(|line| line.split_once("-d '")?.1.strip_suffix('\''));
    bodies.map(|body| serde_json::from_str(body).unwrap()).collect()
}

#[tokio::test]
async fn two_clinics_are_filled_and_their_administrators_can_log_in() {
    let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o711)).tempdir().unwrap();
    let (_up, address) = Up::start(&folder.path().join("data"));
    let output = casebook(folder.path(), &["demo", "--url", &address]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8(output.stderr).unwrap());
    assert_eq!(said.matches("3 doctors, 40 patients").count(), 2, "{said}");
    assert_eq!(said.matches("10 visits").count(), 2, "{said}");
    let http = reqwest::Client::new();
    for login in logins(&said) {
        let answer = http.post(format!("{address}/api/v1/auth/login")).json(&login).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let token = answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
        let clinic = format!("{address}/clinic/{}/api/v1", login["clinic"].as_str().unwrap());
        let doctors = http.get(format!("{clinic}/doctors")).bearer_auth(token).send().await.unwrap();
        assert_eq!(doctors.status(), 200);
    }
    assert_eq!(logins(&said).len(), 2);
}

#[test]
fn a_casebook_that_does_not_run_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = casebook(folder.path(), &["demo", "--url", "http://127.0.0.1:9"]).output().unwrap();
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && complained.contains("is Casebook running on http://127.0.0.1:9/?"),
        "{complained}"
    );
}
