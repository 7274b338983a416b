//! Each kind of work, from what people do to what they see.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Stack, TestClinic, working_time};

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
        assert_eq!(status_of(&doctor, &clinic, &format!("/prescriptions/{id}")).await, "expired");
    }
    let by = ("system".to_owned(), "ExpirePrescription".to_owned());
    assert_eq!(recorded_by(&stack, &clinic, "PrescriptionExpired").await, [by.clone(), by]);
    stack.read_models_equal_the_log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_patient_and_a_suspended_clinic_stop_nobody_else() {
    let stack = Stack::start().await;
    let (clinic, suspended) =
        (TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await);
    let (_, doctor) = clinic.doctor_login().await;
    let (erased, running) = (issued(&clinic, &doctor).await, issued(&clinic, &doctor).await);
    let (_, other) = suspended.doctor_login().await;
    let of_suspended = issued(&suspended, &other).await;
    stack.caught_up().await;
    let patient = doctor.get(&clinic.path(&format!("/prescriptions/{erased}"))).await.expect(200).text_of("patient_id");
    assert_eq!(stack.destroy_patient_key(&clinic.id, &patient).await, 1);
    let suspend = format!("/api/v1/clinics/{}/suspend", suspended.id);
    stack.platform().await.post(&suspend, json!({"reason": "unpaid"})).await.expect(200);

    let mut scheduler = stack.scheduler(TimeDelta::days(400)).await;
    let (done, refused, failed, _) = looked(&mut scheduler, "prescriptions").await;
    assert_eq!((done, refused, failed), (2, 1, 0));
    assert_eq!(looked(&mut scheduler, "prescriptions").await.1, 0, "what was refused waits");
    stack.caught_up().await;
    assert_eq!(status_of(&doctor, &clinic, &format!("/prescriptions/{running}")).await, "expired");
    assert_eq!(status_of(&other, &suspended, &format!("/prescriptions/{of_suspended}")).await, "expired");
}

async fn subscription(clinic: &TestClinic) -> (Value, bool) {
    let answer = clinic.get("/subscription").await.expect(200).json();
    (answer["status"].clone(), answer["expired_at"].is_string())
}

/// What the platform does with a clinic.
async fn by_platform(stack: &Stack, clinic: &TestClinic, action: &str, body: Value) {
    let path = format!("/api/v1/clinics/{}/{action}", clinic.id);
    stack.platform().await.post(&path, body).await.expect(200);
    stack.caught_up().await;
}

