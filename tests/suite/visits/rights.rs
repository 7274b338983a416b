//! Who does what in a visit, and who sees what of it.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use tests::{Client, PASSWORD, Stack};

use super::{Ward, ids, practitioner};

/// The portal login of a patient; the patient, and the client.
async fn portal(ward: &Ward) -> (String, Client) {
    let body = json!({"first_name": "Asha", "birth_date": "1984-03-12"});
    let patient = ward.clinic.post("/patients", body).await.expect(201).id();
    let invites = json!({"name": "Asha", "username": "asha", "roles": ["patient"], "patient_id": patient});
    let activation = ward.clinic.post("/staff", invites).await.expect(201).text_of("activation");
    let body = json!({
        "clinic": ward.clinic.slug, "username": "asha", "activation": activation, "password": PASSWORD,
        "birth_date": "1984-03-12"
    });
    let anybody = ward.stack.client();
    let tokens = anybody.post("/api/v1/auth/activate", body).await.expect(200);
    (patient, anybody.with_token(tokens.text_of("access_token")))
}

/// What each command needs to be understood.
fn commands() -> Vec<(&'static str, Value)> {
    let some = "018f0000-0000-7000-8000-000000000001";
    vec![
        ("arrive", json!({})),
        ("chief-complaint", json!({"chief_complaint": "a cough"})),
        ("vitals", json!({"heart_rate": {"value": 72}})),
        ("enter-vitals-in-error", json!({"vitals_id": some, "reason": "a slip"})),
        ("triage", json!({"priority": "urgent"})),
        ("assign-doctor", json!({"doctor_id": some})),
        ("cancel", json!({"reason": "other"})),
        ("start", json!({})),
        ("diagnoses", json!({"text": "Asthma"})),
        ("correct-diagnosis", json!({"diagnosis_id": some, "text": "COPD", "certainty": "confirmed", "reason": "X"})),
        ("enter-diagnosis-in-error", json!({"diagnosis_id": some, "reason": "a slip"})),
        ("follow-up", json!({"on": "2999-01-01"})),
        ("finish", json!({})),
        ("reopen", json!({"reason": "forgotten"})),
        ("enter-in-error", json!({"reason": "a slip"})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_does_its_part_and_no_other() {
    const DESK: [&str; 4] = ["arrive", "chief-complaint", "assign-doctor", "cancel"];
    const NURSE: [&str; 6] =
        ["arrive", "chief-complaint", "vitals", "enter-vitals-in-error", "triage", "assign-doctor"];
    let ward = Ward::open().await;
    let (patient, asha) = portal(&ward).await;
    let mut rest = Vec::new();
    for role in ["clinic_admin", "lab_technician", "pharmacist", "billing", "auditor"] {
        rest.push((role, ward.clinic.staff(&[role]).await));
    }
    rest.push(("patient", asha));
    let allowed = [("desk", &ward.desk, DESK.as_slice()), ("nurse", &ward.nurse, NURSE.as_slice())];
    let rest = rest.iter().map(|(role, client)| (*role, client, [].as_slice()));
    for (role, client, may) in allowed.into_iter().chain(rest) {
        let opens = json!({"patient_id": patient, "office_id": ward.clinic.office});
        let opened = client.post(&ward.clinic.path("/visits"), opens).await;
        assert_eq!(opened.status == 201, role == "desk", "{role} opens: {}", opened.text);
        for (action, body) in commands() {
            let visit = ward.walk_in(&patient).await;
            let answer = ward.act(client, &visit, action, body).await;
            assert_eq!(answer.status != 403, may.contains(&action), "{role} {action}: {}", answer.text);
        }
    }
    // Once the doctor sees the patient, the visit is the doctor's.
    let visit = ward.walk_in(&patient).await;
    ward.start(&visit).await.expect(200);
    for (action, body) in commands().into_iter().filter(|(action, _)| DESK.contains(action)) {
        ward.act(&ward.desk, &visit, action, body).await.expect(403);
    }
    ward.act(&ward.nurse, &visit, "triage", json!({"priority": "urgent"})).await.expect(403);
    ward.act(&ward.nurse, &visit, "vitals", json!({"heart_rate": {"value": 72}})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sees_what_their_role_shows() {
    let ward = Ward::open().await;
    let (patient, asha) = portal(&ward).await;
    let other = ward.walk_in(&ward.clinic.patient("Ravi").await).await;
    let opens = json!({"patient_id": patient, "office_id": ward.clinic.office, "chief_complaint": "a cough"});
    let visit = ward.opened(opens).await.id();
    ward.act(&ward.nurse, &visit, "vitals", json!({"heart_rate": {"value": 72}})).await.expect(200);
    ward.start(&visit).await.expect(200);
    ward.act(&ward.doctor, &visit, "diagnoses", json!({"text": "Asthma"})).await.expect(200);
    let plan = json!({"on": tests::working_time(5, 9, 0).date_naive(), "instructions": "fasting"});
    let at = ward.act(&ward.doctor, &visit, "follow-up", plan).await.expect(200).position();
    let one = format!("/visits/{visit}");
    let see = async |who: &Client| ward.sees(who, at, &one).await.expect(200).json();

    let desk = see(&ward.desk).await;
    assert_eq!((&desk["findings"], &desk["follow_up"]["instructions"]), (&Value::Null, &Value::Null), "{desk}");
    assert_eq!(desk["status"], "in-progress");
    let nurse = see(&ward.nurse).await;
    assert_eq!(nurse["findings"]["diagnoses"][0]["text"], "Asthma");
    let admin = see(&ward.clinic.admin).await;
    assert_eq!(
        (&admin["findings"]["diagnoses"], &admin["findings"]["chief_complaint"]),
        (&Value::Null, &json!("a cough"))
    );
    let own = see(&asha).await;
    assert_eq!(own["findings"]["diagnoses"][0]["text"], "Asthma");
    assert_eq!(ids(&asha.get(&ward.clinic.path("/visits")).await.expect(200)), std::slice::from_ref(&visit));
    asha.get(&ward.clinic.path(&format!("/visits/{other}"))).await.expect(403);

    let vitals = format!("/patients/{patient}/vitals");
    for role in ["lab_technician", "pharmacist", "billing"] {
        let client = ward.clinic.staff(&[role]).await;
        client.get(&ward.clinic.path(&one)).await.expect(403);
        client.get(&ward.clinic.path("/visits")).await.expect(403);
        let seen = client.get(&ward.clinic.path(&vitals)).await;
        assert_eq!(seen.status == 200, role != "billing", "{role}: {}", seen.text);
    }
    ward.desk.get(&ward.clinic.path(&vitals)).await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_sees_visits_by_grant_alone() {
    let ward = Ward::open().await;
    let visit = ward.walk_in(&ward.clinic.patient("Asha").await).await;
    let one = format!("/visits/{visit}");
    let invites = json!({"name": "Anand", "username": "anand", "roles": ["auditor"]});
    let invited = ward.clinic.post("/staff", invites).await.expect(201);
    let auditor = ward.clinic.activate("anand", &invited.text_of("activation")).await;
    ward.clinic.get_at(invited.position(), &one).await.expect(200);
    auditor.get(&ward.clinic.path(&one)).await.expect(404);
    assert_eq!(ids(&auditor.get(&ward.clinic.path("/visits")).await.expect(200)), Vec::<String>::new());
    let grant = |scope: &str| {
        let expires = Utc::now() + TimeDelta::days(1);
        json!({
            "auditor_id": invited.id(), "scope": [scope], "from": "2020-01-01", "to": "2999-12-31", "expires": expires
        })
    };
    ward.clinic.post("/auditor-grants", grant("notes")).await.expect(201);
    auditor.get(&ward.clinic.path(&one)).await.expect(404);
    ward.clinic.post("/auditor-grants", grant("visits")).await.expect(201);
    auditor.get(&ward.clinic.path(&one)).await.expect(200);
    assert_eq!(ids(&auditor.get(&ward.clinic.path("/visits")).await.expect(200)), [visit]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_record_shows_its_visits_to_doctors_alone_unless_the_glass_is_broken() {
    let ward = Ward::open().await;
    let patient = ward.clinic.patient("Asha").await;
    let visit = ward.walk_in(&patient).await;
    let restrict = format!("/patients/{patient}/restrict");
    let at = ward.clinic.post(&restrict, json!({"confidentiality": "restricted"})).await.expect(200).position();
    let one = format!("/visits/{visit}");
    ward.sees(&ward.doctor, at, &one).await.expect(200);
    for who in [&ward.nurse, &ward.desk] {
        ward.sees(who, at, &one).await.expect(403);
        assert_eq!(ids(&ward.sees(who, at, "/visits").await.expect(200)), Vec::<String>::new());
    }
    let glass = json!({"reason": "urgent_treatment", "text": "No history at hand.", "hours": 1, "password": PASSWORD});
    ward.nurse.post(&ward.clinic.path(&format!("/patients/{patient}/break-glass")), glass).await.expect(201);
    ward.nurse.get(&ward.clinic.path(&one)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_starts_is_a_doctor_with_a_valid_licence() {
    let ward = Ward::open().await;
    let (other, _) = practitioner(&ward.clinic).await;
    let visit = ward.walk_in(&ward.clinic.patient("Asha").await).await;
    let licence = format!("/doctors/{}/licence", ward.doctor_id);
    ward.clinic.post(&licence, json!({"number": "LIC-OLD", "expires": "2020-01-01"})).await.expect(200);
    assert_eq!(ward.start(&visit).await.expect(422).code(), "licence-expired");
    ward.clinic.post(&licence, json!({"number": "LIC-NEW", "expires": "2999-01-01"})).await.expect(200);
    ward.start(&visit).await.expect(200);
    // Who is handed the visit works in its office.
    ward.act(&ward.doctor, &visit, "assign-doctor", json!({"doctor_id": other})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_has_no_visits_any_more() {
    let ward = Ward::on(Stack::start_erasing().await).await;
    let settings = json!({"retention": {"clinical_years": 0}}).to_string().into_bytes();
    let path = ward.clinic.path("/settings");
    ward.clinic.admin.send(reqwest::Method::PATCH, &path, Some(settings)).await.expect(200);
    let second = ward.clinic.staff(&["clinic_admin"]).await;
    let patient = ward.clinic.patient("Asha").await;
    let visit = ward.walk_in(&patient).await;
    ward.act(&ward.nurse, &visit, "vitals", json!({"heart_rate": {"value": 72}})).await.expect(200);
    ward.start(&visit).await.expect(200);
    let request = format!("/patients/{patient}/request-erasure");
    let open = ward.clinic.post(&request, json!({})).await.expect(409);
    assert_eq!((open.code().as_str(), &open.json()["visits"]), ("open-visits", &json!([visit])));
    let before = ward.finish(&visit).await.position();
    ward.clinic.post(&request, json!({})).await.expect(200);
    let approve = ward.clinic.path(&format!("/patients/{patient}/approve-erasure"));
    let at = second.post(&approve, json!({})).await.expect(200).position();
    for below in [
        format!("/visits/{visit}"),
        format!("/visits/{visit}?as_of={before}"),
        format!("/visits/{visit}/history"),
        format!("/patients/{patient}/visits"),
        format!("/patients/{patient}/vitals"),
        format!("/visits?patient={patient}"),
    ] {
        ward.sees(&ward.doctor, at, &below).await.expect(410);
    }
    assert_eq!(ids(&ward.sees(&ward.doctor, at, "/visits").await.expect(200)), Vec::<String>::new());
    ward.act(&ward.doctor, &visit, "reopen", json!({"reason": "forgotten"})).await.expect(410);
    let opens = json!({"patient_id": patient, "office_id": ward.clinic.office});
    ward.desk.post(&ward.clinic.path("/visits"), opens).await.expect(410);
}
