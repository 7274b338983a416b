//! What is sealed stays sealed, and a destroyed key takes nothing else with it.

use serde_json::json;
use tests::{Stack, TestClinic, working_time};

const MARKER: &str = "marker-7531";

#[tokio::test(flavor = "multi_thread")]
async fn the_log_and_nats_hold_no_personal_word_in_clear() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = clinic.post("/patients", json!({
        "first_name": MARKER, "last_name": MARKER, "email": format!("{MARKER}@asha.example"), "address": {"line": MARKER},
        "identifiers": [{"type": "passport", "value": MARKER}], "emergency_contact": {"name": MARKER}
    }));
    let patient = patient.await.expect(201).id();
    let doctor = clinic.doctor().await;
    let mut booking = clinic.booking(&patient, &doctor, working_time(1, 10, 0));
    booking["reason"] = json!(MARKER);
    let booked = clinic.post("/appointments", booking).await.expect(201);
    let shown = clinic.get_at(booked.position(), &format!("/patients/{patient}")).await.expect(200);
    assert!(shown.text.contains(MARKER), "{}", shown.text);
    for table in
        ["log.event", "log.claim", "log.idempotency", "log.head", "log.counter", "log.credential", "log.outbox"]
    {
        assert_eq!(stack.rows_with(table, MARKER).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_key_is_destroyed_everything_else_goes_on() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let doctor = clinic.doctor().await;
    let body = |name: &str, passport: &str| json!({"first_name": name, "gender": "female", "birth_date": "1984", "identifiers": [{"type": "passport", "value": passport}]});
    let erased = clinic.post("/patients", body("Asha", "Z1")).await.expect(201).id();
    let other = clinic.post("/patients", body("Meera", "Z2")).await.expect(201).id();
    for (n, patient) in [&erased, &other].into_iter().enumerate() {
        let booking = clinic.booking(patient, &doctor, working_time(1, 10 + n as u32, 0));
        clinic.post("/appointments", booking).await.expect(201);
    }
    stack.caught_up().await;
    let other_path = format!("/patients/{other}");
    let before = (clinic.get("/patients/stats").await.json(), clinic.get(&other_path).await.text);
    let destroyed = stack.destroy_patient_key(&clinic.id, &erased).await;
    assert_eq!(destroyed, 1);
    let history = stack.history();
    for name in read_models::registry::NAMES {
        projector::rebuild(&history, name, None, &mut |_| {}).await.unwrap();
    }
    stack.read_models_equal_the_log().await;
    stack.verify_chains().await;
    assert_eq!((clinic.get("/patients/stats").await.json(), clinic.get(&other_path).await.text), before);
    // Its claims stand: the number of the passport is still taken.
    clinic.post("/patients", body("Lakshmi", "Z1")).await.expect(409);
    // Nothing is added to the chart any more, whether or not it would have to be sealed.
    let appointments = clinic.get(&format!("/appointments?patient={erased}")).await.expect(200).json();
    let appointment = appointments["items"][0]["id"].as_str().unwrap_or_default().to_owned();
    for (path, body) in [
        (format!("/appointments/{appointment}/check-in"), json!({})),
        (format!("/patients/{erased}/emergency-contact"), json!({"name": "Vikram"})),
    ] {
        let refused = clinic.post(&path, body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (410, "erased"), "{}", refused.text);
    }
}
