//! Looking at a draft before it is issued: what a prescriber would be warned of now. Nothing is recorded of it.

use events::{PatientId, patient::Confidentiality, prescription::Alert};

use super::{Prescription, case::Case, safety};
use crate::{Context, Facts, Refusal};

/// What a check has found, and whose records it has looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The one whom the prescription is recorded under.
    pub patient: PatientId,
    /// All records of the person.
    pub group: Vec<PatientId>,
    /// One of them is restricted.
    pub restricted: bool,
    /// Each, and whether it was overridden.
    pub alerts: Vec<(Alert, bool)>,
}

/// Rests on what issuing rests on: see [`safety::reads`].
pub fn check(state: Option<&Prescription>, facts: &Facts, context: &Context<'_>) -> Result<Checked, Refusal> {
    let case = Case::of(state, facts, context)?;
    case.in_draft()?;
    let alerts = safety::alerts(case.id, case.prescription, facts, context)?;
    let overridden = |alert: &Alert| case.prescription.overridden.contains(&alert.id);
    Ok(Checked {
        patient: case.patient(),
        group: case.person.ids().collect(),
        restricted: case.person.members().any(|(_, member)| member.confidentiality == Confidentiality::Restricted),
        alerts: alerts.into_iter().map(|alert| (alert.clone(), overridden(&alert))).collect(),
    })
}
