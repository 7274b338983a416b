//! Bundles as people get them: who may, what they see in it, and that it is recorded.

use base64::{Engine, prelude::BASE64_STANDARD};
use events::{AccessEvent, access::Handout};
use proof::row::sha256;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{Client, Stack, TestClinic};

struct Scene {
    stack: Stack,
    clinic: TestClinic,
    folder: TempDir,
    patient: String,
    /// Merged into the patient.
    merged: String,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let clinic = TestClinic::register(&stack.client()).await;
        let (patient, merged) = (clinic.patient("Asha").await, clinic.patient("Asha").await);
        clinic.patient("Somebody else").await;
        clinic.post(&format!("/patients/{merged}/merge"), json!({"survivor_id": patient})).await.expect(200);
        stack.caught_up().await;
        Self { stack, clinic, folder: tempfile::tempdir().expect("a folder"), patient, merged }
    }

    /// What the verifier says of what somebody was handed.
    async fn said_of(&self, client: &Client, below: &str) -> (Value, [u8; 32]) {
        let (answer, bundle) = client.download(&self.clinic.path(below)).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        assert_eq!(answer.header("content-type"), "application/zip");
        let hash = sha256(&bundle);
        assert_eq!(answer.header("repr-digest"), format!("sha-256=:{}:", BASE64_STANDARD.encode(hash)));
        let path = self.folder.path().join("bundle.zip");
        std::fs::write(&path, bundle).expect("it can be written");
        let (fingerprint, anchors) = (self.stack.fingerprint().await, self.stack.anchors());
        let report = verifier::verify(&path, &fingerprint, Some(&anchors)).expect("it is a bundle");
        (serde_json::to_value(report).expect("a report is plain data"), hash)
    }
}

async fn doctor(clinic: &TestClinic) -> Client {
    let doctor = clinic.new_doctor().await;
    let staff = clinic.get_at(doctor.position(), &format!("/staff/{}", doctor.id())).await.expect(200);
    clinic.activate(&staff.text_of("username"), &doctor.text_of("activation")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_handed_the_clinic_and_it_is_recorded_before() {
    let scene = Scene::set().await;
    let (admin, log) = (&scene.clinic.admin, scene.stack.access_log(&scene.clinic.id));
    let early = scene.clinic.get("/audit/export").await.expect(503);
    assert!(!early.header("retry-after").is_empty(), "nothing is signed yet: {}", early.text);
    scene.stack.checkpoint().await;
    let before = log.position().await;
    let (said, hash) = scene.said_of(admin, "/audit/export").await;
    assert_eq!((&said["outcome"], &said["kind"]), (&json!("intact"), &json!("clinic")), "{said}");
    assert!(said["record"]["opened"].as_i64() > Some(3), "{said}");
    let records = log.after(before).await;
    let [record] = &records[..] else { panic!("one record: {records:?}") };
    let AccessEvent::HandedOut { handout: Handout::Export, patient: None, sha256: Some(recorded), .. } = &record.event
    else {
        panic!("{:?}", record.event)
    };
    assert_eq!(*recorded, hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let (said, _) = scene.said_of(admin, "/audit/export?from=2&to=3").await;
    assert_eq!((&said["outcome"], &said["kind"]), (&json!("intact"), &json!("range")), "{said}");
    let (said, _) = scene.said_of(admin, "/audit/export?from=2020-01-01T00:00:00Z").await;
    assert_eq!((&said["outcome"], &said["kind"]), (&json!("intact"), &json!("range")), "{said}");
    scene.clinic.get("/audit/export?from=3&to=2").await.expect(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_handed_out_whole_to_who_may_and_to_nobody_else() {
    let scene = Scene::set().await;
    scene.stack.checkpoint().await;
    let (doctor, desk) = (doctor(&scene.clinic).await, scene.clinic.staff(&["receptionist"]).await);
    for id in [&scene.patient, &scene.merged] {
        let (said, _) = scene.said_of(&doctor, &format!("/patients/{id}/export")).await;
        assert_eq!((&said["outcome"], &said["kind"]), (&json!("intact"), &json!("patient")), "{said}");
        assert!(said["record"]["opened"].as_i64() >= Some(2), "both registrations are there: {said}");
    }
    for (client, below) in
        [(&doctor, "/audit/export".to_owned()), (&desk, format!("/patients/{}/export", scene.patient))]
    {
        client.get(&scene.clinic.path(&below)).await.expect(403);
    }
}
