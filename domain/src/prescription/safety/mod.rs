//! What a prescriber is warned of: allergies of the person, ingredients that they take already, interactions, doses out
//! of the usual range. Pure, and computed from the person's charts as they stand when the decision is appended.

mod allergy;
mod background;
mod dose;
mod overlap;
mod record;
#[cfg(test)]
mod tests;

use events::{
    PrescriptionId,
    prescription::{Alert, AlertCause, AlertId, AlertKind, AlertSeverity},
};

pub use background::{Candidate, candidates, chart_reads, contents, reads};
pub use record::{RecordedItem, RecordedPrescription, SafetyRecord};

use self::{allergy::Allergen, overlap::Other};
use super::Prescription;
use crate::{Context, Facts, Pseudonyms, Refusal};

/// What there is to be feared of a draft, the worst first. Asks for [`reads`].
pub fn alerts(
    id: PrescriptionId,
    prescription: &Prescription,
    facts: &Facts,
    context: &Context<'_>,
) -> Result<Vec<Alert>, Refusal> {
    let candidates = candidates(id, prescription, facts)?;
    let allergies = background::allergies(prescription.patient, facts);
    let allergens: Vec<Allergen<'_>> = allergies.map(|(id, allergy)| Allergen::of(id, allergy, facts)).collect();
    let taken = background::taken(id, prescription, facts).into_iter().filter(|taken| taken.goes_on(context.now));
    let taken: Vec<Other<'_>> = taken.map(Other::from).collect();
    let mut found = Vec::new();
    for (n, candidate) in candidates.iter().copied().enumerate() {
        let earlier = candidates[..n].iter().map(|other| Other::in_draft(id, *other));
        let others = || earlier.clone().chain(taken.iter().copied());
        found.extend(allergens.iter().filter_map(|allergen| allergen.alert(candidate)));
        found.extend(others().filter_map(|other| overlap::duplicate(candidate, other, facts)));
        found.extend(others().flat_map(|other| overlap::interactions(candidate, other, facts)));
        found.extend(dose::alert(candidate));
    }
    found.sort_by_key(|found| std::cmp::Reverse(found.severity));
    Ok(found.into_iter().map(|found| found.named(context.pseudonyms)).collect())
}

/// An alert before it has its name.
struct Found<'a> {
    kind: AlertKind,
    severity: AlertSeverity,
    candidate: Candidate<'a>,
    cause: AlertCause,
    /// What it is about, in the rules' words: with it changes the alert's name.
    about: String,
    text: String,
}

impl Found<'_> {
    /// Under a keyed hash of all that it rests on: so an override holds for this content and no other, and the name
    /// tells nobody what it is.
    fn named(self, pseudonyms: &Pseudonyms) -> Alert {
        let Self { kind, severity, candidate, cause, about, text } = self;
        let Candidate { item, regimen, .. } = candidate;
        let cause_of = match cause {
            AlertCause::Allergy { allergy } => allergy.to_string(),
            AlertCause::Item { prescription, item } => format!("{prescription}/{item}"),
            AlertCause::Dose {} => String::new(),
        };
        let content = [kind.to_string(), item.to_string(), regimen.medicine.to_string(), cause_of, about].join("\n");
        Alert { id: AlertId(pseudonyms.of("alert", &content).0), kind, severity, item, cause, text }
    }
}
