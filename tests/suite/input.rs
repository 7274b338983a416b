//! Bad input gets a clear problem and records nothing.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Stack, TestClinic};

/// A body, and the status, code and pointer that it is answered with.
const BODIES: [(&str, u16, &str, &str); 16] = [
    ("", 400, "malformed", "/first_name"),
    ("{", 400, "malformed", ""),
    ("[]", 400, "malformed", ""),
    (r#"{"first_name": 7}"#, 400, "malformed", "/first_name"),
    (r#"{"first_name": "Asha", "nickname": "A"}"#, 400, "malformed", "/nickname"),
    (r#"{"first_name": "Asha", "first_name": "B"}"#, 400, "malformed", "/first_name"),
    (r#"{"last_name": "Rao"}"#, 400, "malformed", "/first_name"),
    (r#"{"first_name": "A\u0000sha"}"#, 400, "malformed", "/first_name"),
    (r#"{"first_name": ""}"#, 422, "invalid", "/first_name"),
    (r#"{"first_name": "Asha", "birth_date": "2026-02-30"}"#, 422, "invalid", "/birth_date"),
    (r#"{"first_name": "Asha", "birth_date": "yesterday"}"#, 422, "invalid", "/birth_date"),
    (r#"{"first_name": "Asha", "phone": "call me"}"#, 422, "invalid", "/phone"),
    (r#"{"first_name": "Asha", "email": "nowhere"}"#, 422, "invalid", "/email"),
    (r#"{"first_name": "Asha", "gender": "f"}"#, 400, "malformed", "/gender"),
    (r#"{"first_name": "Asha", "blood_group": "C"}"#, 400, "malformed", "/blood_group"),
    (r#"{"first_name": "Asha", "id": "7"}"#, 422, "invalid", "/id"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_body_is_refused_at_its_place() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let before = stack.count_all_events(&clinic.id).await;
    for (body, status, code, pointer) in BODIES {
        let answer = send(&clinic, body.as_bytes().to_vec()).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{body}: {}", answer.text);
        let at = answer.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        assert_eq!(at, pointer, "{body}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert_eq!(stack.count_all_events(&clinic.id).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_too_long_is_refused() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let name = |length: usize| json!({"first_name": "a".repeat(length)}).to_string().into_bytes();
    assert_eq!(answered(&clinic, name(10 * 1024 * 1024)).await.expect(413).code(), "body-too-large");
    assert_eq!(send(&clinic, name(100_000)).await.expect(422).code(), "invalid");
    let deep = "[".repeat(200_000).into_bytes();
    send(&clinic, deep).await.expect(400);
    let key = clinic.admin.with("idempotency-key", "k".repeat(300));
    key.post(&clinic.path("/patients"), json!({"first_name": "Asha"})).await.expect(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_was_sent_is_never_repeated() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    for field in ["first_name", "phone", "email", "birth_date", "gender", "blood_group", "marker-7531"] {
        for value in [json!("marker-7531 \u{7}"), json!(["marker-7531"]), json!({"marker-7531": 1})] {
            let mut body = json!({"first_name": "Asha"});
            body[field] = value;
            let answer = send(&clinic, body.to_string().into_bytes()).await;
            let answered: Value = answer.json();
            let said = format!("{} {}", answered["detail"], answered["errors"][0]["detail"]);
            assert!(!said.contains("marker-7531"), "{}", answer.text);
        }
    }
}

/// What is said while most of the body is still on its way can get lost with the connection (RFC 9112, 9.6): whoever tries
/// again is told.
async fn answered(clinic: &TestClinic, body: Vec<u8>) -> Answer {
    let path = clinic.path("/patients");
    for _ in 0..20 {
        if let Ok(answer) = clinic.admin.try_send(Method::POST, &path, Some(body.clone())).await {
            return answer;
        }
    }
    panic!("twenty connections were closed without a word");
}

async fn send(clinic: &TestClinic, body: Vec<u8>) -> Answer {
    clinic.admin.send(Method::POST, &clinic.path("/patients"), Some(body)).await
}
