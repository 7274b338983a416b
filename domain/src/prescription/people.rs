//! The person whom a prescription is for: all of their records.

use events::PatientId;

use crate::{Facts, Patient, Read, Refusal, patient::Group};

pub(super) fn reads(id: PatientId, facts: &Facts) -> Vec<Read> {
    let group = facts.get::<Patient>(id).map(|patient| Group::reads(id, patient, facts));
    [Read::Stream(id.into())].into_iter().chain(group.unwrap_or_default()).collect()
}

/// The person's whole charts, once it is known which records they have.
pub(super) fn chart_reads(id: PatientId, facts: &Facts) -> Vec<Read> {
    records(id, facts).into_iter().map(Read::WholeChart).collect()
}

/// The ids of all records of the person, as far as they are known by now.
pub(super) fn records(id: PatientId, facts: &Facts) -> Vec<PatientId> {
    let group = facts.get::<Patient>(id).map(|patient| Group::of(id, patient, facts));
    group.map(|group| group.members().map(|(member, _)| member).collect()).unwrap_or_default()
}

/// 410 for who is erased.
pub(super) fn person(id: PatientId, facts: &Facts) -> Result<Group<'_>, Refusal> {
    let patient = facts.get::<Patient>(id).ok_or_else(|| Refusal::not_found("patient").at("/patient_id"))?;
    patient.not_erased()?;
    Ok(Group::of(id, patient, facts))
}
