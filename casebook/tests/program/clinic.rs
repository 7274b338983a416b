//! A clinic on a program that runs, its people over HTTP, and its database past all walls.

use std::path::Path;

use local_servers::LocalPostgres;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::started::Started;

const PASSWORD: &str = "correct horse battery staple";
/// That stands nowhere else.
pub const WORD: &str = "zarathustrina";

pub struct Http<'a> {
    pub address: &'a str,
    pub token: String,
}

impl Http<'_> {
    pub async fn send(&self, method: reqwest::Method, path: &str, body: Value) -> (u16, Value) {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.address));
        let request = request.bearer_auth(&self.token).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(reqwest::Method::POST, path, body).await;
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    pub async fn log_in(address: &str, username: &str) -> String {
        let login = json!({"clinic": "asha", "username": username, "password": PASSWORD});
        let nobody = Http { address, token: String::new() };
        let tokens = nobody.post("/api/v1/auth/login", login).await;
        tokens["access_token"].as_str().unwrap().to_owned()
    }
}

/// A clinic with two administrators and a patient, whose first name is [`WORD`]; the patient's id.
pub async fn clinic(address: &str) -> String {
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

pub async fn database(data_dir: &Path) -> PgPool {
    let url = LocalPostgres::superuser_url_of_running(&data_dir.join("postgres")).unwrap();
    PgPool::connect(&url).await.unwrap()
}

pub fn stop(up: Started) {
    up.signal(Signal::SIGTERM);
    assert!(up.ended().0);
}
