//! Several schedulers, and schedulers that end in the middle.

use std::time::{Duration, Instant};

use event_store::election::{Duty, Holder};
use sqlx::{Postgres, Transaction};
use tests::{Stack, TestClinic};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::{TOMORROW, announced, given_up, look, looked};

const WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(since.elapsed() < WITHIN, "it takes too long until {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn elected(stack: &Stack, not: Option<i32>) -> Holder {
    let holder = async || {
        let holder = Duty::Schedule.holder(stack.superuser()).await.expect("it can be asked");
        holder.filter(|holder| Some(holder.pid) != not)
    };
    until("somebody is elected", holder).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_look_at_once_do_everything_once() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    announced(&clinic, 100).await;
    stack.caught_up().await;
    let (mut one, mut other) = (stack.scheduler(TOMORROW).await, stack.scheduler(TOMORROW).await);
    let (first, second) = tokio::join!(look(&mut one), look(&mut other));
    let (first, second) = (first["uploads"], second["uploads"]);
    assert_eq!((first.done + second.done, first.failed + second.failed), (100, 0), "{first:?} {second:?}");
    assert_eq!(given_up(&stack, &clinic).await, 100);

    // A read model that lags, or was rebuilt up to an earlier position, names them all again.
    stack.caught_up().await;
    let back = "UPDATE read.document_1 SET status = 'registered' WHERE clinic_id = $1";
    assert_eq!(stack.as_superuser(back, &clinic.id).await, 100);
    let mut third = stack.scheduler(TOMORROW).await;
    assert_eq!(looked(&mut third, "uploads").await, (0, 0, 0, 100));
    // What was found again and not done waits, and is not tried in a loop.
    assert_eq!(looked(&mut third, "uploads").await, (0, 0, 0, 100));
    assert_eq!(given_up(&stack, &clinic).await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_steps_back_and_forth_does_nothing_twice_or_early() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    announced(&clinic, 3).await;
    stack.caught_up().await;
    assert_eq!(looked(&mut stack.scheduler(-TOMORROW).await, "uploads").await, (0, 0, 0, 0));
    assert_eq!(looked(&mut stack.scheduler(TOMORROW).await, "uploads").await.0, 3);
    assert_eq!(given_up(&stack, &clinic).await, 3);
    for ahead in [-TOMORROW, TOMORROW, TOMORROW * 30] {
        assert_eq!(looked(&mut stack.scheduler(ahead).await, "uploads").await.0, 0);
    }
    assert_eq!(given_up(&stack, &clinic).await, 3);
}

/// Nothing is appended for the clinic until this ends.
async fn stand_still(stack: &Stack, clinic: &TestClinic) -> Transaction<'static, Postgres> {
    let mut transaction = stack.superuser().begin().await.expect("the log is there");
    let lock = sqlx::query("SELECT FROM log.head WHERE clinic = $1::uuid FOR UPDATE").bind(&clinic.id);
    lock.execute(&mut *transaction).await.expect("the superuser may do it");
    transaction
}

/// 200 items of two clinics, of which those of the second cannot be done.
async fn in_the_middle(stack: &Stack) -> ([TestClinic; 2], Transaction<'static, Postgres>) {
    let clinics = [TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await];
    for clinic in &clinics {
        announced(clinic, 100).await;
    }
    stack.caught_up().await;
    let still = stand_still(stack, &clinics[1]).await;
    (clinics, still)
}

async fn blocked(stack: &Stack) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let waits = async || {
        let waiting: i64 = sqlx::query_scalar(sql).fetch_one(stack.superuser()).await.expect("it can be asked");
        (waiting > 0).then_some(())
    };
    until("somebody is in the middle", waits).await;
}

async fn all_done_once(stack: &Stack, clinics: &[TestClinic; 2]) {
    let left = async || {
        let done = given_up(stack, &clinics[0]).await + given_up(stack, &clinics[1]).await;
        assert!(done <= 200, "something is done twice");
        (done == 200).then_some(())
    };
    until("all is done", left).await;
    let streams = "SELECT count(DISTINCT stream_id) FROM log.event WHERE event_type = 'DocumentUploadFailed'";
    let streams: i64 = sqlx::query_scalar(streams).fetch_one(stack.superuser()).await.expect("the log is there");
    assert_eq!(streams, 200);
    stack.verify_chains().await;
}

fn process(stack: &Stack) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scheduler"));
    let ahead = TOMORROW.num_seconds().to_string();
    command.args([stack.postgres.url(), stack.nats.url(), ahead]);
    command.kill_on_drop(true).spawn().expect("a scheduler starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_in_the_middle_is_followed_by_another() {
    let stack = Stack::start().await;
    let (clinics, still) = in_the_middle(&stack).await;
    let mut first = process(&stack);
    let holder = elected(&stack, None).await;
    assert_eq!(holder.process.as_deref(), Some("casebook-test-scheduler"));
    blocked(&stack).await;
    let _second = process(&stack);
    assert_eq!(elected(&stack, None).await, holder, "one at a time");
    first.kill().await.expect("it was killed");
    elected(&stack, Some(holder.pid)).await;
    still.rollback().await.expect("the log is there");
    all_done_once(&stack, &clinics).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_connection_in_the_middle_is_followed_by_another() {
    let stack = Stack::start().await;
    let (clinics, still) = in_the_middle(&stack).await;
    let stop = CancellationToken::new();
    let first = tokio::spawn(stack.scheduler(TOMORROW).await.run(stop.clone()));
    let holder = elected(&stack, None).await;
    blocked(&stack).await;
    let second = tokio::spawn(stack.scheduler(TOMORROW).await.run(stop.clone()));
    let end = sqlx::query("SELECT pg_terminate_backend($1)").bind(holder.pid);
    end.execute(stack.superuser()).await.expect("the superuser may do it");
    elected(&stack, Some(holder.pid)).await;
    still.rollback().await.expect("the log is there");
    all_done_once(&stack, &clinics).await;
    stop.cancel();
    for ended in [first.await, second.await] {
        ended.expect("it does not panic").expect("it ends well");
    }
    assert_eq!(Duty::Schedule.holder(stack.superuser()).await.expect("it can be asked"), None);
}
