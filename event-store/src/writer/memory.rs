//! What a writer remembers of a ledger between groups, so that an append needs no look at the database.
//!
//! All of it is true at the head that stands in it, and the append compares that head with the stored one:
//! a memory that another process has overtaken is thrown away, never believed.

use std::{collections::HashMap, hash::Hash};

use chrono::{DateTime, Utc};
use events::{
    ClinicId, DoctorId, Ledger, PatientId, Position, StreamId,
    claim::{ClaimKey, CounterKey},
};

use crate::row::{GENESIS, Hash as RowHash};

/// Of each kind of fact; past it, the half that moved longest ago is forgotten. A fact that is forgotten costs
/// its next append a second round trip, and the facts of one busy clinic are some thousands.
const FACTS_MAX: usize = 8_192;
/// Past it, all are forgotten and read again when they are needed.
const COUNTERS_MAX: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct LedgerId {
    pub(super) clinic: ClinicId,
    pub(super) ledger: Ledger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) hash: RowHash,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) key_epoch: i64,
}

impl Head {
    /// Of a ledger without events.
    pub(super) const EMPTY: Self = Self { position: 0, hash: GENESIS, recorded_at: DateTime::UNIX_EPOCH, key_epoch: 0 };
}

/// How a fact stands, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Touch {
    /// Of a stream or a chart; 0 for other facts.
    pub(super) version: i64,
    pub(super) position: Position,
}

/// Facts of one kind. What is not in here has not moved since `floor`.
#[derive(Debug)]
pub(super) struct Touched<K> {
    floor: Position,
    facts: HashMap<K, Touch>,
}

impl<K: Hash + Eq> Touched<K> {
    fn since(floor: Position) -> Self {
        Self { floor, facts: HashMap::new() }
    }

    pub(super) fn get(&self, fact: &K) -> Option<Touch> {
        self.facts.get(fact).copied()
    }

    /// Whether a reader at `position` has seen whatever happened to facts that are not in here.
    pub(super) fn reaches(&self, position: Position) -> bool {
        position >= self.floor
    }

    pub(super) fn learn(&mut self, fact: K, touch: Touch) {
        self.facts.insert(fact, touch);
    }

    fn trim(&mut self) {
        if self.facts.len() <= FACTS_MAX {
            return;
        }
        let mut positions: Vec<Position> = self.facts.values().map(|touch| touch.position).collect();
        let middle = positions.len() / 2;
        let (_, median, _) = positions.select_nth_unstable(middle);
        self.floor = self.floor.max(*median);
        self.facts.retain(|_, touch| touch.position > self.floor);
    }
}

#[derive(Debug)]
pub(super) struct Memory {
    pub(super) head: Head,
    pub(super) streams: Touched<StreamId>,
    pub(super) charts: Touched<PatientId>,
    pub(super) claims: Touched<ClaimKey>,
    pub(super) doctors: Touched<DoctorId>,
    /// When any doctor's time changed last; no earlier than this memory began.
    pub(super) any_time: Position,
    pub(super) counters: HashMap<CounterKey, i64>,
    /// Another process appends here, too: the next group locks before it decides.
    pub(super) contended: bool,
}

/// What a group did to a ledger, to be remembered once it has committed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) streams: HashMap<StreamId, Touch>,
    pub(super) charts: HashMap<PatientId, Touch>,
    pub(super) claims: HashMap<ClaimKey, Touch>,
    pub(super) doctors: HashMap<DoctorId, Touch>,
    pub(super) any_time: Option<Position>,
    pub(super) counters: HashMap<CounterKey, i64>,
}

impl Memory {
    pub(super) fn at(head: Head) -> Self {
        Self {
            head,
            streams: Touched::since(head.position),
            charts: Touched::since(head.position),
            claims: Touched::since(head.position),
            doctors: Touched::since(head.position),
            any_time: head.position,
            counters: HashMap::new(),
            contended: false,
        }
    }

    pub(super) fn commit(&mut self, head: Head, changes: Changes) {
        self.head = head;
        self.streams.facts.extend(changes.streams);
        self.charts.facts.extend(changes.charts);
        self.claims.facts.extend(changes.claims);
        self.doctors.facts.extend(changes.doctors);
        self.any_time = changes.any_time.unwrap_or(self.any_time);
        self.counters.extend(changes.counters);
    }

    /// How many facts are remembered, of all kinds.
    pub(super) fn facts(&self) -> usize {
        self.streams.facts.len() + self.charts.facts.len() + self.claims.facts.len() + self.doctors.facts.len()
    }

    /// Forgets what exceeds the bounds.
    pub(super) fn trim(&mut self) {
        self.streams.trim();
        self.charts.trim();
        self.claims.trim();
        self.doctors.trim();
        if self.counters.len() > COUNTERS_MAX {
            self.counters.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(position: Position) -> Touch {
        Touch { version: 0, position }
    }

    #[test]
    fn forgetting_raises_the_floor_over_all_that_was_forgotten() {
        let mut facts = Touched::since(10);
        for n in 0..=FACTS_MAX as i64 {
            facts.learn(n, touch(11 + n));
        }
        facts.trim();
        let forgotten: Vec<i64> = (0..=FACTS_MAX as i64).filter(|n| facts.get(n).is_none()).collect();
        assert!(!forgotten.is_empty() && forgotten.len() < FACTS_MAX);
        assert!(forgotten.iter().all(|n| !facts.reaches(11 + n - 1)), "what was forgotten lies below the floor");
        assert!(facts.reaches(11 + FACTS_MAX as i64));
    }

    #[test]
    fn within_the_bounds_nothing_is_forgotten() {
        let mut facts = Touched::since(10);
        facts.learn(1, touch(11));
        facts.trim();
        assert_eq!(facts.get(&1), Some(touch(11)));
        assert!(facts.reaches(10) && !facts.reaches(9));
    }
}
