//! Case studies as a clinic makes them: from records of several patients to something that anybody may read, and back.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic};

/// What leads to the patients.
const ASHAS: &str = "Asha coughs since Monday";
const RAVIS: &str = "Ravi coughs since Tuesday";

/// A clinic with two doctors and two patients, of each of whom there is a note.
struct Library {
    stack: Stack,
    /// Where the last command stands.
    latest: AtomicI64,
    clinic: TestClinic,
    author: Client,
    colleague: Client,
    asha: String,
    ravi: String,
    notes: [String; 2],
}

impl Library {
    async fn open() -> Self {
        Self::on(Stack::start().await).await
    }

    async fn on(stack: Stack) -> Self {
        let clinic = TestClinic::register(&stack.client()).await;
        let ((_, author), (_, colleague)) = (clinic.doctor_login().await, clinic.doctor_login().await);
        let (asha, ravi) = (clinic.patient("Asha").await, clinic.patient("Ravi").await);
        let mut notes = Vec::new();
        for patient in [&asha, &ravi] {
            let note = json!({"patient_id": patient, "content": "A cough."});
            notes.push(author.post(&clinic.path("/notes"), note).await.expect(201).id());
        }
        let notes = [notes[0].clone(), notes[1].clone()];
        Self { stack, latest: AtomicI64::new(0), clinic, author, colleague, asha, ravi, notes }
    }

    async fn post(&self, who: &Client, below: &str, body: Value) -> Answer {
        let answer = who.post(&self.clinic.path(below), body).await;
        self.latest.fetch_max(answer.position(), Ordering::Relaxed);
        answer
    }

    /// A query that sees all that was posted here.
    async fn get(&self, who: &Client, below: &str) -> Answer {
        let at_least = self.latest.load(Ordering::Relaxed).max(1);
        who.with("casebook-min-position", at_least).get(&self.clinic.path(below)).await
    }

    async fn study(&self, who: &Client, study: &str) -> Answer {
        self.get(who, &format!("/case-studies/{study}")).await.expect(200)
    }

    fn parts(&self) -> Value {
        let part = |patient: &str, note: &str, text: &str| json!({"patient_id": patient, "records": [{"kind": "note", "id": note}], "text": text});
        json!([part(&self.asha, &self.notes[0], ASHAS), part(&self.ravi, &self.notes[1], RAVIS)])
    }

    async fn drafted(&self) -> String {
        let body = json!({"title": "Two coughs in one house", "patients": self.parts()});
        self.post(&self.author, "/case-studies", body).await.expect(201).id()
    }

    async fn de_identify(&self, study: &str, patients: &[&String]) -> Answer {
        let part = |patient: &&String| json!({"patient_id": patient, "text": "A cough of two weeks."});
        let patients: Vec<Value> = patients.iter().map(part).collect();
        let body = json!({"method": "safe_harbor", "title": "Two coughs", "patients": patients});
        self.post(&self.author, &format!("/case-studies/{study}/de-identify"), body).await
    }

    async fn approve(&self, who: &Client, study: &str, verified: bool) -> Answer {
        let body = json!({"de_identification_verified": verified});
        self.post(who, &format!("/case-studies/{study}/approve"), body).await
    }

    async fn publish(&self, study: &str) -> Answer {
        self.post(&self.author, &format!("/case-studies/{study}/publish"), json!({})).await
    }

    async fn approved(&self, verified: bool) -> String {
        let study = self.drafted().await;
        self.de_identify(&study, &[&self.asha, &self.ravi]).await.expect(200);
        self.approve(&self.colleague, &study, verified).await.expect(200);
        study
    }

    /// The consent's id.
    async fn agrees(&self, patient: &str) -> String {
        let path = format!("/patients/{patient}/give-consent");
        let given =
            self.post(&self.clinic.admin, &path, json!({"scope": "publication", "text": "I agree."})).await.expect(200);
        let shown = self.clinic.get_at(given.position(), &format!("/patients/{patient}")).await.expect(200).json();
        let consents = shown["consents"].as_array().expect("consents").clone();
        let stands = consents.iter().find(|consent| consent["withdrawn_at"].is_null());
        stands.expect("one")["id"].as_str().expect("an id").to_owned()
    }

