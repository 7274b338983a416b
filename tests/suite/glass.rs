//! Breaking the glass, as the clinic lives with it: what it opens, to whom, for how long, and who looks at it later.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use event_store::{Append, Circumstances, NewEvent};
use events::{
    AccessEvent, Actor, Client as From, ClinicId, Ledger, Purpose, Role, StaffEvent, UserId,
    staff::{EmergencyReason, Proof},
};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Accessed, Answer, Client, PASSWORD, Stack, TestClinic};
use uuid::Uuid;

const TEXT: &str = "Unconscious after a fall, no history at hand.";
/// How long a test waits for what the clock does.
const PATIENCE: Duration = Duration::from_secs(30);

/// A member of the staff, logged in.
struct Member {
    id: String,
    username: String,
    client: Client,
}

async fn member(clinic: &TestClinic, username: &str, role: &str) -> Member {
    let body = json!({"name": username, "username": username, "roles": [role]});
    let invited = clinic.post("/staff", body).await.expect(201);
    let client = clinic.activate(username, &invited.text_of("activation")).await;
    Member { id: invited.id(), username: username.to_owned(), client }
}

/// A patient whose record only doctors and administrators see; the read models have it.
async fn restricted(clinic: &TestClinic, first_name: &str) -> String {
    let patient = clinic.patient(first_name).await;
    let restrict = json!({"confidentiality": "restricted"});
    let done = clinic.post(&format!("/patients/{patient}/restrict"), restrict).await.expect(200);
    clinic.get_at(done.position(), &format!("/patients/{patient}")).await.expect(200);
    patient
}

fn breaking(password: &str) -> Value {
    json!({"reason": "patient_unresponsive", "text": TEXT, "hours": 2, "password": password})
}

impl Member {
    async fn get(&self, clinic: &TestClinic, below: &str) -> Answer {
        self.client.get(&clinic.path(below)).await
    }

    async fn reads(&self, clinic: &TestClinic, patient: &str) -> Answer {
        self.get(clinic, &format!("/patients/{patient}")).await
    }

    async fn break_glass(&self, clinic: &TestClinic, patient: &str) -> Answer {
        let path = clinic.path(&format!("/patients/{patient}/break-glass"));
        self.client.post(&path, breaking(PASSWORD)).await
    }

    async fn ends(&self, clinic: &TestClinic, whose: &Member, access: &str) -> Answer {
        let path = clinic.path(&format!("/staff/{}/end-emergency-access", whose.id));
        self.client.post(&path, json!({"emergency_access_id": access})).await
    }

    async fn reviews(&self, clinic: &TestClinic, whose: &Member, access: &str) -> Answer {
        let path = clinic.path(&format!("/staff/{}/review-emergency-access", whose.id));
        let text = "The record shows the fall and what was given.";
        self.client.post(&path, json!({"emergency_access_id": access, "verdict": "justified", "text": text})).await
    }
}

/// An emergency access that began earlier: the clock is not moved, the event says when it ends.
async fn given_access(stack: &Stack, clinic: &TestClinic, whose: &Member, patient: &str, ends_in: TimeDelta) -> String {
    let user = UserId(whose.id.parse().unwrap());
    let (access, expires) = (Uuid::now_v7(), Utc::now() + ends_in);
    let granted = StaffEvent::EmergencyAccessGranted {
        access: access.into(),
        patient: patient.parse().unwrap(),
        reason: EmergencyReason::DangerToLife,
        proof: Proof::Password,
        expires,
        review_due: expires + TimeDelta::hours(1),
        sealed: events::staff::EmergencyText { text: TEXT.to_owned() }.into(),
    };
    let actor =
        Actor { user: Some(user), name: whose.username.clone(), roles: vec![Role::Nurse], ..Actor::anonymous() };
    let append = Append {
        clinic: ClinicId(clinic.id.parse().unwrap()),
        ledger: Ledger::Record,
        about: Circumstances {
            actor,
            purpose: Purpose::Etreat,
            reason: None,
            command: "BreakGlass".into(),
            correlation_id: Uuid::now_v7(),
            causation_id: Uuid::now_v7(),
            client: From::default(),
            occurred_at: None,
        },
        events: vec![NewEvent { stream: user.into(), event: granted.into() }],
        expectations: Vec::new(),
        claims: Vec::new(),
        counters: Vec::new(),
        bounds: Vec::new(),
        idempotency: None,
        credentials: Vec::new(),
        mails: Vec::new(),
        shown: Vec::new(),
    };
    stack.store().append(append).await.expect("it is appended");
    access.to_string()
}

