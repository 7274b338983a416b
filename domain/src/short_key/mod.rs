//! Short keys: a doctor's or the clinic's abbreviations (`FEVER`), each for an ordered list of lines of a prescription.

mod define;
mod items;
pub(crate) mod meant;
#[cfg(test)]
pub(crate) mod properties;
mod state;

use derive_more::From;
use events::{
    AggregateKind, PrescriptionId, ShortKeyEvent, ShortKeyId, StreamId,
    claim::{ClaimChange, CounterChange},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, usage::moved_claims};

pub use define::{DefineShortKey, ShortKeyOwner};
pub use items::{ReorderShortKey, SetShortKeyItems};
pub use state::ShortKey;

/// Retires a short key: its code is free again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireShortKey {}

/// Says that a short key was expanded, so that it is counted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseShortKey {
    /// Into which prescription.
    #[serde(default)]
    pub prescription_id: Option<PrescriptionId>,
}

#[derive(Clone, Debug, From)]
pub enum ShortKeyCommand {
    Define(DefineShortKey),
    SetItems(SetShortKeyItems),
    Reorder(ReorderShortKey),
    Retire(RetireShortKey),
    Use(UseShortKey),
}

impl Facts {
    /// A short key that can be expanded; asks for its stream. Whoever expands it records that it was used.
    pub fn short_key(&self, id: ShortKeyId) -> Option<&ShortKey> {
        self.get::<ShortKey>(id).filter(|key| !key.retired)
    }
}

impl Aggregate for ShortKey {
    const KIND: AggregateKind = AggregateKind::ShortKey;
    type Event = ShortKeyEvent;
    type Command = ShortKeyCommand;

    fn reads(_: StreamId, _: Option<&Self>, command: &ShortKeyCommand, _: &Facts) -> Vec<Read> {
        match command {
            ShortKeyCommand::Define(command) => items::reads(&command.items),
            ShortKeyCommand::SetItems(command) => items::reads(&command.items),
            ShortKeyCommand::Use(UseShortKey { prescription_id }) => {
                prescription_id.map(|id| Read::Stream(id.into())).into_iter().collect()
            }
            ShortKeyCommand::Reorder(_) | ShortKeyCommand::Retire(_) => Vec::new(),
        }
    }

    fn decide(
        state: Option<&Self>,
        command: ShortKeyCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let known = || state.ok_or_else(|| Refusal::not_found("short key"));
        match command {
            ShortKeyCommand::Define(command) => command.decide(state, facts, context),
            ShortKeyCommand::SetItems(command) => command.decide(known()?, facts, context),
            ShortKeyCommand::Reorder(command) => command.decide(known()?, context),
            ShortKeyCommand::Retire(command) => Ok(command.decide(known()?, context)),
            ShortKeyCommand::Use(command) => command.decide(known()?, facts, context),
        }
    }

    fn evolve(state: Option<Self>, event: &ShortKeyEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(key) => key.apply(event),
        }
    }

    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange> {
        moved_claims(&before.map(Self::held).unwrap_or_default(), &after.held())
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}

impl RetireShortKey {
    fn decide(self, key: &ShortKey, context: &Context<'_>) -> Decision {
        match key.retired {
            true => Decision::already_so(),
            false => Decision::one(context.target, ShortKeyEvent::ShortKeyRetired {}),
        }
    }
}

impl UseShortKey {
    fn decide(self, key: &ShortKey, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        not_retired(key)?;
        let prescription = self.prescription_id;
        if prescription.is_some_and(|id| facts.get::<crate::Prescription>(id).is_none()) {
            return Err(Refusal::not_found("prescription").at("/prescription_id"));
        }
        Ok(Decision::one(context.target, ShortKeyEvent::ShortKeyUsed { prescription }))
    }
}

fn not_retired(key: &ShortKey) -> Result<(), Refusal> {
    match key.retired {
        true => Err(Refusal::conflict("short-key-retired", "The short key was retired; define it anew.")),
        false => Ok(()),
    }
}
