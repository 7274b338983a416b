//! Prescribing, as a clinic does it: drafted, warned, issued, handed out, ended; and who may do what of it.

use std::collections::BTreeMap;

use events::{AccessEvent, access::Shown};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Stack, TestClinic};

/// A clinic that prescribes: people, a patient, and medicines of its own.
struct Practice {
    stack: Stack,
    clinic: TestClinic,
    doctor: Client,
    doctor_id: String,
    nurse: Client,
    pharmacist: Client,
    patient: String,
    amoxicillin: String,
    paracetamol: String,
}

impl Practice {
    async fn open() -> Self {
        let stack = Stack::start().await;
        let clinic = TestClinic::register(&stack.client()).await;
        let (doctor, doctor_id) = doctor(&clinic).await;
        let (nurse, pharmacist) = (clinic.staff(&["nurse"]).await, clinic.staff(&["pharmacist"]).await);
        let patient = clinic.patient("Asha").await;
        let amoxicillin = medicine(
            &clinic,
            json!({"name": "Mox 500", "ingredients": [{"name": "amoxicillin"}], "classes": ["penicillins"]}),
        )
        .await;
        let doses = json!({"unit": "mg", "max_single": "1000", "max_daily": "4000"});
        let paracetamol = medicine(
            &clinic,
            json!({"name": "Dolo 650", "ingredients": [{"name": "paracetamol", "strength": "650mg"}], "doses": doses}),
        )
        .await;
        Self { stack, clinic, doctor, doctor_id, nurse, pharmacist, patient, amoxicillin, paracetamol }
    }

    fn path(&self, id: &str, action: &str) -> String {
        self.clinic.path(&format!("/prescriptions/{id}/{action}"))
    }

    async fn act(&self, who: &Client, id: &str, action: &str, body: Value) -> Answer {
        who.post(&self.path(id, action), body).await
    }

    async fn draft(&self, who: &Client, medicines: &[&str]) -> String {
        self.draft_for(who, &self.patient, medicines).await
    }

    async fn draft_for(&self, who: &Client, patient: &str, medicines: &[&str]) -> String {
        let items: Vec<Value> = medicines.iter().map(|medicine| item(medicine)).collect();
        let body = json!({"patient_id": patient, "items": items});
        who.post(&self.clinic.path("/prescriptions"), body).await.expect(201).id()
    }

    async fn issued(&self, medicines: &[&str]) -> String {
        let id = self.draft(&self.doctor, medicines).await;
        self.act(&self.doctor, &id, "issue", json!({})).await.expect(200);
        id
    }

    /// What the doctor reads, at least as new as the answer.
    async fn read(&self, after: &Answer, below: &str) -> Value {
        let position = after.position();
        let doctor = self.doctor.with("casebook-min-position", position);
        doctor.get(&self.clinic.path(below)).await.expect(200).json()
    }

    async fn row(&self, after: &Answer, id: &str) -> Value {
        self.read(after, &format!("/prescriptions/{id}")).await
    }

    async fn allergic_to(&self, patient: &str, substance: &str) -> Answer {
        let path = self.clinic.path(&format!("/patients/{patient}/allergies"));
        self.nurse.post(&path, json!({"substance": substance})).await
    }
}

/// A registered doctor, logged in.
async fn doctor(clinic: &TestClinic) -> (Client, String) {
    let made = clinic.new_doctor().await;
    let staff = clinic.get_at(made.position(), &format!("/staff/{}", made.id())).await.expect(200);
    let client = clinic.activate(&staff.text_of("username"), &made.text_of("activation")).await;
    (client, made.id())
}

async fn medicine(clinic: &TestClinic, body: Value) -> String {
    clinic.post("/medicines", body).await.expect(201).id()
}

