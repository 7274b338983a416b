//! The scheduler of a process: stands for election, and does the work while it is elected.

use std::{convert::Infallible, time::Duration};

use command_api::execute::Executor;
use event_store::{
    election::{Duty, Elected},
    schedule::{Look, note},
};
use futures::future::join_all;
use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Job, round::Round};

const STAND_EVERY: Duration = Duration::from_secs(1);
/// How often the elected process looks whether it still is.
const CONFIRM_EVERY: Duration = Duration::from_secs(1);

pub struct Scheduler {
    executor: Executor,
    /// As the projector's role: sees all clinics. One connection holds the duty while this process is elected.
    pool: PgPool,
    rounds: Vec<Round>,
    every: Duration,
}

impl Scheduler {
    /// The executor's clock is the scheduler's.
    pub fn new(executor: Executor, pool: PgPool, jobs: Vec<Box<dyn Job>>, every: Duration) -> Self {
        Self { executor, pool, rounds: jobs.into_iter().map(Round::of).collect(), every }
    }

    /// Stands for election until it is told to stop, and works while it is elected.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Infallible> {
        let mut is_cut_off = false;
        while !stop.is_cancelled() {
            match self.stand(&stop).await {
                Ok(()) => is_cut_off = false,
                Err(error) if !is_cut_off => {
                    tracing::warn!(%error, "the scheduler's connection to the log does not work");
                    is_cut_off = true;
                }
                Err(_) => {}
            }
            pause(STAND_EVERY, &stop).await;
        }
        Ok(())
    }

    async fn stand(&mut self, stop: &CancellationToken) -> sqlx::Result<()> {
        let Some(mut elected) = Duty::Schedule.stand(&self.pool).await? else { return Ok(()) };
        tracing::info!("this process does scheduled work");
        metrics::gauge!("casebook_schedule_leading").set(1.0);
        let over = stop.child_token();
        let (confirmed, ()) = tokio::join!(remain(&mut elected, &over), self.work(&over));
        metrics::gauge!("casebook_schedule_leading").set(0.0);
        confirmed?;
        elected.resign().await
    }

    async fn work(&mut self, over: &CancellationToken) {
        while !over.is_cancelled() {
            self.look_until(over).await;
            pause(self.every, over).await;
        }
    }

    /// One look after all jobs, whether this process is elected or not: several may look at once. What each job did.
    pub async fn look(&mut self) -> Vec<(&'static str, Look)> {
        self.look_until(&CancellationToken::new()).await
    }

    /// Jobs do not wait for each other.
    async fn look_until(&mut self, over: &CancellationToken) -> Vec<(&'static str, Look)> {
        let (executor, pool) = (&self.executor, &self.pool);
        let looks = self.rounds.iter_mut().map(|round| async move {
            let look = round.look(executor, over).await;
            if let Err(error) = note(pool, round.name(), &look).await {
                tracing::debug!(job = round.name(), %error, "what was done is not noted");
            }
            (round.name(), look)
        });
        join_all(looks).await
    }
}

/// Until the duty is lost, which ends the work, or the work is over.
async fn remain(elected: &mut Elected, over: &CancellationToken) -> sqlx::Result<()> {
    while !over.is_cancelled() {
        if let Err(error) = elected.confirm().await {
            over.cancel();
            return Err(error);
        }
        pause(CONFIRM_EVERY, over).await;
    }
    Ok(())
}

async fn pause(long: Duration, over: &CancellationToken) {
    tokio::select! {
        () = over.cancelled() => {}
        () = sleep(long) => {}
    }
}