fn a_month() -> Value {
    json!({"plan": "basic", "paid_until": Utc::now() + TimeDelta::days(30)})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_and_a_subscription_end_visibly_and_go_on_when_they_are_paid_for() {
    let stack = Stack::start().await;
    let (clinic, closed) = (TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await);
    by_platform(&stack, &closed, "suspend", json!({"reason": "gone"})).await;
    by_platform(&stack, &closed, "close", json!({})).await;
    let mut scheduler = stack.scheduler(TimeDelta::days(31)).await;
    let patient = json!({"first_name": "Asha"});

    assert_eq!(subscription(&clinic).await, (json!("trial"), false));
    assert_eq!(looked(&mut scheduler, "subscriptions").await.0, 1, "not of the closed one");
    stack.caught_up().await;
    assert_eq!(looked(&mut scheduler, "subscriptions").await, (0, 0, 0, 0), "once");
    assert_eq!(subscription(&clinic).await, (json!("expired"), true));
    assert_eq!(clinic.post("/patients", patient.clone()).await.expect(403).code(), "trial-expired");
    assert_eq!(status_of(&closed.admin, &closed, "").await, "closed");

    by_platform(&stack, &clinic, "subscription", a_month()).await;
    assert_eq!(subscription(&clinic).await, (json!("active"), false));
    clinic.post("/patients", patient.clone()).await.expect(201);
    stack.caught_up().await;

    assert_eq!(looked(&mut scheduler, "subscriptions").await.0, 1);
    stack.caught_up().await;
    assert_eq!(subscription(&clinic).await, (json!("past_due"), true));
    assert_eq!(clinic.post("/patients", patient.clone()).await.expect(403).code(), "subscription-expired");
    by_platform(&stack, &clinic, "suspend", json!({"reason": "unpaid"})).await;
    assert_eq!(subscription(&clinic).await, (json!("suspended"), true));
    by_platform(&stack, &clinic, "resume", json!({})).await;
    assert_eq!(subscription(&clinic).await, (json!("past_due"), true));
    by_platform(&stack, &clinic, "subscription", a_month()).await;
    assert_eq!(subscription(&clinic).await, (json!("active"), false));

    for event_type in ["TrialExpired", "SubscriptionExpired"] {
        let by = ("system".to_owned(), "ExpireClinic".to_owned());
        assert_eq!(recorded_by(&stack, &clinic, event_type).await, [by], "{event_type}");
        assert_eq!(stack.count_events(&closed.id, event_type).await, 0);
    }
    stack.read_models_equal_the_log().await;
    stack.verify_chains().await;
}

/// A clinic that marks its no-shows so long after the start, or leaves it to people.
async fn marking(stack: &Stack, minutes: Option<i64>) -> TestClinic {
    let clinic = TestClinic::register(&stack.client()).await;
    let settings = json!({"mark_no_shows_after_minutes": minutes}).to_string().into_bytes();
    clinic.admin.send(Method::PATCH, &clinic.path("/settings"), Some(settings)).await.expect(200);
    clinic
}

async fn booked(clinic: &TestClinic, doctor: &str, patient: &str, start: DateTime<Utc>) -> String {
    clinic.post("/appointments", clinic.booking(patient, doctor, start)).await.expect(201).id()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_come_is_marked_where_the_clinic_wants_it() {
    let stack = Stack::start().await;
    let (clinic, by_people) = (marking(&stack, Some(30)).await, marking(&stack, None).await);
    let (doctor, theirs) = (clinic.doctor().await, by_people.doctor().await);
    let start = |quarters: i64| working_time(0, 10, 0) + TimeDelta::minutes(30 * quarters);
    let patient = clinic.patient("Asha").await;
    let missed = booked(&clinic, &doctor, &patient, start(0)).await;
    let arrived = booked(&clinic, &doctor, &patient, start(1)).await;
    clinic.post(&format!("/appointments/{arrived}/check-in"), json!({})).await.expect(200);
    let dead = clinic.patient("Meera").await;
    let of_dead = booked(&clinic, &doctor, &dead, start(2)).await;
    clinic.post(&format!("/patients/{dead}/record-death"), json!({})).await.expect(200);
    let later = booked(&clinic, &doctor, &patient, start(8)).await;
    let elsewhere = booked(&by_people, &theirs, &by_people.patient("Asha").await, start(0)).await;
    stack.caught_up().await;

    let after = |minutes: i64| start(2) + TimeDelta::minutes(minutes) - Utc::now();
    let mut scheduler = stack.scheduler(after(35)).await;
    let (done, refused, failed, _) = looked(&mut scheduler, "no-shows").await;
    assert_eq!((done, refused, failed), (1, 1, 0), "who died is left to people");
    stack.caught_up().await;
    for (of, appointment, expected) in [
        (&clinic, &missed, "noshow"),
        (&clinic, &arrived, "arrived"),
        (&clinic, &of_dead, "booked"),
        (&clinic, &later, "booked"),
        (&by_people, &elsewhere, "booked"),
    ] {
        assert_eq!(status_of(&of.admin, of, &format!("/appointments/{appointment}")).await, expected, "{appointment}");
    }
    let by = ("system".to_owned(), "MarkMissed".to_owned());
    assert_eq!(recorded_by(&stack, &clinic, "AppointmentMarkedNoShow").await, [by]);

    // Where nobody can check anybody in, nobody is marked.
    by_platform(&stack, &clinic, "suspend", json!({"reason": "unpaid"})).await;
    let mut scheduler = stack.scheduler(after(400)).await;
    assert_eq!(looked(&mut scheduler, "no-shows").await, (0, 0, 0, 0));
    by_platform(&stack, &clinic, "resume", json!({})).await;
    assert_eq!(looked(&mut scheduler, "no-shows").await.0, 1);
    stack.caught_up().await;
    assert_eq!(status_of(&clinic.admin, &clinic, &format!("/appointments/{later}")).await, "noshow");
    stack.read_models_equal_the_log().await;
}
