//! What has become of scheduled work, for people to look at. Nothing is decided by it: what is due is in the read
//! models, and whether it is done is in the log.

use chrono::{DateTime, Utc};
use sqlx::{PgPool, Row, postgres::PgRow};

/// One look after what is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Items for which something was recorded.
    pub done: i64,
    /// Items for which the rules found that nothing is to be recorded.
    pub refused: i64,
    /// Items that could not be decided, or one for a look that could not be had.
    pub failed: i64,
    /// Items that are due and not done.
    pub waiting: i64,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    pub job: String,
    pub looked_at: DateTime<Utc>,
    /// When it last went through without a failure.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// Since ever: `done`, `refused` and `failed`; `waiting` when it last looked.
    pub total: Look,
}

/// Adds a look of a job. The pool's role is the projector's, as in [`jobs`].
pub async fn note(pool: &PgPool, job: &str, look: &Look) -> sqlx::Result<()> {
    let Look { done, refused, failed, waiting } = *look;
    sqlx::query(
        "INSERT INTO log.schedule AS s VALUES ($1, now(), CASE WHEN $4 = 0 THEN now() END, $2, $3, $4, $5)
         ON CONFLICT (job) DO UPDATE SET
             looked_at = excluded.looked_at, succeeded_at = coalesce(excluded.succeeded_at, s.succeeded_at),
             done = s.done + excluded.done, refused = s.refused + excluded.refused,
             failed = s.failed + excluded.failed, waiting = excluded.waiting",
    )
    .bind(job)
    .bind(done)
    .bind(refused)
    .bind(failed)
    .bind(waiting)
    .execute(pool)
    .await
    .map(|_| ())
}

/// All jobs that were ever looked after, by name.
pub async fn jobs(pool: &PgPool) -> sqlx::Result<Vec<JobState>> {
    let rows = sqlx::query("SELECT * FROM log.schedule ORDER BY job").fetch_all(pool).await?;
    rows.iter().map(job).collect()
}

fn job(row: &PgRow) -> sqlx::Result<JobState> {
    Ok(JobState {
        job: row.try_get("job")?,
        looked_at: row.try_get("looked_at")?,
        succeeded_at: row.try_get("succeeded_at")?,
        total: Look {
            done: row.try_get("done")?,
            refused: row.try_get("refused")?,
            failed: row.try_get("failed")?,
            waiting: row.try_get("waiting")?,
        },
    })
}
