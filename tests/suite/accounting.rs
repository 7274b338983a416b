//! Accounting of disclosures: who outside the clinic was told what about a patient (45 CFR 164.528).

use serde_json::{Value, json};
use tests::{Client, PASSWORD, Stack, TestClinic};

fn to_the_officer() -> Value {
    json!({
        "recipient": "District health officer", "address": "1 Station Road, Pune", "description": "Vaccination dates",
        "statement": "Required by law", "occurred_at": "2026-03-14T09:00:00Z"
    })
}

/// A patient with a portal login of their own.
async fn portal(stack: &Stack, clinic: &TestClinic) -> (String, Client) {
    let body = json!({"first_name": "Asha", "birth_date": "1984-03-12"});
    let patient = clinic.post("/patients", body).await.expect(201).id();
    let invite = json!({"name": "Asha", "username": "asha", "roles": ["patient"], "patient_id": patient});
    let activation = clinic.post("/staff", invite).await.expect(201).text_of("activation");
    let body = json!({
        "clinic": clinic.slug, "username": "asha", "activation": activation, "password": PASSWORD,
        "birth_date": "1984-03-12"
    });
    let tokens = stack.client().post("/api/v1/auth/activate", body).await.expect(200);
    stack.caught_up().await;
    (patient, stack.client().with_token(tokens.text_of("access_token")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disclosure_is_accounted_for_and_read_by_auditors_and_the_patient() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (patient, asha) = portal(&stack, &clinic).await;
    let made = clinic.post(&format!("/patients/{patient}/disclosures"), to_the_officer()).await.expect(201);
    assert_eq!(made.json()["events"], json!(["DisclosureRecorded"]));
    let auditor = clinic.staff(&["auditor"]).await;
    let number = clinic.get(&format!("/patients/{patient}")).await.expect(200).text_of("number");
    let of_patient = format!("/patients/{patient}/disclosures");
    for (client, path) in [
        (&clinic.admin, "/audit/disclosures".to_owned()),
        (&auditor, format!("/audit/disclosures?patient={patient}")),
        (&auditor, of_patient.clone()),
        (&asha, of_patient.clone()),
    ] {
        let shown = client.get(&clinic.path(&path)).await.expect(200).json();
        let items = shown["items"].as_array().expect("items");
        assert_eq!(items.len(), 1, "{path}");
        let entry = &items[0];
        assert_eq!((&entry["id"], &entry["patient_id"]), (&json!(made.id()), &json!(patient)));
        assert_eq!((&entry["patient_number"], &entry["recorded_by"]), (&json!(number), &json!("admin")));
        assert_eq!(entry["disclosed_at"], "2026-03-14T09:00:00Z");
        let mut told = to_the_officer();
        told.as_object_mut().unwrap().remove("occurred_at");
        assert_eq!(entry["disclosure"], told, "{path}");
    }
    let entry = auditor.get(made.header("location")).await.expect(200);
    assert_eq!(
        entry.text_of("sentence"),
        format!("admin (clinic admin) accounted for a disclosure about patient {number}")
    );
    assert!(entry.json()["intact"] == true && !entry.text.contains("Station Road"), "{}", entry.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disclosure_sent_twice_under_one_key_is_recorded_once() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = clinic.patient("Asha").await;
    let path = clinic.path(&format!("/patients/{patient}/disclosures"));
    let keyed = clinic.admin.with("idempotency-key", "the-same");
    let tries = futures::future::join_all((0..8).map(|_| keyed.post(&path, to_the_officer()))).await;
    for answer in &tries {
        assert_eq!((answer.status.as_u16(), &answer.text), (201, &tries[0].text));
    }
    assert_eq!(tries.iter().filter(|answer| answer.header("idempotency-replayed") == "true").count(), 7);
    let mut other = to_the_officer();
    other["recipient"] = json!("Somebody else");
    keyed.post(&path, other).await.expect(422);
    let listed = clinic.get("/audit/disclosures").await.expect(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_account_and_nobody_reads_anothers() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (patient, asha) = portal(&stack, &clinic).await;
    let other = clinic.patient("Vikram").await;
    let path = |patient: &str| clinic.path(&format!("/patients/{patient}/disclosures"));
    for roles in [&["auditor"][..], &["nurse"], &["receptionist"]] {
        clinic.staff(roles).await.post(&path(&patient), to_the_officer()).await.expect(403);
    }
    asha.post(&path(&patient), to_the_officer()).await.expect(403);
    for below in ["disclosures", "access-log"] {
        asha.get(&clinic.path(&format!("/patients/{patient}/{below}"))).await.expect(200);
        asha.get(&clinic.path(&format!("/patients/{other}/{below}"))).await.expect(403);
        clinic.staff(&["nurse"]).await.get(&clinic.path(&format!("/patients/{patient}/{below}"))).await.expect(403);
        clinic.get(&format!("/patients/018f0000-0000-7000-8000-00000000ffff/{below}")).await.expect(404);
    }
    asha.get(&clinic.path("/audit/disclosures")).await.expect(403);
    clinic.admin.post(&path("018f0000-0000-7000-8000-00000000ffff"), to_the_officer()).await.expect(404);
    let mut wrong = to_the_officer();
    wrong["occurred_at"] = json!("2126-03-14T09:00:00Z");
    clinic.admin.post(&path(&patient), wrong).await.expect(422);
    clinic.admin.post(&path(&patient), json!({"recipient": "x"})).await.expect(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_is_not_told_of_a_restricted_record_what_was_disclosed() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = clinic.patient("Asha").await;
    clinic.post(&format!("/patients/{patient}/disclosures"), to_the_officer()).await.expect(201);
    let restrict = json!({"confidentiality": "restricted"});
    let restricted = clinic.post(&format!("/patients/{patient}/restrict"), restrict).await.expect(200);
    clinic.get_at(restricted.position(), &format!("/patients/{patient}")).await.expect(200);
    let auditor = clinic.staff(&["auditor"]).await;
    let shown = auditor.get(&clinic.path("/audit/disclosures")).await.expect(200);
    let entry = &shown.json()["items"][0];
    assert!(
        entry["withheld"] == true && entry["disclosure"].is_null() && !shown.text.contains("officer"),
        "{}",
        shown.text
    );
    assert!(clinic.get("/audit/disclosures").await.expect(200).text.contains("District health officer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_is_not_told_while_an_agency_asks_for_it() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (patient, asha) = portal(&stack, &clinic).await;
    let path = clinic.path(&format!("/patients/{patient}/disclosures"));
    for until in ["2126-01-01T00:00:00Z", "2026-01-01T00:00:00Z"] {
        let mut body = to_the_officer();
        body["suspended_until"] = json!(until);
        clinic.admin.post(&path, body).await.expect(201);
    }
    let suspended = |answer: Value| -> Vec<String> {
        let items = answer["items"].as_array().expect("items");
        items.iter().filter_map(|item| item["suspended_until"].as_str().map(str::to_owned)).collect()
    };
    let all = suspended(clinic.admin.get(&path).await.expect(200).json());
    assert_eq!(all, ["2026-01-01T00:00:00Z", "2126-01-01T00:00:00Z"]);
    assert_eq!(suspended(asha.get(&path).await.expect(200).json()), ["2026-01-01T00:00:00Z"]);
    let log = asha.get(&clinic.path(&format!("/patients/{patient}/access-log"))).await.expect(200);
    assert_eq!(log.text.matches("accounted for a disclosure").count(), 1, "{}", log.text);
}
