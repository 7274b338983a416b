//! What followers read: the events of each clinic strictly in the order of their positions, from a
//! checkpoint on, by whatever way they come.
//!
//! **The position orders, not the arrival.** One [`Ingest`] in each process keeps the newest events of all
//! clinics, decoded and opened once; each projection has a [`Feed`] of its own, which is no more than a
//! checkpoint for each clinic. A feed takes from the ingest what follows its checkpoint, and reads the rest
//! from PostgreSQL, so a slow projection delays nobody. NATS makes it fast; nothing else depends on it.

mod catch_up;
mod clinics;
mod event;
mod inbox;
mod ingest;
mod messages;
mod opener;
mod queue;
mod source;
mod tail;
mod want;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use events::{ClinicId, Position};
use tokio::time::sleep;

use catch_up::{CatchUp, Doubt};
use inbox::Inbox;
use queue::Queue;
use tail::After;

pub use event::{Checkpoint, FeedEvent, Unreadable};
pub use ingest::{Ingest, LOOK_EVERY, LOOK_WITHOUT_NATS_EVERY, REORDER_WINDOW};
pub use source::{Opened, Opener, Source, SourceError};

/// How often a doubt is asked about again while PostgreSQL does not answer.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// What a follower has to act on.
#[derive(Debug)]
pub enum News {
    /// At least one event; clinic by clinic, each clinic's in order and without gaps.
    Events(Vec<Arc<FeedEvent>>),
    /// The checkpoint of this clinic is no longer in the log, which was restored to an earlier moment. The
    /// follower rebuilds the clinic and goes on with [`Feed::restart`]; until then nothing comes of it.
    Diverged(ClinicId),
    /// The clinic's log does not hang together at this position: a fault, for people to look into. Nothing
    /// more comes of the clinic until [`Feed::restart`].
    Broken(ClinicId, Position),
}

/// The events of some clinics for one follower, from its checkpoints on.
pub struct Feed {
    ingest: Ingest,
    inbox: Arc<Inbox>,
    takes: Box<dyn Fn(ClinicId) -> bool + Send + Sync>,
    places: HashMap<ClinicId, Place>,
    /// Clinics that may have something in the ingest.
    moved: Queue,
    catch_up: CatchUp,
    /// Clinics of which it is to be asked whether the log still holds their checkpoint.
    doubts: Vec<Doubt>,
    stops: VecDeque<News>,
}

/// How far a clinic was handed out, and where its next events come from.
#[derive(Clone, Copy, Debug)]
enum Place {
    Live(Checkpoint),
    CatchingUp(Checkpoint),
    Stopped,
}

impl Feed {
    /// Follows the clinics that `takes` names (also those that come later), each from its checkpoint, or
    /// from its first event where there is none. For other clinics, or other checkpoints, start another.
    pub fn start(
        ingest: &Ingest,
        takes: impl Fn(ClinicId) -> bool + Send + Sync + 'static,
        checkpoints: HashMap<ClinicId, Checkpoint>,
    ) -> Self {
        let inbox = Arc::new(Inbox::default());
        ingest.shared().inboxes.add(Arc::downgrade(&inbox));
        let mut places = checkpoints;
        places.retain(|clinic, _| takes(*clinic));
        let mut moved = Queue::default();
        let known = ingest.shared().clinics().ids();
        places.keys().copied().chain(known).for_each(|clinic| moved.push(clinic));
        Self {
            ingest: ingest.clone(),
            inbox,
            takes: Box::new(takes),
            places: places.into_iter().map(|(clinic, place)| (clinic, Place::Live(place))).collect(),
            moved,
            catch_up: CatchUp::default(),
            doubts: Vec::new(),
            stops: VecDeque::new(),
        }
    }

    /// What is there, as soon as there is something: at most `max_events` events. Does not wait to fill a
    /// batch, and may be dropped while it waits. While PostgreSQL is away it waits.
    pub async fn next(&mut self, max_events: usize) -> News {
        loop {
            self.inbox.empty_into(&mut self.moved);
            if self.ingest.shared().clinics().has_looked() {
                self.settle_doubts().await;
                self.advance_catch_up().await;
                if let Some(news) = self.ready(max_events) {
                    return news;
                }
            }
            self.wait().await;
        }
    }

    /// Goes on with the clinic from another checkpoint.
    pub fn restart(&mut self, clinic: ClinicId, checkpoint: Checkpoint) {
        self.catch_up.remove(clinic);
        self.places.insert(clinic, Place::Live(checkpoint));
        self.moved.push(clinic);
    }

    /// Hands out nothing more of the clinic until [`restart`](Self::restart): its projection is parked.
    pub fn stop(&mut self, clinic: ClinicId) {
        self.catch_up.remove(clinic);
        self.places.insert(clinic, Place::Stopped);
    }

