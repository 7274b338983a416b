//! A login: of the clinic's staff, of a patient's portal, or of the platform.

mod state;

use events::{
    AggregateKind, StaffEvent, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, Usage, usage::moved_claims};

pub use state::{Staff, Status};

#[derive(Clone)]
pub enum StaffCommand {}

impl Aggregate for Staff {
    const KIND: AggregateKind = AggregateKind::Staff;
    type Event = StaffEvent;
    type Command = StaffCommand;

    fn reads(_: StreamId, _: Option<&Self>, command: &StaffCommand, _: &Facts) -> Vec<Read> {
        match *command {}
    }

    fn decide(_: Option<&Self>, command: StaffCommand, _: &Facts, _: &Context<'_>) -> Result<Decision, Refusal> {
        match command {}
    }

    fn evolve(state: Option<Self>, event: &StaffEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(staff) => staff.apply(event),
        }
    }

    fn claims(before: Option<&Self>, _: StreamId, event: &StaffEvent) -> Vec<ClaimChange> {
        let held = |state: Option<&Self>| state.map(Self::held).unwrap_or_default();
        moved_claims(&held(before), &held(Self::evolve(before.cloned(), event).as_ref()))
    }

    fn counters(before: Option<&Self>, event: &StaffEvent) -> Vec<CounterChange> {
        let after = Self::evolve(before.cloned(), event);
        let counted = |state: Option<&Self>, usage| state.map_or(0, |staff| staff.counts_as(usage));
        [Usage::Admins, Usage::Receptionists]
            .into_iter()
            .filter_map(|usage| usage.moved(counted(before, usage), counted(after.as_ref(), usage)))
            .collect()
    }
}
