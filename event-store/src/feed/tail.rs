//! The newest events of one clinic, as far as they hang together.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use events::Position;

use super::{Checkpoint, FeedEvent};

/// Events of one clinic that may wait for their predecessors. What comes on top is read from PostgreSQL.
const EARLY_EVENTS_MAX: usize = 1_024;

/// Contiguous, chained events behind a known place, and those that came before their predecessors.
pub(super) struct Tail {
    base: Checkpoint,
    events: VecDeque<Arc<FeedEvent>>,
    early: BTreeMap<Position, Arc<FeedEvent>>,
}

/// What a tail has for who stands at a checkpoint.
#[derive(Debug)]
pub(super) enum After {
    /// The next events; none when the checkpoint is the newest.
    Events(Vec<Arc<FeedEvent>>),
    /// The next event is no longer, or not yet, here.
    Elsewhere,
    /// The tail knows another event, or none, at the checkpoint's position: ask the log who is right.
    Doubtful,
}

impl Tail {
    pub(super) fn new(base: Checkpoint) -> Self {
        Self { base, events: VecDeque::new(), early: BTreeMap::new() }
    }

    /// The newest event that hangs together with its predecessors.
    pub(super) fn last(&self) -> Checkpoint {
        self.events.back().map_or(self.base, |event| event.checkpoint())
    }

    /// The position up to which something is known to exist.
    pub(super) fn last_seen(&self) -> Position {
        self.early.last_key_value().map_or(self.last().position, |(position, _)| *position)
    }

    /// Takes an event that came by whatever way, in any order. How many the tail has grown by: not at all
    /// by one that is known, that is early, or whose predecessor is not the one that is here.
    pub(super) fn take(&mut self, event: Arc<FeedEvent>) -> usize {
        let last = self.last();
        if event.position > last.position + 1 {
            if self.early.len() < EARLY_EVENTS_MAX {
                self.early.insert(event.position, event);
            }
            return 0;
        }
        if !event.follows(last) {
            return 0;
        }
        self.events.push_back(event);
        1 + self.take_early()
    }

    fn take_early(&mut self) -> usize {
        if self.early.is_empty() {
            return 0;
        }
        let mut taken = 0;
        while let Some(next) = self.early.remove(&(self.last().position + 1)) {
            if !next.follows(self.last()) {
                break;
            }
            self.events.push_back(next);
            taken += 1;
        }
        self.early = self.early.split_off(&(self.last().position + 1));
        taken
    }

    pub(super) fn drop_early(&mut self) {
        self.early.clear();
    }

    /// Forgets the oldest event.
    pub(super) fn shorten(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            self.base = oldest.checkpoint();
        }
    }

    /// At most `max` events behind the checkpoint.
    pub(super) fn after(&self, checkpoint: Checkpoint, max: usize) -> After {
        if checkpoint.position < self.base.position {
            return After::Elsewhere;
        }
        let index = (checkpoint.position - self.base.position) as usize;
        let known = match index {
            0 => Some(self.base),
            _ => self.events.get(index - 1).map(|event| event.checkpoint()),
        };
        if known != Some(checkpoint) {
            return After::Doubtful;
        }
        After::Events(self.events.iter().skip(index).take(max).cloned().collect())
    }

    #[cfg(test)]
    fn positions(&self) -> Vec<Position> {
        self.events.iter().map(|event| event.position).collect()
    }
}

#[cfg(test)]
mod tests {
    use events::ClinicId;
    use proptest::prelude::*;

    use super::*;
    use crate::{GENESIS, feed::Unreadable};

    fn hash(position: Position) -> crate::Hash {
        let mut hash = GENESIS;
        hash[..8].copy_from_slice(&position.to_le_bytes());
        hash
    }

    fn event(position: Position) -> Arc<FeedEvent> {
        Arc::new(FeedEvent {
            clinic: ClinicId::PLATFORM,
            position,
            previous_hash: hash(position - 1),
            hash: hash(position),
            recorded: Err(Unreadable::Sealed { position, reason: "not for this test".into() }),
        })
    }

    fn at(position: Position) -> Checkpoint {
        Checkpoint { position, hash: hash(position) }
    }

    #[test]
    fn an_event_of_another_chain_is_ignored() {
        let mut tail = Tail::new(at(4));
        let mut foreign = event(5);
        Arc::get_mut(&mut foreign).unwrap().previous_hash = GENESIS;
        assert_eq!(tail.take(foreign), 0);
        assert_eq!(tail.take(event(5)), 1);
    }

    #[test]
    fn an_early_event_of_another_chain_is_dropped_when_its_turn_comes() {
        let mut tail = Tail::new(at(4));
        let mut foreign = event(6);
        Arc::get_mut(&mut foreign).unwrap().previous_hash = GENESIS;
        tail.take(foreign);
        assert_eq!(tail.take(event(5)), 1);
        assert_eq!(tail.last_seen(), 5);
        assert_eq!(tail.take(event(6)), 1);
    }

    #[test]
    fn who_stands_before_the_tail_reads_elsewhere() {
        let mut tail = Tail::new(at(0));
        (1..=5).for_each(|position| assert_eq!(tail.take(event(position)), 1));
        tail.shorten();
        tail.shorten();
        assert!(matches!(tail.after(at(1), 10), After::Elsewhere));
        assert!(matches!(tail.after(at(2), 2), After::Events(next) if next.len() == 2 && next[0].position == 3));
        assert!(matches!(tail.after(at(5), 10), After::Events(next) if next.is_empty()));
    }

    #[test]
    fn who_stands_elsewhere_in_the_chain_is_doubtful() {
        let mut tail = Tail::new(at(2));
        tail.take(event(3));
        assert!(matches!(tail.after(Checkpoint { position: 3, hash: GENESIS }, 10), After::Doubtful));
        assert!(matches!(tail.after(Checkpoint { position: 2, hash: GENESIS }, 10), After::Doubtful));
        assert!(matches!(tail.after(at(4), 10), After::Doubtful));
    }

    proptest! {
        #[test]
        fn in_whatever_order_events_come_they_lie_in_the_order_of_their_positions(
            order in Just((1..=40_i64).collect::<Vec<_>>()).prop_shuffle(),
            again in prop::collection::vec(1..=40_i64, 0..40),
        ) {
            let mut tail = Tail::new(Checkpoint::START);
            let grown: usize = order.iter().chain(&again).map(|position| tail.take(event(*position))).sum();
            prop_assert_eq!(grown, 40);
            prop_assert_eq!(tail.positions(), (1..=40).collect::<Vec<_>>());
            prop_assert!(tail.early.is_empty());
        }
    }
}