    async fn wait(&mut self) {
        let has_doubts = !self.doubts.is_empty();
        tokio::select! {
            () = self.inbox.news() => {}
            page = self.catch_up.page() => self.receive(page),
            () = sleep(RETRY_EVERY), if has_doubts => {}
        }
    }

    async fn advance_catch_up(&mut self) {
        if self.catch_up.has_come() {
            let page = self.catch_up.page().await;
            self.receive(page);
        }
        self.catch_up.read_ahead(self.ingest.shared());
    }

    fn receive(&mut self, page: Vec<Arc<FeedEvent>>) {
        self.doubts.extend(self.catch_up.receive(page, self.ingest.shared()));
        self.catch_up.read_ahead(self.ingest.shared());
    }

    fn stop_with(&mut self, clinic: ClinicId, news: News) {
        self.stop(clinic);
        self.stops.push_back(news);
    }

    fn ready(&mut self, max: usize) -> Option<News> {
        // Neither those who are live nor those who catch up may starve the others.
        let share = if self.catch_up.has_page() { max.div_ceil(2) } else { max };
        let mut events = self.take_live(share);
        events.extend(self.take_caught_up(max - events.len()));
        if events.is_empty() { self.stops.pop_front() } else { Some(News::Events(events)) }
    }

    fn take_live(&mut self, max: usize) -> Vec<Arc<FeedEvent>> {
        let mut out = Vec::new();
        let shared = self.ingest.shared().clone();
        for _ in 0..self.moved.len() {
            let room = max - out.len();
            let Some(clinic) = (room > 0).then(|| self.moved.pop()).flatten() else { break };
            let Some(place) = self.live_place(clinic) else { continue };
            // Bound first, so that the lock is not held while the answer is used.
            let after = shared.clinics().after(clinic, place, room);
            self.take_after(clinic, place, after, room, &mut out);
        }
        out
    }

    fn take_after(
        &mut self,
        clinic: ClinicId,
        place: Checkpoint,
        after: After,
        room: usize,
        out: &mut Vec<Arc<FeedEvent>>,
    ) {
        match after {
            After::Events(events) => {
                if let Some(last) = events.last() {
                    self.places.insert(clinic, Place::Live(last.checkpoint()));
                }
                if events.len() == room {
                    self.moved.push(clinic);
                }
                out.extend(events);
            }
            After::Elsewhere => {
                self.places.insert(clinic, Place::CatchingUp(place));
                self.catch_up.add(clinic, place);
            }
            After::Doubtful => self.doubts.push(Doubt { clinic, at: None }),
        }
    }

    /// Where the clinic stands, if its next events are to come from the ingest.
    fn live_place(&self, clinic: ClinicId) -> Option<Checkpoint> {
        match self.places.get(&clinic) {
            Some(Place::Live(place)) => Some(*place),
            Some(Place::CatchingUp(_) | Place::Stopped) => None,
            None => (self.takes)(clinic).then_some(Checkpoint::START),
        }
    }

    fn take_caught_up(&mut self, max: usize) -> Vec<Arc<FeedEvent>> {
        let events = self.catch_up.hand_out(max);
        for event in &events {
            self.places.insert(event.clinic, Place::CatchingUp(event.checkpoint()));
        }
        for ended in events.chunk_by(|one, next| one.clinic == next.clinic).filter_map(<[_]>::last) {
            self.end_catch_up(ended.clinic, ended.checkpoint());
        }
        events
    }

    fn end_catch_up(&mut self, clinic: ClinicId, place: Checkpoint) {
        if self.catch_up.is_done(clinic, place) {
            self.restart(clinic, place);
        }
    }

    /// Asks the log who is right where the ingest knows another event than the checkpoint, or none.
    async fn settle_doubts(&mut self) {
        let mut doubts = self.doubts.clone();
        doubts.retain(|doubt| self.place(doubt.clinic).is_some());
        let places: Vec<_> =
            doubts.iter().filter_map(|doubt| Some((doubt.clinic, self.place(doubt.clinic)?))).collect();
        if places.is_empty() {
            return self.doubts.clear();
        }
        let Ok(held) = self.ingest.shared().source.holds(&places).await else { return };
        self.doubts.clear();
        for ((doubt, held), (clinic, place)) in doubts.iter().zip(held).zip(places) {
            match (held, doubt.at) {
                (false, _) => self.stop_with(clinic, News::Diverged(clinic)),
                (true, Some(position)) => self.stop_with(clinic, News::Broken(clinic, position)),
                (true, None) => self.end_catch_up(clinic, place),
            }
        }
    }

    fn place(&self, clinic: ClinicId) -> Option<Checkpoint> {
        match self.places.get(&clinic)? {
            Place::Live(place) | Place::CatchingUp(place) => Some(*place),
            Place::Stopped => None,
        }
    }
}
