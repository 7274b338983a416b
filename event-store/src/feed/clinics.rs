//! What a process knows of the newest events of all clinics.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use events::{ClinicId, Position};

use super::{
    Checkpoint, FeedEvent,
    tail::{After, Tail},
    want::Want,
};

/// Decoded events kept for all followers of the process together. Who is further behind reads PostgreSQL.
const KEPT_EVENTS_MAX: usize = 8_192;
/// What is read into a tail at once. A tail that lacks more goes on from the head.
const FILLED_EVENTS_MAX: usize = 2_048;

#[derive(Default)]
pub(super) struct Clinics {
    known: HashMap<ClinicId, Known>,
    /// The clinics of the kept events, oldest first.
    kept: VecDeque<ClinicId>,
    has_looked: bool,
}

struct Known {
    tail: Tail,
    /// As it was last seen in PostgreSQL.
    head: Checkpoint,
}

impl Known {
    fn newest(&self) -> Position {
        self.head.position.max(self.tail.last_seen())
    }

    fn has_gap(&self) -> bool {
        self.newest() > self.tail.last().position
    }

    /// Whether the log went back to an earlier moment: what is committed stays at or before its head.
    fn was_rewound(&self) -> bool {
        let last = self.tail.last();
        self.head.position < last.position || (self.head.position == last.position && self.head != last)
    }
}

impl Clinics {
    /// Compares with the heads of the log, which were read after everything that was taken here was
    /// committed. The clinics that followers have to look at.
    pub(super) fn compare(&mut self, heads: &[(ClinicId, Checkpoint)]) -> Vec<ClinicId> {
        let first = !std::mem::replace(&mut self.has_looked, true);
        let moved = heads.iter().filter(|(clinic, head)| self.compare_one(*clinic, *head, first));
        let mut moved: Vec<ClinicId> = moved.map(|(clinic, _)| *clinic).collect();
        if self.known.len() > heads.len() {
            moved.extend(self.forget_missing(heads));
        }
        moved
    }

    fn compare_one(&mut self, clinic: ClinicId, head: Checkpoint, first: bool) -> bool {
        let base = if first { head } else { Checkpoint::START };
        let known = self.known.entry(clinic).or_insert_with(|| Known { tail: Tail::new(base), head });
        known.head = head;
        let too_far = head.position - known.tail.last().position > FILLED_EVENTS_MAX as Position;
        let starts_anew = too_far || known.was_rewound();
        if starts_anew {
            known.tail = Tail::new(head);
        }
        first || starts_anew
    }

    /// Clinics that are no longer in the log, because it went back to before their first event.
    fn forget_missing(&mut self, heads: &[(ClinicId, Checkpoint)]) -> Vec<ClinicId> {
        let there: HashSet<ClinicId> = heads.iter().map(|(clinic, _)| *clinic).collect();
        let gone: Vec<ClinicId> = self.known.keys().filter(|clinic| !there.contains(clinic)).copied().collect();
        gone.iter().for_each(|clinic| drop(self.known.remove(clinic)));
        gone
    }

    /// Takes events by whatever way they came. The clinics whose tails have grown.
    pub(super) fn take(&mut self, events: impl IntoIterator<Item = Arc<FeedEvent>>) -> Vec<ClinicId> {
        let mut grown = Vec::new();
        for event in events {
            let clinic = event.clinic;
            let start = || Known { tail: Tail::new(Checkpoint::START), head: Checkpoint::START };
            let count = self.known.entry(clinic).or_insert_with(start).tail.take(event);
            if count > 0 && grown.last() != Some(&clinic) {
                grown.push(clinic);
            }
            self.keep(clinic, count);
        }
        grown
    }

    fn keep(&mut self, clinic: ClinicId, count: usize) {
        self.kept.extend(std::iter::repeat_n(clinic, count));
        while self.kept.len() > KEPT_EVENTS_MAX {
            let oldest = self.kept.pop_front().and_then(|clinic| self.known.get_mut(&clinic));
            oldest.into_iter().for_each(|known| known.tail.shorten());
        }
    }

    /// Goes on from the clinic's head: what lies before is for those who need it to read.
    pub(super) fn rebase(&mut self, clinic: ClinicId) {
        if let Some(known) = self.known.get_mut(&clinic) {
            known.tail = Tail::new(known.head);
        }
    }

    /// Forgets what waits for predecessors that the log does not have.
    pub(super) fn drop_early(&mut self, clinic: ClinicId) {
        if let Some(known) = self.known.get_mut(&clinic) {
            known.tail.drop_early();
        }
    }

    /// Clinics of which something is known to exist that has not come.
    pub(super) fn gaps(&self) -> impl Iterator<Item = ClinicId> {
        self.known.iter().filter(|(_, known)| known.has_gap()).map(|(clinic, _)| *clinic)
    }

    /// What the clinic's tail lacks, if it lacks anything.
    pub(super) fn gap(&self, clinic: ClinicId) -> Option<Want> {
        let known = self.known.get(&clinic).filter(|known| known.has_gap())?;
        let after = known.tail.last();
        let upto = known.newest().min(after.position + FILLED_EVENTS_MAX as Position);
        Some(Want { clinic, after, upto })
    }

    pub(super) fn after(&self, clinic: ClinicId, checkpoint: Checkpoint, max: usize) -> After {
        match self.known.get(&clinic) {
            Some(known) => known.tail.after(checkpoint, max),
            None if checkpoint == Checkpoint::START => After::Events(Vec::new()),
            None => After::Doubtful,
        }
    }

    /// The last position that is known to exist.
    pub(super) fn newest(&self, clinic: ClinicId) -> Position {
        self.known.get(&clinic).map_or(0, Known::newest)
    }

    /// Whether the log's heads have been seen at all.
    pub(super) fn has_looked(&self) -> bool {
        self.has_looked
    }

    pub(super) fn ids(&self) -> Vec<ClinicId> {
        self.known.keys().copied().collect()
    }
}
