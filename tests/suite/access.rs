//! Who saw what: every route that shows a patient's data leaves its record in the access ledger, and shows nothing
//! where it cannot.

use std::collections::{BTreeMap, BTreeSet};

use events::{
    AccessEvent, AggregateKind, Purpose,
    access::{Moment, Parameter},
    note::{ContentHash, NoteKind},
};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::{AccessLog, Accessed, Answer, Client, PASSWORD, Stack, TestClinic, working_time};

/// Routes that leave no record, and why.
const SHOW_NO_PATIENT: &[(&str, &str)] = &[
    ("", "the clinic's profile"),
    ("/settings", "the clinic's own"),
    ("/logo", "the clinic's own"),
    ("/subscription", "plan and limits"),
    ("/offices", "the clinic's own"),
    ("/staff", "logins of staff; portal accounts of patients are not among them"),
    ("/staff/{id}", "as the list"),
    ("/auditor-grants", "what auditors may see"),
    ("/departments", "who works where"),
    ("/departments/{id}", "as the list"),
    ("/doctors", "who works here"),
    ("/doctors/{id}", "who works here"),
    ("/billing/summary", "sums of a day"),
    ("/dental-templates", "what is usually done about a finding"),
    ("/dental-templates/{id}", "as the list"),
    ("/doctors/{id}/slots", "free time, without whoever has taken the rest"),
    ("/patients/stats", "counts"),
    ("/stats", "counts"),
    ("/dashboard", "counts"),
    ("/medicines", "a catalogue, which is about nobody"),
    ("/medicines/{id}", "as the list"),
    ("/medicines/search", "as the list; what was typed is a medicine's name"),
    ("/short-keys", "abbreviations, which are about nobody"),
    ("/short-keys/{id}", "as the list"),
    ("/short-keys/expand", "as the list"),
    ("/departments/{id}/history", "who changed it"),
    ("/doctors/{id}/history", "who changed it"),
    ("/staff/{id}/history", "who changed it"),
    ("/dental-templates/{id}/history", "who changed it"),
    ("/medicines/{id}/history", "who changed it"),
    ("/short-keys/{id}/history", "who changed and who used it"),
    ("/audit/replays", "that there are any, not what they show"),
    ("/audit/replays/{id}", "as the list"),
    ("/case-studies", "titles and authors; whom they draw on is not told"),
    ("/case-studies/{id}/history", "who did what to a study, not whom it draws on"),
];

/// A clinic with two people of one name, one of them with a second record and an appointment, the
/// other one held by law.
struct Scene {
    stack: Stack,
    clinic: TestClinic,
    log: AccessLog,
    asha: String,
    /// Merged into `asha`.
    merged: String,
    doctor: String,
    medicine: String,
    short_key: String,
    appointment: String,
    dental_template: String,
    charge: String,
    invoice: String,
    lab_order: String,
    lab_report: String,
    visit: String,
    prescription: String,
    /// Whose roles show everything.
    everything: Client,
    note: String,
    /// Of `asha`, not published.
    case_study: String,
    document: String,
    replay: String,
    department: String,
    /// To the record of `asha`, by a nurse.
    emergency: String,
    day: String,
}

