//! Notes as a ward lives with them: drafts, signatures, what comes after them, and who sees which.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{Days, TimeDelta, Utc};
use events::note::{ContentHash, NoteKind};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic};

const WORDS: &str = "S: cough for a week\nO: clear\nA: cold\nP: rest";
/// Beside doctors and patients.
const ROLES: [&str; 7] =
    ["clinic_admin", "nurse", "receptionist", "lab_technician", "pharmacist", "billing", "auditor"];

/// A clinic with two doctors, a nurse, and a patient with a portal login.
struct Ward {
    stack: Stack,
    /// Where the last command stands.
    latest: AtomicI64,
    clinic: TestClinic,
    doctor: Client,
    doctor_id: String,
    colleague: Client,
    nurse: Client,
    patient: String,
    portal: Client,
}

impl Ward {
    async fn open() -> Self {
        Self::on(Stack::start().await).await
    }

    async fn on(stack: Stack) -> Self {
        let clinic = TestClinic::register(&stack.client()).await;
        let ((doctor_id, doctor), (_, colleague)) = (clinic.doctor_login().await, clinic.doctor_login().await);
        let nurse = clinic.staff(&["nurse"]).await;
        let (patient, portal) = clinic.portal("Asha").await;
        stack.caught_up().await;
        Self { stack, latest: AtomicI64::new(0), clinic, doctor, doctor_id, colleague, nurse, patient, portal }
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

    async fn note(&self, who: &Client, note: &str) -> Value {
        self.get(who, &format!("/notes/{note}")).await.expect(200).json()
    }

    async fn ids(&self, who: &Client, below: &str) -> Vec<String> {
        let listed = self.get(who, below).await.expect(200).json();
        let items = listed["items"].as_array().expect("a list").clone();
        items.iter().map(|note| note["id"].as_str().expect("an id").to_owned()).collect()
    }

    async fn draft(&self, who: &Client) -> String {
        let body = json!({"patient_id": self.patient, "kind": "soap", "title": "Cough", "content": WORDS});
        self.post(who, "/notes", body).await.expect(201).id()
    }

    async fn sign(&self, who: &Client, note: &str) -> Answer {
        self.post(who, &format!("/notes/{note}/sign"), json!({"content_sha256": digest(note, WORDS)})).await
    }

    async fn signed(&self, who: &Client) -> String {
        let note = self.draft(who).await;
        self.sign(who, &note).await.expect(200);
        note
    }
}

/// As anybody computes it who has read what `SignNote` says.
fn digest(note: &str, words: &str) -> ContentHash {
    ContentHash::of_note(note.parse().expect("an id"), NoteKind::Soap, Some("Cough"), words)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_from_its_draft_to_the_patient() {
    let ward = Ward::open().await;
    let (doctor, colleague) = (&ward.doctor, &ward.colleague);
    let note = ward.draft(doctor).await;
    let on = |action: &str| format!("/notes/{note}/{action}");

    // A draft is its author's alone.
    let draft = ward.note(doctor, &note).await;
    assert_eq!((&draft["status"], &draft["content"], &draft["intact"]), (&json!("draft"), &json!(WORDS), &Value::Null));
    assert_eq!(draft["content_sha256"], json!(digest(&note, WORDS)), "what its signature has to state");
    for who in [colleague, &ward.nurse, &ward.portal] {
        ward.get(who, &format!("/notes/{note}")).await.expect(404);
        ward.get(who, &format!("/notes/{note}/history")).await.expect(404);
        assert!(ward.ids(who, &format!("/notes?patient={}", ward.patient)).await.is_empty());
        assert!(ward.ids(who, &format!("/patients/{}/notes", ward.patient)).await.is_empty());
    }
    let foreign = ward.post(colleague, &on("save-draft"), json!({"content": "Other words."})).await.expect(403);
    assert_eq!(foreign.code(), "not-the-author");

    // It is signed as it was read, or not at all.
    let wrong = json!({"content_sha256": digest(&note, "Other words.")});
    let refused = ward.post(doctor, &on("sign"), wrong).await.expect(422);
    assert_eq!(
        (refused.code().as_str(), &refused.json()["errors"][0]["pointer"]),
        ("content-differs", &json!("/content_sha256"))
    );
    assert_eq!(ward.sign(colleague, &note).await.expect(403).code(), "not-the-author");
    let signed = ward.sign(doctor, &note).await.expect(200).position();
    assert_eq!(
        ward.post(doctor, &on("save-draft"), json!({"content": "Late words."})).await.expect(409).code(),
        "wrong-status"
    );

    // Now it is part of the record.
    let seen = ward.note(colleague, &note).await;
    assert_eq!((&seen["status"], &seen["intact"], &seen["content"]), (&json!("signed"), &json!(true), &json!(WORDS)));
    let cosign = json!({"content_sha256": seen["content_sha256"]});
    assert_eq!(ward.post(doctor, &on("cosign"), cosign.clone()).await.expect(403).code(), "own-signature");
    ward.post(&ward.nurse, &on("cosign"), cosign.clone()).await.expect(403);
    ward.post(colleague, &on("cosign"), cosign).await.expect(200);
    ward.post(colleague, &on("add-addendum"), json!({"content": "The X-ray is clear."})).await.expect(200);
    let better = "S: cough for two weeks\nO: clear\nA: cold\nP: rest";
    let amendment = json!({"title": "Cough", "content": better, "content_sha256": digest(&note, better),
        "code": "correction", "reason": "it was two weeks"});
    ward.post(doctor, &on("amend"), amendment).await.expect(200);
    let amended = ward.note(colleague, &note).await;
    assert_eq!(
        (&amended["status"], &amended["content"], &amended["intact"]),
        (&json!("amended"), &json!(better), &json!(true))
    );
    let revisions = amended["revisions"].as_array().expect("revisions");
    assert_eq!(
        (&revisions[0]["content"], revisions[0]["signatures"].as_array().map(Vec::len)),
        (&json!(WORDS), Some(2))
    );
    assert_eq!(
        (&revisions[1]["amendment"], &revisions[1]["amendment_reason"]),
        (&json!("correction"), &json!("it was two weeks"))
    );
    assert_eq!(revisions[0]["signatures"][0]["user_id"], json!(ward.doctor_id));
    assert_eq!(amended["addenda"][0]["content"], "The X-ray is clear.");

    // As it was, and what happened to it.
    let both = ward.clinic.doctor_and_administrator().await;
    let then = ward.get(&both, &format!("/notes/{note}?as_of={signed}")).await.expect(200).json();
    assert_eq!((&then["status"], &then["content"]), (&json!("signed"), &json!(WORDS)));
    ward.get(&both, &format!("/notes/{note}?as_of={}", signed - 1)).await.expect(404);
    let history = ward.get(colleague, &format!("/notes/{note}/history")).await.expect(200).json();
    let events: Vec<_> = history["items"].as_array().expect("a list").iter().map(|one| one["event"].clone()).collect();
    let expected = ["NoteAmended", "NoteAddendumAdded", "NoteCosigned", "NoteSigned", "NoteStarted"];
    assert_eq!(json!(events), json!(expected));

    // The patient sees what is released.
    assert!(ward.ids(&ward.portal, "/notes").await.is_empty());
    ward.post(doctor, &on("release"), json!({})).await.expect(200);
    assert_eq!(ward.note(&ward.portal, &note).await["content"], better);
    assert_eq!(ward.ids(&ward.portal, "/notes").await, std::slice::from_ref(&note));
    ward.post(&ward.portal, &on("retract"), json!({"reason": "I do not like it"})).await.expect(403);
    ward.post(colleague, &on("retract"), json!({"code": "wrong_content", "reason": "all wrong"})).await.expect(200);
    let struck = ward.note(&ward.portal, &note).await;
    assert_eq!(
        (&struck["status"], struck["revisions"].as_array().map(Vec::len)),
        (&json!("entered-in-error"), Some(2))
    );
    assert_eq!(ward.stack.rows_with("log.event", "two weeks").await, 0, "the words are sealed");
    ward.stack.verify_chains().await;
    ward.stack.read_models_equal_the_log().await;
}

/// Every command that there is on a note, from the document, so that a new one is walked as well.
async fn commands(ward: &Ward) -> Vec<(String, String)> {
    let document = ward.stack.client().get("/openapi.json").await.expect(200).json();
    let paths = document["paths"].as_object().expect("paths").iter();
    let commands = paths.filter_map(|(path, operations)| {
        let action = path.strip_prefix("/clinic/{slug}/api/v1/notes/{id}/")?;
        let operation = operations["post"]["operationId"].as_str()?;
        Some((action.to_owned(), operation.to_owned()))
    });
    commands.collect()
}

fn body_of(operation: &str, note: &str) -> Value {
    let other = "Nothing was found.";
    match operation {
        "SaveNoteDraft" | "AddNoteAddendum" => json!({"title": "Cough", "content": other}),
        "SignNote" | "CosignNote" => json!({"content_sha256": digest(note, WORDS)}),
        "AmendNote" => {
            json!({"title": "Cough", "content": other, "content_sha256": digest(note, other), "reason": "to hide it"})
        }
        "ReleaseNote" => json!({}),
        "RetractNote" => json!({"reason": "to hide it"}),
        other => panic!("{other} has no case here"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_is_changed_by_no_command_of_any_role() {
    let ward = Ward::open().await;
    ward.clinic.without_limits(&ward.stack.platform().await).await;
    let commands = commands(&ward).await;
    assert!(commands.len() > 6, "{commands:?}");
    let mut people = vec![ward.doctor.clone(), ward.portal.clone(), ward.clinic.doctor_login().await.1];
    for role in ROLES {
        people.push(ward.clinic.staff(&[role]).await);
    }
    for (action, operation) in &commands {
        for who in &people {
            let note = ward.signed(&ward.doctor).await;
            let before = ward.note(&ward.colleague, &note).await;
            let mut body = body_of(operation, &note);
            if action == "add-addendum" {
                body.as_object_mut().expect("an object").remove("title");
            }
            let done = ward.post(who, &format!("/notes/{note}/{action}"), body).await;
            assert!(matches!(done.status.as_u16(), 200 | 403 | 409), "{operation}: {}", done.text);
            let after = ward.note(&ward.colleague, &note).await;
            let (first, still) = (&before["revisions"][0], &after["revisions"][0]);
            for member in ["number", "title", "content", "content_sha256", "intact"] {
                assert_eq!(first[member], still[member], "{operation} of {}", done.text);
            }
            assert_eq!(first["signatures"][0], still["signatures"][0], "{operation}");
            assert_eq!(after["intact"], true, "{operation}");
            if done.status != 200 {
                assert_eq!(before, after, "{operation}: refused, and nothing is changed");
            }
        }
    }
    // Nor by any other method.
    let note = ward.signed(&ward.doctor).await;
    let path = ward.clinic.path(&format!("/notes/{note}"));
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = ward.doctor.send(method.clone(), &path, Some(b"{}".to_vec())).await;
        assert_eq!(answer.status.as_u16(), 405, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_signatures_at_once_one_is_recorded() {
    let ward = Ward::open().await;
    let elsewhere = ward.stack.second_command_api().await.with_token(ward.doctor.token().expect("logged in"));
    for _ in 0..10 {
        let note = ward.draft(&ward.doctor).await;
        let signatures = [&ward.doctor, &elsewhere, &ward.doctor, &elsewhere].map(|who| ward.sign(who, &note));
        let answers = join_all(signatures).await;
        let signed = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(signed, 1, "{:?}", answers.iter().map(|answer| &answer.text).collect::<Vec<_>>());
        assert!(answers.iter().all(|answer| answer.status == 200 || answer.code() == "wrong-status"));
        let seen = ward.note(&ward.colleague, &note).await;
        assert_eq!(seen["revisions"][0]["signatures"].as_array().map(Vec::len), Some(1));
    }
}

/// The words change under the hands of who signs: what is signed is what was stated, or nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_and_a_change_of_the_draft_at_once() {
    let ward = Ward::open().await;
    let elsewhere = ward.stack.second_command_api().await.with_token(ward.doctor.token().expect("logged in"));
    for _ in 0..10 {
        let note = ward.draft(&ward.doctor).await;
        let path = format!("/notes/{note}/save-draft");
        let save = ward.post(&elsewhere, &path, json!({"content": "Other words."}));
        let (saved, signed) = tokio::join!(save, ward.sign(&ward.doctor, &note));
        let seen = ward.note(&ward.doctor, &note).await;
        match (saved.status.as_u16(), signed.status.as_u16()) {
            (409, 200) => assert_eq!((&seen["content"], &seen["intact"]), (&json!(WORDS), &json!(true))),
            (200, 422) => assert_eq!((&seen["status"], &seen["content"]), (&json!("draft"), &json!("Other words."))),
            other => panic!("{other:?}: {} {}", saved.text, signed.text),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_practise_signs_nothing() {
    let ward = Ward::open().await;
    let (note, signed) = (ward.draft(&ward.doctor).await, ward.signed(&ward.colleague).await);
    let yesterday = Utc::now().date_naive() - Days::new(2);
    let licence = json!({"number": "LIC-OLD", "expires": yesterday});
    ward.post(&ward.clinic.admin, &format!("/doctors/{}/licence", ward.doctor_id), licence).await.expect(200);
    assert_eq!(ward.sign(&ward.doctor, &note).await.expect(422).code(), "licence-expired");
    let cosign = json!({"content_sha256": digest(&signed, WORDS)});
    let refused = ward.post(&ward.doctor, &format!("/notes/{signed}/cosign"), cosign).await.expect(422);
    assert_eq!(refused.code(), "licence-expired");
    let renewed = json!({"number": "LIC-OLD", "expires": yesterday + Days::new(400)});
    ward.post(&ward.clinic.admin, &format!("/doctors/{}/licence", ward.doctor_id), renewed).await.expect(200);
    ward.sign(&ward.doctor, &note).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_see_and_write_what_the_matrix_says() {
    let ward = Ward::open().await;
    let by_doctor = ward.signed(&ward.doctor).await;
    let by_nurse = ward.signed(&ward.nurse).await;
    // Nurses see and change their own.
    assert_eq!(ward.ids(&ward.nurse, "/notes").await, std::slice::from_ref(&by_nurse));
    ward.get(&ward.nurse, &format!("/notes/{by_doctor}")).await.expect(404);
    ward.post(&ward.nurse, &format!("/notes/{by_doctor}/add-addendum"), json!({"content": "Fever."})).await.expect(403);
    ward.post(&ward.nurse, &format!("/notes/{by_nurse}/add-addendum"), json!({"content": "Fever."})).await.expect(200);
    assert_eq!(ward.ids(&ward.doctor, "/notes").await, [by_nurse.clone(), by_doctor.clone()]);
    let filtered = format!("/notes?author={}&kind=soap&status=signed&patient={}", ward.doctor_id, ward.patient);
    assert_eq!(ward.ids(&ward.doctor, &filtered).await, std::slice::from_ref(&by_doctor));
    // Everybody else sees none.
    for role in ["clinic_admin", "receptionist", "lab_technician", "pharmacist", "billing"] {
        let who = ward.clinic.staff(&[role]).await;
        for path in ["/notes".to_owned(), format!("/notes/{by_doctor}"), format!("/patients/{}/notes", ward.patient)] {
            ward.get(&who, &path).await.expect(403);
        }
        let note = json!({"patient_id": ward.patient, "content": "Seen."});
        ward.post(&who, "/notes", note).await.expect(403);
        ward.post(&who, &format!("/notes/{by_doctor}/retract"), json!({"reason": "no"})).await.expect(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_sees_what_a_grant_covers() {
    let ward = Ward::open().await;
    let (signed, draft) = (ward.signed(&ward.doctor).await, ward.draft(&ward.doctor).await);
    let invite = json!({"name": "Anand", "username": "anand", "roles": ["auditor"]});
    let invited = ward.post(&ward.clinic.admin, "/staff", invite).await.expect(201);
    let auditor = ward.clinic.activate("anand", &invited.text_of("activation")).await;
    assert!(ward.ids(&auditor, "/notes").await.is_empty());
    ward.post(&auditor, &format!("/notes/{signed}/retract"), json!({"reason": "no"})).await.expect(403);
    let grant = |from: &str| {
        let expires = Utc::now() + TimeDelta::days(1);
        json!({"auditor_id": invited.id(), "scope": ["notes"], "from": from, "to": "2999-12-31", "expires": expires})
    };
    ward.post(&ward.clinic.admin, "/auditor-grants", grant("2999-01-01")).await.expect(201);
    ward.get(&auditor, &format!("/notes/{signed}")).await.expect(404);
    ward.post(&ward.clinic.admin, "/auditor-grants", grant("2020-01-01")).await.expect(201);
    assert_eq!(ward.note(&auditor, &signed).await["content"], WORDS);
    assert_eq!(ward.ids(&auditor, "/notes").await, std::slice::from_ref(&signed));
    ward.get(&auditor, &format!("/notes/{draft}")).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_record_is_the_doctors() {
    let ward = Ward::open().await;
    let by_nurse = ward.signed(&ward.nurse).await;
    let restrict = json!({"confidentiality": "restricted"});
    ward.post(&ward.clinic.admin, &format!("/patients/{}/restrict", ward.patient), restrict).await.expect(200);
    ward.get(&ward.nurse, &format!("/notes/{by_nurse}")).await.expect(403);
    ward.get(&ward.nurse, &format!("/patients/{}/notes", ward.patient)).await.expect(403);
    assert!(ward.ids(&ward.nurse, "/notes").await.is_empty());
    assert_eq!(ward.note(&ward.doctor, &by_nurse).await["content"], WORDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_shows_both_charts_and_an_unmerge_each_its_own() {
    let ward = Ward::open().await;
    let own = ward.signed(&ward.doctor).await;
    let double = ward.clinic.patient("Asha R").await;
    let merge = |survivor: &str| json!({"survivor_id": survivor});
    ward.post(&ward.clinic.admin, &format!("/patients/{double}/merge"), merge(&ward.patient)).await.expect(200);
    let body = json!({"patient_id": double, "kind": "soap", "title": "Cough", "content": WORDS});
    let other = ward.post(&ward.doctor, "/notes", body).await.expect(201).id();
    ward.sign(&ward.doctor, &other).await.expect(200);
    for patient in [&ward.patient, &double] {
        let both = ward.ids(&ward.colleague, &format!("/patients/{patient}/notes")).await;
        assert_eq!(both, [other.clone(), own.clone()]);
    }
    ward.post(&ward.clinic.admin, &format!("/patients/{double}/unmerge"), json!({})).await.expect(200);
    assert_eq!(ward.ids(&ward.colleague, &format!("/patients/{}/notes", ward.patient)).await, [own]);
    assert_eq!(ward.ids(&ward.colleague, &format!("/notes?patient={double}")).await, [other]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_who_is_erased_no_word_is_left() {
    let ward = Ward::on(Stack::start_erasing().await).await;
    let settings = json!({"retention": {"clinical_years": 0}}).to_string().into_bytes();
    ward.clinic.admin.send(Method::PATCH, &ward.clinic.path("/settings"), Some(settings)).await.expect(200);
    let note = ward.signed(&ward.doctor).await;
    let draft = ward.draft(&ward.doctor).await;
    ward.stack.caught_up().await;
    assert_eq!(ward.stack.rows_with("read.note_1", "cough for a week").await, 2);
    let second = ward.clinic.staff(&["clinic_admin"]).await;
    let on = |action: &str| format!("/patients/{}/{action}", ward.patient);
    ward.post(&ward.clinic.admin, &on("request-erasure"), json!({"reason": "moves away"})).await.expect(200);
    ward.post(&second, &on("approve-erasure"), json!({})).await.expect(200);
    for path in [format!("/notes/{note}"), format!("/notes/{note}/history"), format!("/notes?patient={}", ward.patient)]
    {
        ward.get(&ward.doctor, &path).await.expect(410);
    }
    for (action, operation) in commands(&ward).await {
        let mut body = body_of(&operation, &note);
        if action == "add-addendum" {
            body.as_object_mut().expect("an object").remove("title");
        }
        ward.post(&ward.doctor, &format!("/notes/{note}/{action}"), body).await.expect(410);
    }
    ward.sign(&ward.doctor, &draft).await.expect(410);
    while !ward.stack.store().unfinished_erasures().await.expect("the log is there").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(ward.stack.rows_with("read.note_1", "cough").await, 0);
    ward.stack.read_models_equal_the_log().await;
    ward.stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_read_as_it_was_signed_says_so() {
    let ward = Ward::open().await;
    let note = ward.signed(&ward.doctor).await;
    ward.stack.caught_up().await;
    let tampered = "UPDATE read.note_1 SET revisions = replace(revisions::text, 'A: cold', 'A: cancer')::jsonb";
    let done = sqlx::query(tampered).execute(ward.stack.superuser()).await.expect("the superuser may do it");
    assert_eq!(done.rows_affected(), 1);
    let seen = ward.note(&ward.doctor, &note).await;
    assert_eq!((&seen["intact"], &seen["revisions"][0]["intact"]), (&json!(false), &json!(false)));
    assert_eq!(seen["content_sha256"], json!(digest(&note, WORDS)), "what was signed");
    assert!(seen["content"].as_str().expect("words").contains("cancer"), "a fault is shown, not hidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_and_an_id_of_another_clinic_are_refused() {
    let ward = Ward::open().await;
    let note = ward.draft(&ward.doctor).await;
    let save = json!({"content": "Other words."});
    let path = ward.clinic.path(&format!("/notes/{note}/save-draft"));
    ward.doctor.with("if-match", "\"1\"").post(&path, save.clone()).await.expect(200);
    let stale = ward.doctor.with("if-match", "\"1\"").post(&path, json!({"content": "Third words."})).await;
    assert_eq!(stale.status.as_u16(), 412, "{}", stale.text);
    let theirs = TestClinic::register(&ward.stack.client()).await;
    let stranger = theirs.patient("Ravi").await;
    let foreign = json!({"patient_id": stranger, "content": "Seen."});
    let refused = ward.post(&ward.doctor, "/notes", foreign).await.expect(404);
    assert_eq!(refused.json()["errors"][0]["pointer"], "/patient_id");
    let (_, other) = theirs.doctor_login().await;
    other.get(&theirs.path(&format!("/notes/{note}"))).await.expect(404);
    other.post(&theirs.path(&format!("/notes/{note}/save-draft")), save).await.expect(404);
}
