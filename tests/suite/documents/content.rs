//! What comes and what does not, what is kept of it, and stretches of it.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tests::Stack;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::world::{World, pdf};

/// Four chunks, the last of which is not full.
const BYTES: usize = 900_000;

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_not_as_it_was_announced_nothing_is_left() {
    let world = World::new().await;
    let content = pdf(BYTES);
    let mut altered = content.clone();
    altered[BYTES - 1] ^= 1;
    let mut program = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00".to_vec();
    program.resize(BYTES, 0);
    let longer = pdf(BYTES + 1);
    for (sent, code) in [
        (&altered[..], "wrong-hash"),
        (&content[..BYTES - 1], "truncated"),
        (&[], "truncated"),
        (&longer[..], "too-long"),
        (&program[..], "wrong-media-type"),
    ] {
        let id = world.announced(&content, json!({})).await;
        assert_eq!(world.storage().await, BYTES as i64);
        let refused = world.sent(&world.doctor, &id, sent).await.expect(422);
        assert_eq!(refused.code(), code);
        assert_eq!((world.storage().await, world.objects()), (0, vec![]), "{code}");
        let failed = world.becomes(&id, "failed").await;
        assert_eq!((&failed["failure"], &failed["has_content"]), (&json!(code), &json!(false)));
        assert_eq!(world.download(&world.doctor, &id).await.0.status, 404);
        let again = world.sent(&world.doctor, &id, &content).await.expect(409);
        assert_eq!(again.code(), "upload-failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_goes_away_leaves_nothing() {
    let world = World::new().await;
    let content = pdf(BYTES);
    let id = world.announced(&content, json!({})).await;
    let address = world.stack.base().strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "PUT {} HTTP/1.1\r\nhost: casebook\r\nauthorization: Bearer {}\r\ncontent-length: {BYTES}\r\n\r\n",
        world.path(&format!("/{id}/content")),
        world.doctor.token().unwrap(),
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&content[..BYTES / 2]).await.unwrap();
    drop(connection);
    let failed = world.becomes(&id, "failed").await;
    assert_eq!(failed["failure"], "truncated");
    assert_eq!((world.storage().await, world.objects()), (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_is_sent_once() {
    let world = World::new().await;
    let content = pdf(BYTES);
    let id = world.announced(&content, json!({})).await;
    let sent = join_all((0..4).map(|_| world.sent(&world.doctor, &id, &content))).await;
    let mut statuses: Vec<u16> = sent.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    assert_eq!(world.objects().len(), 1, "whoever came too late has left nothing");
    world.becomes(&id, "current").await;
    assert_eq!(world.download(&world.doctor, &id).await.1, content);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_installation_does_not_take_is_refused_before_it_comes() {
    let world = World::new().await;
    for (others, pointer) in [
        (json!({"media_type": "text/html"}), "/media_type"),
        (json!({"size": 1_000_000_001}), "/size"),
        (json!({"size": 0}), "/size"),
        (json!({"sha256": "ab"}), "/sha256"),
    ] {
        let refused = world.doctor.post(&world.path(""), world.announcement(b"x", others)).await.expect(422);
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
    assert_eq!(world.storage().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_who_race_for_room_for_three_are_three() {
    let world = World::new().await.with_storage(3 * BYTES + 1).await;
    let content = pdf(BYTES);
    let body = world.announcement(&content, json!({}));
    let path = world.path("");
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for answer in join_all((0..10).map(|_| world.doctor.post(&path, body.clone()))).await {
        match answer.status.as_u16() {
            201 => taken.push(answer.id()),
            _ => refused.push(answer.expect(403)),
        }
    }
    assert_eq!((taken.len(), refused.len()), (3, 7));
    for answer in &refused {
        let said = answer.json();
        assert_eq!((answer.code().as_str(), &said["limit"]), ("quota-exceeded", &json!(3 * BYTES + 1)));
        assert_eq!(said["used"], json!(3 * BYTES));
    }
    for answer in join_all(taken.iter().map(|id| world.sent(&world.doctor, id, &content))).await {
        answer.expect(200);
    }
    assert_eq!(world.storage().await, 3 * BYTES as i64);
    world.stack.caught_up().await;
    let subscription = world.clinic.get("/subscription").await.expect(200).json();
    assert_eq!(subscription["usage"]["storage"], json!(3 * BYTES));
    // A downgrade to less than is in use is refused.
    let limits = json!({"limits": {"storage": 1}});
    let path = format!("/api/v1/clinics/{}/limits", world.clinic.id);
    world.stack.platform().await.post(&path, limits).await.expect(200);
    world.doctor.post(&world.path(""), world.announcement(b"x", json!({}))).await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_is_a_slice() {
    let world = World::new().await;
    let content = pdf(BYTES);
    let id = world.uploaded(&content, json!({})).await;
    let path = world.path(&format!("/{id}/content"));
    let chunk = attachments::CHUNK_BYTES;
    for (range, from, to) in [
        ("bytes=0-0".to_owned(), 0, 1),
        ("bytes=0-8".to_owned(), 0, 9),
        (format!("bytes={}-{}", chunk - 1, chunk), chunk - 1, chunk + 1),
        (format!("bytes={}-{}", chunk, 2 * chunk - 1), chunk, 2 * chunk),
        (format!("bytes={}-", 2 * chunk + 7), 2 * chunk + 7, BYTES),
        ("bytes=-5".to_owned(), BYTES - 5, BYTES),
        (format!("bytes={}-{}", BYTES - 1, 10 * BYTES), BYTES - 1, BYTES),
    ] {
        let (answer, bytes) = world.doctor.with("range", &range).download(&path).await;
        let answer = answer.expect(206);
        assert_eq!(answer.header("content-range"), format!("bytes {from}-{}/{BYTES}", to - 1), "{range}");
        assert!(bytes == content[from..to], "{range}");
    }
    let (answer, bytes) = world.doctor.with("range", "bytes=0-1,5-6").download(&path).await;
    assert_eq!((answer.status.as_u16(), bytes.len()), (200, BYTES), "several at once are not given");
    assert_eq!(answer.header("accept-ranges"), "bytes");
    let beyond = world.doctor.with("range", format!("bytes={BYTES}-")).get(&path).await.expect(416);
    assert_eq!((beyond.code().as_str(), beyond.header("content-range")), ("range-not-satisfiable", "bytes */900000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_comes_gives_its_room_back() {
    let world = World::on(Stack::start_impatient(Duration::from_secs(1)).await).await;
    let (late, sent) = (world.announced(&pdf(BYTES), json!({})).await, world.uploaded(&pdf(70), json!({})).await);
    assert_eq!(world.storage().await, BYTES as i64 + 70);
    // What a process that was killed has left of an upload.
    let folder = world.stack.attachments_folder().join(&world.clinic.id).join(&world.patient).join(&late);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("018f0000-0000-7000-8000-000000000001#1"), b"half").unwrap();
    let failed = world.becomes(&late, "failed").await;
    assert_eq!(failed["failure"], "abandoned");
    assert_eq!(world.storage().await, 70);
    let since = std::time::Instant::now();
    while !super::world::files(&folder).is_empty() {
        assert!(since.elapsed() < Duration::from_secs(20), "what was left of it stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.one(&sent).await["status"], "current", "what came stays");
    assert_eq!(world.sent(&world.doctor, &late, &pdf(BYTES)).await.expect(409).code(), "upload-failed");
}