/// Something that the patient takes.
async fn prescribed(clinic: &TestClinic, doctor: &Client, patient: &str, medicine: &str) -> String {
    let quantity = json!({"value": 10, "unit": "{tablet}"});
    let frequency = json!({"times": 2, "every": {"count": 1, "unit": "d"}});
    let item = json!({"medicine_id": medicine, "quantity": quantity, "frequency": frequency});
    let draft = json!({"patient_id": patient, "items": [item]});
    let id = doctor.post(&clinic.path("/prescriptions"), draft).await.expect(201).id();
    doctor.post(&clinic.path(&format!("/prescriptions/{id}/issue")), json!({})).await.expect(200);
    id
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let clinic = TestClinic::register(&stack.client()).await;
        let body = json!({"first_name": "Asha", "phone": "+919820012345", "birth_date": "1984-03-12"});
        let mut patients = Vec::new();
        for _ in 0..3 {
            patients.push(clinic.post("/patients", body.clone()).await.expect(201).id());
        }
        let [asha, merged] = [patients[0].clone(), patients[1].clone()];
        clinic.post(&format!("/patients/{merged}/merge"), json!({"survivor_id": asha})).await.expect(200);
        let leaves = format!("/patients/{}/request-erasure", patients[2]);
        clinic.post(&leaves, json!({"reason": "moves away"})).await.expect(200);
        let hold = json!({"patient_id": patients[2], "reason": "a complaint"});
        clinic.post("/legal-holds", hold).await.expect(201);
        let (doctor, start) = (clinic.doctor().await, working_time(1, 10, 0));
        let booked = clinic.post("/appointments", clinic.booking(&asha, &doctor, start)).await.expect(201);
        let appointment = booked.id();
        clinic.post(&format!("/appointments/{appointment}/check-in"), json!({})).await.expect(200);
        let everything = clinic.doctor_and_administrator().await;
        let seen = json!({"tooth": 16, "condition": "cavity"});
        let observe = clinic.path(&format!("/dental-charts/{asha}/observations"));
        everything.post(&observe, seen).await.expect(200);
        let template = json!({"name": "A look", "procedures": [{"code": "D0140"}]});
        let dental_template = everything.post(&clinic.path("/dental-templates"), template).await.expect(201).id();
        let price = json!({"minor": 50_000, "currency": "INR"});
        let charge = json!({"patient_id": asha, "description": "Consultation", "unit_price": price});
        let charge = clinic.post("/charges", charge).await.expect(201).id();
        let invoice = json!({"patient_id": asha, "charge_ids": [charge]});
        let invoice = clinic.post("/invoices", invoice).await.expect(201).id();
        let medicine = clinic.post("/medicines", json!({"name": "House mixture"})).await.expect(201).id();
        let item = json!({"medicine_id": medicine, "quantity": {"value": 10, "unit": "mL"}});
        let short_key = clinic.post("/short-keys", json!({"code": "FEVER", "items": [item]})).await.expect(201).id();
        let (lab_order, lab_report) = clinic.tested(&asha).await;
        let opens = json!({"appointment_id": appointment});
        let desk = clinic.staff(&["receptionist"]).await;
        let visit = desk.post(&clinic.path("/visits"), opens).await.expect(201).id();
        let vitals = clinic.path(&format!("/visits/{visit}/vitals"));
        everything.post(&vitals, json!({"heart_rate": {"value": 60}})).await.expect(200);
        let department = clinic.post("/departments", json!({"name": "Cardiology"})).await.expect(201).id();
        let prescription = prescribed(&clinic, &everything, &asha, &medicine).await;
        let replay = clinic.post("/audit/replays", json!({"until": 1})).await.expect(202).id();
        let glass = json!({"reason": "other", "text": "No history at hand.", "hours": 1, "password": PASSWORD});
        let nurse = clinic.staff(&["nurse"]).await;
        let broken = nurse.post(&clinic.path(&format!("/patients/{asha}/break-glass")), glass).await.expect(201);
        let emergency = broken.id();
        let note = json!({"patient_id": asha, "content": "Seen."});
        let note = everything.post(&clinic.path("/notes"), note).await.expect(201).id();
        let signature = ContentHash::of_note(note.parse().expect("an id"), NoteKind::Progress, None, "Seen.");
        let sign = clinic.path(&format!("/notes/{note}/sign"));
        everything.post(&sign, json!({"content_sha256": signature})).await.expect(200);
        let part = json!({"patient_id": asha, "records": [{"kind": "note", "id": note}], "text": "Coughs."});
        let study = json!({"title": "A cough", "patients": [part]});
        let case_study = everything.post(&clinic.path("/case-studies"), study).await.expect(201).id();
        let document = clinic.uploaded(&clinic.admin, &asha).await;
        clinic.with_logo().await;
        stack.caught_up().await;
        stack.checkpoint().await;
        let day = start.with_timezone(&chrono_tz::Asia::Kolkata).date_naive().to_string();
        let log = stack.access_log(&clinic.id);
        Self {
            stack,
            clinic,
            log,
            asha,
            merged,
            doctor,
            medicine,
            short_key,
            appointment,
            dental_template,
            charge,
            document,
            invoice,
            lab_order,
            lab_report,
            prescription,
            everything,
            note,
            case_study,
            replay,
            emergency,
            day,
            visit,
            department,
        }
    }

    /// What a request left in the ledger, and its answer.
    async fn asked(&self, below: &str) -> (Answer, Vec<Accessed>) {
        let before = self.log.position().await;
        let answer = self.everything.get(&self.clinic.path(below)).await;
        (answer, self.log.after(before).await)
    }

    /// The one record of a request that was answered.
    async fn one_record(&self, below: &str) -> Accessed {
        let (answer, mut records) = self.asked(below).await;
        answer.expect(200);
        assert_eq!(records.len(), 1, "{below}: {records:?}");
        records.remove(0)
    }

    /// The ids of patients in an answer.
    async fn patients_in(&self, answer: &Answer) -> BTreeSet<String> {
        let listed = self.clinic.get("/patients?limit=200").await.expect(200).json();
        let ids = listed["items"].as_array().expect("items").iter().map(|item| item["id"].as_str().expect("an id"));
        let ids = ids.chain([self.merged.as_str()]);
        ids.filter(|id| answer.text.contains(id)).map(str::to_owned).collect()
    }

    /// An address that this route takes.
    fn address(&self, below: &str, operation: &Value) -> String {
        let ids = BTreeMap::from([
            ("patients", &self.asha),
            ("doctors", &self.doctor),
            ("staff", &self.doctor),
            ("appointments", &self.appointment),
            ("dental-charts", &self.asha),
            ("dental-templates", &self.dental_template),
            ("charges", &self.charge),
            ("invoices", &self.invoice),
            ("medicines", &self.medicine),
            ("short-keys", &self.short_key),
            ("lab-orders", &self.lab_order),
            ("lab-reports", &self.lab_report),
            ("visits", &self.visit),
            ("departments", &self.department),
            ("prescriptions", &self.prescription),
            ("notes", &self.note),
            ("case-studies", &self.case_study),
            ("documents", &self.document),
            ("audit", &self.replay),
            ("emergency-accesses", &self.emergency),
        ]);
        let collection = below.split('/').nth(1).unwrap_or_default();
        let id = ids.get(collection).copied().cloned().unwrap_or_default();
        assert!(!below.contains("{id}") || !id.is_empty(), "{below}: {collection} has no id to try here");
        let path = below.replace("{id}", &id).replace("{position}", "1").replace("{tooth}", "16");
        let query: Vec<String> = names(operation).filter_map(|name| self.parameter(below, name)).collect();
        format!("{path}?{}", query.join("&"))
    }

    fn parameter(&self, below: &str, (name, required): (&str, bool)) -> Option<String> {
        let value = match (name, required) {
            // Of today, not of the day of the appointment.
            ("day", _) if below.ends_with("/invoices") || below.ends_with("/visits") => return None,
            ("q", _) => "asha",
            ("code", true) => "FEVER",
            ("office", true) => &self.clinic.office,
            ("date" | "day", _) => &self.day,
            (name, true) => panic!("the parameter {name} has no value to try here"),
            _ => return None,
        };
        Some(format!("{name}={value}"))
    }
}

