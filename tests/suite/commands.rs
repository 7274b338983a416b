//! What every command promises: once, conditional, within the limits, visible at once.

use futures::{StreamExt, future::join_all, stream};
use reqwest::Method;
use serde_json::json;
use tests::{Stack, TestClinic, working_time};

#[tokio::test(flavor = "multi_thread")]
async fn one_key_sent_twice_at_once_is_one_event_and_one_answer() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    for round in 0..25 {
        let client = clinic.admin.with("idempotency-key", format!("registration-{round}"));
        let path = clinic.path("/patients");
        let body = json!({"first_name": "Asha", "phone": "+919822000001"});
        let (one, two) = futures::join!(client.post(&path, body.clone()), client.post(&path, body.clone()));
        let (one, two) = (one.expect(201), two.expect(201));
        assert_eq!(one.text, two.text);
        let replayed = [&one, &two].map(|answer| answer.header("idempotency-replayed") == "true");
        assert_eq!(replayed.iter().filter(|replayed| **replayed).count(), 1);
        assert_eq!((one.header("etag"), one.header("location")), (two.header("etag"), two.header("location")));
        let other = client.post(&path, json!({"first_name": "Vikram"})).await.expect(422);
        assert_eq!(other.code(), "idempotency-key-reused");
    }
    assert_eq!(stack.count_events(&clinic.id, "PatientRegistered").await, 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loser_of_a_race_under_one_key_gets_the_first_answer_and_not_a_refusal() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (doctor, patient) = (clinic.doctor().await, clinic.patient("Asha").await);
    let body = clinic.booking(&patient, &doctor, working_time(1, 10, 0));
    let client = clinic.admin.with("idempotency-key", "book-once");
    let path = clinic.path("/appointments");
    let answers = join_all((0..20).map(|_| client.post(&path, body.clone()))).await;
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), &answer.text), (201, &answers[0].text));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_places_left_are_given_ten_times() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let platform = stack.platform().await;
    clinic.patient("First").await;
    let limits = json!({"limits": {"doctors": 5, "patients": 11, "receptionists": 2, "offices": 1, "storage": null}});
    platform.post(&format!("/api/v1/clinics/{}/limits", clinic.id), limits).await.expect(200);
    let path = clinic.path("/patients");
    let registrations = (0..200).map(|n| clinic.admin.post(&path, json!({"first_name": format!("Patient {n}")})));
    let answers = join_all(registrations).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 10);
    let refused = answers.iter().find(|answer| answer.status != 201).unwrap().clone().expect(403);
    assert_eq!(refused.code(), "quota-exceeded");
    assert_eq!((refused.json()["limit"].as_i64(), refused.json()["used"].as_i64()), (Some(11), Some(11)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused_and_changes_nothing() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let registered = clinic.post("/patients", json!({"first_name": "Asha"})).await.expect(201);
    let path = clinic.path(&format!("/patients/{}", registered.id()));
    let put = |version: &str, name: &str| {
        let client = clinic.admin.with("if-match", version);
        let body = json!({"first_name": name}).to_string().into_bytes();
        let path = path.clone();
        async move { client.send(Method::PUT, &path, Some(body)).await }
    };
    let etag = registered.header("etag").to_owned();
    put(&etag, "Asha Rani").await.expect(200);
    assert_eq!(put(&etag, "Somebody else").await.expect(412).code(), "stale-version");
    clinic.admin.send(Method::PUT, &path, Some(b"{\"first_name\":\"X\"}".to_vec())).await.expect(428);
    assert_eq!(stack.count_events(&clinic.id, "DemographicsUpdated").await, 1);
}

/// Ten thousand tries under load: a query with the position of a command just answered sees that command.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_reads_what_they_wrote() {
    const TRIES: usize = 10_000;
    const AT_ONCE: usize = 24;
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let platform = stack.platform().await;
    let unlimited =
        json!({"limits": {"doctors": null, "patients": null, "receptionists": null, "offices": null, "storage": null}});
    platform.post(&format!("/api/v1/clinics/{}/limits", clinic.id), unlimited).await.expect(200);
    let tries = stream::iter(0..TRIES).map(|n| {
        let clinic = clinic.clone();
        async move {
            let name = format!("Patient {n}");
            let written = clinic.post("/patients", json!({"first_name": name})).await.expect(201);
            let read = clinic.get_at(written.position(), &format!("/patients/{}", written.id())).await.expect(200);
            assert_eq!(read.text_of("first_name"), name);
            assert!(read.position() >= written.position());
        }
    });
    tries.buffer_unordered(AT_ONCE).collect::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_rests_on_what_another_process_has_done_since() {
    let stack = Stack::start().await;
    let (clinic, platform) = (TestClinic::register(&stack.client()).await, stack.platform().await);
    let second = stack.second_command_api().await.with_token(clinic.admin.token().expect("logged in"));
    let patient = clinic.patient("Asha").await;
    let reactivate = clinic.path(&format!("/patients/{patient}/reactivate"));
    let so_already = second.post(&reactivate, json!({})).await.expect(200);
    assert_eq!(so_already.json()["events"], json!([]));
    let one = clinic.path(&format!("/patients/{patient}"));
    let body = Some(json!({}).to_string().into_bytes());
    clinic.admin.with("if-match", "\"1\"").send(reqwest::Method::DELETE, &one, body).await.expect(200);
    let again = second.post(&reactivate, json!({})).await.expect(200);
    assert_eq!(again.json()["events"], json!(["PatientReactivated"]));

    let by_platform = |action: &str| format!("/api/v1/clinics/{}/{action}", clinic.id);
    platform.post(&by_platform("suspend"), json!({"reason": "unpaid"})).await.expect(200);
    second.post(&clinic.path("/patients"), json!({"first_name": "Meera"})).await.expect(403);
    platform.post(&by_platform("resume"), json!({})).await.expect(200);
    second.post(&clinic.path("/patients"), json!({"first_name": "Meera"})).await.expect(201);
}
