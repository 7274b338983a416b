//! A clinic that takes papers.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use aws_lc_rs::digest;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Stack, TestClinic};

const WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(super) struct World {
    pub stack: Stack,
    pub clinic: TestClinic,
    pub doctor: Client,
    pub patient: String,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::on(Stack::start().await).await
    }

    pub(super) async fn on(stack: Stack) -> Self {
        let clinic = TestClinic::register(&stack.client()).await;
        let made = clinic.new_doctor().await;
        let staff = clinic.get_at(made.position(), &format!("/staff/{}", made.id())).await.expect(200);
        let doctor = clinic.activate(&staff.text_of("username"), &made.text_of("activation")).await;
        let person = json!({"first_name": "Asha", "birth_date": "1984-03-12"});
        let patient = clinic.post("/patients", person).await.expect(201).id();
        Self { stack, clinic, doctor, patient }
    }

    /// Limits of the platform's choice.
    pub(super) async fn with_storage(self, bytes: usize) -> Self {
        let limits = json!({"limits": {"storage": bytes}});
        let path = format!("/api/v1/clinics/{}/limits", self.clinic.id);
        self.stack.platform().await.post(&path, limits).await.expect(200);
        self
    }

    pub(super) fn path(&self, below: &str) -> String {
        self.clinic.path(&format!("/documents{below}"))
    }

    pub(super) fn announcement(&self, content: &[u8], others: Value) -> Value {
        let mut all = json!({
            "patient_id": self.patient, "kind": "clinical", "title": "Discharge summary",
            "media_type": "application/pdf", "size": content.len(), "sha256": sha256(content)
        });
        all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        all
    }

    pub(super) async fn announced(&self, content: &[u8], others: Value) -> String {
        self.doctor.post(&self.path(""), self.announcement(content, others)).await.expect(201).id()
    }

    /// Announced and sent; the id.
    pub(super) async fn uploaded(&self, content: &[u8], others: Value) -> String {
        let id = self.announced(content, others).await;
        let sent = self.sent(&self.doctor, &id, content).await.expect(200);
        self.seen(&sent, &id).await;
        id
    }

    pub(super) async fn sent(&self, by: &Client, id: &str, content: &[u8]) -> Answer {
        by.send(Method::PUT, &self.path(&format!("/{id}/content")), Some(content.to_vec())).await
    }

    /// Waits until the read models know of an answer.
    pub(super) async fn seen(&self, answer: &Answer, id: &str) -> Answer {
        let at = self.doctor.with("casebook-min-position", answer.position());
        at.get(&self.path(&format!("/{id}"))).await.expect(200)
    }

    pub(super) async fn does(&self, by: &Client, id: &str, action: &str, body: Value) -> Answer {
        by.post(&self.path(&format!("/{id}/{action}")), body).await
    }

    pub(super) async fn one(&self, id: &str) -> Value {
        self.doctor.get(&self.path(&format!("/{id}"))).await.expect(200).json()
    }

    pub(super) async fn download(&self, by: &Client, id: &str) -> (Answer, Vec<u8>) {
        by.download(&self.path(&format!("/{id}/content"))).await
    }

    /// A portal login of the patient.
    pub(super) async fn portal(&self) -> Client {
        let account = json!({"name": "Asha", "username": "asha", "roles": ["patient"], "patient_id": self.patient});
        let activation = self.clinic.post("/staff", account).await.expect(201).text_of("activation");
        let body = json!({
            "clinic": self.clinic.slug, "username": "asha", "activation": activation, "password": PASSWORD,
            "birth_date": "1984-03-12"
        });
        let tokens = self.stack.client().post("/api/v1/auth/activate", body).await.expect(200);
        self.stack.client().with_token(tokens.text_of("access_token"))
    }

    /// Bytes in use, by the counter that the log keeps.
    pub(super) async fn storage(&self) -> i64 {
        let sql =
            "SELECT coalesce(sum(value), 0)::bigint FROM log.counter WHERE clinic = $1 AND name = 'usage/storage'";
        let clinic: uuid::Uuid = self.clinic.id.parse().unwrap();
        sqlx::query_scalar(sql).bind(clinic).fetch_one(self.stack.superuser()).await.expect("the counters are there")
    }

    /// All files of the object store.
    pub(super) fn objects(&self) -> Vec<PathBuf> {
        files(&self.stack.attachments_folder())
    }

    /// Waits until the document has come as far.
    pub(super) async fn becomes(&self, id: &str, status: &str) -> Value {
        let since = Instant::now();
        loop {
            // The read models may not know of it yet.
            let document = self.doctor.get(&self.path(&format!("/{id}"))).await.json();
            if document["status"] == status {
                return document;
            }
            assert!(since.elapsed() < WITHIN, "it never becomes {status}: {document}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

pub(super) fn sha256(content: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, content))
}

/// A content of so many bytes that begins as a PDF does, each byte of which tells where it lies.
pub(super) fn pdf(bytes: usize) -> Vec<u8> {
    let mut content = b"%PDF-1.7\n".to_vec();
    content.extend((0..bytes).map(|n| (n % 251) as u8));
    content.truncate(bytes);
    content
}
