//! Being forgotten: who may ask, what is kept, and what is left when it is done.

use std::time::{Duration, Instant};

use event_store::ErasureStep;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Stack, TestClinic, working_time};

const DONE_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A clinic that keeps nothing for the law's sake, with a second administrator.
async fn forgetful(stack: &Stack) -> (TestClinic, Client) {
    let clinic = TestClinic::register(&stack.client()).await;
    let settings = json!({"retention": {"clinical_years": 0}}).to_string().into_bytes();
    let path = clinic.path("/settings");
    clinic.admin.send(reqwest::Method::PATCH, &path, Some(settings)).await.expect(200);
    let second = clinic.staff(&["clinic_admin"]).await;
    (clinic, second)
}

async fn request(clinic: &TestClinic, patient: &str) -> Answer {
    clinic.post(&format!("/patients/{patient}/request-erasure"), json!({"reason": "moves away"})).await
}

async fn approve(clinic: &TestClinic, second: &Client, patient: &str) -> Answer {
    second.post(&clinic.path(&format!("/patients/{patient}/approve-erasure")), json!({})).await
}

/// Waits until the stack's own eraser has nothing left to do.
async fn finished(stack: &Stack) {
    let since = Instant::now();
    while !stack.store().unfinished_erasures().await.expect("the log is there").is_empty() {
        assert!(since.elapsed() < DONE_WITHIN, "the erasure is never finished");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn state_of<'a>(list: &'a Value, patient: &str) -> &'a Value {
    let items = list["items"].as_array().expect("a list");
    items.iter().find(|one| one["patient_id"] == patient).expect("the patient is on the list")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_is_gone_from_every_query_and_still_counted() {
    let stack = Stack::start_erasing().await;
    let (clinic, second) = forgetful(&stack).await;
    let doctor = clinic.doctor().await;
    let body = json!({"first_name": "Asha", "gender": "female", "birth_date": "1984",
        "identifiers": [{"type": "passport", "value": "Z1"}]});
    let patient = clinic.post("/patients", body).await.expect(201).id();
    let booking = clinic.booking(&patient, &doctor, working_time(1, 10, 0));
    let appointment = clinic.post("/appointments", booking).await.expect(201);
    let before = appointment.position();
    let asked = request(&clinic, &patient).await.expect(409);
    assert_eq!(asked.code(), "open-appointments");
    assert_eq!(asked.json()["appointments"][0], appointment.id());
    clinic.post(&format!("/appointments/{}/cancel", appointment.id()), json!({"reason": "moves"})).await.expect(200);

    request(&clinic, &patient).await.expect(200);
    let alone = approve(&clinic, &clinic.admin, &patient).await.expect(403);
    assert_eq!(alone.code(), "second-person");
    let erased = approve(&clinic, &second, &patient).await.expect(200);
    assert_eq!(erased.json()["events"], json!(["PatientErased"]));

    let paths = [
        format!("/patients/{patient}"),
        format!("/patients/{patient}?as_of={before}"),
        format!("/patients/{patient}/history"),
        format!("/patients/{patient}/history?as_of={before}"),
        format!("/patients/{patient}/appointments"),
        format!("/patients/{patient}/appointments?as_of={before}"),
        format!("/appointments?patient={patient}"),
        format!("/appointments?patient={patient}&as_of={before}"),
        format!("/appointments/{}", appointment.id()),
        format!("/appointments/{}?as_of={before}", appointment.id()),
    ];
    for path in &paths {
        let gone = clinic.get_at(erased.position(), path).await;
        assert_eq!((gone.status.as_u16(), gone.code().as_str()), (410, "erased"), "{path}: {}", gone.text);
    }
    for (path, body) in [
        ("emergency-contact", json!({"name": "Vikram"})),
        ("request-erasure", json!({})),
        ("add-identifier", json!({"type": "passport", "value": "Z2"})),
        ("reactivate", json!({})),
    ] {
        clinic.post(&format!("/patients/{patient}/{path}"), body).await.expect(410);
    }
    let booking = clinic.booking(&patient, &doctor, working_time(1, 11, 0));
    clinic.post("/appointments", booking).await.expect(410);
    clinic
        .post("/patients", json!({"first_name": "Lakshmi", "identifiers": [{"type": "passport", "value": "Z1"}]}))
        .await
        .expect(409);

    finished(&stack).await;
    stack.read_models_equal_the_log().await;
    stack.verify_chains().await;
    assert!(clinic.get("/patients").await.expect(200).json()["items"].as_array().expect("a list").is_empty());
    assert!(
        clinic.get("/patients/search?q=asha").await.expect(200).json()["items"].as_array().expect("a list").is_empty()
    );
    let stats = clinic.get("/patients/stats").await.expect(200).json();
    assert_eq!((&stats["by_status"]["erased"], &stats["by_gender"]["female"]), (&json!(1), &json!(1)), "{stats}");
    let list = clinic.get("/erasures").await.expect(200).json();
    let entry = state_of(&list, &patient);
    assert_eq!((&entry["state"], &entry["reason"]), (&json!("erased"), &Value::Null), "{entry}");
    assert_eq!(stack.erasure_list().read().expect("a list").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_law_keeps_is_refused_with_basis_and_date() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let doctor = clinic.new_doctor().await;
    let staff = clinic.get_at(doctor.position(), &format!("/staff/{}", doctor.id())).await.expect(200);
    let doctor = clinic.activate(&staff.text_of("username"), &doctor.text_of("activation")).await;
    let patient = clinic.patient("Asha").await;
    let allergy = clinic.path(&format!("/patients/{patient}/allergies"));
    doctor.post(&allergy, json!({"substance": "latex"})).await.expect(200);
    let refused = request(&clinic, &patient).await.expect(200);
    assert_eq!(refused.json()["events"], json!(["ErasureRequested", "ErasureRefused"]));
    let list = clinic.get_at(refused.position(), "/erasures?state=refused").await.expect(200).json();
    let entry = state_of(&list, &patient);
    let year = chrono::Datelike::year(&chrono::Utc::now()) + 10;
    assert_eq!(entry["basis"], "clinical_record");
    assert!(entry["explanation"].as_str().expect("words").contains(&year.to_string()), "{entry}");
    clinic.get_at(refused.position(), &format!("/patients/{patient}")).await.expect(200);
    assert_eq!(approve(&clinic, &clinic.admin, &patient).await.expect(409).code(), "no-erasure-requested");
    let shown = doctor.get(&clinic.path("/erasures")).await;
    assert_eq!(shown.status.as_u16(), 403, "{}", shown.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legal_hold_holds_until_somebody_else_lifts_it() {
    let stack = Stack::start_erasing().await;
    let (clinic, second) = forgetful(&stack).await;
    let patient = clinic.patient("Asha").await;
    request(&clinic, &patient).await.expect(200);
    let hold = clinic.post("/legal-holds", json!({"patient_id": patient, "reason": "a complaint"})).await.expect(201);
    let held = approve(&clinic, &second, &patient).await;
    assert_eq!((held.status.as_u16(), held.code().as_str()), (423, "legal-hold"), "{}", held.text);
    let retention = clinic.get_at(hold.position(), "/retention").await.expect(200).json();
    assert_eq!(
        (&retention["legal_holds"][0]["patient_id"], &retention["periods"]["clinical_years"]),
        (&json!(patient), &json!(0))
    );
    let lift = json!({"hold_id": hold.text_of("hold_id"), "reason": "settled"});
    assert_eq!(clinic.post("/legal-holds/lift", lift.clone()).await.expect(403).code(), "second-person");
    let platform = stack.platform().await;
    let by_platform = format!("/api/v1/clinics/{}/lift-legal-hold", clinic.id);
    assert_eq!(platform.post(&by_platform, lift.clone()).await.expect(403).code(), "clinic-agrees");
    second.post(&clinic.path("/legal-holds/lift"), lift).await.expect(200);
    approve(&clinic, &second, &patient).await.expect(200);
    finished(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_agrees_where_there_is_one_administrator_and_sees_no_record() {
    let stack = Stack::start_erasing().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = clinic.patient("Asha").await;
    request(&clinic, &patient).await.expect(200);
    assert_eq!(approve(&clinic, &clinic.admin, &patient).await.expect(403).code(), "second-person");
    let platform = stack.platform().await;
    assert_eq!(platform.get(&clinic.path(&format!("/patients/{patient}"))).await.status.as_u16(), 404);
    let path = format!("/api/v1/clinics/{}/approve-erasure", clinic.id);
    let other = TestClinic::register(&stack.client()).await;
    let elsewhere = format!("/api/v1/clinics/{}/approve-erasure", other.id);
    platform.post(&elsewhere, json!({"patient_id": patient})).await.expect(404);
    let erased = platform.post(&path, json!({"patient_id": patient})).await.expect(200);
    assert!(!erased.text.contains("Asha"), "{}", erased.text);
    clinic.get_at(erased.position(), &format!("/patients/{patient}")).await.expect(410);
    finished(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_begun_is_finished_wherever_it_was_broken_off() {
    let stack = Stack::start_forgetting().await;
    let (clinic, second) = forgetful(&stack).await;
    for steps in 0..4 {
        let patient = clinic.patient("Asha").await;
        request(&clinic, &patient).await.expect(200);
        approve(&clinic, &second, &patient).await.expect(200);
        // One process takes it so far and dies.
        for _ in 0..steps {
            let eraser = stack.eraser();
            let next = stack.store().unfinished_erasures().await.expect("the log is there")[0];
            eraser.step(&next).await.expect("a step is taken");
        }
        // The next one ends it, and waits for no more than for opened keys to be forgotten.
        let (eraser, since) = (stack.eraser(), Instant::now());
        while !eraser.advance().await.expect("it goes on").is_empty() {
            assert!(since.elapsed() < DONE_WITHIN, "it is never finished");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        assert_eq!(stack.rows_with("read.patient_1", "asha").await, 0, "after {steps} steps");
        assert_eq!(stack.erasure_list().read().expect("a list").len(), steps + 1);
        clinic.get(&format!("/patients/{patient}")).await.expect(410);
    }
    stack.read_models_equal_the_log().await;
    stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_stays_while_the_list_cannot_be_written() {
    let stack = Stack::start_forgetting().await;
    let (clinic, second) = forgetful(&stack).await;
    let patient = clinic.patient("Asha").await;
    request(&clinic, &patient).await.expect(200);
    approve(&clinic, &second, &patient).await.expect(200);
    let nowhere = tempfile::NamedTempFile::new().expect("a file");
    let eraser = stack.eraser_with(casebook::erasure::ErasureList::beside(nowhere.path()));
    assert!(eraser.advance().await.is_err(), "a file is no folder");
    let left = stack.store().unfinished_erasures().await.expect("the log is there");
    assert_eq!(left[0].next, ErasureStep::List);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_asks_in_the_portal_and_the_login_ends_with_the_record() {
    let stack = Stack::start_erasing().await;
    let (clinic, second) = forgetful(&stack).await;
    let body = json!({"first_name": "Asha", "birth_date": "1984-03-12"});
    let patient = clinic.post("/patients", body).await.expect(201).id();
    let other = clinic.patient("Meera").await;
    let account = json!({"name": "Asha", "username": "asha", "roles": ["patient"], "patient_id": patient});
    let invited = clinic.post("/staff", account).await.expect(201);
    let activate = json!({"clinic": clinic.slug, "username": "asha", "activation": invited.text_of("activation"),
        "password": PASSWORD, "birth_date": "1984-03-12"});
    let tokens = stack.client().post("/api/v1/auth/activate", activate).await.expect(200);
    let portal = stack.client().with_token(tokens.text_of("access_token"));
    let ask = |patient: &str| clinic.path(&format!("/patients/{patient}/request-erasure"));
    portal.post(&ask(&other), json!({})).await.expect(403);
    let asked = portal.post(&ask(&patient), json!({})).await.expect(200);
    portal.post(&clinic.path(&format!("/patients/{patient}/approve-erasure")), json!({})).await.expect(403);
    portal.get(&clinic.path("/erasures")).await.expect(403);
    let list = clinic.get_at(asked.position(), "/erasures").await.expect(200).json();
    assert_eq!(state_of(&list, &patient)["by_patient"], true);
    let erased = approve(&clinic, &second, &patient).await.expect(200);
    assert_eq!(erased.json()["events"], json!(["StaffDeactivated", "PatientErased"]));
    portal.get(&clinic.path(&format!("/patients/{patient}"))).await.expect(401);
    stack.client().log_in(Some(&clinic.slug), "asha", PASSWORD).await.expect(401);
    finished(&stack).await;
    stack.read_models_equal_the_log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_follows_the_last_event_of_a_chart_however_many_write_at_once() {
    let stack = Stack::start_erasing().await;
    let (clinic, second) = forgetful(&stack).await;
    let elsewhere = stack.second_command_api().await.with_token(clinic.admin.token().expect("logged in"));
    for _ in 0..5 {
        let patient = clinic.patient("Asha").await;
        request(&clinic, &patient).await.expect(200);
        let path = clinic.path(&format!("/patients/{patient}/emergency-contact"));
        let contact = json!({"name": "Vikram"});
        let writers = [&clinic.admin, &elsewhere].into_iter().cycle().take(20);
        let writes = join_all(writers.map(|client| client.post(&path, contact.clone())));
        let approvals = join_all((0..3).map(|_| approve(&clinic, &second, &patient)));
        let (written, approved) = tokio::join!(writes, approvals);
        for answer in &written {
            assert!(matches!(answer.status.as_u16(), 200 | 410), "{}", answer.text);
        }
        assert_eq!(approved.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(stack.last_of_chart(&clinic.id, &patient).await, "PatientErased");
    }
    finished(&stack).await;
    stack.verify_chains().await;
    stack.read_models_equal_the_log().await;
}
