//! Forgetting a person: who may ask, what has to be kept, and who has to agree. One of a group of merged records
//! stands for all: it is the person who is forgotten. What is done about the key follows from [`PatientErased`].
//!
//! [`PatientErased`]: PatientEvent::PatientErased

use chrono::{DateTime, Months, NaiveDate, Utc};
use events::{
    DocumentEvent, DomainEvent, PatientEvent, PatientId, Role, Sealed, StaffEvent, UserId,
    calendar::whole_day,
    patient::ErasureCause,
    retention::{Retention, RetentionBasis},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Chart, Group, sealed_reason, state::Erasure};
use crate::{Clinic, Context, Decision, Document, Facts, Patient, Read, Refusal, Staff, two_persons, values::Reason};

/// Asks that all that is said of the patient be made unreadable. Refused at once where the record has to be kept,
/// with the basis and the date; else it waits for a second person.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestErasure {
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Agrees to a requested erasure, and carries it out: by another administrator than who requested it. In a clinic
/// with one administrator the platform's agrees, who sees no record. There is no way back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveErasure {}

/// Erases again who was erased before a backup was put back. Given by the program, from the list of erasures: nothing
/// is asked again.
#[derive(Clone, Debug)]
pub struct RepeatErasure {}

/// Every chart of the person, their portal logins and documents, and how many administrators the clinic has.
pub(super) fn reads(id: PatientId, patient: &Patient, facts: &Facts) -> Vec<Read> {
    let group = Group::of(id, patient, facts);
    let charts = group.members().map(|(member, _)| Read::WholeChart(member));
    let logins = group.members().filter_map(|(member, _)| facts.charts.get(&member));
    let logins = logins.flat_map(|chart| &chart.portal_logins).map(|login| Read::Stream((*login).into()));
    let documents = group.members().filter_map(|(member, _)| facts.charts.get(&member));
    let documents = documents.flat_map(|chart| &chart.documents).map(|document| Read::Stream((*document).into()));
    charts.chain(logins).chain(documents).chain([two_persons::reads()]).collect()
}

impl RequestErasure {
    pub(super) fn decide(self, chart: &Chart<'_>, context: &Context<'_>) -> Result<Decision, Refusal> {
        let clinic = context.in_clinic()?;
        if pending(chart).is_some() {
            let detail = "An erasure is requested already; another administrator approves it.";
            return Err(Refusal::conflict("erasure-requested", detail));
        }
        may_be_erased(chart, clinic)?;
        let requested = PatientEvent::ErasureRequested {
            by: context.actor.user,
            by_patient: context.actor.has(Role::Patient),
            sealed: sealed_reason(self.reason),
        };
        let decision = Decision::one(chart.id, requested);
        Ok(match Kept::of(chart, clinic).filter(|kept| kept.until > context.now) {
            Some(kept) => decision.and(chart.id, kept.refused()),
            None => decision,
        })
    }
}

impl ApproveErasure {
    pub(super) fn decide(self, chart: &Chart<'_>, context: &Context<'_>) -> Result<Decision, Refusal> {
        let clinic = context.in_clinic()?;
        let Some((asked, requested)) = pending(chart) else {
            return Err(Refusal::conflict("no-erasure-requested", "No erasure of this patient is requested."));
        };
        two_persons::is_second(requested, chart.facts, context)?;
        may_be_erased(chart, clinic)?;
        // Something may have happened since it was requested.
        match Kept::of(chart, clinic).filter(|kept| kept.until > context.now) {
            Some(kept) => Ok(Decision::one(asked, kept.refused())),
            None => Ok(erased(chart.group.members(), chart.facts, ErasureCause::Approved)),
        }
    }
}

impl RepeatErasure {
    pub(super) fn decide(self, id: PatientId, state: Option<&Patient>, facts: &Facts) -> Result<Decision, Refusal> {
        let patient = state.ok_or_else(|| Refusal::not_found("patient"))?;
        match patient.erasure {
            Erasure::Done => Ok(Decision::already_so()),
            // The list names each record of a group by itself.
            Erasure::None | Erasure::Requested { .. } => Ok(erased([(id, patient)], facts, ErasureCause::Listed)),
        }
    }
}

