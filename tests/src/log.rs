//! What a test asks the log and the read models behind the API's back.

use std::time::{Duration, Instant};

use events::ClinicId;
use sqlx::Row;
use uuid::Uuid;

use crate::Stack;

/// How long read models may take to catch up with a log at rest.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl Stack {
    /// Events of one type in a clinic's record.
    pub async fn count_events(&self, clinic: &str, event_type: &str) -> i64 {
        let sql = "SELECT count(*) FROM log.event WHERE clinic = $1 AND event_type = $2";
        let row = sqlx::query(sql).bind(id(clinic)).bind(event_type).fetch_one(&self.superuser).await;
        row.and_then(|row| row.try_get(0)).expect("the log is there")
    }

    /// The type of the last event in a patient's chart.
    pub async fn last_of_chart(&self, clinic: &str, patient: &str) -> String {
        let sql = "SELECT event_type FROM log.event WHERE clinic = $1 AND patient = $2 AND patient_version IS NOT NULL
             ORDER BY patient_version DESC LIMIT 1";
        let patient: Uuid = patient.parse().expect("an id");
        let row = sqlx::query(sql).bind(id(clinic)).bind(patient).fetch_one(&self.superuser).await;
        row.and_then(|row| row.try_get(0)).expect("the patient has a chart")
    }

    /// All events of a clinic, of both ledgers.
    pub async fn count_all_events(&self, clinic: &str) -> i64 {
        let sql = "SELECT count(*) FROM log.event WHERE clinic = $1";
        let row = sqlx::query(sql).bind(id(clinic)).fetch_one(&self.superuser).await;
        row.and_then(|row| row.try_get(0)).expect("the log is there")
    }

    /// Runs a statement as the superuser: what only an attacker or a test does.
    pub async fn as_superuser(&self, sql: &'static str, clinic: &str) -> u64 {
        let done = sqlx::query(sql).bind(id(clinic)).execute(&self.superuser).await;
        done.expect("the superuser may do it").rows_affected()
    }

    /// Any statements, about no clinic.
    pub async fn run_as_superuser(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.superuser).await.expect("the superuser may do it");
    }

    /// Every chain is what it was when it was written.
    pub async fn verify_chains(&self) {
        let store = self.store();
        for head in store.heads().await.expect("the log is there") {
            let verdict = store.verify(head.clinic, head.ledger).await.expect("the log can be read");
            assert!(verdict.is_intact(), "{head:?}: {verdict:?}");
        }
    }

    /// Waits until the read models have seen everything, and compares each with a fold of the log, byte for byte.
    pub async fn read_models_equal_the_log(&self) {
        self.caught_up().await;
        let history = self.history();
        for name in read_models::registry::NAMES {
            let compared = projector::compare(&history, name, None).await.expect("it can be compared");
            assert!(!compared.is_empty(), "{name} has no clinic");
            for one in compared {
                assert!(one.is_same(), "{name} of {} differs from the log", one.clinic);
            }
        }
    }

    /// Waits until no read model lacks an event.
    pub async fn caught_up(&self) {
        let pool = projector::pool(self.postgres.url().parse().expect("a URL"), 1);
        let since = Instant::now();
        loop {
            let statuses = projector::status(&pool).await.expect("the status can be read");
            let behind: i64 = statuses.iter().map(|one| one.behind).sum();
            if behind == 0 {
                return;
            }
            assert!(since.elapsed() < CATCH_UP_WITHIN, "{behind} events behind: {statuses:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn id(clinic: &str) -> Uuid {
    ClinicId(clinic.parse().expect("an id")).0
}

impl Stack {
    /// Rows of a table in which a word appears, in any column, as text or in the bytes.
    pub async fn rows_with(&self, table: &str, word: &str) -> i64 {
        let bytes = word.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        let sql = format!("SELECT count(*) FROM {table} t WHERE t::text ILIKE $1 OR t::text ILIKE $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(format!("%{word}%")).bind(format!("%{bytes}%"));
        row.fetch_one(&self.superuser).await.and_then(|row| row.try_get(0)).expect("the table is there")
    }

    /// What an erasure does to a patient's key, by hand.
    pub async fn destroy_patient_key(&self, clinic: &str, patient: &str) -> u64 {
        let sql = "UPDATE log.patient_key SET wrapped = NULL, destroyed_at = now() WHERE clinic = $1 AND patient = $2";
        let patient: Uuid = patient.parse().expect("an id");
        let done = sqlx::query(sql).bind(id(clinic)).bind(patient).execute(&self.superuser).await;
        done.expect("the superuser may do it").rows_affected()
    }
}

impl Stack {
    /// How many events all read models together have seen.
    pub async fn projected(&self) -> i64 {
        let row = sqlx::query("SELECT coalesce(sum(position), 0)::bigint FROM read.checkpoint");
        row.fetch_one(&self.superuser).await.and_then(|row| row.try_get(0)).expect("the checkpoints are there")
    }

    /// Waits until the read models have moved on.
    pub async fn projected_beyond(&self, before: i64) {
        let since = Instant::now();
        while self.projected().await <= before {
            assert!(since.elapsed() < CATCH_UP_WITHIN, "no read model moves");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
