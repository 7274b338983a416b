//! Somebody who reaches the object store, another clinic, and who is erased.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use casebook::erasure::verify::{Found, Markers, files, objects, scrub, streams, tables};
use event_store::Erased;
use reqwest::Method;
use serde_json::json;
use tests::{Stack, TestClinic};

use super::world::{World, pdf};

const BYTES: usize = 900_000;
const FINISHED_WITHIN: Duration = Duration::from_secs(60);

/// The one object of a document.
fn object(world: &World, id: &str) -> PathBuf {
    let found: Vec<PathBuf> = world.objects().into_iter().filter(|path| path.to_string_lossy().contains(id)).collect();
    let [path] = found.as_slice() else { panic!("{found:?}") };
    path.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_in_the_store_is_an_error_and_not_garbage() {
    let world = World::new().await;
    let content = pdf(BYTES);
    let id = world.uploaded(&content, json!({})).await;
    let path = object(&world, &id);
    let good = std::fs::read(&path).unwrap();
    assert!(!good.windows(8).any(|bytes| bytes == &content[..8]), "it is sealed");
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    // In the commitment, in the first chunk, and cut.
    for bad in [flipped(3), flipped(40), good[..good.len() - 1].to_vec(), good[..32].to_vec(), Vec::new()] {
        std::fs::write(&path, bad).unwrap();
        let (answer, bytes) = world.download(&world.doctor, &id).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (500, "internal"));
        assert!(!bytes.starts_with(b"%PDF"));
    }
    // Later on: it breaks off, and what came is what was stored.
    std::fs::write(&path, flipped(good.len() - 20)).unwrap();
    let url = format!("{}{}", world.stack.base(), world.path(&format!("/{id}/content")));
    let answer = reqwest::Client::new().get(url).bearer_auth(world.doctor.token().unwrap()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err(), "the last chunk is not sent");
    let first = world.doctor.with("range", "bytes=0-99").download(&world.path(&format!("/{id}/content"))).await;
    assert_eq!(first.1, content[..100], "chunks that were not touched are good");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(world.download(&world.doctor, &id).await.0.status, 500);
    std::fs::write(&path, &good).unwrap();
    assert_eq!(world.download(&world.doctor, &id).await.1, content);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_paper_is_not_taken_for_another() {
    let world = World::new().await;
    let (one, other) = (world.uploaded(&pdf(BYTES), json!({})).await, world.uploaded(&pdf(BYTES), json!({})).await);
    let (of_one, of_other) = (object(&world, &one), object(&world, &other));
    let (first, second) = (std::fs::read(&of_one).unwrap(), std::fs::read(&of_other).unwrap());
    assert_ne!(first, second, "the same content is sealed under another key each time");
    std::fs::write(&of_one, second).unwrap();
    std::fs::write(&of_other, first).unwrap();
    for id in [one, other] {
        assert_eq!(world.download(&world.doctor, &id).await.0.status, 500);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_clinic_finds_no_paper_and_sends_none() {
    let world = World::new().await;
    let theirs = TestClinic::register(&world.stack.client()).await;
    let (id, waits) = (world.uploaded(&pdf(10), json!({})).await, world.announced(&pdf(10), json!({})).await);
    let stranger = theirs.staff(&["nurse"]).await;
    for path in [world.path(&format!("/{id}/content")), theirs.path(&format!("/documents/{id}/content"))] {
        let (answer, bytes) = stranger.download(&path).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not-found"));
        assert!(!bytes.starts_with(b"%PDF"));
    }
    for path in [world.path(&format!("/{waits}/content")), theirs.path(&format!("/documents/{waits}/content"))] {
        stranger.send(Method::PUT, &path, Some(pdf(10))).await.expect(404);
    }
    let of_ours = world.announcement(&pdf(10), json!({}));
    stranger.post(&theirs.path("/documents"), of_ours).await.expect(404);
    world.sent(&world.doctor, &waits, &pdf(10)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn papers_go_with_the_person() {
    let stack = Stack::start_erasing().await;
    let world = World::on(stack).await;
    let settings = json!({"retention": {"clinical_years": 0}}).to_string().into_bytes();
    world.clinic.admin.send(Method::PATCH, &world.clinic.path("/settings"), Some(settings)).await.expect(200);
    let second = world.clinic.staff(&["clinic_admin"]).await;
    let words = ["planted-in-the-title", "planted-in-the-description", "planted-in-the-content", "planted-remark"];
    let content = format!("Letter to planted-in-the-content, {}", "x".repeat(BYTES)).into_bytes();
    let others = json!({"title": words[0], "description": words[1], "media_type": "text/plain"});
    let id = world.uploaded(&content, others.clone()).await;
    world.does(&world.doctor, &id, "review", json!({"remark": words[3]})).await.expect(200);
    let waits = world.announced(&content, others).await;
    let other = world.clinic.patient("Ravi").await;
    let kept = world.uploaded(&pdf(10), json!({"patient_id": other})).await;
    world.stack.caught_up().await;
    let markers = Markers::new(&words.map(str::to_owned)).unwrap();
    let before = everywhere(&world, &markers).await;
    assert!(before.iter().any(|found| found.place == "table read.document_1"), "{before:?}");
    assert!(!before.iter().any(|found| found.place.contains("attachment")), "sealed from the first: {before:?}");

    let path = |action: &str| world.clinic.path(&format!("/patients/{}/{action}", world.patient));
    world.clinic.admin.post(&path("request-erasure"), json!({})).await.expect(200);
    second.post(&path("approve-erasure"), json!({})).await.expect(200);
    assert_eq!(world.storage().await, 10, "the room is free at once");
    world.sent(&world.doctor, &waits, &content).await.expect(410);
    let since = Instant::now();
    while !world.stack.store().unfinished_erasures().await.unwrap().is_empty() {
        assert!(since.elapsed() < FINISHED_WITHIN, "the erasure is never finished");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.stack.caught_up().await;
    for id in [&id, &waits] {
        assert_eq!(world.download(&world.doctor, id).await.0.expect(410).code(), "erased");
        world.doctor.get(&world.path(&format!("/{id}"))).await.expect(410);
        world.does(&world.doctor, id, "release", json!({})).await.expect(410);
    }
    let erased = Erased { clinic: world.clinic.id.parse().unwrap(), patient: Some(world.patient.parse().unwrap()) };
    assert_eq!(world.stack.attachments().left(erased).await.unwrap(), 0);
    assert_eq!(world.objects().len(), 1, "the other patient's stays");
    assert_eq!(world.download(&world.doctor, &kept).await.1, pdf(10));
    scrub(world.stack.superuser(), true).await.expect("the server is ours");
    assert_eq!(everywhere(&world, &markers).await, []);
    world.stack.read_models_equal_the_log().await;

    // A backup of the folder alone brings them back: the list of erasures takes them away again.
    let folder = world.stack.attachments_folder().join(&world.clinic.id).join(&world.patient).join(&id);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("018f0000-0000-7000-8000-000000000001"), b"from a backup").unwrap();
    world.stack.repeat_erasures().await;
    assert_eq!(world.stack.attachments().left(erased).await.unwrap(), 0);
}

async fn everywhere(world: &World, markers: &Markers) -> Vec<Found> {
    let nats = async_nats::connect(world.stack.nats.url()).await.expect("NATS is there");
    let mut found = tables(world.stack.superuser(), markers).await.expect("the superuser sees all rows");
    found.extend(streams(&nats, markers).await.expect("streams can be read"));
    let clinic = world.clinic.id.parse().unwrap();
    found.extend(objects(world.stack.attachments(), clinic, markers).await.expect("objects can be read"));
    for folder in world.stack.folders() {
        found.extend(files(&folder, markers).expect("files can be read"));
    }
    found
}
