//! `casebook up` and `casebook down`, as people meet them.

use std::{fs, os::unix::fs::PermissionsExt};

use local_servers::{LocalNats, LocalPostgres};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::started::{Started, casebook, folder, ready, text};

#[tokio::test]
async fn it_starts_from_nothing_stops_on_down_and_starts_again_on_its_data() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let up = Started::up(&data_dir);
    assert!(up.said.contains("ALL RECORDS ARE LOST"), "{}", up.said);
    assert!(ready(&up).await);
    let status = text(casebook(&data_dir, &["status"]).output().unwrap());
    assert!(status.contains("Casebook runs") && status.contains("patient_1 "), "{status}");

    let down = casebook(&data_dir, &["down"]).output().unwrap();
    assert!(down.status.success());
    assert_eq!(text(down), "Casebook has stopped.\n");
    assert!(up.ended().0);
    assert!(text(casebook(&data_dir, &["status"]).output().unwrap()).contains("does not run"));
    assert!(!data_dir.join("postgres/postmaster.pid").exists());

    let again = Started::up(&data_dir);
    assert!(ready(&again).await);
    assert_eq!(again.said.lines().count(), 1, "{}", again.said);
    again.signal(Signal::SIGINT);
    let (well, said) = again.ended();
    assert!(well && said == "Casebook has stopped.\n", "{said}");
}

#[tokio::test]
async fn a_second_one_on_the_same_folder_is_refused() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let up = Started::up(&data_dir);
    let second = casebook(&data_dir, &["up"]).output().unwrap();
    assert!(!second.status.success());
    assert!(text(second).contains("runs already"));
    assert!(ready(&up).await);
}

#[tokio::test]
async fn it_starts_again_after_kill_9() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let up = Started::up(&data_dir);
    up.signal(Signal::SIGKILL);
    assert!(!up.ended().0);
    assert!(ready(&Started::up(&data_dir)).await);
}

#[tokio::test]
async fn a_server_that_is_killed_is_started_again() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let up = Started::up(&data_dir);
    let pid_file = data_dir.join("postgres/postmaster.pid");
    let postmaster: i32 = fs::read_to_string(&pid_file).unwrap().lines().next().unwrap().parse().unwrap();
    kill(Pid::from_raw(postmaster), Signal::SIGKILL).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let other = |pid: &str| pid.lines().next().is_some_and(|pid| pid != postmaster.to_string());
    while !(fs::read_to_string(&pid_file).is_ok_and(|pid| other(&pid)) && ready(&up).await) {
        assert!(std::time::Instant::now() < deadline, "it was not started again");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn existing_servers_are_used_where_they_are_named() {
    let (postgres, nats) = tokio::try_join!(LocalPostgres::start_temporary(), LocalNats::start_temporary()).unwrap();
    let folder = folder();
    let data_dir = folder.path().join("data");
    let mut command = casebook(&data_dir, &["up"]);
    let up = Started::spawn(command.env("DATABASE_URL", postgres.url()).env("NATS_URL", nats.url()));
    assert!(ready(&up).await);
    assert!(!data_dir.join("postgres").exists() && !data_dir.join("nats").exists());
    let mut probe = casebook(&data_dir, &["probe", "--listen", up.address.trim_start_matches("http://")]);
    assert!(probe.status().unwrap().success());
    drop(up);
    assert!(!probe.output().unwrap().status.success());
}

#[test]
fn a_copy_of_the_master_key_is_the_key_and_for_the_owner_alone() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    assert!(!casebook(&data_dir, &["keys", "backup"]).status().unwrap().success());
    assert!(casebook(&data_dir, &["setup"]).status().unwrap().success());
    let copy = folder.path().join("copy");
    let backup = || casebook(&data_dir, &["keys", "backup", copy.to_str().unwrap()]).output().unwrap();
    assert!(backup().status.success());
    assert_eq!(fs::read(&copy).unwrap(), fs::read(data_dir.join("master-key")).unwrap());
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!backup().status.success(), "a copy is never overwritten");
}

#[tokio::test]
async fn a_lost_master_key_is_not_replaced_and_another_one_is_refused() {
    let postgres = LocalPostgres::start_temporary().await.unwrap();
    let folder = folder();
    let data_dir = folder.path().join("data");
    let setup = || casebook(&data_dir, &["setup"]).env("DATABASE_URL", postgres.url()).output().unwrap();
    assert!(setup().status.success());
    let right = fs::read(data_dir.join("master-key")).unwrap();
    fs::remove_file(data_dir.join("master-key")).unwrap();
    let refused = setup();
    assert!(!refused.status.success());
    assert!(text(refused).contains("the master key is missing"));
    assert!(!data_dir.join("master-key").exists());

    fs::write(data_dir.join("master-key"), "07".repeat(32)).unwrap();
    let refused = setup();
    assert!(!refused.status.success());
    assert!(text(refused).contains("is this the master key of this installation?"));
    fs::write(data_dir.join("master-key"), right).unwrap();
    assert!(setup().status.success());
}

#[test]
fn a_port_that_is_taken_is_said_at_once() {
    let folder = folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let up = casebook(&folder.path().join("data"), &["up", "--listen", &address]).output().unwrap();
    assert!(!up.status.success());
    assert!(text(up).contains(&address));
    assert!(!folder.path().join("data/postgres").exists());
}

#[test]
fn down_without_anything_running_says_so() {
    let folder = folder();
    let down = casebook(&folder.path().join("none"), &["down"]).output().unwrap();
    assert!(down.status.success());
    assert_eq!(text(down), "Casebook does not run.\n");
}
