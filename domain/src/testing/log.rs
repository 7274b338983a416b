//! An append, as the log does it.

use std::sync::Arc;

use events::{
    DomainEvent, Number, StreamId,
    claim::{ClaimChange, ClaimKey},
    codec,
};

use super::World;
use crate::{Decision, HeldTime, State, state::Effects};

/// Why an append failed.
#[derive(Debug)]
pub(super) enum Lost {
    Claim(ClaimKey),
    Time,
    Bound,
}

impl World {
    pub(super) fn append(&mut self, decision: Decision) -> Result<(), Lost> {
        let (mut changes, mut recorded) = (Vec::new(), Vec::new());
        for (stream, mut event) in decision.events {
            self.number(&mut event);
            let before = self.streams.remove(&stream);
            let (after, effects) = follow(before.as_deref(), &event);
            changes.extend(effects.claims.into_iter().map(|change| (stream, change)));
            for change in effects.counters {
                *self.counters.entry(change.counter).or_default() += change.delta;
            }
            self.streams.insert(stream, Arc::new(after));
            recorded.push((stream, event));
        }
        let is_free = |change: &ClaimChange| matches!(change, ClaimChange::Free(_) | ClaimChange::FreeTime(_));
        let (freed, taken): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, change)| is_free(change));
        for (stream, change) in freed.into_iter().chain(taken) {
            self.change(stream, change)?;
        }
        for bound in decision.bounds {
            let value = self.counters.get(&bound.counter).copied().unwrap_or(0);
            if bound.at_least.is_some_and(|least| value < least) || bound.at_most.is_some_and(|most| value > most) {
                return Err(Lost::Bound);
            }
        }
        self.occurred.extend(recorded.iter().map(|_| self.occurred_at.unwrap_or(self.now)));
        self.log.extend(recorded);
        Ok(())
    }

    fn change(&mut self, stream: StreamId, change: ClaimChange) -> Result<(), Lost> {
        match change {
            ClaimChange::Free(key) => {
                assert_eq!(self.claims.remove(&key), Some(stream), "only what is held is freed: {key:?}");
            }
            ClaimChange::FreeTime(doctor) => {
                let held = self.times.len();
                self.times.retain(|held| !(held.holder == stream && held.time.doctor == doctor));
                assert_eq!(self.times.len() + 1, held, "one span of time is freed, and it was held");
            }
            ClaimChange::Take(key) => match self.claims.get(&key) {
                Some(_) => return Err(Lost::Claim(key)),
                None => drop(self.claims.insert(key, stream)),
            },
            ClaimChange::TakeTime(time) => {
                let clash = |held: &HeldTime| {
                    held.time.doctor == time.doctor
                        && held.time.lane == time.lane
                        && held.time.from < time.to
                        && time.from < held.time.to
                };
                if self.times.iter().any(clash) {
                    return Err(Lost::Time);
                }
                self.times.push(HeldTime { holder: stream, time });
            }
        }
        Ok(())
    }

    fn number(&mut self, event: &mut DomainEvent) {
        if let Some(number) = event.number_mut()
            && let Number::Next(series) = number
        {
            let n = self.counters.entry(series.counter(self.now)).or_default();
            *n += 1;
            *number = Number::Given(series.write(*n, self.now));
        }
    }
}

/// The state after an event and its effects, which are the same when the event comes out of the log again, and when its
/// sealed part has been erased.
fn follow(before: Option<&State>, event: &DomainEvent) -> (State, Effects) {
    let stored = codec::encode(event);
    let read = |sealed| {
        codec::decode(event.kind(), stored.event_type, stored.schema_version, &stored.payload, sealed)
            .expect("what was encoded decodes")
    };
    assert_eq!(&read(stored.sealed.as_deref()), event, "an event comes out of the log as it went in");
    let erased = State::advance(before, &read(None));
    let after = State::advance(before, event);
    assert_eq!(erased, after, "the rules go on after an erasure");
    after.unwrap_or_else(|| panic!("an event that was decided follows: {event:?}"))
}
