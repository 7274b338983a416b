//! Whether a doctor may see patients: where, and with a licence that is valid.

use events::{DoctorId, OfficeId, calendar::day_of};

use super::Doctor;
use crate::{Context, Facts, Read, Refusal};

/// A doctor who is active and works in the office.
pub(crate) fn who_works_in(doctor: DoctorId, office: OfficeId, facts: &Facts) -> Result<&Doctor, Refusal> {
    let doctor = facts.get::<Doctor>(doctor).ok_or_else(|| Refusal::not_found("doctor"))?;
    if !doctor.is_active() {
        return Err(Refusal::rule("doctor-inactive", "The doctor no longer works here."));
    }
    if !doctor.works_in(office) {
        return Err(Refusal::rule("doctor-not-in-office", "The doctor does not work in this office."));
    }
    Ok(doctor)
}

/// What is known of whoever gives the command, as a doctor.
pub(crate) fn reads_who_acts(facts: &Facts) -> Option<Read> {
    facts.actor.map(|user| Read::Stream(DoctorId::from(user).into()))
}

/// That whoever gives the command is an active doctor whose licence is valid; who it is.
pub(crate) fn who_practises(facts: &Facts, context: &Context<'_>) -> Result<DoctorId, Refusal> {
    let acting = facts.actor.map(DoctorId::from).and_then(|id| Some((id, facts.get::<Doctor>(id)?)));
    let Some((id, doctor)) = acting.filter(|(_, doctor)| doctor.is_active()) else {
        let detail = "Only a doctor who works here may do this: your login is no active doctor's.";
        return Err(Refusal::forbidden("not-a-doctor", detail));
    };
    if !doctor.licence_valid_on(day_of(context.now, context.in_clinic()?.zone())) {
        let detail = "Your licence has expired; have the new one recorded first.";
        return Err(Refusal::rule("licence-expired", detail));
    }
    Ok(id)
}