/// Portal logins end and documents give their bytes back first, since nothing follows the last event of a chart.
fn erased<'a>(
    members: impl IntoIterator<Item = (PatientId, &'a Patient)>,
    facts: &Facts,
    cause: ErasureCause,
) -> Decision {
    let mut decision = Decision::default();
    for (id, member) in members {
        let logins = facts.charts.get(&id).into_iter().flat_map(|chart| &chart.portal_logins);
        for (login, staff) in logins.filter_map(|login| Some((*login, facts.get::<Staff>(*login)?))) {
            decision = decision.and(login, login_ended(staff));
        }
        let documents = facts.charts.get(&id).into_iter().flat_map(|chart| &chart.documents);
        for (document, Document { size, .. }) in
            documents.filter_map(|document| Some((*document, facts.get(*document)?)))
        {
            decision = decision.and(document, DocumentEvent::DocumentContentErased { patient: id, size: *size });
        }
        decision = decision.and(id, PatientEvent::PatientErased { cause, was: member.standing() });
    }
    decision
}

/// Without words: they could be read by nobody.
fn login_ended(staff: &Staff) -> DomainEvent {
    let (patient, roles) = (staff.patient, staff.roles.clone());
    StaffEvent::StaffDeactivated { patient, roles, sealed: Sealed::Erased }.into()
}

/// The record of the person under which a request lies, and who requested it.
fn pending(chart: &Chart<'_>) -> Option<(PatientId, Option<UserId>)> {
    chart.group.holding(|member| match member.erasure {
        Erasure::Requested { by } => Some(by),
        Erasure::None | Erasure::Done => None,
    })
}

/// What stands in the way, whoever asks: a legal hold, and appointments and visits that are not over.
fn may_be_erased(chart: &Chart<'_>, clinic: &Clinic) -> Result<(), Refusal> {
    if chart.group.members().any(|(member, _)| clinic.holds_record(member)) {
        let detail = "The record is under a legal hold: nothing of it is erased until the hold is lifted.";
        return Err(Refusal::held("legal-hold", detail));
    }
    let charts = || chart.group.members().filter_map(|(member, _)| chart.facts.charts.get(&member));
    let open: Vec<_> = charts().flat_map(|chart| &chart.open_appointments).map(ToString::to_string).collect();
    if !open.is_empty() {
        let detail = "The patient has appointments that are not over: complete or cancel them first.";
        return Err(Refusal::conflict("open-appointments", detail).with("appointments", open));
    }
    let open: Vec<_> = charts().flat_map(|chart| &chart.open_visits).map(ToString::to_string).collect();
    if !open.is_empty() {
        let detail = "The patient has visits that are not over: finish or cancel them first.";
        return Err(Refusal::conflict("open-visits", detail).with("visits", open));
    }
    Ok(())
}

/// Until when the person's record has to be kept, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    basis: RetentionBasis,
    until: DateTime<Utc>,
}

impl Kept {
    /// `None`: there is no clinical record.
    fn of(chart: &Chart<'_>, clinic: &Clinic) -> Option<Self> {
        let charts = chart.group.members().filter_map(|(member, _)| chart.facts.charts.get(&member));
        let last_contact = charts.filter_map(|chart| chart.last_contact).max()?;
        let Retention { clinical_years, majority_age, past_majority_years, .. } = clinic.settings.retention;
        let clinical = Self { basis: RetentionBasis::ClinicalRecord, until: years_after(last_contact, clinical_years) };
        // The year alone is known here, so until the end of it; of a group's records the youngest counts.
        let born = chart.group.members().filter_map(|(_, member)| member.birth_year).max();
        let last_day = born.and_then(|year| NaiveDate::from_ymd_opt(year, 12, 31));
        let minor = last_day.map(|day| Self {
            basis: RetentionBasis::MinorsRecord,
            until: years_after(whole_day(day, clinic.zone()).to, majority_age.saturating_add(past_majority_years)),
        });
        Some(minor.filter(|minor| minor.until > clinical.until).unwrap_or(clinical))
    }

    fn refused(self) -> PatientEvent {
        PatientEvent::ErasureRefused { basis: self.basis, until: self.until }
    }
}

/// The end of time where it lies beyond what a calendar knows: what is kept too long does less harm.
pub(crate) fn years_after(from: DateTime<Utc>, years: i64) -> DateTime<Utc> {
    let months = u32::try_from(years).ok().and_then(|years| years.checked_mul(12));
    months.and_then(|months| from.checked_add_months(Months::new(months))).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
mod tests;
