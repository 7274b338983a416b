//! The end of a clinic: closed, kept, and then forgotten as a whole.

use std::time::{Duration, Instant};

use casebook::erasure::shred_due;
use chrono::{Datelike, TimeDelta, Utc};
use command_api::execute::Executor;
use event_store::{Append, Circumstances, NewEvent};
use events::{Actor, Client, ClinicEvent, ClinicId, Ledger, Purpose};
use serde_json::json;
use tests::{PASSWORD, Stack, TestClinic};
use uuid::Uuid;

const DONE_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What was decided so long ago that the clinic's time is over.
async fn closed_long_ago(stack: &Stack, clinic: ClinicId) {
    let about = Circumstances {
        actor: Actor::system(),
        purpose: Purpose::Hoperat,
        reason: None,
        command: "CloseClinic".into(),
        correlation_id: Uuid::now_v7(),
        causation_id: Uuid::now_v7(),
        client: Client::default(),
        occurred_at: None,
    };
    let event = ClinicEvent::ClinicClosed { retention_until: Utc::now() - TimeDelta::days(1) }.into();
    let append = Append {
        clinic,
        ledger: Ledger::Record,
        about,
        events: vec![NewEvent { stream: clinic.into(), event }],
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
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_clinic_is_read_and_kept_until_its_time_is_over() {
    let stack = Stack::start().await;
    let (clinic, platform) = (TestClinic::register(&stack.client()).await, stack.platform().await);
    let patient = clinic.patient("Asha").await;
    let by_platform = |action: &str| format!("/api/v1/clinics/{}/{action}", clinic.id);
    assert_eq!(platform.post(&by_platform("close"), json!({})).await.expect(409).code(), "clinic-works");
    platform.post(&by_platform("suspend"), json!({"reason": "gone"})).await.expect(200);
    let closed = platform.post(&by_platform("close"), json!({})).await.expect(200);
    assert_eq!(platform.post(&by_platform("resume"), json!({})).await.expect(409).code(), "clinic-closed");
    assert_eq!(clinic.post("/patients", json!({"first_name": "Meera"})).await.expect(403).code(), "clinic-closed");
    clinic.get_at(closed.position(), &format!("/patients/{patient}")).await.expect(200);
    let retention = clinic.get_at(closed.position(), "/retention").await.expect(200).json();
    let until = retention["retention_until"].as_str().expect("an instant").to_owned();
    assert!(until.starts_with(&(Utc::now().year() + 21).to_string()), "{until}");
    let executor = Executor::new(stack.store());
    let due = shred_due(&executor, &stack.store().clinics().await.expect("the log is there")).await;
    assert!(due.expect("it can be asked").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_a_clinic_go_with_its_retention() {
    let stack = Stack::start_erasing().await;
    let (ours, other) = (TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await);
    for clinic in [&ours, &other] {
        clinic.patient("Zarathustrina").await;
    }
    let clinic: ClinicId = ours.id.parse().expect("an id");
    closed_long_ago(&stack, clinic).await;
    let (executor, clinics) = (Executor::new(stack.store()), stack.store().clinics().await.expect("the log is there"));
    let hold = ours.post("/legal-holds", json!({"reason": "a case"})).await.expect(201);
    assert!(shred_due(&executor, &clinics).await.expect("it can be asked").is_empty(), "a hold is on it");
    let lift = json!({"hold_id": hold.text_of("hold_id"), "reason": "settled"});
    let path = format!("/api/v1/clinics/{}/lift-legal-hold", ours.id);
    stack.platform().await.post(&path, lift).await.expect(200);
    assert_eq!(shred_due(&executor, &clinics).await.expect("it is due"), [clinic]);
    assert!(shred_due(&executor, &clinics).await.expect("it is done").is_empty(), "once");

    let since = Instant::now();
    while !stack.store().unfinished_erasures().await.expect("the log is there").is_empty() {
        assert!(since.elapsed() < DONE_WITHIN, "it is never finished");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    assert_eq!(stack.rows_with("read.patient_1", "zarathustrina").await, 1, "the other clinic's");
    assert_eq!(stack.rows_with("read.staff_1", "Asha Rao").await, 1);
    let gone = stack.client().log_in(Some(&ours.slug), "admin", PASSWORD).await;
    assert_eq!((gone.status.as_u16(), gone.code().as_str()), (410, "erased"), "{}", gone.text);
    stack.client().log_in(Some(&other.slug), "admin", PASSWORD).await.expect(200);
    stack.read_models_equal_the_log().await;
    stack.verify_chains().await;
}
