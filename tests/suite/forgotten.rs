//! A thousand words of one person, planted over all fields that say something about somebody, are looked for in every
//! table, file and stream once the person is erased.

use std::time::{Duration, Instant};

use casebook::erasure::verify::{Found, Markers, files, scrub, standing, streams, tables};
use event_store::Erased;
use serde_json::{Value, json};
use tests::{Client, Stack, TestClinic, working_time};

const WORDS: usize = 1_000;
const FINISHED_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Gives words, each once.
#[derive(Default)]
struct Planter(Vec<String>);

impl Planter {
    fn word(&mut self) -> String {
        self.0.push(format!("planted-{:04}-word", self.0.len()));
        self.0[self.0.len() - 1].clone()
    }

    /// An E.164 number of its own.
    fn phone(&mut self) -> String {
        self.0.push(format!("+91987{:07}", 6_000_000 + self.0.len()));
        self.0[self.0.len() - 1].clone()
    }

    fn email(&mut self) -> String {
        format!("{}@asha.example", self.word())
    }

    fn address(&mut self) -> Value {
        json!({"line": self.word(), "city": self.word(), "state": self.word(), "postal_code": self.word()})
    }

    fn person(&mut self) -> Value {
        json!({
            "first_name": self.word(), "last_name": self.word(), "email": self.email(), "phone": self.phone(),
            "address": self.address(),
            "emergency_contact": {"name": self.word(), "relationship": self.word(), "phone": self.phone()},
        })
    }
}

/// Whoever may do all that is done with a patient.
struct Desk {
    clinic: TestClinic,
    everything: Client,
}

impl Desk {
    async fn does(&self, patient: &str, action: &str, body: Value) -> Value {
        let path = self.clinic.path(&format!("/patients/{patient}/{action}"));
        self.everything.post(&path, body).await.expect(200).json()
    }
}

async fn plant(desk: &Desk, doctor: &str, planter: &mut Planter) -> String {
    let mut person = planter.person();
    person["identifiers"] = json!([{"type": "passport", "value": planter.word()}]);
    let patient = desk.clinic.post("/patients", person).await.expect(201).id();
    let relative = desk.clinic.patient("Somebody").await;
    book(desk, &patient, doctor, planter).await;
    visit(desk, &patient, planter).await;
    prescribe(desk, &patient, planter).await;
    let portal = json!({
        "name": planter.word(), "username": planter.word(), "email": planter.email(), "roles": ["patient"],
        "patient_id": patient
    });
    desk.clinic.post("/staff", portal).await.expect(201);
    let path = desk.clinic.path(&format!("/patients/{patient}"));
    while planter.0.len() < WORDS - 40 {
        chart(desk, &patient, &relative, planter).await;
        let version =
            desk.does(&patient, "emergency-contact", json!({"name": planter.word()})).await["version"].clone();
        let update = planter.person().to_string().into_bytes();
        let change = desk.clinic.admin.with("if-match", format!("\"{version}\""));
        change.send(reqwest::Method::PUT, &path, Some(update)).await.expect(200);
    }
    desk.does(&patient, "restrict", json!({"confidentiality": "restricted", "reason": planter.word()})).await;
    desk.does(&patient, "record-death", json!({"cause": planter.word()})).await;
    while planter.0.len() < WORDS - 1 {
        desk.does(&patient, "emergency-contact", json!({"name": planter.word()})).await;
    }
    patient
}

/// Entries, each recorded and ended with a reason.
async fn chart(desk: &Desk, patient: &str, relative: &str, planter: &mut Planter) {
    let allergy = json!({"substance": planter.word(), "reaction": planter.word()});
    let allergy = desk.does(patient, "allergies", allergy).await["allergy_id"].clone();
    desk.does(patient, "refute-allergy", json!({"allergy_id": allergy, "reason": planter.word()})).await;
    let problem = desk.does(patient, "problems", json!({"text": planter.word()})).await["problem_id"].clone();
    desk.does(patient, "resolve-problem", json!({"problem_id": problem, "reason": planter.word()})).await;
    let consent = desk.does(patient, "give-consent", json!({"scope": "research", "text": planter.word()})).await;
    let withdraw = json!({"consent_id": consent["consent_id"], "reason": planter.word()});
    desk.does(patient, "withdraw-consent", withdraw).await;
    let link = json!({"relative_id": relative, "relationship": planter.word()});
    desk.does(patient, "link-family", link).await;
}

