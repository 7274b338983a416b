//! Lines of imported tables. They carry what the platform says, so they are given by the platform alone.

use events::{
    SubstanceEvent, SubstanceId,
    medicine::{Coding, substance_key},
    substance::{Interaction, InteractionSeverity, SubstanceEntry},
};

use super::Substance;
use crate::{
    Context, Decision, Refusal,
    values::{Name, Text},
};

/// Says what is known under one name of a substance, instead of what was said before.
#[derive(Clone, Debug)]
pub struct DescribeSubstance {
    pub name: Name,
    /// Only another name of that substance.
    pub same_as: Option<Name>,
    pub also: Vec<Name>,
    pub classes: Vec<Name>,
    pub codes: Vec<Coding>,
    pub source: Name,
}

/// Says with which other substances one should not be taken, instead of what the same source said before. Each
/// interaction belongs to the substance that comes first in the alphabet.
#[derive(Clone, Debug)]
pub struct SetInteractions {
    pub name: Name,
    pub interactions: Vec<OneInteraction>,
    pub source: Name,
}

/// With whom, how bad it is, and what may happen.
#[derive(Clone, Debug)]
pub struct OneInteraction {
    pub with: Name,
    pub severity: InteractionSeverity,
    pub text: Text<2000>,
}

impl DescribeSubstance {
    pub(super) fn decide(self, state: Option<&Substance>, context: &Context<'_>) -> Result<Decision, Refusal> {
        let name = belongs_to(&self.name, context)?;
        let keys = |names: &[Name]| names.iter().map(|name| substance_key(name.as_str())).collect();
        let entry = SubstanceEntry {
            same_as: self.same_as.map(|other| substance_key(other.as_str())).filter(|other| *other != name),
            name,
            also: keys(&self.also),
            classes: keys(&self.classes),
            codes: self.codes,
        };
        Ok(match state.and_then(|substance| substance.entry.as_ref()) == Some(&entry) {
            true => Decision::already_so(),
            false => {
                let source = self.source.into();
                Decision::one(context.target, SubstanceEvent::SubstanceDescribed { entry, source })
            }
        })
    }
}

impl SetInteractions {
    pub(super) fn decide(self, state: Option<&Substance>, context: &Context<'_>) -> Result<Decision, Refusal> {
        let (name, source) = (belongs_to(&self.name, context)?, String::from(self.source));
        let mut interactions = Vec::with_capacity(self.interactions.len());
        for OneInteraction { with, severity, text } in self.interactions {
            let other = substance_key(with.as_str());
            if other <= name {
                let detail = "An interaction belongs to the substance that comes first in the alphabet.";
                return Err(Refusal::rule("interaction-elsewhere", detail));
            }
            interactions.push(Interaction { ingredients: [name.clone(), other], severity, text: text.into() });
        }
        interactions.sort_by(|one, two| one.ingredients.cmp(&two.ingredients));
        let before = state.and_then(|substance| substance.interactions.get(&source));
        Ok(match before.map_or(interactions.is_empty(), |before| *before == interactions) {
            true => Decision::already_so(),
            false => Decision::one(context.target, SubstanceEvent::InteractionsSet { name, interactions, source }),
        })
    }
}

/// The normalised name, which the stream's id is made of.
fn belongs_to(name: &Name, context: &Context<'_>) -> Result<String, Refusal> {
    let name = substance_key(name.as_str());
    match SubstanceId::of(&name).0 == context.target.id {
        true => Ok(name),
        false => Err(Refusal::rule("another-substance", "The name is another substance's.")),
    }
}