fn item(medicine: &str) -> Value {
    json!({
        "medicine_id": medicine, "dose": {"value": 1, "unit": "{tablet}"}, "timing": "after_food",
        "frequency": {"times": 2, "every": {"count": 1, "unit": "d"}}, "duration": {"count": 5, "unit": "d"},
        "quantity": {"value": 10, "unit": "{tablet}"}, "instructions": "with a glass of water"
    })
}

fn dispense(item: &Value, value: f64) -> Value {
    json!({"item_id": item["id"], "quantity": {"value": value, "unit": "{tablet}"}})
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_nurses_draft_to_the_prescription_in_its_place() {
    let practice = Practice::open().await;
    let Practice { doctor, nurse, pharmacist, .. } = &practice;
    practice.allergic_to(&practice.patient, "penicillin").await.expect(200);

    // The nurse drafts; what she may not do is the doctor's.
    let id = practice.draft(nurse, &[&practice.amoxicillin]).await;
    let added = practice.act(nurse, &id, "add-item", json!({"item": item(&practice.paracetamol)})).await.expect(200);
    assert!(!added.text_of("item_id").is_empty());
    practice.act(nurse, &id, "issue", json!({})).await.expect(403);

    // Both see the alert; nobody issues over it.
    for who in [doctor, nurse] {
        let checked = practice.act(who, &id, "check", json!({})).await.expect(200).json();
        assert_eq!(checked["may_be_issued"], false);
        let alert = &checked["alerts"][0];
        assert_eq!((&alert["kind"], &alert["severity"]), (&json!("allergy_class"), &json!("severe")));
        assert!(alert["text"].as_str().unwrap().contains("penicillin"), "{checked}");
    }
    let refused = practice.act(doctor, &id, "issue", json!({})).await.expect(422);
    assert_eq!(refused.code(), "alerts");
    assert!(!refused.text.to_lowercase().contains("cillin"), "an error tells no medical data: {}", refused.text);
    let alert = refused.json()["alerts"][0]["id"].clone();

    // Overridden with a reason, by the doctor alone.
    let why = json!({"alert_id": alert, "reason": "tolerated_before", "text": "Took it last year."});
    practice.act(nurse, &id, "override-alert", why.clone()).await.expect(403);
    practice.act(doctor, &id, "override-alert", why).await.expect(200);
    let issued = practice.act(doctor, &id, "issue", json!({"refills": 1})).await.expect(200);
    assert_eq!(issued.json()["events"], json!(["PrescriptionIssued"]));
    let row = practice.row(&issued, &id).await;
    let today = chrono::Utc::now().with_timezone(&chrono_tz::Asia::Kolkata).format("%Y%m%d");
    assert_eq!(row["number"], format!("RX-{today}-001"));
    assert_eq!((&row["status"], &row["doctor_id"]), (&json!("active"), &json!(practice.doctor_id)));
    assert_eq!(row["items"][0]["entry"]["name"], "Mox 500", "it keeps what the catalogue said");
    assert_eq!((&row["overrides"][0]["text"], &row["alerts"][0]["id"]), (&json!("Took it last year."), &alert));

    // Handed out in parts, never too much, and once more with the refill.
    let tablets = &row["items"][0];
    practice.act(nurse, &id, "dispense", dispense(tablets, 4.0)).await.expect(403);
    practice.act(pharmacist, &id, "dispense", dispense(tablets, 4.5)).await.expect(200);
    let too_much = practice.act(pharmacist, &id, "dispense", dispense(tablets, 6.0)).await.expect(422);
    assert_eq!((too_much.code().as_str(), &too_much.json()["left"]["value"]), ("more-than-prescribed", &json!(5.5)));
    practice.act(pharmacist, &id, "dispense", dispense(tablets, 5.5)).await.expect(200);
    practice.act(pharmacist, &id, "refill", json!({})).await.expect(200);
    let refilled = practice.act(pharmacist, &id, "dispense", dispense(tablets, 10.0)).await.expect(200);
    assert_eq!(practice.act(pharmacist, &id, "refill", json!({})).await.expect(422).code(), "no-refill-left");
    let row = practice.row(&refilled, &id).await;
    assert_eq!((&row["items"][0]["left"], &row["items"][1]["left"]), (&json!(0.0), &json!(20.0)));
    assert_eq!(row["dispensed"].as_array().unwrap().len(), 3);
    practice.act(nurse, &id, "print", json!({})).await.expect(200);

    // Another one in its place: the first holds until the second is issued.
    let replaced = practice.act(doctor, &id, "replace", json!({})).await.expect(200);
    let second = replaced.text_of("prescription_id");
    assert_eq!(practice.row(&replaced, &id).await["status"], "active");
    let draft = practice.row(&replaced, &second).await;
    let penicillin = draft["items"].as_array().unwrap().iter();
    let penicillin =
        penicillin.clone().find(|item| item["regimen"]["medicine"] == json!(practice.amoxicillin)).unwrap();
    practice.act(doctor, &second, "remove-item", json!({"item_id": penicillin["id"]})).await.expect(200);
    let issued = practice.act(doctor, &second, "issue", json!({})).await.expect(200);
    assert_eq!(issued.json()["events"], json!(["PrescriptionIssued", "PrescriptionReplaced"]));
    let (old, new) = (practice.row(&issued, &id).await, practice.row(&issued, &second).await);
    assert_eq!((&old["status"], &old["replaced_by"]), (&json!("stopped"), &json!(second)));
    assert_eq!((&new["replaces"], &new["alerts"]), (&json!(id), &json!([])));

    // What the patient takes now, then stopped.
    let taken = practice.read(&issued, &format!("/patients/{}/medications", practice.patient)).await;
    assert_eq!(taken["items"].as_array().unwrap().len(), 1, "{taken}");
    assert_eq!(taken["items"][0]["entry"]["name"], "Dolo 650");
    let stop = json!({"reason": "adverse_reaction", "text": "A rash."});
    let stopped = practice.act(doctor, &second, "stop", stop).await.expect(200);
    let taken = practice.read(&stopped, &format!("/patients/{}/medications", practice.patient)).await;
    assert_eq!(taken["items"], json!([]));
    let then = format!("/patients/{}/medications?as_of={}", practice.patient, issued.position());
    let earlier = practice.clinic.get_at(stopped.position(), &then).await;
    assert_eq!(earlier.status, 403, "the administrator does not read prescriptions");
    let row = practice.row(&stopped, &second).await;
    assert_eq!((&row["status_reason"], &row["status_text"]), (&json!("adverse_reaction"), &json!("A rash.")));
    let history = practice.read(&stopped, &format!("/prescriptions/{second}/history")).await;
    let told: Vec<&str> =
        history["items"].as_array().unwrap().iter().map(|one| one["event"].as_str().unwrap()).collect();
    assert_eq!(told[..2], ["PrescriptionStopped", "PrescriptionIssued"]);
    practice.stack.verify_chains().await;
}

/// Every command on one prescription, with a body that it takes; those that end it come last.
fn commands(row: &Value) -> Vec<(&'static str, Value)> {
    let line = row["items"][0].clone();
    let new = item(line["regimen"]["medicine"].as_str().unwrap());
    let reason = json!({"reason": "other", "text": "a try"});
    vec![
        ("add-item", json!({"item": new})),
        ("change-item", json!({"item_id": line["id"], "item": new})),
        ("remove-item", json!({"item_id": line["id"]})),
        ("expand-short-key", json!({"code": "FEVER"})),
        ("override-alert", json!({"alert_id": "0000", "reason": "no_alternative"})),
        ("issue", json!({"refills": 3})),
        ("check", json!({})),
        ("dispense", dispense(&line, 1.0)),
        ("authorise-refill", json!({"refills": 1})),
        ("refill", json!({})),
        ("hold", reason.clone()),
        ("release", json!({})),
        ("replace", json!({})),
        ("print", json!({})),
        ("cancel", reason.clone()),
        ("stop", reason),
        ("complete", json!({})),
        ("enter-in-error", json!({"reason": "a try"})),
    ]
}

/// What was prescribed: all that no command may change.
fn prescribed(row: &Value) -> Value {
    let items = row["items"].as_array().unwrap().iter();
    let items: Vec<Value> =
        items.map(|line| json!([line["id"], line["regimen"], line["supply"], line["entry"]])).collect();
    let kept = ["number", "patient_id", "doctor_id", "visit_id", "replaces", "valid_until", "issued_at", "alerts"];
    json!([kept.map(|member| row[member].clone()), items])
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_of_any_role_changes_what_was_issued() {
    let practice = Practice::open().await;
    let everything = practice.clinic.doctor_and_administrator().await;
    let mut people = vec![("doctor", practice.doctor.clone()), ("doctor and administrator", everything)];
    for role in ["clinic_admin", "nurse", "receptionist", "lab_technician", "pharmacist", "billing", "auditor"] {
        people.push((role, practice.clinic.staff(&[role]).await));
    }
    let document = practice.stack.client().get("/openapi.json").await.expect(200).json();
    let known = document["paths"].as_object().unwrap().iter().filter(|(_, operations)| operations["post"].is_object());
    let actions: Vec<&str> =
        known.filter_map(|(path, _)| path.strip_prefix("/clinic/{slug}/api/v1/prescriptions/{id}/")).collect();
    for (role, client) in &people {
        let id = practice.issued(&[&practice.amoxicillin, &practice.paracetamol]).await;
        let printed = practice.act(&practice.doctor, &id, "print", json!({})).await.expect(200);
        let before = practice.row(&printed, &id).await;
        let commands = commands(&before);
        assert!(actions.iter().all(|action| commands.iter().any(|(name, _)| name == action)), "{actions:?}");
        let mut last = printed;
        for (action, body) in commands {
            let answer = practice.act(client, &id, action, body).await;
            assert!(matches!(answer.status.as_u16(), 200 | 403 | 404 | 409 | 422), "{role} {action}: {}", answer.text);
            if ["add-item", "change-item", "remove-item", "expand-short-key", "override-alert", "issue"]
                .contains(&action)
            {
                assert!([403, 409].contains(&answer.status.as_u16()), "{role} {action}: {}", answer.text);
            }
            last = if answer.status == 200 && answer.position() > 0 { answer } else { last };
            let after = practice.row(&last, &id).await;
            assert_eq!(prescribed(&after), prescribed(&before), "{role} {action}");
        }
    }
}

/// Where the allergy is recorded while somebody issues.
#[derive(Clone, Copy, Debug)]
enum Allergic {
    /// In the record that is prescribed for.
    Here,
    /// In another record of the same person.
    Merged,
    /// There as well, while another alert of the prescription is overridden already.
    MergedBesideAnOverride,
}

impl Practice {
    /// Who is prescribed for, and in which record the allergy is recorded.
    async fn patients(&self, allergic: Allergic) -> (String, String) {
        let patient = self.clinic.patient("Asha").await;
        if matches!(allergic, Allergic::Here) {
            return (patient.clone(), patient);
        }
        let double = self.clinic.patient("Asha").await;
        let merge = json!({"survivor_id": patient});
        self.clinic.post(&format!("/patients/{double}/merge"), merge).await.expect(200);
        (patient, double)
    }

    /// A draft that may be issued as long as no penicillin allergy is known.
    async fn harmless(&self, allergic: Allergic, patient: &str) -> String {
        if !matches!(allergic, Allergic::MergedBesideAnOverride) {
            return self.draft_for(&self.doctor, patient, &[&self.amoxicillin]).await;
        }
        let id = self.draft_for(&self.doctor, patient, &[&self.amoxicillin, &self.paracetamol]).await;
        let refused = self.act(&self.doctor, &id, "issue", json!({})).await.expect(422);
        let alerts = refused.json()["alerts"].as_array().expect("alerts").clone();
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        let why = json!({"alert_id": alerts[0]["id"], "reason": "tolerated_before"});
        self.act(&self.doctor, &id, "override-alert", why).await.expect(200);
        id
    }
}

/// Two processes issue for a patient of whom somebody records an allergy at the same time, a little earlier or later in
/// each round: both come to pass, and never an issue over the allergy.
#[rstest::rstest]
#[case(Allergic::Here)]
#[case(Allergic::Merged)]
#[case(Allergic::MergedBesideAnOverride)]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_issued_without_the_alert_once_the_allergy_is_in(#[case] allergic: Allergic) {
    const ROUNDS: usize = 24;
    const PACES: usize = 8;
    let practice = Practice::open().await;
    let second = practice.stack.second_command_api().await.with_token(practice.doctor.token().unwrap());
    let mut outcomes: BTreeMap<u16, usize> = BTreeMap::new();
    for round in 0..ROUNDS {
        let (patient, other) = practice.patients(allergic).await;
        if matches!(allergic, Allergic::MergedBesideAnOverride) {
            practice.allergic_to(&patient, "paracetamol").await.expect(200);
        }
        let mut drafts = Vec::new();
        for _ in 0..3 {
            drafts.push(practice.harmless(allergic, &patient).await);
        }
        // Both processes know the patient and the drafts as they are now.
        for (client, draft) in [(&practice.doctor, &drafts[0]), (&second, &drafts[1])] {
            let checked = practice.act(client, draft, "check", json!({})).await.expect(200).json();
            assert_eq!(checked["may_be_issued"], true);
        }
        // A decision takes as long as some requests: the allergy comes after none of them, one, two, …
        let chart = practice.clinic.path(&format!("/patients/{patient}"));
        let record = async {
            for _ in 0..round % PACES {
                practice.doctor.get(&chart).await.expect(200);
            }
            practice.allergic_to(&other, "penicillin").await
        };
        let (recorded, here, there) = futures::join!(
            record,
            practice.act(&practice.doctor, &drafts[0], "issue", json!({})),
            practice.act(&second, &drafts[1], "issue", json!({})),
        );
        let recorded = recorded.expect(200).position();
        for issued in [here, there] {
            *outcomes.entry(issued.status.as_u16()).or_default() += 1;
            match issued.status.as_u16() {
                200 => assert!(issued.position() < recorded, "round {round}: issued over the allergy, {}", issued.text),
                _ => assert_eq!((issued.status.as_u16(), issued.code().as_str()), (422, "alerts"), "{}", issued.text),
            }
        }
        for client in [&practice.doctor, &second] {
            assert_eq!(practice.act(client, &drafts[2], "issue", json!({})).await.expect(422).code(), "alerts");
        }
    }
    let seen: Vec<u16> = outcomes.keys().copied().collect();
    assert_eq!((seen, outcomes.values().sum::<usize>()), (vec![200, 422], 2 * ROUNDS), "{outcomes:?}");
    practice.stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_once_numbers_have_no_gaps_and_no_tablet_is_handed_out_twice() {
    const AT_ONCE: usize = 12;
    let practice = Practice::open().await;
    let mut drafts = Vec::new();
    for _ in 0..AT_ONCE {
        let patient = practice.clinic.patient("Asha").await;
        drafts.push(practice.draft_for(&practice.doctor, &patient, &[&practice.paracetamol]).await);
    }
    let issued = join_all(drafts.iter().map(|id| practice.act(&practice.doctor, id, "issue", json!({})))).await;
    let last = issued.iter().max_by_key(|answer| answer.position()).unwrap().clone();
    let mut numbers = Vec::new();
    for (id, answer) in drafts.iter().zip(issued) {
        answer.expect(200);
        numbers.push(practice.row(&last, id).await["number"].as_str().unwrap().to_owned());
    }
    numbers.sort();
    let ends: Vec<&str> = numbers.iter().map(|number| &number[number.len() - 3..]).collect();
    let expected: Vec<String> = (1..=AT_ONCE).map(|n| format!("{n:03}")).collect();
    assert_eq!(ends, expected);

    let line = practice.row(&last, &drafts[0]).await["items"][0].clone();
    let second = practice.stack.second_command_api().await.with_token(practice.pharmacist.token().unwrap());
    let clients = [&practice.pharmacist, &second];
    let rivals = (0..AT_ONCE).map(|n| practice.act(clients[n % 2], &drafts[0], "dispense", dispense(&line, 3.0)));
    let handed_out = join_all(rivals).await.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(handed_out, 3, "ten tablets are three times three");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_without_a_valid_licence_drafts_and_does_not_issue() {
    let practice = Practice::open().await;
    let id = practice.draft(&practice.doctor, &[&practice.paracetamol]).await;
    let licence = format!("/doctors/{}/licence", practice.doctor_id);
    practice.clinic.post(&licence, json!({"number": "LIC-X", "expires": "2020-01-31"})).await.expect(200);
    let refused = practice.act(&practice.doctor, &id, "issue", json!({})).await.expect(422);
    assert_eq!(refused.code(), "licence-expired");
    practice.clinic.post(&licence, json!({"number": "LIC-X"})).await.expect(200);
    practice.act(&practice.doctor, &id, "issue", json!({})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_records_who_was_shown_what_and_nothing_else() {
    let practice = Practice::open().await;
    let id = practice.draft(&practice.doctor, &[&practice.amoxicillin]).await;
    let log = practice.stack.access_log(&practice.clinic.id);
    let before = log.position().await;
    let events = practice.stack.count_events(&practice.clinic.id, "PrescriptionDrafted").await;
    practice.act(&practice.doctor, &id, "check", json!({})).await.expect(200);
    let records = log.after(before).await;
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record.row.command, "POST /clinic/{slug}/api/v1/prescriptions/{id}/check");
    let AccessEvent::PatientShown { patient, resource: Some(Shown { id: shown, .. }), .. } = &record.event else {
        panic!("{record:?}")
    };
    assert_eq!((patient.to_string(), shown.to_string()), (practice.patient.clone(), id.clone()));
    assert_eq!(practice.stack.count_events(&practice.clinic.id, "PrescriptionDrafted").await, events);

    // Of a restricted record a nurse is shown nothing before the glass is broken.
    let restrict = format!("/patients/{}/restrict", practice.patient);
    practice.clinic.post(&restrict, json!({"confidentiality": "restricted"})).await.expect(200);
    practice.act(&practice.nurse, &id, "check", json!({})).await.expect(403);
    practice.act(&practice.doctor, &id, "check", json!({})).await.expect(200);
    let glass = json!({"reason": "other", "text": "No history at hand.", "hours": 1, "password": PASSWORD});
    let path = practice.clinic.path(&format!("/patients/{}/break-glass", practice.patient));
    practice.nurse.post(&path, glass).await.expect(201);
    practice.act(&practice.nurse, &id, "check", json!({})).await.expect(200);
    let last = log.after(before).await.pop().unwrap();
    assert_eq!(last.row.purpose, "ETREAT");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_shows_and_warns_of_both_records_and_an_unmerge_of_each() {
    let practice = Practice::open().await;
    let double = practice.clinic.patient("Asha").await;
    practice.allergic_to(&double, "penicillin").await.expect(200);
    let other = practice.draft_for(&practice.doctor, &double, &[&practice.paracetamol]).await;
    practice.act(&practice.doctor, &other, "issue", json!({})).await.expect(200);
    let id = practice.draft(&practice.doctor, &[&practice.amoxicillin]).await;
    let merge = json!({"survivor_id": practice.patient});
    let merged = practice.clinic.post(&format!("/patients/{double}/merge"), merge).await.expect(200);
    assert_eq!(practice.act(&practice.doctor, &id, "issue", json!({})).await.expect(422).code(), "alerts");
    for patient in [&practice.patient, &double] {
        let taken = practice.read(&merged, &format!("/patients/{patient}/medications")).await;
        assert_eq!(taken["items"].as_array().unwrap().len(), 1, "{taken}");
        let listed = practice.read(&merged, &format!("/prescriptions?patient={patient}")).await;
        assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed}");
    }
    let unmerged = practice.clinic.post(&format!("/patients/{double}/unmerge"), json!({})).await.expect(200);
    let issued = practice.act(&practice.doctor, &id, "issue", json!({})).await.expect(200);
    assert!(issued.position() > unmerged.position());
    for (patient, medicine) in [(&practice.patient, "Mox 500"), (&double, "Dolo 650")] {
        let taken = practice.read(&issued, &format!("/patients/{patient}/medications")).await;
        let names: Vec<&Value> = taken["items"].as_array().unwrap().iter().map(|item| &item["entry"]["name"]).collect();
        assert_eq!(names, [medicine]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_sees_what_was_issued_to_them_and_the_filters_find_it() {
    let mut practice = Practice::open().await;
    let registered = json!({"first_name": "Asha", "birth_date": "1984-03-12"});
    practice.patient = practice.clinic.post("/patients", registered).await.expect(201).id();
    let issued = practice.issued(&[&practice.paracetamol]).await;
    let draft = practice.draft(&practice.doctor, &[&practice.paracetamol]).await;
    let theirs = practice.clinic.patient("Ravi").await;
    let others = practice.draft_for(&practice.doctor, &theirs, &[&practice.paracetamol]).await;
    let last = practice.act(&practice.doctor, &others, "issue", json!({})).await.expect(200);
    let invite = json!({"name": "Asha", "username": "asha", "roles": ["patient"], "patient_id": practice.patient});
    let invited = practice.clinic.post("/staff", invite).await.expect(201);
    let activate = json!({
        "clinic": practice.clinic.slug, "username": "asha", "activation": invited.text_of("activation"),
        "password": PASSWORD, "birth_date": "1984-03-12"
    });
    let tokens = practice.stack.client().post("/api/v1/auth/activate", activate).await.expect(200);
    let asha = practice.stack.client().with_token(tokens.text_of("access_token"));
    let asha = asha.with("casebook-min-position", last.position());
    let seen = |below: String| {
        let (asha, path) = (asha.clone(), practice.clinic.path(&below));
        async move { asha.get(&path).await }
    };
    let listed = seen("/prescriptions".to_owned()).await.expect(200).json();
    let ids: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&json!(issued)]);
    seen(format!("/prescriptions/{issued}")).await.expect(200);
    seen(format!("/prescriptions/{draft}")).await.expect(404);
    seen(format!("/prescriptions/{others}")).await.expect(403);
    seen(format!("/patients/{}/medications", practice.patient)).await.expect(200);
    seen(format!("/patients/{theirs}/medications")).await.expect(403);
    asha.post(&practice.path(&issued, "refill"), json!({})).await.expect(403);

    for (filter, count) in [
        ("status=draft".to_owned(), 1),
        ("status=active".to_owned(), 2),
        (format!("doctor={}", practice.doctor_id), 3),
        (format!("patient={}&status=active", practice.patient), 1),
        (format!("visit={draft}"), 0),
    ] {
        let found = practice.read(&last, &format!("/prescriptions?{filter}")).await;
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_changes_nothing() {
    let practice = Practice::open().await;
    let id = practice.draft(&practice.doctor, &[&practice.paracetamol]).await;
    let stale = practice.doctor.with("if-match", "\"1\"");
    practice.act(&stale, &id, "issue", json!({})).await.expect(412);
    let current = practice.doctor.with("if-match", "\"2\"");
    practice.act(&current, &id, "issue", json!({})).await.expect(200);
}
