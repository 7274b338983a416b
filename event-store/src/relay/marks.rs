//! Up to where each clinic's record is published, as far as the relay knows.

use std::{collections::HashMap, ops::RangeInclusive};

use events::{ClinicId, Position};

use crate::spans::Span;

/// What a clinic missed before is left to PostgreSQL, where followers find it sooner.
const CAUGHT_UP_EVENTS_MAX: Position = 10_000;
/// Acknowledged stretches behind a gap that are remembered for a clinic; the others are published again.
const STRETCHES_MAX: usize = 64;

#[derive(Default)]
pub(super) struct Marks(HashMap<ClinicId, Mark>);

#[derive(Default)]
struct Mark {
    /// All up to here.
    published: Position,
    /// Acknowledged beyond that, in order, apart from each other.
    beyond: Vec<RangeInclusive<Position>>,
    /// The head at the last look.
    seen: Position,
    /// As it lies in the table.
    stored: Position,
}

impl Marks {
    /// As they lie in the table.
    pub(super) fn stored(marks: impl IntoIterator<Item = (ClinicId, Position)>) -> Self {
        let mark = |position| Mark { published: position, stored: position, ..Mark::default() };
        Self(marks.into_iter().map(|(clinic, position)| (clinic, mark(position))).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes note of positions that the stream has acknowledged.
    pub(super) fn add(&mut self, clinic: ClinicId, positions: RangeInclusive<Position>) {
        self.0.entry(clinic).or_default().add(positions);
    }

    /// What is to be published. Only what an earlier look has seen, so that writers have the time to do it
    /// themselves, unless it is said that they did not.
    pub(super) fn missing(&mut self, heads: &[(ClinicId, Position)], at_once: bool) -> Vec<Span> {
        let missing = heads.iter().flat_map(|(clinic, head)| {
            let mark = self.0.entry(*clinic).or_default();
            let upto = if at_once { *head } else { mark.seen.min(*head) };
            mark.see(*head);
            mark.gaps(upto).into_iter().map(|gap| Span { clinic: *clinic, after: gap.start() - 1, upto: *gap.end() })
        });
        missing.collect()
    }

    /// Marks that are not yet so in the table.
    pub(super) fn to_store(&self) -> Vec<(ClinicId, Position)> {
        let changed = self.0.iter().filter(|(_, mark)| mark.stored != mark.published);
        changed.map(|(clinic, mark)| (*clinic, mark.published)).collect()
    }

    pub(super) fn note_stored(&mut self, marks: &[(ClinicId, Position)]) {
        for (clinic, position) in marks {
            self.0.entry(*clinic).or_default().stored = *position;
        }
    }
}

impl Mark {
    fn add(&mut self, positions: RangeInclusive<Position>) {
        let at = self.beyond.partition_point(|stretch| stretch.start() < positions.start());
        if self.beyond.len() < STRETCHES_MAX || *positions.start() <= self.published + 1 {
            self.beyond.insert(at, positions);
        }
        self.join();
    }

    /// Joins stretches that touch each other, and those that touch what is published.
    fn join(&mut self) {
        let mut apart: Vec<RangeInclusive<Position>> = Vec::with_capacity(self.beyond.len());
        for stretch in self.beyond.drain(..) {
            match apart.last_mut() {
                _ if *stretch.start() <= self.published + 1 => self.published = self.published.max(*stretch.end()),
                Some(last) if *stretch.start() <= last.end() + 1 => {
                    *last = *last.start()..=*last.end().max(stretch.end());
                }
                _ => apart.push(stretch),
            }
        }
        self.beyond = apart;
    }

    /// A head that went back (a log restored to an earlier moment) takes the mark with it.
    fn see(&mut self, head: Position) {
        if head < self.published {
            *self = Self { published: head, stored: self.stored, ..Self::default() };
        }
        if head - self.published > CAUGHT_UP_EVENTS_MAX {
            self.published = head - CAUGHT_UP_EVENTS_MAX;
            self.join();
        }
        self.seen = head;
    }

    fn gaps(&self, upto: Position) -> Vec<RangeInclusive<Position>> {
        let mut gaps = Vec::new();
        let mut next = self.published + 1;
        for stretch in &self.beyond {
            gaps.push(next..=upto.min(stretch.start() - 1));
            next = stretch.end() + 1;
        }
        gaps.push(next..=upto);
        gaps.retain(|gap| !gap.is_empty());
        gaps
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLINIC: ClinicId = ClinicId::PLATFORM;

    fn missing(marks: &mut Marks, head: Position, at_once: bool) -> Vec<(Position, Position)> {
        marks.missing(&[(CLINIC, head)], at_once).iter().map(|span| (span.after, span.upto)).collect()
    }

    #[test]
    fn writers_have_until_the_next_look() {
        let mut marks = Marks::default();
        assert_eq!(missing(&mut marks, 5, false), []);
        marks.add(CLINIC, 1..=3);
        assert_eq!(missing(&mut marks, 9, false), [(3, 5)]);
        assert_eq!(missing(&mut marks, 9, true), [(3, 9)]);
    }

    #[test]
    fn only_what_is_not_acknowledged_is_published() {
        let mut marks = Marks::default();
        marks.add(CLINIC, 4..=5);
        marks.add(CLINIC, 8..=9);
        marks.add(CLINIC, 1..=2);
        assert_eq!(missing(&mut marks, 10, true), [(2, 3), (5, 7), (9, 10)]);
        marks.add(CLINIC, 3..=7);
        assert_eq!(missing(&mut marks, 10, true), [(9, 10)]);
    }

    #[test]
    fn what_lies_far_back_is_left_to_followers() {
        let mut marks = Marks::default();
        assert_eq!(missing(&mut marks, 50_000, true), [(40_000, 50_000)]);
    }

    #[test]
    fn a_head_that_went_back_takes_the_mark_with_it() {
        let mut marks = Marks::stored([(CLINIC, 9)]);
        assert_eq!(missing(&mut marks, 5, true), []);
        assert_eq!(missing(&mut marks, 7, true), [(5, 7)]);
        assert_eq!(marks.to_store(), [(CLINIC, 5)]);
    }

    proptest! {
        #[test]
        fn whatever_is_acknowledged_in_whatever_order_the_rest_is_missing(
            stretches in prop::collection::vec((1..60_i64, 0..5_i64), 0..30),
        ) {
            let mut marks = Marks::default();
            for (from, more) in &stretches {
                marks.add(CLINIC, *from..=from + more);
            }
            let acknowledged = |position| stretches.iter().any(|(from, more)| (*from..=from + more).contains(&position));
            let expected: Vec<Position> = (1..=70).filter(|position| !acknowledged(*position)).collect();
            let spans = missing(&mut marks, 70, true);
            let found: Vec<Position> = spans.into_iter().flat_map(|(after, upto)| after + 1..=upto).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
