//! Everything about a patient in the order in which it happened, told to each as far as they may know it.

use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic, working_time};

struct Scene {
    stack: Stack,
    clinic: TestClinic,
    doctor: Client,
    asha: String,
    /// A second record of hers.
    double: String,
    /// Of the last event before the two were merged.
    before: i64,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let clinic = TestClinic::register(&stack.client()).await;
        let doctor = clinic.doctor_and_administrator().await;
        let (asha, double) = (clinic.patient("Asha").await, clinic.patient("Asha").await);
        let of = |patient: &str, action: &str| clinic.path(&format!("/patients/{patient}/{action}"));
        doctor.post(&of(&asha, "allergies"), json!({"substance": "penicillin"})).await.expect(200);
        let at = clinic.doctor().await;
        clinic.post("/appointments", clinic.booking(&asha, &at, working_time(1, 10, 0))).await.expect(201);
        let chart = clinic.path(&format!("/dental-charts/{double}/observations"));
        doctor.post(&chart, json!({"tooth": 16, "condition": "cavity"})).await.expect(200);
        let charge = json!({
            "patient_id": asha, "description": "Consultation", "unit_price": {"minor": 40_000, "currency": "INR"}
        });
        let before = clinic.post("/charges", charge).await.expect(201).position();
        clinic.post(&format!("/patients/{double}/merge"), json!({"survivor_id": asha})).await.expect(200);
        stack.caught_up().await;
        Self { stack, clinic, doctor, asha, double, before }
    }

    async fn asked(&self, who: &Client, query: &str) -> Answer {
        who.get(&self.clinic.path(&format!("/patients/{}/timeline?sort=occurred_at{query}", self.asha))).await
    }

    async fn told(&self, who: &Client, query: &str) -> Vec<String> {
        let answer = self.asked(who, query).await.expect(200).json();
        answer["items"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
    }
}

const ALL: [&str; 8] = [
    "PatientRegistered",
    "PatientRegistered",
    "AllergyRecorded",
    "AppointmentBooked",
    "ObservationRecorded",
    "ChargeCaptured",
    "PatientMerged",
    "PatientMergedInto",
];

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_everything_in_order_across_merges() {
    let scene = Scene::set().await;
    let mut told = scene.told(&scene.doctor, "").await;
    told[6..].sort();
    assert_eq!(told, ALL);
    let answer = scene.asked(&scene.doctor, "").await.expect(200).json();
    let items = answer["items"].as_array().unwrap();
    let times: Vec<&str> = items.iter().map(|entry| entry["occurred_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    assert_eq!(
        (&items[4]["patient_id"], &items[4]["resource"]["kind"]),
        (&json!(scene.double), &json!("dental_chart"))
    );
    let allergy = items[2]["changes"].as_array().unwrap();
    let told_of =
        |change: &&Value| change["field"] == "allergies" && change["after"].to_string().contains("penicillin");
    assert!(allergy.iter().any(|change| told_of(&change)), "what it changed: {allergy:?}");
    assert!(items[5]["sentence"].as_str().unwrap().len() > 10);

    // Page by page, and the other way round.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = scene.asked(&scene.doctor, &format!("&limit=3{cursor}")).await.expect(200).json();
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&paged, items);
    let path = format!("/patients/{}/timeline", scene.double);
    let reversed = scene.doctor.get(&scene.clinic.path(&path)).await.expect(200).json();
    let reversed: Vec<&Value> = reversed["items"].as_array().unwrap().iter().rev().collect();
    assert_eq!(reversed, items.iter().collect::<Vec<_>>(), "the same from either record");

    assert_eq!(scene.told(&scene.doctor, "&kind=dental_chart").await, ["ObservationRecorded"]);
    let to = items[3]["occurred_at"].as_str().unwrap();
    assert_eq!(scene.told(&scene.doctor, &format!("&to={to}")).await, ALL[..3]);
    // Before the merge nobody knew that the other record is hers.
    let then = scene.told(&scene.doctor, &format!("&as_of={}", scene.before)).await;
    assert!(!then.iter().any(|event| event.starts_with("PatientMerged")), "{then:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_nobody_what_they_may_not_know() {
    let scene = Scene::set().await;
    let roles: [(&str, &[&str]); 4] = [
        ("nurse", &["AllergyRecorded", "AppointmentBooked", "ObservationRecorded"]),
        ("receptionist", &["AllergyRecorded", "AppointmentBooked", "ChargeCaptured"]),
        ("lab_technician", &["AllergyRecorded"]),
        ("billing", &["ChargeCaptured"]),
    ];
    for (role, expected) in roles {
        let who = scene.clinic.staff(&[role]).await;
        let told = scene.told(&who, "").await;
        let told: Vec<&str> = told.iter().map(String::as_str).filter(|event| !event.starts_with("Patient")).collect();
        assert_eq!(told, expected, "{role}");
    }
    let restrict = format!("/patients/{}/restrict", scene.asha);
    scene.clinic.post(&restrict, json!({"confidentiality": "restricted"})).await.expect(200);
    scene.stack.caught_up().await;
    let nurse = scene.clinic.staff(&["nurse"]).await;
    scene.asked(&nurse, "").await.expect(403);
    let stranger = TestClinic::register(&scene.stack.client()).await;
    scene.asked(&stranger.admin, "").await.expect(404);
}

/// What happened under another id of the same person is theirs as well, and open to who has opened the person's record.
#[tokio::test(flavor = "multi_thread")]
async fn it_tells_a_person_all_that_is_theirs_restricted_and_merged() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (asha, portal) = clinic.portal("Asha").await;
    let (double, doctor) = (clinic.patient("Asha").await, clinic.doctor().await);
    clinic.post("/appointments", clinic.booking(&double, &doctor, working_time(1, 10, 0))).await.expect(201);
    clinic.post(&format!("/patients/{double}/merge"), json!({"survivor_id": asha})).await.expect(200);
    clinic.post(&format!("/patients/{double}/restrict"), json!({"confidentiality": "restricted"})).await.expect(200);
    let nurse = clinic.staff(&["nurse"]).await;
    let glass = json!({"reason": "other", "text": "No history at hand.", "hours": 1, "password": tests::PASSWORD});
    nurse.post(&clinic.path(&format!("/patients/{asha}/break-glass")), glass).await.expect(201);
    stack.caught_up().await;
    for who in [&portal, &nurse] {
        let told =
            who.get(&clinic.path(&format!("/patients/{asha}/timeline?kind=appointment"))).await.expect(200).json();
        let booked = &told["items"][0];
        assert_eq!((&booked["event"], &booked["patient_id"]), (&json!("AppointmentBooked"), &json!(double)));
        let changes = booked["changes"].as_array().expect("changes");
        assert!(!changes.is_empty() && changes.iter().all(|change| change["withheld"] == false), "{changes:?}");
    }
}