    async fn withdraw_consent(&self, patient: &str, consent: &str) -> Answer {
        let path = format!("/patients/{patient}/withdraw-consent");
        self.post(&self.clinic.admin, &path, json!({"consent_id": consent})).await
    }

    async fn link(&self, study: &str, patient: &str, consent: &str) -> Answer {
        let body = json!({"patient_id": patient, "consent_id": consent});
        self.post(&self.author, &format!("/case-studies/{study}/link-consent"), body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_study_from_its_draft_to_the_world() {
    let library = Library::open().await;
    let Library { author, colleague, asha, ravi, .. } = &library;
    let study = library.drafted().await;
    let seen = library.study(colleague, &study).await;
    let (draft, drafted) = (seen.json(), seen.position());
    let today = chrono::Utc::now().with_timezone(&chrono_tz::Asia::Kolkata).format("%Y%m%d");
    assert_eq!((&draft["status"], &draft["number"]), (&json!("draft"), &json!(format!("CS-{today}-001"))));
    assert_eq!((&draft["parts"][0]["patient_id"], &draft["parts"][0]["text"]), (&json!(asha), &json!(ASHAS)));

    // Nobody is recognised.
    assert_eq!(library.approve(colleague, &study, true).await.expect(409).code(), "wrong-status");
    let told = json!({"method": "safe_harbor", "title": "Two coughs", "patients": [
        {"patient_id": asha, "text": "Seen on 2026-03-14."}, {"patient_id": ravi, "text": "A cough."}]});
    let found = library.post(author, &format!("/case-studies/{study}/de-identify"), told).await.expect(422);
    assert_eq!((found.code().as_str(), &found.json()["found"]), ("identifiers-found", &json!(["date"])));
    library.de_identify(&study, &[asha]).await.expect(422);
    library.de_identify(&study, &[asha, ravi]).await.expect(200);

    // Two persons.
    assert_eq!(library.approve(author, &study, true).await.expect(403).code(), "second-person");
    let nurse = library.clinic.staff(&["nurse"]).await;
    library.approve(&nurse, &study, true).await.expect(403);
    library.approve(&library.clinic.admin, &study, false).await.expect(200);
    assert_eq!(library.publish(&study).await.expect(422).code(), "consent-missing");
    for patient in [asha, ravi] {
        let consent = library.agrees(patient).await;
        library.link(&study, patient, &consent).await.expect(200);
    }
    library.publish(&study).await.expect(200);

    // What is published leads to nobody.
    for path in ["", "/history"] {
        let shown = library.get(author, &format!("/case-studies/{study}{path}")).await.expect(200).text;
        for secret in [asha.as_str(), ravi, &library.notes[0], &library.notes[1], ASHAS, RAVIS, "Asha", "Ravi", "house"]
        {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
    let published = library.study(author, &study).await.json();
    assert_eq!((&published["status"], &published["title"]), (&json!("published"), &json!("Two coughs")));
    assert_eq!(published["parts"][1]["de_identified_text"], "A cough of two weeks.");
    let listed = library.get(colleague, "/case-studies?status=published").await.expect(200).json();
    assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["patients"]), (&json!(study), &json!(2)));
    let history = library.get(author, &format!("/patients/{asha}/history")).await.expect(200).text;
    assert!(!history.contains(&study), "{history}");
    assert_eq!(library.de_identify(&study, &[asha, ravi]).await.expect(409).code(), "wrong-status");

    let withdraw = json!({"code": "error", "reason": "a wrong dose"});
    library.post(author, &format!("/case-studies/{study}/withdraw"), withdraw).await.expect(200);
    let withdrawn = library.study(author, &study).await.json();
    assert_eq!((&withdrawn["status"], &withdrawn["withdrawal_reason"]), (&json!("withdrawn"), &json!("a wrong dose")));
    // As the record told it then, to who may look back at everybody in it.
    let draft_then = format!("/case-studies/{study}?as_of={drafted}");
    let then = library.get(&library.clinic.admin, &draft_then).await.expect(200).json();
    assert_eq!((&then["status"], &then["parts"][0]["patient_id"]), (&json!("draft"), &json!(asha)));
    library.get(colleague, &draft_then).await.expect(403);
    library.get(&library.clinic.admin, &format!("/case-studies/{study}?as_of=1")).await.expect(404);
    for words in ["coughs since", "two weeks", "wrong dose", "one house"] {
        assert_eq!(library.stack.rows_with("log.event", words).await, 0, "{words} is sealed");
    }
    library.stack.verify_chains().await;
    library.stack.read_models_equal_the_log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_consent_withdraws_what_rests_on_it() {
    let library = Library::open().await;
    let consent = library.agrees(&library.asha).await;
    let (published, draft, other) = (library.approved(true).await, library.drafted().await, library.drafted().await);
    for study in [&published, &draft] {
        library.link(study, &library.asha, &consent).await.expect(200);
    }
    library.publish(&published).await.expect(200);
    let done = library.withdraw_consent(&library.asha, &consent).await.expect(200);
    assert_eq!(done.json()["events"], json!(["ConsentWithdrawn", "CaseStudyWithdrawn", "CaseStudyWithdrawn"]));
    for (study, status) in [(&published, "withdrawn"), (&draft, "withdrawn"), (&other, "draft")] {
        assert_eq!(library.study(&library.author, study).await.text_of("status"), status);
    }
    assert_eq!(library.study(&library.author, &draft).await.text_of("withdrawal"), "consent_withdrawn");
    library.link(&other, &library.asha, &consent).await.expect(404);
}

/// A study is linked and published while the consent is withdrawn: never is one published that rests on a consent which
/// does not stand.
#[tokio::test(flavor = "multi_thread")]
async fn a_consent_withdrawn_while_it_is_linked() {
    let library = Library::open().await;
    let token = library.author.token().expect("logged in");
    let elsewhere = library.stack.second_command_api().await.with_token(token);
    let (mut ended, mut refused) = (0, 0);
    for round in 0..10 {
        let study = library.approved(true).await;
        let consent = library.agrees(&library.asha).await;
        let body = json!({"patient_id": library.asha, "consent_id": consent});
        let path = format!("/case-studies/{study}/link-consent");
        let link = library.post(&elsewhere, &path, body);
        let publish = library.publish(&study);
        let withdraw = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            library.withdraw_consent(&library.asha, &consent).await.expect(200)
        };
        let (linked, published, withdrawn) = tokio::join!(link, publish, withdraw);
        let status = library.study(&library.author, &study).await.text_of("status");
        match linked.status.as_u16() {
            // The withdrawal has seen it, or came first to an end that the link has seen.
            200 => {
                assert_eq!(status, "withdrawn", "{} {}", withdrawn.text, published.text);
                ended += 1;
            }
            404 => {
                assert_eq!(status, "published", "{}", published.text);
                refused += 1;
            }
            _ => panic!("{}", linked.text),
        }
    }
    assert_eq!(ended + refused, 10);
    library.stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_study_goes_on_without_who_is_erased() {
    let library = Library::on(Stack::start_erasing().await).await;
    let clinic = &library.clinic;
    let settings = json!({"retention": {"clinical_years": 0}}).to_string().into_bytes();
    clinic.admin.send(Method::PATCH, &clinic.path("/settings"), Some(settings)).await.expect(200);
    let (drafted, published) = (library.drafted().await, library.approved(true).await);
    library.publish(&published).await.expect(200);
    let second = clinic.staff(&["clinic_admin"]).await;
    let on = |action: &str| format!("/patients/{}/{action}", library.asha);
    library.post(&clinic.admin, &on("request-erasure"), json!({"reason": "moves away"})).await.expect(200);
    library.post(&second, &on("approve-erasure"), json!({})).await.expect(200);
    // At once, before anything is purged, and after.
    for study in [&drafted, &published] {
        let shown = library.study(&library.author, study).await.json();
        assert_eq!(
            (&shown["parts"][0]["erased"], &shown["parts"][0]["de_identified_text"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(shown["parts"][1]["erased"], false);
    }
    while !library.stack.store().unfinished_erasures().await.expect("the log is there").is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(library.stack.rows_with("read.case_study_1", "Asha coughs").await, 0);
    assert_eq!(library.stack.rows_with("read.case_study_1", "Ravi coughs").await, 2);
    let shown = library.study(&library.author, &published).await.json();
    assert_eq!((&shown["status"], &shown["title"]), (&json!("published"), &json!("Two coughs")));
    assert_eq!(shown["parts"][1]["de_identified_text"], "A cough of two weeks.");
    library.de_identify(&drafted, &[&library.asha, &library.ravi]).await.expect(410);
    library.de_identify(&drafted, &[&library.ravi]).await.expect(200);
    library.approve(&library.colleague, &drafted, true).await.expect(200);
    library.publish(&drafted).await.expect(200);
    library.stack.read_models_equal_the_log().await;
    library.stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_do_what_the_matrix_says() {
    let library = Library::open().await;
    let study = library.drafted().await;
    library.de_identify(&study, &[&library.asha, &library.ravi]).await.expect(200);
    let draft = json!({"title": "Two coughs", "patients": library.parts()});
    let withdraw = json!({"reason": "no"});
    for role in ["nurse", "receptionist", "lab_technician", "pharmacist", "billing"] {
        let who = library.clinic.staff(&[role]).await;
        library.get(&who, "/case-studies").await.expect(403);
        library.get(&who, &format!("/case-studies/{study}")).await.expect(403);
        library.post(&who, "/case-studies", draft.clone()).await.expect(403);
        library.approve(&who, &study, true).await.expect(403);
    }
    let (_, portal) = library.clinic.portal("Meera").await;
    library.get(&portal, &format!("/case-studies/{study}")).await.expect(403);
    // Administrators approve and read, auditors read.
    let auditor = library.clinic.staff(&["auditor"]).await;
    for who in [&library.clinic.admin, &auditor] {
        library.study(who, &study).await;
        library.post(who, "/case-studies", draft.clone()).await.expect(403);
        library.post(who, &format!("/case-studies/{study}/withdraw"), withdraw.clone()).await.expect(403);
    }
    library.approve(&auditor, &study, true).await.expect(403);
    // Of a restricted record an auditor is told nothing that is not published.
    let restrict = json!({"confidentiality": "restricted"});
    library.post(&library.clinic.admin, &format!("/patients/{}/restrict", library.asha), restrict).await.expect(200);
    let shown = library.study(&auditor, &study).await.text;
    assert!(!shown.contains(&library.asha) && !shown.contains(ASHAS) && shown.contains(RAVIS), "{shown}");
    assert!(library.study(&library.colleague, &study).await.text.contains(ASHAS));
    library.approve(&library.clinic.admin, &study, true).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn approved_once_however_many_approve_at_once() {
    let library = Library::open().await;
    for _ in 0..5 {
        let study = library.drafted().await;
        library.de_identify(&study, &[&library.asha, &library.ravi]).await.expect(200);
        let people = [&library.colleague, &library.clinic.admin, &library.colleague, &library.clinic.admin];
        let answers = join_all(people.map(|who| library.approve(who, &study, true))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(answers.iter().all(|answer| answer.status == 200 || answer.code() == "wrong-status"));
    }
}

/// A patient and a note of another clinic.
async fn elsewhere(stack: &Stack) -> (String, String) {
    let clinic = TestClinic::register(&stack.client()).await;
    let (_, doctor) = clinic.doctor_login().await;
    let patient = clinic.patient("Leela").await;
    let note = json!({"patient_id": patient, "content": "A cough."});
    let note = doctor.post(&clinic.path("/notes"), note).await.expect(201).id();
    (patient, note)
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_others_and_of_other_clinics_are_not_drawn_on() {
    let library = Library::open().await;
    let theirs = elsewhere(&library.stack).await;
    for (patient, note) in [(&library.asha, &library.notes[1]), (&library.asha, &theirs.1), (&theirs.0, &theirs.1)] {
        let part = json!({"patient_id": patient, "records": [{"kind": "note", "id": note}], "text": "Coughs."});
        let refused =
            library.post(&library.author, "/case-studies", json!({"title": "Coughs", "patients": [part]})).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (404, "not-found"), "{}", refused.text);
    }
}
