//! A mouth is charted and treated, over HTTP.

use std::time::Duration;

use chrono::{Days, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Stack, TestClinic};

/// Somebody at the chair of a clinic.
struct Chair<'c> {
    clinic: &'c TestClinic,
    who: Client,
}

impl<'c> Chair<'c> {
    /// A dentist who works in the clinic.
    async fn dentist(clinic: &'c TestClinic) -> Self {
        let doctor = clinic.new_doctor().await;
        let staff = clinic.get_at(doctor.position(), &format!("/staff/{}", doctor.id())).await.expect(200);
        let who = clinic.activate(&staff.text_of("username"), &doctor.text_of("activation")).await;
        Self { clinic, who }
    }

    async fn post(&self, below: &str, body: Value) -> Answer {
        self.who.post(&self.clinic.path(below), body).await
    }

    async fn on(&self, patient: &str, action: &str, body: Value) -> Answer {
        self.post(&format!("/dental-charts/{patient}/{action}"), body).await
    }

    async fn get_at(&self, position: i64, below: &str) -> Answer {
        self.who.with("casebook-min-position", position).get(&self.clinic.path(below)).await
    }
}

fn tooth(chart: &Value, number: u8) -> &Value {
    let teeth = chart["teeth"].as_array().expect("teeth");
    teeth.iter().find(|tooth| tooth["tooth"] == number).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tooth_is_charted_treated_and_lost() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (patient, chair) = (clinic.patient("Asha").await, Chair::dentist(&clinic).await);
    stack.caught_up().await;
    let empty = chair.who.get(&clinic.path(&format!("/dental-charts/{patient}"))).await.expect(200).json();
    assert_eq!((&empty["version"], &empty["teeth"]), (&json!(0), &json!([])));

    let seen =
        json!({"tooth": 17, "surfaces": ["occlusal"], "condition": "cavity", "severity": "moderate", "note": "soft"});
    let observation = chair.on(&patient, "observations", seen).await.expect(200);
    let id = observation.text_of("observation_id");
    let corrected = json!({
        "observation_id": id, "reason": "wrong_tooth", "text": "the x-ray shows the first molar",
        "finding": {"tooth": 16, "surfaces": ["occlusal", "mesial"], "condition": "cavity", "severity": "severe"}
    });
    chair.on(&patient, "correct-observation", corrected).await.expect(200);

    let price = |minor: i64| json!({"minor": minor, "currency": "INR"});
    let template = json!({
        "name": "Filling of a molar", "place": 6, "condition": "cavity",
        "procedures": [{"code": "D2391", "description": "Composite", "estimate": price(250_000)}]
    });
    let any = json!({"name": "A look", "procedures": [{"code": "D0140"}]});
    chair.post("/dental-templates", any).await.expect(201);
    let template = chair.post("/dental-templates", template).await.expect(201);
    let proposed = chair.get_at(template.position(), &format!("/dental-charts/{patient}/proposals")).await.expect(200);
    let proposal = &proposed.json()["items"][0];
    assert_eq!((&proposal["observation_id"], &proposal["template_id"]), (&json!(id), &json!(template.id())));
    assert_eq!((&proposal["tooth"], &proposal["procedures"][0]["code"]), (&json!(16), &json!("D2391")));

    let plan = json!({
        "code": "D2391", "teeth": [16], "surfaces": ["occlusal"], "estimate": price(250_000),
        "observation_id": id, "template_id": template.id()
    });
    let planned = chair.on(&patient, "plan-procedure", plan).await.expect(200);
    let procedure = json!({"procedure_id": planned.text_of("procedure_id")});
    let proposed = chair.get_at(planned.position(), &format!("/dental-charts/{patient}/proposals")).await.expect(200);
    assert_eq!(proposed.json()["items"], json!([]), "something is planned about it");
    chair.on(&patient, "start-procedure", procedure.clone()).await.expect(200);
    let mut done = procedure.clone();
    done["actual_cost"] = price(300_000);
    done["complications"] = json!("bleeding, stopped");
    chair.on(&patient, "complete-procedure", done.clone()).await.expect(200);
    assert_eq!(chair.on(&patient, "complete-procedure", done).await.expect(409).code(), "wrong-status");

    let extracted = chair.on(&patient, "extract-tooth", json!({"tooth": 16, "reason": "it broke"})).await.expect(200);
    let filling = json!({"code": "D2391", "teeth": [16]});
    assert_eq!(chair.on(&patient, "plan-procedure", filling).await.expect(422).code(), "tooth-missing");
    let implant = chair.on(&patient, "plan-procedure", json!({"code": "D6010", "teeth": [16]})).await.expect(200);

    let chart = chair.get_at(implant.position(), &format!("/dental-charts/{patient}")).await.expect(200);
    let body = chart.json();
    assert_eq!((tooth(&body, 16)["missing"].clone(), tooth(&body, 17)), (json!(true), &Value::Null));
    let procedures = body["procedures"].as_array().unwrap();
    assert_eq!((procedures.len(), &procedures[0]["status"]), (2, &json!("completed")));
    assert_eq!(
        (&procedures[0]["complications"], &procedures[0]["actual_cost"]["minor"]),
        (&json!("bleeding, stopped"), &json!(300_000))
    );

    // What was said of the wrong tooth is in its history, with who and why.
    let history = chair.get_at(0, &format!("/dental-charts/{patient}/teeth/17")).await.expect(200).json();
    let entry = &history["observations"][0];
    assert_eq!((&entry["earlier"][0]["tooth"], &entry["earlier"][0]["note"]), (&json!(17), &json!("soft")));
    assert_eq!((&entry["current"]["reason"], &entry["current"]["tooth"]), (&json!("wrong_tooth"), &json!(16)));
    assert!(!entry["current"]["by"]["username"].as_str().unwrap().is_empty());

    // As the record said, and as the mouth was.
    let then = format!("/dental-charts/{patient}?as_of={}", observation.position());
    let administrator = clinic.doctor_and_administrator().await;
    let then = administrator.get(&clinic.path(&then)).await.expect(200);
    assert_eq!((tooth(&then.json(), 17)["missing"].clone(), then.position()), (json!(false), observation.position()));
    let yesterday = Utc::now().date_naive() - Days::new(2);
    let before = chair.get_at(0, &format!("/dental-charts/{patient}?on={yesterday}")).await.expect(200).json();
    assert_eq!((&before["teeth"], &before["procedures"]), (&json!([]), &json!([])));
    let today =
        chair.get_at(0, &format!("/dental-charts/{patient}?on={}", Utc::now().date_naive() + Days::new(1))).await;
    assert_eq!(today.expect(200).json()["teeth"], body["teeth"]);

    let versions = chair.get_at(0, &format!("/dental-charts/{patient}/history")).await.expect(200).json();
    let events: Vec<&str> =
        versions["items"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(events.first(), Some(&"ProcedurePlanned"));
    assert_eq!(events.last(), Some(&"ObservationRecorded"));
    assert_eq!(events.len(), 7);

    let struck = json!({"extraction_id": extracted.text_of("extraction_id"), "reason": "wrong_tooth"});
    let struck = chair.on(&patient, "enter-extraction-in-error", struck).await.expect(200);
    let chart = chair.get_at(struck.position(), &format!("/dental-charts/{patient}")).await.expect(200).json();
    assert_eq!(tooth(&chart, 16)["missing"], json!(false));
    stack.read_models_equal_the_log().await;
    stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chart_of_a_merged_patient_is_the_persons() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let chair = Chair::dentist(&clinic).await;
    let (asha, double) = (clinic.patient("Asha").await, clinic.patient("Asha").await);
    let seen = |tooth: u8, condition: &str| json!({"tooth": tooth, "condition": condition});
    chair.on(&asha, "observations", seen(16, "cavity")).await.expect(200);
    let missing = chair.on(&double, "observations", seen(26, "missing")).await.expect(200);
    let merged = clinic.post(&format!("/patients/{double}/merge"), json!({"survivor_id": asha})).await.expect(200);
    for id in [&asha, &double] {
        let chart = chair.get_at(merged.position(), &format!("/dental-charts/{id}")).await.expect(200).json();
        assert_eq!(
            (tooth(&chart, 16)["missing"].clone(), tooth(&chart, 26)["missing"].clone()),
            (json!(false), json!(true))
        );
        let filling = json!({"code": "D2391", "teeth": [26]});
        assert_eq!(chair.on(id, "plan-procedure", filling).await.expect(422).code(), "tooth-missing");
    }
    // Under the survivor's id, recorded where it lies.
    let corrected = json!({
        "observation_id": missing.text_of("observation_id"), "reason": "re_examined", "finding": seen(26, "impacted")
    });
    let answer = chair.on(&asha, "correct-observation", corrected).await.expect(200);
    let unmerged = clinic.post(&format!("/patients/{double}/unmerge"), json!({})).await.expect(200);
    assert!(unmerged.position() > answer.position());
    let own = chair.get_at(unmerged.position(), &format!("/dental-charts/{asha}")).await.expect(200).json();
    assert_eq!((tooth(&own, 26), own["teeth"].as_array().unwrap().len()), (&Value::Null, 1));
    let other = chair.get_at(unmerged.position(), &format!("/dental-charts/{double}")).await.expect(200).json();
    assert_eq!(tooth(&other, 26)["observations"][0]["current"]["condition"], "impacted");
}

#[tokio::test(flavor = "multi_thread")]
async fn nurses_observe_patients_read_and_nobody_else_comes_near() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let born = json!({"first_name": "Asha", "birth_date": "1984-03-12"});
    let (patient, other) = (clinic.post("/patients", born).await.expect(201).id(), clinic.patient("Vikram").await);
    let dentist = Chair::dentist(&clinic).await;
    let nurse = Chair { clinic: &clinic, who: clinic.staff(&["nurse"]).await };
    let seen = json!({"tooth": 36, "surfaces": ["lingual"], "condition": "wear"});
    let observed = nurse.on(&patient, "observations", seen.clone()).await.expect(200);
    let bulk = json!({"observations": vec![seen.clone(); 20]});
    nurse.on(&other, "bulk-observations", bulk).await.expect(200);
    assert_eq!(
        nurse
            .on(&patient, "bulk-observations", json!({"observations": vec![seen.clone(); 21]}))
            .await
            .expect(422)
            .code(),
        "too-many"
    );
    let finding = json!({"tooth": 36, "condition": "erosion"});
    let correct =
        json!({"observation_id": observed.text_of("observation_id"), "finding": finding, "reason": "wrong_finding"});
    nurse.on(&patient, "correct-observation", correct).await.expect(200);
    let plan = json!({"code": "D2391", "teeth": [36]});
    nurse.on(&patient, "plan-procedure", plan.clone()).await.expect(403);
    nurse.on(&patient, "extract-tooth", json!({"tooth": 36})).await.expect(403);
    nurse.post("/dental-templates", json!({"name": "A", "procedures": [{"code": "D0140"}]})).await.expect(403);
    nurse.get_at(observed.position(), &format!("/dental-charts/{patient}")).await.expect(200);
    nurse.get_at(0, "/dental-templates").await.expect(200);

    let path = clinic.path(&format!("/dental-charts/{patient}"));
    for role in ["receptionist", "lab_technician", "pharmacist", "billing", "auditor", "clinic_admin"] {
        let somebody = clinic.staff(&[role]).await;
        somebody.get(&path).await.expect(403);
        // An auditor sees what a grant covers, and there is none.
        let listed = somebody.get(&clinic.path("/dental-charts")).await;
        assert!(listed.status == 403 || role == "auditor" && listed.json()["items"] == json!([]), "{}", listed.text);
        somebody.get(&clinic.path("/dental-templates")).await.expect(403);
        somebody.post(&format!("{path}/observations"), seen.clone()).await.expect(403);
        somebody.post(&format!("{path}/plan-procedure"), plan.clone()).await.expect(403);
    }

    let account = json!({"name": "Asha", "username": "asha", "roles": ["patient"], "patient_id": patient});
    let activation = clinic.post("/staff", account).await.expect(201).text_of("activation");
    let body = json!({
        "clinic": clinic.slug, "username": "asha", "activation": activation, "password": PASSWORD,
        "birth_date": "1984-03-12"
    });
    let tokens = stack.client().post("/api/v1/auth/activate", body).await.expect(200);
    let asha = stack.client().with_token(tokens.text_of("access_token"));
    let own = asha.get(&path).await.expect(200).json();
    assert_eq!(tooth(&own, 36)["observations"][0]["current"]["condition"], "erosion");
    asha.get(&clinic.path(&format!("/dental-charts/{other}"))).await.expect(403);
    asha.get(&clinic.path("/dental-templates")).await.expect(403);
    asha.post(&format!("{path}/observations"), seen).await.expect(403);
    dentist.on(&patient, "plan-procedure", plan).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_dentists_pull_one_tooth_once() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (patient, chair) = (clinic.patient("Asha").await, Chair::dentist(&clinic).await);
    let second = stack.second_command_api().await.with_token(chair.who.token().expect("a token"));
    let path = clinic.path(&format!("/dental-charts/{patient}/extract-tooth"));
    let pull = |who: Client| {
        let path = path.clone();
        async move { who.post(&path, json!({"tooth": 48})).await.status.as_u16() }
    };
    let all = (0..8).map(|n| pull(if n % 2 == 0 { chair.who.clone() } else { second.clone() }));
    let mut outcomes = futures::future::join_all(all).await;
    outcomes.sort_unstable();
    assert_eq!(outcomes, [200, 422, 422, 422, 422, 422, 422, 422]);
    assert_eq!(stack.count_events(&clinic.id, "ToothExtracted").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_reads_a_chart_by_a_grant_that_covers_all_of_it() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (patient, chair) = (clinic.patient("Asha").await, Chair::dentist(&clinic).await);
    chair.on(&patient, "observations", json!({"tooth": 16, "condition": "cavity"})).await.expect(200);
    let account = json!({"name": "Anand", "username": "anand", "roles": ["auditor"]});
    let invited = clinic.post("/staff", account).await.expect(201);
    let auditor = clinic.activate("anand", &invited.text_of("activation")).await;
    let path = clinic.path(&format!("/dental-charts/{patient}"));
    stack.caught_up().await;
    let grant = async |from: Value| {
        let body = json!({
            "auditor_id": invited.id(), "scope": ["dental_chart"], "from": from, "to": "2999-12-31",
            "expires": Utc::now() + Days::new(1)
        });
        clinic.post("/auditor-grants", body).await.expect(201);
    };
    auditor.get(&path).await.expect(403);
    grant(json!("2998-12-31")).await;
    auditor.get(&path).await.expect(403);
    assert_eq!(auditor.get(&clinic.path("/dental-charts")).await.expect(200).json()["items"], json!([]));
    grant(json!("2020-01-01")).await;
    assert_eq!(tooth(&auditor.get(&path).await.expect(200).json(), 16)["missing"], json!(false));
    let listed = auditor.get(&clinic.path("/dental-charts")).await.expect(200).json();
    assert_eq!(listed["items"][0]["patient_id"], json!(patient));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_mouth_is_left_of_who_is_forgotten() {
    const LOOK_EVERY: Duration = Duration::from_millis(50);
    let stack = Stack::start_erasing().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let settings = json!({"retention": {"clinical_years": 0}}).to_string().into_bytes();
    clinic.admin.send(Method::PATCH, &clinic.path("/settings"), Some(settings)).await.expect(200);
    let second = clinic.staff(&["clinic_admin"]).await;
    let (patient, chair) = (clinic.patient("Asha").await, Chair::dentist(&clinic).await);
    let seen = json!({"tooth": 16, "condition": "abscess", "note": "zarathustrina"});
    let seen = chair.on(&patient, "observations", seen).await.expect(200);
    let plan = json!({"code": "D2391", "teeth": [16], "description": "zarathustrina"});
    chair.on(&patient, "plan-procedure", plan.clone()).await.expect(200);
    clinic.post(&format!("/patients/{patient}/request-erasure"), json!({"reason": "moves away"})).await.expect(200);
    let approve = clinic.path(&format!("/patients/{patient}/approve-erasure"));
    second.post(&approve, json!({})).await.expect(200);
    while !stack.store().unfinished_erasures().await.expect("the log is there").is_empty() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    stack.caught_up().await;
    chair.get_at(seen.position(), &format!("/dental-charts/{patient}")).await.expect(410);
    chair.get_at(seen.position(), &format!("/dental-charts/{patient}?as_of={}", seen.position())).await.expect(410);
    chair.get_at(seen.position(), &format!("/dental-charts/{patient}/teeth/16")).await.expect(410);
    chair.on(&patient, "plan-procedure", plan).await.expect(410);
    assert_eq!(stack.rows_with("read.dental_chart_1", "zarathustrina").await, 0);
    stack.read_models_equal_the_log().await;
}