async fn book(desk: &Desk, patient: &str, doctor: &str, planter: &mut Planter) {
    for hour in 10..14 {
        let mut booking = desk.clinic.booking(patient, doctor, working_time(2, hour, 0));
        booking["reason"] = json!(planter.word());
        let appointment = desk.clinic.post("/appointments", booking).await.expect(201).id();
        let cancel = json!({"reason": planter.word()});
        desk.clinic.post(&format!("/appointments/{appointment}/cancel"), cancel).await.expect(200);
    }
}

/// A visit with all that may be said in one, and two that came to nothing.
async fn visit(desk: &Desk, patient: &str, planter: &mut Planter) {
    let office = &desk.clinic.office;
    for ends in ["finish", "cancel", "enter-in-error"] {
        let opens = json!({"patient_id": patient, "office_id": office, "chief_complaint": planter.word()});
        let visit = desk.everything.post(&desk.clinic.path("/visits"), opens).await.expect(201).id();
        let does = async |action: &str, body: Value| {
            let path = desk.clinic.path(&format!("/visits/{visit}/{action}"));
            desk.everything.post(&path, body).await.expect(200).json()
        };
        does("chief-complaint", json!({"chief_complaint": planter.word()})).await;
        let vitals = does("vitals", json!({"heart_rate": {"value": 72}, "note": planter.word()})).await;
        let wrong = json!({"vitals_id": vitals["vitals_id"], "reason": planter.word()});
        does("enter-vitals-in-error", wrong).await;
        does("triage", json!({"priority": "urgent", "note": planter.word()})).await;
        match ends {
            "cancel" => does("cancel", json!({"reason": "other", "text": planter.word()})).await,
            "enter-in-error" => does("enter-in-error", json!({"reason": planter.word()})).await,
            _ => {
                does("start", json!({})).await;
                let diagnosis = does("diagnoses", json!({"text": planter.word()})).await["diagnosis_id"].clone();
                let correction = json!({
                    "diagnosis_id": diagnosis, "text": planter.word(), "certainty": "confirmed",
                    "reason": planter.word()
                });
                does("correct-diagnosis", correction).await;
                let wrong = json!({"diagnosis_id": diagnosis, "reason": planter.word()});
                does("enter-diagnosis-in-error", wrong).await;
                let on = working_time(5, 9, 0).date_naive();
                does("follow-up", json!({"on": on, "instructions": planter.word()})).await;
                does("finish", json!({})).await;
                does("reopen", json!({"reason": planter.word()})).await;
                does("finish", json!({})).await
            }
        };
    }
}

/// A prescription with all that may be said in one, over an alert that tells of an allergy.
async fn prescribe(desk: &Desk, patient: &str, planter: &mut Planter) {
    let mox = json!({"name": "Mox 500", "ingredients": [{"name": "amoxicillin"}]});
    let medicine = desk.clinic.post("/medicines", mox).await.expect(201).id();
    desk.does(patient, "allergies", json!({"substance": "amoxicillin", "reaction": planter.word()})).await;
    for ends in ["stop", "cancel", "enter-in-error"] {
        let mut item = || {
            let quantity = json!({"value": 10, "unit": "{tablet}"});
            let (route, instructions) = (planter.word(), planter.word());
            json!({"medicine_id": medicine, "quantity": quantity, "route": route, "instructions": instructions})
        };
        let draft = json!({"patient_id": patient, "items": [item()]});
        let id = desk.everything.post(&desk.clinic.path("/prescriptions"), draft).await.expect(201).json();
        let path =
            |action: &str| desk.clinic.path(&format!("/prescriptions/{}/{action}", id["id"].as_str().expect("an id")));
        let change = json!({"item_id": id["item_id"], "item": item()});
        desk.everything.post(&path("change-item"), change).await.expect(200);
        let refused = desk.everything.post(&path("issue"), json!({})).await.expect(422).json();
        for alert in refused["alerts"].as_array().expect("alerts") {
            let reason = json!({"alert_id": alert["id"], "reason": "other", "text": planter.word()});
            desk.everything.post(&path("override-alert"), reason).await.expect(200);
        }
        desk.everything.post(&path("issue"), json!({})).await.expect(200);
        let held = json!({"reason": "other", "text": planter.word()});
        desk.everything.post(&path("hold"), held).await.expect(200);
        let why = match ends {
            "enter-in-error" => json!({"reason": planter.word()}),
            _ => json!({"reason": "other", "text": planter.word()}),
        };
        desk.everything.post(&path(ends), why).await.expect(200);
    }
}

