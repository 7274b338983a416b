//! The states of all aggregates behind one type, and the one place that leads an event to its aggregate.
//! A new aggregate is a line in each list here.

use derive_more::{From, TryInto};
use events::{
    DomainEvent, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Appointment, Clinic, Doctor, Patient, Staff};

/// The state of any aggregate.
#[derive(Clone, Debug, PartialEq, From, TryInto)]
#[try_into(owned, ref)]
#[expect(clippy::large_enum_variant, reason = "states are kept behind an Arc, one to an allocation")]
pub enum State {
    Clinic(Clinic),
    Staff(Staff),
    Doctor(Doctor),
    Patient(Patient),
    Appointment(Appointment),
}

impl State {
    /// The state after an event of its stream. `None`: the event cannot follow, the stream is corrupt.
    pub fn evolve(before: Option<Self>, event: &DomainEvent) -> Option<Self> {
        match event {
            DomainEvent::Clinic(event) => step::<Clinic>(before, event),
            DomainEvent::Staff(event) => step::<Staff>(before, event),
            DomainEvent::Doctor(event) => step::<Doctor>(before, event),
            DomainEvent::Patient(event) => step::<Patient>(before, event),
            DomainEvent::Appointment(event) => step::<Appointment>(before, event),
            // The access ledger has no aggregates: nothing is decided on what it holds.
            DomainEvent::Access(_) => None,
        }
    }

    /// What an event does to the claims and counters, given the state before it.
    pub fn effects(before: Option<&Self>, stream: StreamId, event: &DomainEvent) -> Effects {
        match event {
            DomainEvent::Clinic(event) => effects::<Clinic>(before, stream, event),
            DomainEvent::Staff(event) => effects::<Staff>(before, stream, event),
            DomainEvent::Doctor(event) => effects::<Doctor>(before, stream, event),
            DomainEvent::Patient(event) => effects::<Patient>(before, stream, event),
            DomainEvent::Appointment(event) => effects::<Appointment>(before, stream, event),
            DomainEvent::Access(_) => Effects::default(),
        }
    }
}

/// What an event changes beside the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    pub claims: Vec<ClaimChange>,
    pub counters: Vec<CounterChange>,
}

fn step<A>(before: Option<State>, event: &A::Event) -> Option<State>
where
    A: Aggregate + TryFrom<State> + Into<State>,
{
    let before = match before {
        None => None,
        Some(state) => Some(A::try_from(state).ok()?),
    };
    A::evolve(before, event).map(Into::into)
}

fn effects<A: Aggregate>(before: Option<&State>, stream: StreamId, event: &A::Event) -> Effects
where
    for<'a> &'a A: TryFrom<&'a State>,
{
    let before = before.and_then(|state| <&A>::try_from(state).ok());
    Effects { claims: A::claims(before, stream, event), counters: A::counters(before, event) }
}
