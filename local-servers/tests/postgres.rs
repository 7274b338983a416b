//! The private PostgreSQL, as its users meet it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use local_servers::{LocalPostgres, PostgresOptions};
use sqlx::{Connection, PgConnection, Row};
use tempfile::TempDir;

/// A folder that the server's account may pass through when we are root.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

fn small(data_dir: &Path) -> PostgresOptions {
    PostgresOptions { min_wal_size_mb: 32, shared_buffers_mb: 16, ..PostgresOptions::new(data_dir) }
}

async fn remember(url: &str, fact: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query("CREATE TABLE IF NOT EXISTS fact (name text)").execute(&mut connection).await.unwrap();
    sqlx::query("INSERT INTO fact VALUES ($1)").bind(fact).execute(&mut connection).await.unwrap();
}

async fn remembered(url: &str) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let rows = sqlx::query("SELECT name FROM fact ORDER BY name").fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn setting(url: &str, name: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let row = sqlx::query("SELECT current_setting($1)").bind(name).fetch_one(&mut connection).await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn data_outlives_a_clean_stop_and_a_restart() {
    let folder = folder();
    let data_dir = folder.path().join("postgres");
    let mut server = LocalPostgres::start(small(&data_dir)).await.unwrap();
    remember(&server.url(), "before the restart").await;
    server.restart().await.unwrap();
    remember(&server.url(), "before the stop").await;
    server.stop().await.unwrap();

    let server = LocalPostgres::start(small(&data_dir)).await.unwrap();
    assert_eq!(remembered(&server.url()).await, ["before the restart", "before the stop"]);
    let log = fs::read_to_string(folder.path().join("postgres.log")).unwrap();
    assert!(!log.contains("not properly shut down"), "{log}");
}

#[tokio::test]
async fn data_outlives_kill_9_of_every_process() {
    let folder = folder();
    let mut server = LocalPostgres::start(small(&folder.path().join("postgres"))).await.unwrap();
    remember(&server.url(), "committed").await;
    server.kill().await.unwrap();
    assert!(PgConnection::connect(&server.url()).await.is_err());
    server.restart().await.unwrap();
    assert_eq!(remembered(&server.url()).await, ["committed"]);
}

#[tokio::test]
async fn a_stale_pid_file_that_names_a_living_process_does_not_hinder_a_start() {
    let folder = folder();
    let data_dir = folder.path().join("postgres");
    let mut server = LocalPostgres::start(small(&data_dir)).await.unwrap();
    server.kill().await.unwrap();
    let pid_file = data_dir.join("postmaster.pid");
    let stale = fs::read_to_string(&pid_file).unwrap();
    let mut other = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    fs::write(&pid_file, stale.replacen(&server.pid().to_string(), &other.id().to_string(), 1)).unwrap();
    let restarted = server.restart().await;
    other.kill().unwrap();
    other.wait().unwrap();
    restarted.unwrap();
}

#[tokio::test]
async fn two_servers_run_side_by_side() {
    let (one, two) = tokio::try_join!(LocalPostgres::start_temporary(), LocalPostgres::start_temporary()).unwrap();
    remember(&one.url(), "one").await;
    remember(&two.url(), "two").await;
    assert_eq!(remembered(&one.url()).await, ["one"]);
    assert_eq!(remembered(&two.url()).await, ["two"]);
}

#[tokio::test]
async fn a_temporary_server_leaves_nothing_behind() {
    let server = LocalPostgres::start_temporary().await.unwrap();
    let folder = server.data_dir().parent().unwrap().to_owned();
    drop(server);
    assert!(!folder.exists());
}

#[tokio::test]
async fn only_a_temporary_server_does_without_syncing() {
    let folder = folder();
    let lasting = LocalPostgres::start(small(&folder.path().join("postgres"))).await.unwrap();
    let temporary = LocalPostgres::start_temporary().await.unwrap();
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        assert_eq!(setting(&lasting.url(), name).await, "on");
        assert_eq!(setting(&temporary.url(), name).await, "off");
    }
}

#[tokio::test]
async fn the_owner_is_no_superuser_but_may_make_roles_and_databases() {
    let server = LocalPostgres::start_temporary().await.unwrap();
    assert_eq!(setting(&server.url(), "is_superuser").await, "off");
    assert_eq!(setting(&server.superuser_url("casebook"), "is_superuser").await, "on");
    let mut owner = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::query("CREATE ROLE reader LOGIN").execute(&mut owner).await.unwrap();
    sqlx::query("CREATE DATABASE another").execute(&mut owner).await.unwrap();
    PgConnection::connect(&server.url_of("reader", "another")).await.unwrap();
}

#[tokio::test]
async fn text_is_ordered_by_bytes_and_knows_the_case_of_every_letter() {
    let server = LocalPostgres::start_temporary().await.unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let row = sqlx::query("SELECT lower('ÉLODIE'), 'Z' < 'a'").fetch_one(&mut connection).await.unwrap();
    assert_eq!(row.get::<String, _>(0), "élodie");
    assert!(row.get::<bool, _>(1));
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_no_hindrance() {
    let folder = folder();
    let deep = folder.path().join("a-folder-with-a-long-name/".repeat(5));
    let server = LocalPostgres::start(small(&deep.join("postgres"))).await.unwrap();
    remember(&server.url(), "deep").await;
    assert_eq!(remembered(&server.url()).await, ["deep"]);
    let found = LocalPostgres::url_of_running(&deep.join("postgres"));
    assert_eq!(found, Some(server.url()));
}

#[tokio::test]
async fn a_folder_that_the_servers_account_cannot_reach_becomes_a_link() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = folder.path().join("postgres");
    let server = LocalPostgres::start(small(&data_dir)).await.unwrap();
    remember(&server.url(), "reached").await;
    server.stop().await.unwrap();
    let server = LocalPostgres::start(small(&data_dir)).await.unwrap();
    assert_eq!(remembered(&server.url()).await, ["reached"]);
    let place = server.data_dir().to_owned();
    drop(server);
    if data_dir.is_symlink() {
        fs::remove_dir_all(place).unwrap();
    }
}

#[tokio::test]
async fn a_folder_with_something_else_in_it_is_left_alone() {
    let folder = folder();
    let data_dir = folder.path().join("postgres");
    fs::create_dir(&data_dir).unwrap();
    fs::write(data_dir.join("letter.txt"), "mine").unwrap();
    assert!(LocalPostgres::start(small(&data_dir)).await.is_err());
    assert_eq!(fs::read_to_string(data_dir.join("letter.txt")).unwrap(), "mine");
}

#[tokio::test]
async fn an_error_of_a_row_is_not_logged_with_its_values() {
    let folder = folder();
    let server = LocalPostgres::start(small(&folder.path().join("postgres"))).await.unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::query("CREATE TABLE person (name text PRIMARY KEY)").execute(&mut connection).await.unwrap();
    let insert = || sqlx::query("INSERT INTO person VALUES ($1)").bind("Asha-Secret");
    insert().execute(&mut connection).await.unwrap();
    insert().execute(&mut connection).await.unwrap_err();
    let log = fs::read_to_string(folder.path().join("postgres.log")).unwrap();
    assert!(log.contains("duplicate key") && !log.contains("Asha-Secret"), "{log}");
}
