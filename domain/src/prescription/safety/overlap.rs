//! What two items do together: the same ingredient twice, and interactions.

use std::collections::BTreeSet;

use events::{
    PrescriptionId,
    medicine::MedicineEntry,
    prescription::{AlertCause, AlertKind, AlertSeverity},
    substance::InteractionSeverity,
};

use super::{Candidate, Found, background::Taken};
use crate::Facts;

/// An item that another one is held against.
#[derive(Clone, Copy)]
pub(super) struct Other<'a> {
    pub cause: AlertCause,
    pub entry: &'a MedicineEntry,
}

impl<'a> Other<'a> {
    /// An earlier item of the same draft.
    pub fn in_draft(id: PrescriptionId, candidate: Candidate<'a>) -> Self {
        Self { cause: AlertCause::Item { prescription: id, item: candidate.item }, entry: candidate.entry }
    }
}

impl<'a> From<Taken<'a>> for Other<'a> {
    fn from(taken: Taken<'a>) -> Self {
        Self { cause: AlertCause::Item { prescription: taken.prescription, item: taken.item }, entry: taken.entry }
    }
}

/// The patient would take an ingredient twice.
pub(super) fn duplicate<'c>(candidate: Candidate<'c>, other: Other<'_>, facts: &Facts) -> Option<Found<'c>> {
    let (these, those) = (ingredients(candidate.entry, facts), ingredients(other.entry, facts));
    let shared: Vec<&str> = these.intersection(&those).map(String::as_str).collect();
    let shared = (!shared.is_empty()).then(|| shared.join(", "))?;
    Some(Found {
        kind: AlertKind::DuplicateIngredient,
        severity: AlertSeverity::Moderate,
        candidate,
        cause: other.cause,
        text: format!("{} and {} both contain {shared}.", candidate.entry.name, other.entry.name),
        about: shared,
    })
}

/// What may happen when both are taken: each pair of an ingredient of one and an ingredient of the other.
pub(super) fn interactions<'c>(candidate: Candidate<'c>, other: Other<'_>, facts: &Facts) -> Vec<Found<'c>> {
    let (these, those) = (ingredients(candidate.entry, facts), ingredients(other.entry, facts));
    let found = facts.interactions(these.union(&those).map(String::as_str));
    let meets = |[one, two]: &[String; 2]| {
        these.contains(one) && those.contains(two) || these.contains(two) && those.contains(one)
    };
    let found = found.into_iter().filter(|interaction| meets(&interaction.ingredients));
    let alert = |interaction: events::substance::Interaction| {
        let [one, two] = &interaction.ingredients;
        let (this, that) = (&candidate.entry.name, &other.entry.name);
        Found {
            kind: AlertKind::Interaction,
            severity: severity(interaction.severity),
            candidate,
            cause: other.cause,
            about: format!("{one}\n{two}\n{}", interaction.severity),
            text: format!("{this} with {that} ({one} and {two}, {}): {}", interaction.severity, interaction.text),
        }
    };
    found.map(alert).collect()
}

/// Under the names that the platform knows them by.
fn ingredients(entry: &MedicineEntry, facts: &Facts) -> BTreeSet<String> {
    entry.ingredients.iter().map(|ingredient| facts.substance(&ingredient.name).name).collect()
}

fn severity(interaction: InteractionSeverity) -> AlertSeverity {
    match interaction {
        InteractionSeverity::Minor => AlertSeverity::Minor,
        InteractionSeverity::Moderate => AlertSeverity::Moderate,
        InteractionSeverity::Severe | InteractionSeverity::Contraindicated => AlertSeverity::Severe,
    }
}
