//! Clinics of one feed that are further behind than the tails reach: read in pages, one page ahead.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use events::{ClinicId, Position};
use tokio::{task::JoinHandle, time::sleep};

use super::{
    Checkpoint, FeedEvent,
    ingest::Shared,
    queue::Queue,
    want::{PAGE_EVENTS_MAX, Want},
};
use crate::{Span, outage::Outage};

/// Pages that are read, or being read, and not yet handed out.
const PAGES_AHEAD_MAX: usize = 2;
const RETRY_EVERY: Duration = Duration::from_millis(500);

type Page = Vec<Arc<FeedEvent>>;

#[derive(Default)]
pub(super) struct CatchUp {
    /// Clinics of which more is to be read.
    behind: Queue,
    /// How far each clinic has been read.
    read: HashMap<ClinicId, Checkpoint>,
    pages: VecDeque<VecDeque<Arc<FeedEvent>>>,
    reading: Option<Reading>,
}

struct Reading {
    wants: Vec<Want>,
    page: JoinHandle<Page>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.page.abort();
    }
}

/// A clinic whose page did not go on from its checkpoint, or not to its end: ask whether the log still holds
/// the checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    pub(super) clinic: ClinicId,
    /// The event that does not hang together with its predecessor; `None` when nothing was there.
    pub(super) at: Option<Position>,
}

impl CatchUp {
    pub(super) fn add(&mut self, clinic: ClinicId, from: Checkpoint) {
        self.read.insert(clinic, from);
        self.behind.push(clinic);
    }

    /// What was read of the clinic is not for handing out any more.
    pub(super) fn remove(&mut self, clinic: ClinicId) {
        self.behind.remove(clinic);
        self.read.remove(&clinic);
        self.pages.iter_mut().for_each(|page| page.retain(|event| event.clinic != clinic));
    }

    /// Whether all that was read of the clinic was handed out, and no more is being read.
    pub(super) fn is_done(&self, clinic: ClinicId, handed_out: Checkpoint) -> bool {
        let reading = self.reading.iter().any(|reading| reading.wants.iter().any(|want| want.clinic == clinic));
        !reading && !self.behind.contains(clinic) && self.read.get(&clinic) == Some(&handed_out)
    }

    /// Begins the next page, if there is something to read and room for it.
    pub(super) fn read_ahead(&mut self, shared: &Arc<Shared>) {
        let ahead = self.pages.len() + usize::from(self.reading.is_some());
        if self.reading.is_some() || ahead >= PAGES_AHEAD_MAX || self.behind.len() == 0 {
            return;
        }
        let wants = self.next_wants(shared);
        let page = tokio::spawn(read(shared.clone(), wants.clone()));
        self.reading = Some(Reading { wants, page });
    }

    fn next_wants(&mut self, shared: &Shared) -> Vec<Want> {
        let mut wants = Vec::new();
        let mut room = PAGE_EVENTS_MAX as Position;
        while room > 0
            && let Some(clinic) = self.behind.pop()
        {
            let Some(after) = self.read.get(&clinic).copied() else { continue };
            // At least one, so that a head that went back is found out.
            let upto = shared.clinics().newest(clinic).min(after.position + room).max(after.position + 1);
            room -= upto - after.position;
            wants.push(Want { clinic, after, upto });
        }
        wants
    }

    /// Whether a page has come that [`page`](Self::page) gives without waiting.
    pub(super) fn has_come(&self) -> bool {
        self.reading.as_ref().is_some_and(|reading| reading.page.is_finished())
    }

    /// The page that is being read; waits for ever when none is. May be dropped while it waits.
    pub(super) async fn page(&mut self) -> Page {
        match &mut self.reading {
            // A reading that panicked found nothing: its clinics are asked about again.
            Some(reading) => (&mut reading.page).await.unwrap_or_default(),
            None => std::future::pending().await,
        }
    }

    /// Takes the page that has come.
    pub(super) fn receive(&mut self, page: Page, shared: &Shared) -> Vec<Doubt> {
        let wants = self.reading.take().map(|reading| reading.wants.clone()).unwrap_or_default();
        let mut rest = page.as_slice();
        let mut good = VecDeque::with_capacity(page.len());
        let mut doubts = Vec::new();
        for want in wants {
            let count = rest.iter().take_while(|event| event.clinic == want.clinic).count();
            let (events, others) = rest.split_at(count);
            rest = others;
            // Put back to another place, or stopped, meanwhile.
            if self.read.get(&want.clinic) != Some(&want.after) {
                continue;
            }
            let (chained, odd) = events.split_at(chained(want.after, events));
            good.extend(chained.iter().cloned());
            let is_odd = events.is_empty() || !odd.is_empty();
            doubts.extend(is_odd.then(|| Doubt { clinic: want.clinic, at: odd.first().map(|event| event.position) }));
            self.go_on(&want, chained, is_odd, shared);
        }
        if !good.is_empty() {
            self.pages.push_back(good);
        }
        doubts
    }

    fn go_on(&mut self, want: &Want, events: &[Arc<FeedEvent>], is_odd: bool, shared: &Shared) {
        let Some(last) = events.last() else { return };
        self.read.insert(want.clinic, last.checkpoint());
        if !is_odd && last.position < shared.clinics().newest(want.clinic) {
            self.behind.push(want.clinic);
        }
    }

    pub(super) fn has_page(&self) -> bool {
        !self.pages.is_empty()
    }

    /// At most `max` events of the oldest page, clinic by clinic.
    pub(super) fn hand_out(&mut self, max: usize) -> Vec<Arc<FeedEvent>> {
        let Some(page) = self.pages.front_mut() else { return Vec::new() };
        let events = page.drain(..max.min(page.len())).collect();
        if page.is_empty() {
            self.pages.pop_front();
        }
        events
    }
}

/// How many of the events hang together behind the checkpoint.
fn chained(after: Checkpoint, events: &[Arc<FeedEvent>]) -> usize {
    let mut last = after;
    let hangs = |event: &&Arc<FeedEvent>| event.follows(std::mem::replace(&mut last, event.checkpoint()));
    events.iter().take_while(hangs).count()
}

/// Reads until it succeeds: what a follower lacks is nowhere else.
async fn read(shared: Arc<Shared>, wants: Vec<Want>) -> Page {
    let outage = Outage::new("reading the log to catch up");
    loop {
        match shared.source.page(wants.iter().map(Span::from)).await {
            Ok(page) => {
                outage.works();
                return page;
            }
            Err(error) => outage.lasts(&error),
        }
        sleep(RETRY_EVERY).await;
    }
}
