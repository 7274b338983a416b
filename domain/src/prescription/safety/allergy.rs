//! Allergies: to an ingredient by any of its names, or to something of the same class.

use std::collections::BTreeSet;

use events::{
    AllergyId,
    medicine::{Ingredient, MedicineEntry, substance_key},
    patient::Allergy,
    prescription::{AlertCause, AlertKind, AlertSeverity},
};

use super::{Candidate, Found};
use crate::Facts;

/// What somebody is allergic to, under all names that are known of it.
pub(super) struct Allergen<'a> {
    id: AllergyId,
    allergy: &'a Allergy,
    names: BTreeSet<String>,
    classes: BTreeSet<String>,
}

impl<'a> Allergen<'a> {
    pub fn of(id: AllergyId, allergy: &'a Allergy, facts: &Facts) -> Self {
        let written = plain(&allergy.substance);
        let known = facts.substance(&written);
        let names = known.also.into_iter().map(|name| substance_key(&name)).chain([known.name, written]).collect();
        let stated = allergy.class.as_deref().map(substance_key);
        let classes = known.classes.into_iter().map(|class| substance_key(&class)).chain(stated).collect();
        Self { id, allergy, names, classes }
    }

    /// The alert on an item, if any: one for each item and allergy, by ingredient rather than by class.
    pub fn alert<'c>(&self, candidate: Candidate<'c>) -> Option<Found<'c>> {
        let (kind, shared) = match self.within(candidate.entry) {
            Some(ingredient) => (AlertKind::AllergyIngredient, ingredient),
            None => (AlertKind::AllergyClass, candidate.entry.classes.iter().find(|class| self.is_of(class))?.clone()),
        };
        let contains = match kind {
            AlertKind::AllergyIngredient => format!("contains {shared}"),
            _ => format!("belongs to the same class ({shared})"),
        };
        Some(Found {
            kind,
            severity: AlertSeverity::Severe,
            candidate,
            cause: AlertCause::Allergy { allergy: self.id },
            about: shared,
            text: format!("The patient is allergic to {}: {} {contains}.", self.named(), candidate.entry.name),
        })
    }

    fn named(&self) -> String {
        match &self.allergy.reaction {
            Some(reaction) => format!("{} ({reaction})", self.allergy.substance),
            None => self.allergy.substance.clone(),
        }
    }

    /// The ingredient that it is; where no ingredients are known, what the medicine is called.
    fn within(&self, entry: &MedicineEntry) -> Option<String> {
        let called = entry.generic_name.iter().chain(entry.ingredients.is_empty().then_some(&entry.name));
        let ingredient = entry.ingredients.iter().find(|ingredient| self.is(ingredient));
        let found = ingredient.map(|ingredient| &ingredient.name);
        found.or_else(|| called.into_iter().find(|name| self.is_called(name))).map(|name| substance_key(name))
    }

    fn is(&self, ingredient: &Ingredient) -> bool {
        let same_code = self.allergy.code.is_some() && self.allergy.code == ingredient.rxnorm;
        same_code || std::iter::once(&ingredient.name).chain(&ingredient.also).any(|name| self.is_called(name))
    }

    fn is_called(&self, name: &str) -> bool {
        let name = substance_key(name);
        self.names.iter().any(|own| speaks_of(own, &name) || speaks_of(&name, own))
    }

    fn is_of(&self, class: &str) -> bool {
        let class = substance_key(class);
        self.classes.contains(&class) || self.names.iter().any(|name| speaks_of(name, &class))
    }
}

/// The substance, without the words that only say that it is an allergy: `Allergy to penicillin`, `Latex allergy`.
pub(super) fn plain(substance: &str) -> String {
    let key = substance_key(substance);
    let words = key.strip_prefix("allergy to ").unwrap_or(&key);
    words.strip_suffix(" allergy").unwrap_or(words).to_owned()
}

/// Whether the words of one stand in the other, in one piece; a plural is its singular.
fn speaks_of(text: &str, of: &str) -> bool {
    let singular = |word: &str| word.strip_suffix('s').filter(|stem| stem.len() > 2).unwrap_or(word).to_owned();
    let words = |text: &str| text.split(|c: char| !c.is_alphanumeric()).map(singular).collect::<Vec<_>>();
    let (text, of) = (words(text), words(of));
    text.windows(of.len()).any(|window| window == of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_says_that_it_is_an_allergy_is_left_out() {
        for written in ["Penicillin", "Allergy to penicillin", " PENICILLIN allergy"] {
            assert_eq!(plain(written), "penicillin");
        }
    }

    #[test]
    fn whole_words_in_one_piece() {
        assert!(speaks_of("penicillin v potassium", "penicillin"));
        assert!(speaks_of("penicillin", "penicillins"));
        assert!(speaks_of("sulfa drugs", "sulfa drug"));
        assert!(!speaks_of("penicillin", "penicillin v"));
        assert!(!speaks_of("penicillamine", "penicillin"));
        assert!(!speaks_of("clavulanic acid", "clavulanic potassium"));
    }
}