/// What the access ledger says of each time that a patient was shown: purpose and emergency access.
async fn shown(stack: &Stack, clinic: &TestClinic, patient: &str) -> Vec<(String, Option<String>)> {
    let records = stack.access_log(&clinic.id).after(0).await;
    let of_patient = |accessed: &Accessed| match &accessed.event {
        AccessEvent::PatientShown { patient: shown, emergency, .. } if shown.to_string() == patient => {
            Some((accessed.row.purpose.to_string(), emergency.map(|access| access.to_string())))
        }
        _ => None,
    };
    records.iter().filter_map(of_patient).collect()
}

/// Asks until the answer has this status.
async fn until(status: u16, ask: impl AsyncFn() -> Answer) -> Answer {
    let since = Instant::now();
    loop {
        let answer = ask().await;
        if answer.status.as_u16() == status {
            return answer;
        }
        assert!(since.elapsed() < PATIENCE, "still {}: {}", answer.status, answer.text);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_glass_shows_one_record_to_one_person() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (patient, other) = (restricted(&clinic, "Asha").await, restricted(&clinic, "Vikram").await);
    let (nurse, colleague) = (member(&clinic, "meera", "nurse").await, member(&clinic, "ravi", "nurse").await);
    nurse.reads(&clinic, &patient).await.expect(403);
    nurse.get(&clinic, &format!("/patients/{patient}/appointments")).await.expect(403);

    let shown_before = shown(&stack, &clinic, &patient).await;
    let broken = nurse.break_glass(&clinic, &patient).await.expect(201);
    let access = broken.id();
    assert_eq!(broken.json()["events"], json!(["EmergencyAccessGranted"]));
    assert_eq!(broken.header("location"), clinic.path(&format!("/emergency-accesses/{access}")));

    // At once: what opens and closes is asked of the log, not of a read model.
    let record = nurse.reads(&clinic, &patient).await.expect(200);
    assert_eq!(record.text_of("first_name"), "Asha");
    nurse.get(&clinic, &format!("/patients/{patient}/appointments")).await.expect(200);
    nurse.get(&clinic, &format!("/patients/{patient}?as_of={}", broken.position())).await.expect(200);
    nurse.reads(&clinic, &other).await.expect(403);
    nurse.get(&clinic, &format!("/patients/{other}?as_of={}", broken.position())).await.expect(403);
    let seen = shown(&stack, &clinic, &patient).await.split_off(shown_before.len());
    assert_eq!(seen, vec![("ETREAT".to_owned(), Some(access.clone())); 3]);
    colleague.reads(&clinic, &patient).await.expect(403);
    let again = nurse.break_glass(&clinic, &patient).await.expect(409);
    assert_eq!((again.code().as_str(), again.text_of("emergency_access_id")), ("glass-broken-already", access));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_under_it_is_emergency_treatment_and_the_patient_can_see_it() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (patient, other) = (restricted(&clinic, "Asha").await, clinic.patient("Vikram").await);
    let nurse = member(&clinic, "meera", "nurse").await;
    nurse.break_glass(&clinic, &patient).await.expect(201);
    let purposes = async |patient: &str| {
        let allergy = clinic.path(&format!("/patients/{patient}/allergies"));
        nurse.client.post(&allergy, json!({"substance": "penicillin"})).await.expect(200);
        let history = clinic.get(&format!("/patients/{patient}/history")).await.expect(200).json();
        let entries = history["items"].as_array().unwrap().clone();
        entries.into_iter().map(|e| (e["event"].clone(), e["purpose"].clone(), e["reason"].clone())).collect::<Vec<_>>()
    };
    let seen = purposes(&patient).await;
    assert_eq!(seen[0], (json!("AllergyRecorded"), json!("ETREAT"), Value::Null));
    assert_eq!(seen[1], (json!("EmergencyAccessGranted"), json!("ETREAT"), json!("patient_unresponsive")));
    assert_eq!(purposes(&other).await[0].1, json!("TREAT"));
    assert_eq!(stack.rows_with("log.event", "Unconscious").await, 0, "the words are sealed");
    stack.verify_chains().await;
    stack.read_models_equal_the_log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_by_itself_and_by_hand_at_once() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (patient, other) = (restricted(&clinic, "Asha").await, restricted(&clinic, "Vikram").await);
    let nurse = member(&clinic, "meera", "nurse").await;
    given_access(&stack, &clinic, &nurse, &patient, TimeDelta::seconds(4)).await;
    nurse.reads(&clinic, &patient).await.expect(200);
    until(403, async || nurse.reads(&clinic, &patient).await).await;

    let access = nurse.break_glass(&clinic, &other).await.expect(201).id();
    nurse.reads(&clinic, &other).await.expect(200);
    nurse.ends(&clinic, &nurse, &access).await.expect(200);
    nurse.reads(&clinic, &other).await.expect(403);
    let again = nurse.ends(&clinic, &nurse, &access).await.expect(200);
    assert_eq!(again.json()["events"], json!([]), "already so");
    // An administrator ends somebody else's.
    let access = nurse.break_glass(&clinic, &other).await.expect(201).id();
    let colleague = member(&clinic, "ravi", "nurse").await;
    assert_eq!(colleague.ends(&clinic, &nurse, &access).await.expect(403).code(), "not-your-own");
    let end = format!("/staff/{}/end-emergency-access", nurse.id);
    clinic.post(&end, json!({"emergency_access_id": access})).await.expect(200);
    nurse.reads(&clinic, &other).await.expect(403);
}

/// Readers that never stop: each answer shows the record or refuses it, and none that was asked for after the end
/// was answered shows it.
#[tokio::test(flavor = "multi_thread")]
async fn ended_while_it_is_read() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = restricted(&clinic, "Asha").await;
    let nurse = member(&clinic, "meera", "nurse").await;
    let second = stack.second_command_api().await.with_token(nurse.client.token().unwrap());
    for _ in 0..5 {
        let access = nurse.break_glass(&clinic, &patient).await.expect(201).id();
        let path = clinic.path(&format!("/patients/{patient}"));
        let reads = join_all((0..4).map(async |n: usize| {
            let reader = if n.is_multiple_of(2) { &nurse.client } else { &second };
            let mut seen = Vec::new();
            for _ in 0..15 {
                let asked = Instant::now();
                seen.push((asked, reader.get(&path).await.status.as_u16()));
            }
            seen
        }));
        let end = async {
            tokio::task::yield_now().await;
            nurse.ends(&clinic, &nurse, &access).await.expect(200);
            Instant::now()
        };
        let (seen, ended) = futures::join!(reads, end);
        for (asked, status) in seen.into_iter().flatten() {
            assert!(status == 403 || status == 200 && asked < ended, "{status} {:?} after the end", asked - ended);
        }
        nurse.reads(&clinic, &patient).await.expect(403);
    }
}