async fn everywhere(stack: &Stack, markers: &Markers) -> Vec<Found> {
    let nats = async_nats::connect(stack.nats.url()).await.expect("NATS is there");
    let mut found = tables(stack.superuser(), markers).await.expect("the superuser sees all rows");
    found.extend(streams(&nats, markers).await.expect("streams can be read"));
    for folder in stack.folders() {
        found.extend(files(&folder, markers).expect("files can be read"));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_words_are_found_nowhere_once_the_person_is_erased() {
    let stack = Stack::start_erasing().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let settings = json!({"retention": {"clinical_years": 0}}).to_string().into_bytes();
    clinic.admin.send(reqwest::Method::PATCH, &clinic.path("/settings"), Some(settings)).await.expect(200);
    let second = clinic.staff(&["clinic_admin"]).await;
    let everything = clinic.doctor_and_administrator().await;
    let (doctor, desk) = (clinic.doctor().await, Desk { clinic: clinic.clone(), everything });
    let mut planter = Planter::default();
    let patient = plant(&desk, &doctor, &mut planter).await;
    desk.does(&patient, "request-erasure", json!({"reason": planter.word()})).await;
    assert_eq!(planter.0.len(), WORDS);
    stack.caught_up().await;
    let mailer = stack.mailer_to_folder();
    mailer.send_due().await.expect("the mails go");
    let markers = Markers::new(&planter.0).expect("words to look for");
    let before = everywhere(&stack, &markers).await;
    let in_rows = before.iter().find(|found| found.place == "table read.patient_1").expect("the record was readable");
    assert!(in_rows.words > 100, "{in_rows:?}");
    let statistics = clinic.get("/patients/stats").await.expect(200).json();
    let chart = stack.count_all_events(&clinic.id).await;

    second.post(&clinic.path(&format!("/patients/{patient}/approve-erasure")), json!({})).await.expect(200);
    let since = Instant::now();
    while !stack.store().unfinished_erasures().await.expect("the log is there").is_empty() {
        assert!(since.elapsed() < FINISHED_WITHIN, "the erasure is never finished");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    mailer.tidy().await.expect("mails are taken away");
    scrub(stack.superuser(), true).await.expect("the server is ours");
    assert_eq!(everywhere(&stack, &markers).await, []);

    let erased = Erased { clinic: clinic.id.parse().expect("an id"), patient: Some(patient.parse().expect("an id")) };
    let standing = standing(stack.superuser(), &stack.erasure_list(), erased).await.expect("it can be asked");
    assert!(standing.recorded && standing.key_destroyed && standing.listed && standing.purged, "{standing:?}");
    stack.verify_chains().await;
    stack.read_models_equal_the_log().await;
    assert!(stack.count_all_events(&clinic.id).await > chart, "nothing was taken out of the log");
    let after = clinic.get("/patients/stats").await.expect(200).json();
    assert_eq!((&after["by_gender"], &after["by_status"]["erased"]), (&statistics["by_gender"], &json!(1)));
    clinic.get(&format!("/patients/{patient}")).await.expect(410);
    clinic
        .post(&format!("/patients/{patient}/add-identifier"), json!({"type": "passport", "value": "Z9"}))
        .await
        .expect(410);
}