/// The parameters of a query, and whether it cannot do without them.
fn names(operation: &Value) -> impl Iterator<Item = (&str, bool)> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let of_query = parameters.filter(|parameter| parameter["in"] == "query");
    of_query.filter_map(|parameter| Some((parameter["name"].as_str()?, parameter["required"] == true)))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_that_shows_a_patient_leaves_its_record() {
    let scene = Scene::set().await;
    let name = scene.everything.get("/api/v1/auth/profile").await.expect(200).text_of("username");
    let document = scene.stack.client().get("/openapi.json").await.expect(200).json();
    let mut left = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let (Some(below), true) = (path.strip_prefix("/clinic/{slug}/api/v1"), operations["get"].is_object()) else {
            continue;
        };
        let (answer, records) = scene.asked(&scene.address(below, &operations["get"])).await;
        let answer = answer.expect(200);
        if let Some((_, why)) = SHOW_NO_PATIENT.iter().find(|(route, _)| *route == below) {
            assert!(records.is_empty(), "{path} ({why}): {records:?}");
            assert!(scene.patients_in(&answer).await.is_empty(), "{path} shows a patient: {}", answer.text);
            continue;
        }
        assert_eq!(records.len(), 1, "{path} leaves {records:?}");
        assert_eq!(records[0].row.command, format!("GET {path}"));
        assert_eq!(records[0].row.actor_name, name, "{path}");
        // What is handed out is packed: nobody is seen in it from outside.
        if !matches!(records[0].event, AccessEvent::AuditRead { .. } | AccessEvent::HandedOut { .. }) {
            let shown = scene.patients_in(&answer).await;
            assert!(!shown.is_empty(), "{path} shows nobody here: give it something to show");
            assert!(shown.is_subset(&records[0].patients), "{path} shows {shown:?} and records {:?}", records[0]);
        }
        left += 1;
    }
    assert!(left >= 9, "{left} routes left a record");
    scene.stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_says_what_was_shown_to_whom_and_why() {
    let scene = Scene::set().await;
    let nurse = scene.clinic.staff(&["nurse"]).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let nurse = nurse.with("user-agent", "nextest").with("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let before = scene.log.position().await;
    let shown = nurse.get(&scene.clinic.path(&format!("/patients/{}", scene.asha))).await.expect(200);
    let records = scene.log.after(before).await;
    let [Accessed { row, event, patients }] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((row.purpose.as_ref(), row.actor_roles.as_str()), (Purpose::Treat.to_string().as_str(), "nurse"));
    assert_eq!(
        (row.client_agent.as_deref(), row.correlation_id.simple().to_string().as_str()),
        (Some("nextest"), trace)
    );
    assert_eq!((row.client_address.as_deref(), row.actor_session.is_some()), (Some("127.0.0.1"), true));
    assert_eq!(*patients, BTreeSet::from([scene.asha.clone(), scene.merged.clone()]));
    let AccessEvent::PatientShown { patient, also, category, resource, parameters, moment, emergency } = event else {
        panic!("{event:?}")
    };
    assert_eq!((patient.to_string(), also.len(), category.as_str()), (scene.asha.clone(), 1, "patient_read"));
    assert_eq!((parameters.len(), *moment, *emergency), (0, None, None));
    let resource = resource.as_ref().expect("the path names it");
    assert_eq!((resource.kind, resource.id.to_string()), (AggregateKind::Patient, scene.asha.clone()));
    assert_eq!(Value::from(resource.version), shown.json()["version"]);

    // Who has it already has seen it again.
    let (tag, before) = (shown.header("etag").to_owned(), scene.log.position().await);
    let path = scene.clinic.path(&format!("/patients/{}", scene.asha));
    nurse.with("if-none-match", tag).get(&path).await.expect(304);
    assert_eq!(scene.log.after(before).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_a_search_and_a_page_are_recorded_as_what_they_are() {
    let scene = Scene::set().await;
    let record = scene.one_record(&format!("/patients/{}/appointments?as_of=9&status=booked", scene.asha)).await;
    let AccessEvent::PatientShown { moment, parameters, .. } = &record.event else { panic!("{record:?}") };
    let plain = |value: &str| Parameter::Plain(value.to_owned());
    let asked = BTreeMap::from([("as_of".to_owned(), plain("9")), ("status".to_owned(), plain("booked"))]);
    assert_eq!((*moment, parameters), (Some(Moment::AsOf(9)), &asked));

    // Equal words have equal hashes, however they are written; others have others.
    let mut hashes = Vec::new();
    for q in ["Asha", "asha", "9820012345"] {
        let record = scene.one_record(&format!("/patients/search?q={q}&limit=5")).await;
        let AccessEvent::PatientsListed { parameters, count, .. } = &record.event else { panic!("{record:?}") };
        assert_eq!((*count, record.patients.len(), &parameters["limit"]), (3, 3, &plain("5")));
        let Parameter::Hashed(hash) = parameters["q"].clone() else { panic!("{parameters:?}") };
        assert!(!String::from_utf8_lossy(&record.row.payload).to_lowercase().contains(&q.to_lowercase()));
        hashes.push(hash);
    }
    assert!(hashes[0] == hashes[1] && hashes[1] != hashes[2]);

    let (first, mut records) = scene.asked("/patients?limit=1").await;
    let next = first.expect(200).text_of("next");
    records.push(scene.one_record(&format!("/patients?limit=1&cursor={next}")).await);
    let mut shown = BTreeSet::new();
    for record in &records {
        let AccessEvent::PatientsListed { parameters, count, patients_sha256, .. } = &record.event else { panic!() };
        assert_eq!((*count, parameters.len()), (1, 1), "the cursor is left out");
        let ids = record.patients.iter().map(|id| events::PatientId(id.parse().expect("an id")));
        let digest: String = event_store::patients::digest(ids).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, *patients_sha256);
        shown.extend(record.patients.iter().cloned());
    }
    assert_eq!(shown.len(), 2);

    // Nobody was found, and even that is known.
    let record = scene.one_record("/patients/search?q=nobody").await;
    assert!(matches!(record.event, AccessEvent::PatientsListed { count: 0, .. }), "{record:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_recorded_is_not_shown() {
    let scene = Scene::set().await;
    let fails = "CREATE FUNCTION log.no_access() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = 'check_violation'; END $$;
                 CREATE TRIGGER no_access BEFORE INSERT ON log.event FOR EACH ROW WHEN (NEW.ledger = 2)
                 EXECUTE FUNCTION log.no_access()";
    scene.stack.run_as_superuser(fails).await;
    let before = scene.log.position().await;
    let paths = [
        format!("/patients/{}", scene.asha),
        format!("/patients/{}/history", scene.asha),
        format!("/appointments/{}", scene.appointment),
        "/patients".to_owned(),
        "/patients/search?q=asha".to_owned(),
        format!("/doctors/{}/day-sheet?date={}", scene.doctor, scene.day),
    ];
    for path in &paths {
        let answer = scene.clinic.get(path).await.expect(503);
        assert_eq!(answer.code(), "unavailable", "{path}");
        for secret in ["Asha", "9820012345", &scene.merged, "disk", "check"] {
            assert!(!answer.text.contains(secret), "{path}: {}", answer.text);
        }
    }
    scene.clinic.get("/dashboard").await.expect(200);
    // The record goes on, also in the same group as what fails.
    let reads = join_all((0..8).map(|_| scene.clinic.get(&paths[0])));
    let writes = join_all((0..8).map(|_| scene.clinic.post("/patients", json!({"first_name": "Meera"}))));
    let (reads, writes) = futures::join!(reads, writes);
    reads.into_iter().for_each(|answer| drop(answer.expect(503)));
    writes.into_iter().for_each(|answer| drop(answer.expect(201)));
    assert_eq!(scene.log.position().await, before);

    scene.stack.run_as_superuser("DROP TRIGGER no_access ON log.event").await;
    scene.one_record(&paths[0]).await;
    scene.stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_storm_of_two_processes_every_read_has_its_record() {
    const EACH: usize = 40;
    let scene = Scene::set().await;
    let second = scene.stack.second_command_api().await.with_token(scene.clinic.admin.token().expect("a token"));
    let clients = [scene.clinic.admin.clone(), second];
    let before = scene.log.position().await;
    let path = scene.clinic.path(&format!("/patients/{}", scene.asha));
    let search = scene.clinic.path("/patients/search?q=asha");
    let patients = scene.clinic.path("/patients");
    let all = clients.iter().flat_map(|client| {
        let (path, search, patients) = (&path, &search, &patients);
        (0..EACH).map(move |_| async move {
            client.get(path).await.expect(200);
            client.get(search).await.expect(200);
            client.post(patients, json!({"first_name": "Ravi"})).await.expect(201);
        })
    });
    join_all(all).await;
    let records = scene.log.after(before).await;
    assert_eq!(records.len(), 2 * 2 * EACH);
    let alone = records.iter().filter(|record| matches!(record.event, AccessEvent::PatientShown { .. })).count();
    assert_eq!(alone, 2 * EACH);
    scene.stack.verify_chains().await;
}
