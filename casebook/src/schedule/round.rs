//! One job, as the scheduler has it: looks after what is due until nothing is left that can be done now.

use std::time::Duration;

use anyhow::{Result, anyhow};
use command_api::execute::Executor;
use event_store::schedule::Look;
use futures::{StreamExt, stream};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Item, Job, Outcome, patience::Patience};

/// Items that are asked for at once, beyond those that wait.
const FOUND_AT_ONCE: usize = 200;
/// Items of one job that are done at the same time.
const DONE_AT_ONCE: usize = 8;
/// What takes longer has failed, and keeps nobody else waiting.
const ITEM_TIMEOUT: Duration = Duration::from_secs(15);

pub struct Round {
    job: Box<dyn Job>,
    patience: Patience,
    is_failing: bool,
}

impl Round {
    pub fn of(job: Box<dyn Job>) -> Self {
        Self { job, patience: Patience::default(), is_failing: false }
    }

    pub fn name(&self) -> &'static str {
        self.job.name()
    }

    /// Everything that is due and can be done now; less once it is over.
    pub async fn look(&mut self, executor: &Executor, over: &CancellationToken) -> Look {
        let mut look = Look::default();
        let mut first_failure = None;
        loop {
            let ready = match self.ready(executor, &mut look).await {
                Ok(ready) if ready.is_empty() || over.is_cancelled() => break,
                Ok(ready) => ready,
                Err(error) => {
                    look.failed += 1;
                    first_failure.get_or_insert(error);
                    break;
                }
            };
            let failed = self.carry_out(ready, &mut look, over).await;
            first_failure = first_failure.or(failed);
        }
        self.tell(&look, first_failure);
        look
    }

    /// What is due and does not wait.
    async fn ready(&mut self, executor: &Executor, look: &mut Look) -> Result<Vec<Item>> {
        // Those that wait must not keep the others from being found.
        let limit = FOUND_AT_ONCE + self.patience.len();
        let mut found = self.job.due(executor.now(), limit as i64).await?;
        look.waiting = found.len() as i64;
        self.patience.keep_only(&found);
        let now = Instant::now();
        found.retain(|item| self.patience.is_ready(item, now));
        Ok(found)
    }

    /// The first failure, if there was one.
    async fn carry_out(
        &mut self,
        items: Vec<Item>,
        look: &mut Look,
        over: &CancellationToken,
    ) -> Option<anyhow::Error> {
        let Self { job, patience, .. } = self;
        let job = job.as_ref();
        let mut first_failure = None;
        let mut tries = stream::iter(items)
            .take_while(|_| std::future::ready(!over.is_cancelled()))
            .map(|item| async move { (item, in_time(job.carry_out(item)).await) })
            .buffer_unordered(DONE_AT_ONCE);
        while let Some((item, outcome)) = tries.next().await {
            patience.tried(item, Instant::now());
            let outcome = match outcome {
                Ok(Outcome::Done(_)) => {
                    look.done += 1;
                    "done"
                }
                Ok(Outcome::AlreadySo) => "already-so",
                Ok(Outcome::Refused(code)) => {
                    look.refused += 1;
                    tracing::debug!(job = job.name(), clinic = %item.clinic, id = %item.id, code, "not due");
                    "refused"
                }
                Err(error) => {
                    look.failed += 1;
                    first_failure.get_or_insert(error.context(format!("in clinic {}", item.clinic)));
                    "failed"
                }
            };
            metrics::counter!("casebook_schedule_items_total", "job" => job.name(), "outcome" => outcome).increment(1);
        }
        first_failure
    }

    /// A line in the process log when it begins to fail, and one when it works again.
    fn tell(&mut self, look: &Look, first_failure: Option<anyhow::Error>) {
        let job = self.job.name();
        metrics::gauge!("casebook_schedule_waiting", "job" => job).set(look.waiting as f64);
        match (first_failure, self.is_failing) {
            (Some(error), false) => {
                let failed = look.failed;
                tracing::warn!(job, failed, error = format!("{error:#}"), "scheduled work fails and is tried again");
                self.is_failing = true;
            }
            (Some(error), true) => tracing::debug!(job, error = format!("{error:#}"), "scheduled work still fails"),
            (None, was_failing) => {
                let now = chrono::Utc::now().timestamp() as f64;
                metrics::gauge!("casebook_schedule_last_success_seconds", "job" => job).set(now);
                if was_failing {
                    tracing::info!(job, "scheduled work is done again");
                }
                self.is_failing = false;
            }
        }
        if look.done > 0 {
            tracing::info!(job, done = look.done, "what had fallen due is done");
        }
    }
}

async fn in_time(outcome: impl Future<Output = Result<Outcome>>) -> Result<Outcome> {
    timeout(ITEM_TIMEOUT, outcome).await.unwrap_or_else(|_| Err(anyhow!("it takes longer than {ITEM_TIMEOUT:?}")))
}
