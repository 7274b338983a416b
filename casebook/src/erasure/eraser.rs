//! Carries out what an erasure's event has begun: list it, destroy the key, wait until nobody holds it opened, make
//! the read models again and take the attachments away. Every step can be done twice, so whoever dies on the way is followed by the next.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use ::attachments::Attachments;
use anyhow::{Context, Result};
use event_store::{Erasure, ErasureStep, Store};
use projector::History;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::ErasureList;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One in each process that carries events into the read models; they may all look at the same erasure.
pub struct Eraser {
    store: Store,
    history: History,
    list: ErasureList,
    attachments: Attachments,
}

impl Eraser {
    /// `history` opens with keys that nobody else of this process has opened.
    pub fn new(store: Store, history: History, list: ErasureList, attachments: Attachments) -> Self {
        Self { store, history, list, attachments }
    }

    /// Until it is told to stop.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Infallible> {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = tick.tick() => {}
            }
            if let Err(error) = self.advance().await {
                tracing::warn!(error = format!("{error:#}"), "erasures cannot be carried out now");
            }
        }
    }

    /// Takes each erasure as far as it can be taken now. Those that are not finished then.
    pub async fn advance(&self) -> Result<Vec<Erasure>> {
        let mut waiting = Vec::new();
        loop {
            let unfinished = self.store.unfinished_erasures().await?;
            waiting.clear();
            waiting.extend(unfinished.iter().copied().filter(|erasure| erasure.next == ErasureStep::Wait));
            let ready: Vec<_> = unfinished.iter().filter(|erasure| erasure.next != ErasureStep::Wait).collect();
            if ready.is_empty() {
                return Ok(waiting);
            }
            // One purge is enough for all of a clinic who could be purged when it began.
            let mut purged = BTreeSet::new();
            for erasure in ready {
                let erased = erasure.erased;
                match erasure.next == ErasureStep::Purge && !purged.insert(erased.clinic) {
                    true => {
                        self.attachments.erase(erased).await?;
                        self.store.erasure_is_finished(erased).await?;
                    }
                    false => self.step(erasure).await.with_context(|| format!("erasing {erased:?}"))?,
                }
            }
        }
    }

    /// Does what is next.
    pub async fn step(&self, erasure: &Erasure) -> Result<()> {
        let Erasure { erased, begun_at, next } = *erasure;
        match next {
            // Before the key goes: what is destroyed is always on the list.
            ErasureStep::List => {
                self.list.add(erased, begun_at)?;
                self.store.erasure_is_listed(erased).await?;
            }
            ErasureStep::DestroyKey => self.store.destroy_key(erased).await?,
            ErasureStep::Wait => {}
            ErasureStep::Purge => {
                self.attachments.erase(erased).await?;
                projector::purge(&self.history, erased.clinic).await?;
                self.store.erasure_is_finished(erased).await?;
                tracing::info!(clinic = %erased.clinic, "an erasure is finished");
            }
        }
        Ok(())
    }
}
