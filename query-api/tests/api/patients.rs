//! Patients' records: who sees what of whom.

use events::{
    AllergyId, PatientEvent, PatientId, ProblemId, Role, Sealed, UserId,
    patient::{Allergy, Confidentiality, Problem},
};
use serde_json::json;
use uuid::Uuid;

use crate::world::{Clinic, World};

fn allergic(clinic: &mut Clinic, patient: PatientId, substance: &str) {
    let allergy = AllergyId(clinic.history.fresh());
    let substance = substance.to_owned();
    let sealed =
        Sealed::Open(Allergy { substance, code: None, class: None, category: None, criticality: None, reaction: None });
    clinic.history.patient(patient, PatientEvent::AllergyRecorded { allergy, sealed });
}

fn troubled(clinic: &mut Clinic, patient: PatientId, text: &str) {
    let problem = ProblemId(clinic.history.fresh());
    let sealed = Sealed::Open(Problem { text: text.to_owned(), code: None, onset: None });
    clinic.history.patient(patient, PatientEvent::ProblemAdded { problem, sealed });
}

fn restrict(clinic: &mut Clinic, patient: PatientId) {
    let confidentiality = Confidentiality::Restricted;
    clinic.history.patient(patient, PatientEvent::RecordRestricted { confidentiality, sealed: Sealed::Erased });
}

#[tokio::test]
async fn each_role_sees_its_part_of_a_record() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let patient = clinic.history.registered("Asha");
    allergic(&mut clinic, patient, "penicillin");
    troubled(&mut clinic, patient, "asthma");
    world.publish(&clinic).await;
    let path = clinic.path(&format!("/patients/{patient}"));
    // Allergies, problems, consents.
    let expected = [
        (Role::ClinicAdmin, [true, true, true]),
        (Role::Doctor, [true, true, true]),
        (Role::Receptionist, [true, false, true]),
        (Role::LabTechnician, [true, true, false]),
        (Role::Billing, [false, false, false]),
    ];
    for (role, parts) in expected {
        let login = world.login(&clinic, &[role]).await;
        let body = world.get(&login, &path).await.body;
        assert_eq!((&body["first_name"], &body["number"]), (&json!("Asha"), &json!("PT-2026-00001")), "{role}");
        assert_eq!(["allergies", "problems", "consents"].map(|part| body.get(part).is_some()), parts, "{role}");
        let events: Vec<String> = world
            .get(&login, &format!("{path}/history"))
            .await
            .items()
            .iter()
            .map(|entry| entry["event"].as_str().unwrap().to_owned())
            .collect();
        let hidden = |event: &str| !events.iter().any(|shown| shown == event);
        assert_eq!((!hidden("AllergyRecorded"), !hidden("ProblemAdded")), (parts[0], parts[1]), "{role}");
        assert!(!hidden("PatientRegistered"));
    }
    let doctor = world.login(&clinic, &[Role::Doctor]).await;
    let body = world.get(&doctor, &path).await.body;
    assert_eq!(body["allergies"]["items"][0]["substance"], "penicillin");
    assert_eq!(body["age"]["estimated"], false);
    assert!(body["age"]["years"].as_i64().unwrap() >= 41);
    let platform = world.login(&clinic, &[Role::PlatformAdmin]).await;
    assert_eq!(world.get(&platform, &path).await.code(), (403, "forbidden"));
}

#[tokio::test]
async fn a_restricted_record_is_for_doctors_and_administrators() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let open = clinic.history.registered("Asha");
    let hidden = clinic.history.registered("Ashok");
    restrict(&mut clinic, hidden);
    world.publish(&clinic).await;
    let path = |rest: &str| clinic.path(rest);
    for (role, sees) in [(Role::Doctor, true), (Role::ClinicAdmin, true), (Role::Nurse, false), (Role::Auditor, false)]
    {
        let login = world.login(&clinic, &[role]).await;
        let expected = if sees { vec![open.to_string(), hidden.to_string()] } else { vec![open.to_string()] };
        assert_eq!(world.get(&login, &path("/patients")).await.ids(), expected, "{role}");
        assert_eq!(world.get(&login, &path("/patients/search?q=ash")).await.ids(), expected, "{role}");
        let status = if sees { 200 } else { 403 };
        for rest in ["", "/history", "/appointments"] {
            let answer = world.get(&login, &path(&format!("/patients/{hidden}{rest}"))).await;
            assert_eq!(answer.status, status, "{role} {rest}");
        }
        assert_eq!(world.get(&login, &path(&format!("/patients/{open}"))).await.status, 200);
    }
}

