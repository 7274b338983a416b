//! What the platform knows of substances: their names, their allergy classes, their interactions. Tables are imported
//! into it; medicines and prescriptions ask it.

mod describe;
mod known;
#[cfg(test)]
pub(crate) mod properties;
mod state;

use derive_more::From;
use events::{
    AggregateKind, StreamId, SubstanceEvent,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal};

pub use describe::{DescribeSubstance, OneInteraction, SetInteractions};
pub use known::{Known, reads};
pub use state::Substance;

#[derive(Clone, Debug, From)]
pub enum SubstanceCommand {
    Describe(DescribeSubstance),
    SetInteractions(SetInteractions),
}

impl Aggregate for Substance {
    const KIND: AggregateKind = AggregateKind::Substance;
    type Event = SubstanceEvent;
    type Command = SubstanceCommand;

    fn reads(_: StreamId, _: Option<&Self>, _: &SubstanceCommand, _: &Facts) -> Vec<Read> {
        Vec::new()
    }

    fn decide(
        state: Option<&Self>,
        command: SubstanceCommand,
        _: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        match command {
            SubstanceCommand::Describe(command) => command.decide(state, context),
            SubstanceCommand::SetInteractions(command) => command.decide(state, context),
        }
    }

    fn evolve(state: Option<Self>, event: &SubstanceEvent) -> Option<Self> {
        Some(state.unwrap_or_default().with(event))
    }

    fn claims(_: Option<&Self>, _: &Self) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}
