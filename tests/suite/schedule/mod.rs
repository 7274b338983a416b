//! What falls due with time is done by one process of all, and once.

mod jobs;
mod rivals;

use std::collections::BTreeMap;

use casebook::schedule::Scheduler;
use chrono::TimeDelta;
use event_store::schedule::Look;
use serde_json::{Value, json};
use tests::{Client, Stack, TestClinic};

/// After every upload that is announced now has been waited for.
const TOMORROW: TimeDelta = TimeDelta::days(1);

/// What each job did.
async fn look(scheduler: &mut Scheduler) -> BTreeMap<&'static str, Look> {
    scheduler.look().await.into_iter().collect()
}

/// How many items of a job a look did, refused, failed and left.
async fn looked(scheduler: &mut Scheduler, job: &str) -> (i64, i64, i64, i64) {
    let Look { done, refused, failed, waiting } = look(scheduler).await[job];
    (done, refused, failed, waiting)
}

/// Documents that are announced and never come.
async fn announced(clinic: &TestClinic, count: usize) {
    let patient = clinic.patient("Asha").await;
    let body = json!({
        "patient_id": patient, "kind": "administrative", "title": "A card", "media_type": "text/plain",
        "size": 17, "sha256": "ab".repeat(32)
    });
    for _ in 0..count {
        clinic.post("/documents", body.clone()).await.expect(201);
    }
}

async fn given_up(stack: &Stack, clinic: &TestClinic) -> i64 {
    stack.count_events(&clinic.id, "DocumentUploadFailed").await
}

/// Who recorded the events of a type: the kind of actor and the command.
async fn recorded_by(stack: &Stack, clinic: &TestClinic, event_type: &str) -> Vec<(String, String)> {
    let sql = "SELECT actor_kind::text, command FROM log.event
        WHERE clinic = $1::uuid AND event_type = $2 ORDER BY position";
    let rows = sqlx::query_as(sql).bind(&clinic.id).bind(event_type).fetch_all(stack.superuser()).await;
    rows.expect("the log is there")
}

async fn status_of(who: &Client, clinic: &TestClinic, below: &str) -> Value {
    who.get(&clinic.path(below)).await.expect(200).json()["status"].clone()
}
