//! Sends what waits in the outbox. Any process may, and several at once: a mail is taken by one of them for a while.
//! Whoever dies between sending a mail and saying so leaves it to be sent again, as the same mail.

use std::{convert::Infallible, time::Duration};

use anyhow::{Context, Result};
use command_api::execute::Executor;
use event_store::{Store, TakenMail};
use futures::{StreamExt, stream};
use rand::Rng;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{
    config::Outgoing,
    failed, reminder,
    writing::{Unwritten, is_not_needed, write},
};

const LOOK_EVERY: Duration = Duration::from_secs(1);
const TIDY_EVERY: Duration = Duration::from_secs(30);
/// Mails that are taken at once, and that are under way at once.
const TAKEN_MAX: i64 = 16;
const UNDER_WAY_MAX: usize = 4;
/// A mail that was taken and not settled for so long is taken again: longer than all that were taken with it can take
/// (`mail`'s own timeout of a minute each).
const LEASE: Duration = Duration::from_secs(300);
const _: () = assert!(TAKEN_MAX as u64 / UNDER_WAY_MAX as u64 * 60 < LEASE.as_secs());
/// Between two tries, doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LAST_PAUSE: Duration = Duration::from_secs(3_600);

#[derive(Clone)]
pub struct Mailer {
    executor: Executor,
    outgoing: Outgoing,
}

/// Why a mail did not leave.
enum Unsent {
    ForNow(&'static str),
    ForGood(&'static str),
}

impl Mailer {
    pub fn new(executor: Executor, outgoing: Outgoing) -> Self {
        Self { executor, outgoing }
    }

    /// Until it is told to stop.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Infallible> {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tidied: Option<Instant> = None;
        let mut works = true;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = tick.tick() => {}
            }
            let mut looked = self.send_due().await.map(drop);
            if looked.is_ok() && tidied.is_none_or(|at| at.elapsed() >= TIDY_EVERY) {
                looked = self.tidy().await;
                tidied = Some(Instant::now());
            }
            // Said once for each outage.
            if let (Err(error), true) = (&looked, works) {
                tracing::warn!(error = format!("{error:#}"), "the outbox cannot be worked on now");
            }
            works = looked.is_ok();
        }
    }

    /// Sends all that is due. How many were tried.
    pub async fn send_due(&self) -> Result<usize> {
        let mut tried = 0;
        loop {
            let taken = self.store().take_mails(TAKEN_MAX, LEASE).await.context("taking mails out of the outbox")?;
            if taken.is_empty() {
                return Ok(tried);
            }
            tried += taken.len();
            let each = taken.into_iter().map(|mail| async move { self.deliver(&mail).await });
            let delivered = stream::iter(each).buffer_unordered(UNDER_WAY_MAX);
            let outcomes: Vec<Result<()>> = delivered.collect().await;
            outcomes.into_iter().collect::<Result<()>>()?;
        }
    }

    /// Takes away what is worth nothing any more, and what nobody has to remember.
    pub async fn tidy(&self) -> Result<()> {
        for mail in self.store().tidy_mails().await? {
            self.outgoing.post.forget(mail.id).await.context("taking a mail away")?;
            self.store().forget_mail(mail).await?;
        }
        let standing = self.store().mails_standing().await?;
        let waiting: i64 = standing.iter().map(|one| one.waiting).sum();
        let given_up: i64 = standing.iter().map(failed).sum();
        metrics::gauge!("casebook_mails_waiting").set(waiting as f64);
        metrics::gauge!("casebook_mails_given_up").set(given_up as f64);
        Ok(())
    }

    async fn deliver(&self, mail: &TakenMail) -> Result<()> {
        let outcome = match self.send(mail).await {
            Ok(()) => {
                // Recorded first: what is marked is not looked at again.
                reminder::was_sent(&self.executor, mail).await?;
                self.store().mail_is_sent(mail).await?;
                "sent"
            }
            Err(Unsent::ForNow(code)) => {
                tracing::warn!(mail = %mail.id, kind = mail.kind.as_str(), code, "a mail waits for another try");
                self.store().put_mail_off(mail, code, pause(mail.attempts)).await?;
                "put_off"
            }
            Err(Unsent::ForGood(code)) => {
                reminder::was_given_up(&self.executor, mail, code).await?;
                self.store().give_mail_up(mail, code).await?;
                if is_not_needed(code) {
                    "not_needed"
                } else {
                    tracing::warn!(mail = %mail.id, kind = mail.kind.as_str(), code, "a mail is given up");
                    "given_up"
                }
            }
        };
        metrics::counter!("casebook_mails_total", "kind" => mail.kind.as_str(), "outcome" => outcome).increment(1);
        Ok(())
    }

    async fn send(&self, mail: &TakenMail) -> Result<(), Unsent> {
        let letter = match write(&self.executor, &self.outgoing.sender, mail).await {
            Ok(letter) => letter,
            Err(Unwritten::Pointless(code)) => return Err(Unsent::ForGood(code)),
            Err(Unwritten::Failed(error)) => {
                tracing::warn!(mail = %mail.id, %error, "a mail cannot be written now");
                return Err(Unsent::ForNow("not-written"));
            }
        };
        self.outgoing.post.send(&letter).await.map_err(|undelivered| match undelivered.is_final {
            true => Unsent::ForGood(undelivered.code),
            false => Unsent::ForNow(undelivered.code),
        })
    }

    fn store(&self) -> &Store {
        self.executor.store()
    }
}

/// Longer after each try; a fifth more or less, so that what was put off together does not come back together.
fn pause(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or_default();
    let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LAST_PAUSE);
    pause.mul_f64(rand::rng().random_range(0.8..1.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_ever_later_and_never_much_later_than_an_hour() {
        for (attempts, usual) in [(1, 30), (2, 60), (4, 240), (8, 3_600), (1_000, 3_600)] {
            let pause = pause(attempts).as_secs_f64() / f64::from(usual);
            assert!((0.8..1.2).contains(&pause), "{attempts}: {pause}");
        }
    }
}
