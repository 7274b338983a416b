//! A content of 200 MB in constant memory, and a process that is killed while one comes.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use aws_lc_rs::digest;
use futures::StreamExt;
use nix::sys::signal::Signal;
use reqwest::{Body, Client, StatusCode};
use serde_json::{Value, json};

use super::started::{Started, casebook, folder};

const BYTES: u64 = 200_000_000;
const BLOCK_BYTES: usize = 1 << 20;
/// Of the process, beyond what it had before.
const GROWS_MAX_BYTES: u64 = 80 << 20;
const PASSWORD: &str = "correct horse battery staple";
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A content that is made while it is read: no two blocks are the same.
fn block(n: u64) -> Vec<u8> {
    let mut block = vec![0; BLOCK_BYTES.min((BYTES - n * BLOCK_BYTES as u64) as usize)];
    for (at, part) in block.chunks_exact_mut(4096).enumerate() {
        part[..8].copy_from_slice(&(n * 1_000 + at as u64).to_le_bytes());
    }
    if n == 0 {
        block[128..132].copy_from_slice(b"DICM");
    }
    block
}

fn blocks() -> impl Iterator<Item = Vec<u8>> + Send {
    (0..BYTES.div_ceil(BLOCK_BYTES as u64)).map(block)
}

fn sha256() -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    blocks().for_each(|block| hash.update(&block));
    hex::encode(hash.finish())
}

/// A doctor at a clinic.
struct Desk {
    address: String,
    token: String,
    patient: String,
}

impl Desk {
    async fn open(address: &str) -> Self {
        let registration = json!({
            "name": "Asha Clinic", "slug": "asha", "email": "hello@asha.example",
            "admin": {"username": "first", "password": PASSWORD, "name": "Asha Rao", "email": "a@asha.example"}
        });
        let mut desk = Self { address: address.to_owned(), token: String::new(), patient: String::new() };
        let registered = desk.post("/api/v1/clinics", registration).await;
        desk.token = text(&registered, "access_token");
        let nurse = json!({"name": "Meera Iyer", "username": "meera", "roles": ["nurse"]});
        let invited = desk.post("/clinic/asha/api/v1/staff", nurse).await;
        let patient = desk.post("/clinic/asha/api/v1/patients", json!({"first_name": "Asha"})).await;
        desk.patient = text(&patient, "id");
        let activate =
            json!({"clinic": "asha", "username": "meera", "activation": invited["activation"], "password": PASSWORD});
        desk.token = text(&desk.post("/api/v1/auth/activate", activate).await, "access_token");
        desk
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = Client::new().post(format!("{}{path}", self.address)).bearer_auth(&self.token);
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    async fn announce(&self, sha256: &str) -> String {
        let body = json!({
            "patient_id": self.patient, "kind": "imaging", "title": "CT of the head", "media_type": "application/dicom",
            "size": BYTES, "sha256": sha256
        });
        text(&self.post("/clinic/asha/api/v1/documents", body).await, "id")
    }

    fn url(&self, below: &str) -> String {
        format!("{}/clinic/asha/api/v1{below}", self.address)
    }

    async fn get(&self, below: &str) -> Value {
        let request = Client::new().get(self.url(below)).bearer_auth(&self.token);
        request.send().await.unwrap().json().await.unwrap()
    }
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("{member} in {answer}")).to_owned()
}

/// A line of `/proc/<pid>/status`, in bytes.
fn status(pid: u32, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let found = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    let kilobytes: u64 = found.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_megabytes_go_up_and_down_in_constant_memory() {
    let folder = folder();
    let up = Started::up(&folder.path().join("data"));
    let desk = Desk::open(&up.address).await;
    let announced = sha256();
    let id = desk.announce(&announced).await;
    let pid = up.pid();
    let before = status(pid, "VmRSS");
    // From now on the peak is the peak of what follows.
    fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();

    let url = desk.url(&format!("/documents/{id}/content"));
    let body = Body::wrap_stream(futures::stream::iter(blocks().map(Ok::<_, std::io::Error>)));
    let sent = Client::new().put(&url).bearer_auth(&desk.token).body(body).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::OK, "{}", sent.text().await.unwrap());
    let position = sent.headers()["casebook-position"].clone();

    let request = Client::new().get(&url).bearer_auth(&desk.token).header("casebook-min-position", position);
    let answer = request.send().await.unwrap();
    assert_eq!((answer.status(), answer.content_length()), (StatusCode::OK, Some(BYTES)));
    let (mut hash, mut came) = (digest::Context::new(&digest::SHA256), 0);
    let mut content = answer.bytes_stream();
    while let Some(bytes) = content.next().await {
        let bytes = bytes.unwrap();
        came += bytes.len() as u64;
        hash.update(&bytes);
    }
    assert_eq!((came, hex::encode(hash.finish())), (BYTES, announced));
    let grown = status(pid, "VmHWM").saturating_sub(before);
    assert!(grown < GROWS_MAX_BYTES, "it grew by {} MB", grown >> 20);
}

fn objects(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { objects(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_leaves_no_object_and_loses_no_room() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let impatient = || {
        let mut command = casebook(&data_dir, &["up"]);
        command.env("CASEBOOK_UPLOAD_SECONDS", "1");
        command
    };
    let up = Started::spawn(&mut impatient());
    let desk = Desk::open(&up.address).await;
    let id = desk.announce(&sha256()).await;
    // It stops in the middle and never ends.
    let half = futures::stream::iter(blocks().take(100).map(Ok::<_, std::io::Error>)).chain(futures::stream::pending());
    let sending = Client::new().put(desk.url(&format!("/documents/{id}/content"))).bearer_auth(&desk.token);
    let sending = tokio::spawn(sending.body(Body::wrap_stream(half)).send());
    let (attachments, since) = (data_dir.join("attachments"), Instant::now());
    while objects(&attachments).iter().all(|path| fs::metadata(path).is_ok_and(|file| file.len() == 0)) {
        assert!(since.elapsed() < GIVEN_UP_WITHIN, "nothing is stored while it comes");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    up.signal(Signal::SIGKILL);
    assert!(!up.ended().0 && sending.await.unwrap().is_err());
    assert!(!objects(&attachments).is_empty(), "half of it lies there");

    let up = Started::spawn(&mut impatient());
    let desk = Desk { address: up.address.clone(), ..desk };
    let since = Instant::now();
    loop {
        let document = desk.get(&format!("/documents/{id}")).await;
        if document["status"] == "failed" {
            assert_eq!((&document["failure"], &document["has_content"]), (&json!("abandoned"), &json!(false)));
            break;
        }
        assert!(since.elapsed() < GIVEN_UP_WITHIN, "it is never given up: {document}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    while !objects(&attachments).is_empty() {
        assert!(since.elapsed() < GIVEN_UP_WITHIN, "{:?} are left", objects(&attachments));
        tokio::time::sleep(LOOK_EVERY).await;
    }
    // All of the trial's room is there again.
    for _ in 0..5 {
        desk.announce(&"ab".repeat(32)).await;
    }
}
