//! The person whose visit it is. One is with one doctor at a time: the visit in progress holds a claim on the record
//! under which it lies, and whoever starts another looks at the claims of all records of the person. A merge looks
//! at them too, so two in progress never come under one person, whichever is first.

use events::PatientId;

use crate::{
    Context, Facts, Read, Refusal,
    patient::{Group, merge::visit_in_progress},
};

/// The person, and whether they are with a doctor.
pub(super) fn reads_with_visit(patient: PatientId, facts: &Facts) -> Vec<Read> {
    let mut reads = Group::reads(patient, facts);
    if let Some(group) = Group::known(patient, facts) {
        reads.extend(group.ids().map(|member| Read::Claim(visit_in_progress(member))));
    }
    reads
}

/// That the person may come: as for a booking.
pub(super) fn may_come(patient: PatientId, facts: &Facts) -> Result<(), Refusal> {
    group(patient, facts)?.may_come()
}

/// That the person is with no doctor but in this visit.
pub(super) fn is_with_nobody_else(patient: PatientId, facts: &Facts, context: &Context<'_>) -> Result<(), Refusal> {
    let group = group(patient, facts)?;
    let mut holders = group.ids().filter_map(|member| facts.holder(&visit_in_progress(member)));
    match holders.find(|holder| *holder != context.target) {
        None => Ok(()),
        Some(other) => {
            let detail = "The patient has another visit in progress; finish it first.";
            Err(Refusal::conflict("visit-in-progress", detail).with("visit_id", other.id.to_string()))
        }
    }
}

fn group(patient: PatientId, facts: &Facts) -> Result<Group<'_>, Refusal> {
    Group::known(patient, facts).ok_or_else(|| Refusal::not_found("patient"))
}