#[tokio::test]
async fn a_portal_login_sees_its_own_patient_alone() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let (own, other) = (clinic.history.registered("Asha"), clinic.history.registered("Ravi"));
    restrict(&mut clinic, own);
    clinic.history.booked(1);
    world.publish(&clinic).await;
    let portal = world.login_as(&clinic, UserId(Uuid::now_v7()), &[Role::Patient], Some(own)).await;
    let get = async |rest: String| world.get(&portal, &clinic.path(&rest)).await;
    assert_eq!(get(format!("/patients/{own}")).await.body["first_name"], "Asha");
    assert_eq!(get("/patients".into()).await.ids(), [own.to_string()]);
    assert!(get("/appointments".into()).await.items().is_empty());
    for refused in [
        format!("/patients/{other}"),
        format!("/patients/{other}/history"),
        format!("/appointments?patient={other}"),
        "/patients/search?q=ravi".into(),
        "/patients/duplicates".into(),
        "/patients/stats".into(),
        "/staff".into(),
        "/dashboard".into(),
        format!("/doctors/{other}/day-sheet?date=2026-01-01"),
        format!("/queue?office={other}"),
    ] {
        assert_eq!(get(refused.clone()).await.code(), (403, "forbidden"), "{refused}");
    }
}

#[tokio::test]
async fn a_merged_patient_is_read_as_one_with_the_survivor() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let [first, second, survivor] = ["Aasha", "Asha R", "Asha"].map(|name| clinic.history.registered(name));
    allergic(&mut clinic, first, "penicillin");
    allergic(&mut clinic, survivor, "latex");
    clinic.history.merged(first, second);
    clinic.history.merged(second, survivor);
    world.publish(&clinic).await;
    let login = world.login(&clinic, &[Role::Doctor]).await;
    let get = async |rest: String| world.get(&login, &clinic.path(&rest)).await;
    for id in [first, second, survivor] {
        let answer = get(format!("/patients/{id}")).await;
        let body = &answer.body;
        assert_eq!((&body["id"], &body["first_name"]), (&json!(id), &json!("Asha")));
        assert_eq!(body["allergies"]["items"].as_array().unwrap().len(), 2);
        let merged = id != survivor;
        assert_eq!(body["merged_into"], if merged { json!(survivor) } else { json!(null) });
        assert_eq!(body["merged_ids"].as_array().unwrap().len(), if merged { 0 } else { 2 });
        assert_eq!(body["status"], if merged { "merged" } else { "active" });
        assert!(answer.etag().ends_with(&format!(".{}\"", clinic.history.events().count())));
        assert_eq!(get(format!("/patients/{id}/history")).await.items().len(), 9);
    }
    assert_eq!(get("/patients".into()).await.ids(), [survivor.to_string()]);
    assert_eq!(get("/patients?status=merged".into()).await.items().len(), 2);
    clinic.history.unmerged(second, survivor);
    world.publish(&clinic).await;
    let apart = world.get(&login, &clinic.path(&format!("/patients/{survivor}"))).await.body;
    assert_eq!(apart["allergies"]["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn search_forgives_a_slip_of_the_pen() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let (lakshmi, ravi) = (clinic.history.registered("Lakshmi"), clinic.history.registered("Ravi"));
    world.publish(&clinic).await;
    let login = world.login(&clinic, &[Role::Receptionist]).await;
    let found = async |q: &str| {
        let answer = world.get(&login, &clinic.path(&format!("/patients/search?q={q}"))).await;
        answer.ids().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    for q in ["laks", "LAKSHMI", "lakshmi%20rao", "akshm", "lakshmee", "00001"] {
        assert_eq!(found(q).await, [lakshmi.to_string()], "{q}");
    }
    assert_eq!(found("rav").await, [ravi.to_string()]);
    for q in ["%2B91%2098200-12345", "98200"] {
        assert_eq!(found(q).await.len(), 2, "{q}");
    }
    for q in ["zzz", "%25", "_", "lakshmi%20xyz", "%27"] {
        assert!(found(q).await.is_empty(), "{q}");
    }
}

#[tokio::test]
async fn duplicates_are_proposed_by_phone_name_and_birth_date() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let pair = [clinic.history.registered("Asha"), clinic.history.registered("ASHA")];
    clinic.history.registered("Ravi");
    let merged = clinic.history.registered("Asha");
    clinic.history.merged(merged, pair[0]);
    world.publish(&clinic).await;
    let login = world.login(&clinic, &[Role::ClinicAdmin]).await;
    let groups = world.get(&login, &clinic.path("/patients/duplicates")).await;
    assert_eq!(groups.items().len(), 1);
    let ids: Vec<&str> = groups.items()[0]["patients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|patient| patient["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, pair.map(|id| id.to_string()));
}
