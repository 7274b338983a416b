//! NATS is disposable, a projector may die at any moment, and nobody notices a rebuild.

use serde_json::json;
use tests::{Load, Stack, TestClinic};
use tokio::process::{Child, Command};

#[tokio::test(flavor = "multi_thread")]
async fn nats_is_stopped_wiped_and_started_again_under_load() {
    let mut stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    clinic.without_limits(&stack.platform().await).await;
    let load = Load::on(&clinic).await;
    load.more(100).await;
    for _ in 0..2 {
        stack.nats.wipe().await.unwrap();
        load.more(150).await;
        stack.nats.restart().await.unwrap();
        load.more(100).await;
    }
    let given = load.end().await;
    assert_eq!(stack.count_events(&clinic.id, "PatientRegistered").await as usize, given / 2);
    stack.read_models_equal_the_log().await;
    stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_under_load_is_seen_by_nobody() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    clinic.without_limits(&stack.platform().await).await;
    let known = clinic.patient("Asha").await;
    let load = Load::on(&clinic).await;
    load.more(200).await;
    let (reads, history) = (watch(&clinic, &known), stack.history());
    for _ in 0..3 {
        for name in ["patient", "appointment", "patient_stats"] {
            projector::rebuild(&history, name, None, &mut |_| {}).await.unwrap();
        }
    }
    assert!(reads.end().await > 50, "too few reads to say anything");
    load.end().await;
    stack.read_models_equal_the_log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_restarted_under_load_and_nothing_that_was_answered_is_lost() {
    let mut stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    clinic.without_limits(&stack.platform().await).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let desks = (0..4).map(|desk| tokio::spawn(register_until(clinic.clone(), desk, stopped.clone())));
    let desks: Vec<_> = desks.collect();
    stack.postgres.restart().await.unwrap();
    let since = std::time::Instant::now();
    while clinic.post("/patients", json!({"first_name": "Asha"})).await.status != 201 {
        assert!(since.elapsed().as_secs() < 30, "commands are refused for ever");
    }
    stop.send_replace(true);
    let mut registered = 1;
    for desk in desks {
        registered += desk.await.expect("every command is answered 201 or 503");
    }
    assert!(stack.count_events(&clinic.id, "PatientRegistered").await >= registered);
    stack.read_models_equal_the_log().await;
    stack.verify_chains().await;
}

/// How many were answered 201; the others must be 503, with a word on when to come again.
async fn register_until(clinic: TestClinic, desk: usize, mut stopped: tokio::sync::watch::Receiver<bool>) -> i64 {
    let (mut registered, mut n) = (0, 0);
    while !*stopped.borrow_and_update() {
        n += 1;
        let answer = clinic.post("/patients", json!({"first_name": format!("Patient {desk}-{n}")})).await;
        match answer.status.as_u16() {
            201 => registered += 1,
            503 => assert!(!answer.header("retry-after").is_empty(), "{}", answer.text),
            _ => panic!("answered: {}", answer.text),
        }
    }
    registered
}

/// Twenty times, each at another moment of its work.
#[tokio::test(flavor = "multi_thread")]
async fn the_projector_is_killed_again_and_again_under_load() {
    const KILLS: usize = 20;
    let stack = Stack::start_without_projector().await;
    let clinic = TestClinic::register(&stack.client()).await;
    clinic.without_limits(&stack.platform().await).await;
    let load = Load::on(&clinic).await;
    for n in 0..KILLS {
        let mut projector = projector(&stack);
        let before = stack.projected().await;
        load.more(10 + 3 * n).await;
        stack.projected_beyond(before).await;
        projector.kill().await.expect("it was killed");
    }
    load.end().await;
    let _projector = projector(&stack);
    stack.read_models_equal_the_log().await;
    stack.verify_chains().await;
}

/// A process of its own, which ends with the test at the latest.
fn projector(stack: &Stack) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_projector"));
    command.args([stack.postgres.url(), stack.nats.url()]).kill_on_drop(true).spawn().expect("a projector starts")
}

/// Reads a patient and the list again and again: each answer must be whole.
fn watch(clinic: &TestClinic, patient: &str) -> Watch {
    let (clinic, path) = (clinic.clone(), format!("/patients/{patient}"));
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let reads = tokio::spawn(async move {
        let (mut reads, mut seen) = (0, 0);
        while !*stopped.borrow_and_update() {
            assert_eq!(clinic.get(&path).await.expect(200).text_of("first_name"), "Asha");
            let total = clinic.get("/patients/stats").await.expect(200).json()["total"].as_i64().unwrap_or_default();
            assert!(total >= seen, "statistics went back from {seen} to {total}");
            (seen, reads) = (total, reads + 2);
        }
        reads
    });
    Watch { stop, reads }
}

struct Watch {
    stop: tokio::sync::watch::Sender<bool>,
    reads: tokio::task::JoinHandle<usize>,
}

impl Watch {
    /// How many reads there were; fails if one of them did.
    async fn end(self) -> usize {
        self.stop.send_replace(true);
        self.reads.await.expect("every read is answered")
    }
}