/// Also what the role alone would have shown is emergency treatment while the glass is broken, and not after.
#[tokio::test(flavor = "multi_thread")]
async fn every_read_under_it_is_recorded_as_such() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = clinic.patient("Asha").await;
    let nurse = member(&clinic, "meera", "nurse").await;
    until(200, async || nurse.reads(&clinic, &patient).await).await;
    let access = nurse.break_glass(&clinic, &patient).await.expect(201).id();
    nurse.reads(&clinic, &patient).await.expect(200);
    nurse.get(&clinic, &format!("/patients/{patient}/history")).await.expect(200);
    nurse.get(&clinic, &format!("/appointments?patient={patient}")).await.expect(200);
    nurse.ends(&clinic, &nurse, &access).await.expect(200);
    nurse.reads(&clinic, &patient).await.expect(200);
    let seen = shown(&stack, &clinic, &patient).await;
    let seen: Vec<_> = seen.iter().map(|(purpose, by)| (purpose.as_str(), by.as_deref())).collect();
    let under = ("ETREAT", Some(access.as_str()));
    assert!(seen.ends_with(&[("TREAT", None), under, under, under, ("TREAT", None)]), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_are_one() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = restricted(&clinic, "Asha").await;
    let nurse = member(&clinic, "meera", "nurse").await;
    let second = stack.second_command_api().await.with_token(nurse.client.token().unwrap());
    let path = clinic.path(&format!("/patients/{patient}/break-glass"));
    let both = [nurse.client.clone(), second];
    let answers = join_all((0..6).map(|n| both[n % 2].post(&path, breaking(PASSWORD)))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    assert_eq!(stack.count_events(&clinic.id, "EmergencyAccessGranted").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_opens_nothing_and_five_lock() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = restricted(&clinic, "Asha").await;
    let nurse = member(&clinic, "meera", "nurse").await;
    let path = clinic.path(&format!("/patients/{patient}/break-glass"));
    // The right one in between makes the count begin again.
    for _ in 0..4 {
        let wrong = nurse.client.post(&path, breaking("wrong horse")).await.expect(401);
        assert_eq!(wrong.code(), "reauthentication-failed");
    }
    let access = nurse.break_glass(&clinic, &patient).await.expect(201).id();
    nurse.ends(&clinic, &nurse, &access).await.expect(200);
    for _ in 0..5 {
        assert_eq!(
            nurse.client.post(&path, breaking("wrong horse")).await.expect(401).code(),
            "reauthentication-failed"
        );
    }
    assert_eq!(nurse.client.post(&path, breaking(PASSWORD)).await.expect(401).code(), "unauthenticated");
    nurse.reads(&clinic, &patient).await.expect(401);
    stack.client().log_in(Some(&clinic.slug), &nurse.username, PASSWORD).await.expect(401);
    assert_eq!(stack.count_events(&clinic.id, "StaffLocked").await, 1);
    assert_eq!(stack.count_events(&clinic.id, "EmergencyAccessGranted").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_for_who_treats_and_for_patients_of_the_clinic() {
    let stack = Stack::start().await;
    let (ours, theirs) = (TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await);
    let patient = restricted(&ours, "Asha").await;
    let nurse = member(&theirs, "meera", "nurse").await;
    nurse.break_glass(&ours, &patient).await.expect(404);
    nurse.break_glass(&theirs, &patient).await.expect(404);
    nurse.reads(&ours, &patient).await.expect(404);
    for role in ["receptionist", "billing", "lab_technician", "pharmacist", "auditor"] {
        let somebody = member(&ours, role, role).await;
        let refused = somebody.break_glass(&ours, &patient).await.expect(403);
        assert_eq!(refused.text_of("capability"), "break_glass", "{role}");
    }
    let ours_too = member(&ours, "ravi", "nurse").await;
    let path = ours.path(&format!("/patients/{patient}/break-glass"));
    for (change, status) in [
        (json!({"hours": 5}), 422),
        (json!({"hours": 0}), 422),
        (json!({"text": "urgent"}), 422),
        (json!({"reason": "curiosity"}), 400),
        (json!({"patient_id": patient}), 400),
    ] {
        let mut body = breaking(PASSWORD);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = ours_too.client.post(&path, body).await;
        assert!([400, status].contains(&answer.status.as_u16()), "{change}: {}", answer.text);
    }
    assert_eq!(stack.count_events(&ours.id, "EmergencyAccessGranted").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_a_review_until_somebody_else_has_done_it() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = restricted(&clinic, "Asha").await;
    let nurse = member(&clinic, "meera", "nurse").await;
    let auditor = member(&clinic, "anand", "auditor").await;
    let old = given_access(&stack, &clinic, &nurse, &patient, TimeDelta::hours(-2)).await;
    let broken = nurse.break_glass(&clinic, &patient).await.expect(201);
    let access = broken.id();
    let listed = async |status: &str, at: i64| {
        let path = clinic.path(&format!("/emergency-accesses?status={status}"));
        let answer = auditor.client.with("casebook-min-position", at).get(&path).await.expect(200).json();
        answer["items"].as_array().unwrap().clone()
    };
    let ids = |items: &[Value]| items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();

    let open = listed("open", broken.position()).await;
    assert_eq!(ids(&open), std::slice::from_ref(&access));
    assert_eq!(open[0]["username"], "meera");
    assert_eq!((open[0]["text"].as_str(), open[0]["proof"].as_str()), (Some(TEXT), Some("password")));
    assert!(open[0]["patient_number"].as_str().unwrap().starts_with("PT-"));
    assert_eq!(ids(&listed("overdue", broken.position()).await), std::slice::from_ref(&old));
    assert_eq!(auditor.reviews(&clinic, &nurse, &access).await.expect(422).code(), "emergency-access-open");

    let ended = nurse.ends(&clinic, &nurse, &access).await.expect(200);
    assert_eq!(ids(&listed("due", ended.position()).await), std::slice::from_ref(&access));
    let dashboard = clinic.get_at(ended.position(), "/dashboard").await.expect(200).json();
    assert_eq!(dashboard["emergency_accesses"], json!({"open": 0, "due": 1, "overdue": 1}));
    let doctor = member(&clinic, "vikram", "nurse").await;
    assert_eq!(doctor.reviews(&clinic, &nurse, &access).await.expect(403).text_of("capability"), "audit");

    // Not even by an administrator who broke it.
    let grant = format!("/staff/{}/grant-role", nurse.id);
    clinic.post(&grant, json!({"role": "clinic_admin"})).await.expect(200);
    let tokens = stack.client().log_in(Some(&clinic.slug), &nurse.username, PASSWORD).await.expect(200);
    let nurse = Member { client: stack.client().with_token(tokens.text_of("access_token")), ..nurse };
    assert_eq!(nurse.reviews(&clinic, &nurse, &access).await.expect(403).code(), "own-emergency-access");

    auditor.reviews(&clinic, &nurse, &old).await.expect(200);
    let reviewed = auditor.reviews(&clinic, &nurse, &access).await.expect(200);
    assert_eq!(auditor.reviews(&clinic, &nurse, &access).await.expect(409).code(), "already-reviewed");
    for status in ["open", "due", "overdue"] {
        assert_eq!(listed(status, reviewed.position()).await, Vec::<Value>::new(), "{status}");
    }
    let done = listed("reviewed", reviewed.position()).await;
    assert_eq!(ids(&done), [access, old]);
    assert_eq!(
        (done[0]["review"]["verdict"].as_str(), done[0]["review"]["reviewer"].as_str()),
        (Some("justified"), Some("anand"))
    );
    let dashboard = clinic.get_at(reviewed.position(), "/dashboard").await.expect(200).json();
    assert_eq!(dashboard["emergency_accesses"], json!({"open": 0, "due": 0, "overdue": 0}));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_treats_sees_their_own_accesses_and_nobody_else_any() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = restricted(&clinic, "Asha").await;
    let (nurse, colleague) = (member(&clinic, "meera", "nurse").await, member(&clinic, "ravi", "nurse").await);
    let broken = nurse.break_glass(&clinic, &patient).await.expect(201);
    let below = format!("/emergency-accesses/{}", broken.id());
    clinic.get_at(broken.position(), &below).await.expect(200);
    nurse.get(&clinic, &below).await.expect(200);
    colleague.get(&clinic, &below).await.expect(404);
    let listed = colleague.get(&clinic, "/emergency-accesses").await.expect(200);
    assert_eq!(listed.json()["items"], json!([]));
    let desk = member(&clinic, "desk", "receptionist").await;
    desk.get(&clinic, "/emergency-accesses").await.expect(403);
    let seen = nurse.get(&clinic, "/dashboard").await;
    assert!(seen.json()["emergency_accesses"].is_null(), "{}", seen.text);
}

/// A grant of an auditor's, as an administrator gives it.
async fn grant(clinic: &TestClinic, auditor: &Member, scope: &str, from: &str, expires: DateTime<Utc>) -> String {
    let body = json!({
        "auditor_id": auditor.id, "scope": [scope], "from": from, "to": "2999-12-31", "expires": expires
    });
    clinic.post("/auditor-grants", body).await.expect(201).id()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_looks_back_as_far_as_a_grant_reaches() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = clinic.patient("Asha").await;
    let (auditor, other) = (member(&clinic, "anand", "auditor").await, member(&clinic, "leela", "auditor").await);
    let position = clinic.post("/patients", json!({"first_name": "Vikram"})).await.expect(201).position();
    clinic.get_at(position, &format!("/patients/{patient}")).await.expect(200);
    let back = format!("/patients/{patient}?as_of={position}");
    let soon = Utc::now() + TimeDelta::days(7);

    auditor.get(&clinic, &back).await.expect(403);
    grant(&clinic, &auditor, "export", "2020-01-01", soon).await;
    auditor.get(&clinic, &back).await.expect(403);
    let later = grant(&clinic, &auditor, "replay", "2998-01-01", soon).await;
    auditor.get(&clinic, &back).await.expect(403);
    let good = grant(&clinic, &auditor, "replay", "2020-01-01", soon).await;
    auditor.get(&clinic, &back).await.expect(200);
    auditor.get(&clinic, &format!("/patients/{patient}/history?as_of={position}")).await.expect(200);
    other.get(&clinic, &back).await.expect(403);

    let listed = auditor.get(&clinic, "/auditor-grants").await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    assert_eq!((&listed["items"][1]["id"], &listed["items"][0]["id"]), (&json!(later), &json!(good)));
    clinic.post("/auditor-grants/revoke", json!({"auditor_grant_id": good})).await.expect(200);
    auditor.get(&clinic, &back).await.expect(403);
    assert_eq!(clinic.get("/auditor-grants").await.expect(200).json()["items"].as_array().unwrap().len(), 2);

    grant(&clinic, &auditor, "replay", "2020-01-01", Utc::now() + TimeDelta::seconds(4)).await;
    auditor.get(&clinic, &back).await.expect(200);
    until(403, async || auditor.get(&clinic, &back).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_grants_and_only_to_auditors() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (auditor, nurse) = (member(&clinic, "anand", "auditor").await, member(&clinic, "meera", "nurse").await);
    let body = |auditor: &str| json!({"auditor_id": auditor, "scope": ["replay"], "from": "2020-01-01", "to": "2999-12-31", "expires": Utc::now() + TimeDelta::days(1)});
    let path = clinic.path("/auditor-grants");
    auditor.client.post(&path, body(&auditor.id)).await.expect(403);
    nurse.client.post(&path, body(&auditor.id)).await.expect(403);
    assert_eq!(clinic.post("/auditor-grants", body(&nurse.id)).await.expect(422).code(), "not-an-auditor");
    clinic.post("/auditor-grants", body("018f0000-0000-7000-8000-00000000ffff")).await.expect(404);
    nurse.client.get(&path).await.expect(403);
}
