//! The tenant: its profile, offices, settings, plan and standing.

mod state;

use events::{
    AggregateKind, ClinicEvent, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, Usage, usage::moved_claims};

pub use state::Clinic;

#[derive(Clone)]
pub enum ClinicCommand {}

impl Aggregate for Clinic {
    const KIND: AggregateKind = AggregateKind::Clinic;
    type Event = ClinicEvent;
    type Command = ClinicCommand;

    fn reads(_: StreamId, _: Option<&Self>, command: &ClinicCommand, _: &Facts) -> Vec<Read> {
        match *command {}
    }

    fn decide(_: Option<&Self>, command: ClinicCommand, _: &Facts, _: &Context<'_>) -> Result<Decision, Refusal> {
        match command {}
    }

    fn evolve(state: Option<Self>, event: &ClinicEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(clinic) => clinic.apply(event),
        }
    }

    fn claims(before: Option<&Self>, _: StreamId, event: &ClinicEvent) -> Vec<ClaimChange> {
        let held = |state: Option<&Self>| state.map(Self::held).unwrap_or_default();
        moved_claims(&held(before), &held(Self::evolve(before.cloned(), event).as_ref()))
    }

    fn counters(before: Option<&Self>, event: &ClinicEvent) -> Vec<CounterChange> {
        let open = |state: Option<&Self>| state.map_or(0, |clinic| clinic.offices.len().cast_signed() as i64);
        let after = Self::evolve(before.cloned(), event);
        Usage::Offices.moved(open(before), open(after.as_ref())).into_iter().collect()
    }
}
