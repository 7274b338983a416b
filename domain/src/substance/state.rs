//! What the rules know under one name of a substance.

use std::collections::BTreeMap;

use events::{
    SubstanceEvent,
    substance::{Interaction, SubstanceEntry},
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Substance {
    /// `None`: only interactions are known.
    pub entry: Option<SubstanceEntry>,
    /// By the source that knows them: those with substances that come after it in the alphabet.
    pub interactions: BTreeMap<String, Vec<Interaction>>,
}

impl Substance {
    /// The state after an event: each follows on anything.
    pub(super) fn with(mut self, event: &SubstanceEvent) -> Self {
        match event {
            SubstanceEvent::SubstanceDescribed { entry, .. } => self.entry = Some(entry.clone()),
            SubstanceEvent::InteractionsSet { interactions, source, .. } => {
                self.interactions.insert(source.clone(), interactions.clone());
            }
        }
        self
    }
}
