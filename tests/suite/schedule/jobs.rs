//! Each kind of work, from what people do to what they see.

use chrono::TimeDelta;
use serde_json::json;
use tests::{Client, Stack, TestClinic};

use super::{TOMORROW, looked, recorded_by, status_of};

/// A prescription, issued by a doctor.
async fn issued(clinic: &TestClinic, doctor: &Client) -> String {
    let patient = clinic.patient("Asha").await;
    let medicine = json!({"name": "Dolo 650", "ingredients": [{"name": "paracetamol", "strength": "650mg"}]});
    let medicine = clinic.post("/medicines", medicine).await.expect(201).id();
    let item = json!({
        "medicine_id": medicine, "dose": {"value": 1, "unit": "{tablet}"}, "timing": "after_food",
        "frequency": {"times": 2, "every": {"count": 1, "unit": "d"}}, "duration": {"count": 5, "unit": "d"},
        "quantity": {"value": 10, "unit": "{tablet}"}
    });
    let draft = json!({"patient_id": patient, "items": [item]});
    let id = doctor.post(&clinic.path("/prescriptions"), draft).await.expect(201).id();
    doctor.post(&clinic.path(&format!("/prescriptions/{id}/issue")), json!({})).await.expect(200);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prescription_expires_once_its_last_day_has_passed() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (_, doctor) = clinic.doctor_login().await;
    let (running, held) = (issued(&clinic, &doctor).await, issued(&clinic, &doctor).await);
    let hold = clinic.path(&format!("/prescriptions/{held}/hold"));
    doctor.post(&hold, json!({"reason": "procedure"})).await.expect(200);
    stack.caught_up().await;
    assert_eq!(looked(&mut stack.scheduler(TOMORROW).await, "prescriptions").await, (0, 0, 0, 0), "not yet");

    let mut scheduler = stack.scheduler(TimeDelta::days(400)).await;
    assert_eq!(looked(&mut scheduler, "prescriptions").await.0, 2);
    stack.caught_up().await;
    assert_eq!(looked(&mut scheduler, "prescriptions").await, (0, 0, 0, 0), "once");
    for id in [&running, &held] {
        assert_eq!(status_of(&clinic, &format!("/prescriptions/{id}")).await, "expired");
    }
    let by = ("system".to_owned(), "ExpirePrescription".to_owned());
    assert_eq!(recorded_by(&stack, &clinic, "PrescriptionExpired").await, [by.clone(), by]);
    stack.read_models_equal_the_log().await;
}
