//! A doctor: licence, offices, working hours, leave, fee.

mod state;

use events::{
    AggregateKind, DoctorEvent, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, Usage, usage::moved_claims};

pub use state::Doctor;

#[derive(Clone)]
pub enum DoctorCommand {}

impl Aggregate for Doctor {
    const KIND: AggregateKind = AggregateKind::Doctor;
    type Event = DoctorEvent;
    type Command = DoctorCommand;

    fn reads(_: StreamId, _: Option<&Self>, command: &DoctorCommand, _: &Facts) -> Vec<Read> {
        match *command {}
    }

    fn decide(_: Option<&Self>, command: DoctorCommand, _: &Facts, _: &Context<'_>) -> Result<Decision, Refusal> {
        match command {}
    }

    fn evolve(state: Option<Self>, event: &DoctorEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(doctor) => doctor.apply(event),
        }
    }

    fn claims(before: Option<&Self>, _: StreamId, event: &DoctorEvent) -> Vec<ClaimChange> {
        let held = |state: Option<&Self>| state.map(Self::held).unwrap_or_default();
        moved_claims(&held(before), &held(Self::evolve(before.cloned(), event).as_ref()))
    }

    fn counters(before: Option<&Self>, event: &DoctorEvent) -> Vec<CounterChange> {
        let active = |state: Option<&Self>| i64::from(state.is_some_and(Self::is_active));
        let after = Self::evolve(before.cloned(), event);
        Usage::Doctors.moved(active(before), active(after.as_ref())).into_iter().collect()
    }
}
