//! A database of yesterday, put back, meets the list of erasures of today.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use local_servers::LocalPostgres;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::started::{Started, casebook, folder, text};

const PASSWORD: &str = "correct horse battery staple";
const WORD: &str = "zarathustrina";
const DONE_WITHIN: Duration = Duration::from_secs(30);

struct Http<'a> {
    address: &'a str,
    token: String,
}

impl Http<'_> {
    async fn send(&self, method: reqwest::Method, path: &str, body: Value) -> (u16, Value) {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.address));
        let request = request.bearer_auth(&self.token).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(reqwest::Method::POST, path, body).await;
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    async fn log_in(address: &str, username: &str) -> String {
        let login = json!({"clinic": "asha", "username": username, "password": PASSWORD});
        let nobody = Http { address, token: String::new() };
        let tokens = nobody.post("/api/v1/auth/login", login).await;
        tokens["access_token"].as_str().unwrap().to_owned()
    }
}

/// A clinic with two administrators and a patient; the patient's id.
async fn clinic(address: &str) -> String {
    let nobody = Http { address, token: String::new() };
    let registration = json!({
        "name": "Asha Clinic", "slug": "asha", "email": "hello@asha.example",
        "admin": {"username": "first", "password": PASSWORD, "name": "Asha Rao", "email": "a@asha.example"}
    });
    let registered = nobody.post("/api/v1/clinics", registration).await;
    let first = Http { address, token: registered["access_token"].as_str().unwrap().to_owned() };
    let second = json!({"name": "Meera Iyer", "username": "second", "roles": ["clinic_admin"]});
    let invited = first.post("/clinic/asha/api/v1/staff", second).await;
    let activate =
        json!({"clinic": "asha", "username": "second", "activation": invited["activation"], "password": PASSWORD});
    nobody.post("/api/v1/auth/activate", activate).await;
    let patient = first.post("/clinic/asha/api/v1/patients", json!({"first_name": WORD})).await;
    patient["id"].as_str().unwrap().to_owned()
}

async fn erase(address: &str, patient: &str) {
    for (username, action) in [("first", "request-erasure"), ("second", "approve-erasure")] {
        let administrator = Http { address, token: Http::log_in(address, username).await };
        administrator.post(&format!("/clinic/asha/api/v1/patients/{patient}/{action}"), json!({})).await;
    }
}

async fn database(data_dir: &Path) -> PgPool {
    let url = LocalPostgres::superuser_url_of_running(&data_dir.join("postgres")).unwrap();
    PgPool::connect(&url).await.unwrap()
}

async fn count(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

/// With owners and modes, as a backup has them.
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

fn stop(up: Started) {
    up.signal(Signal::SIGTERM);
    assert!(up.ended().0);
}

#[tokio::test]
async fn a_backup_from_before_an_erasure_does_not_bring_the_person_back() {
    let folder = folder();
    let (data_dir, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let up = Started::up(&data_dir);
    let patient = clinic(&up.address).await;
    stop(up);
    copy(&data_dir.join("postgres"), &backup);

    let up = Started::up(&data_dir);
    erase(&up.address, &patient).await;
    let (pool, since) = (database(&data_dir).await, Instant::now());
    const LEFT: &str = "SELECT count(*) FROM log.patient_key WHERE wrapped IS NOT NULL";
    while count(&pool, LEFT).await > 0 {
        assert!(since.elapsed() < DONE_WITHIN, "the key is never destroyed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    pool.close().await;
    stop(up);

    std::fs::remove_dir_all(data_dir.join("postgres")).unwrap();
    copy(&backup, &data_dir.join("postgres"));
    let again = Started::up(&data_dir);
    assert!(again.said.contains("1 erasures were done again"), "{}", again.said);
    let pool = database(&data_dir).await;
    assert_eq!(count(&pool, LEFT).await, 0);
    const READABLE: &str = "SELECT count(*) FROM read.patient_1 p WHERE p::text ILIKE '%zarathustrina%'";
    assert_eq!(count(&pool, READABLE).await, 0);
    pool.close().await;
    let first = Http { address: &again.address, token: Http::log_in(&again.address, "first").await };
    let path = format!("/clinic/asha/api/v1/patients/{patient}");
    let (status, gone) = first.send(reqwest::Method::GET, &path, Value::Null).await;
    assert_eq!((status, gone["code"].as_str()), (410, Some("erased")), "{gone}");
    let (_, list) = first.send(reqwest::Method::GET, "/clinic/asha/api/v1/erasures", Value::Null).await;
    assert_eq!(list["items"][0]["cause"], "listed", "{list}");

    let look = ["audit", "verify-erasure", "--vacuum", "--clinic", "asha", "--patient", &patient, "--marker", WORD];
    let verified = text(casebook(&data_dir, &look).output().unwrap());
    assert!(verified.contains("ok      the patient's key is destroyed"), "{verified}");
    assert!(!verified.contains("FOUND"), "{verified}");
    stop(again);
    let third = Started::up(&data_dir);
    assert_eq!(third.said.lines().count(), 1, "done once: {}", third.said);
}
