//! The lists in a patient's record: identifiers, family, allergies, problems, consents.

use chrono::{DateTime, Utc};
use events::{
    AllergyId, ConsentId, IdentifierId, PatientEvent, PatientId, ProblemId,
    patient::{Allergy, ConsentScope, Criticality, Problem},
    values::BirthDate,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PatientRow;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identifier {
    pub id: IdentifierId,
    #[serde(rename = "type")]
    pub kind: String,
    pub value: Option<String>,
    /// Not ended.
    pub active: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FamilyMember {
    pub patient_id: PatientId,
    pub relationship: Option<String>,
}

/// FHIR AllergyIntolerance.verificationStatus, and resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AllergyStatus {
    Unconfirmed,
    Confirmed,
    Refuted,
    Resolved,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AllergyEntry {
    pub id: AllergyId,
    pub substance: Option<String>,
    pub code: Option<String>,
    /// The class of substances that it extends to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    pub category: Option<String>,
    pub criticality: Option<Criticality>,
    pub reaction: Option<String>,
    pub status: AllergyStatus,
    /// Why it was refuted or resolved.
    pub status_reason: Option<String>,
    pub recorded_at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemEntry {
    pub id: ProblemId,
    pub text: Option<String>,
    pub code: Option<String>,
    pub onset: Option<BirthDate>,
    pub active: bool,
    pub resolution_reason: Option<String>,
    pub recorded_at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentEntry {
    pub id: ConsentId,
    pub scope: ConsentScope,
    pub text: Option<String>,
    pub given_at: DateTime<Utc>,
    pub withdrawn_at: Option<DateTime<Utc>>,
    pub withdrawal_reason: Option<String>,
}

impl PatientRow {
    /// The events that add to a list or change an entry of one.
    pub(super) fn take_entry(&mut self, change: &PatientEvent, at: DateTime<Utc>) {
        match change {
            PatientEvent::IdentifierAdded { identifier, sealed } => self.identifiers.push(Identifier {
                id: identifier.id,
                kind: identifier.kind.clone(),
                value: sealed.open().map(|identifier| identifier.value.clone()),
                active: true,
            }),
            PatientEvent::IdentifierEnded { identifier } => {
                change_one(&mut self.identifiers, |entry| entry.id == identifier.id, |entry| entry.active = false);
            }
            PatientEvent::FamilyLinked { relative, sealed } => {
                let relationship = sealed.open().and_then(|family| family.relationship.clone());
                self.family.retain(|member| member.patient_id != *relative);
                self.family.push(FamilyMember { patient_id: *relative, relationship });
            }
            PatientEvent::AllergyRecorded { allergy, sealed } => {
                self.no_known_allergies = None;
                self.allergies.push(recorded(*allergy, sealed.open().cloned(), at));
            }
            PatientEvent::AllergyVerified { allergy } => self.set_allergy(*allergy, AllergyStatus::Confirmed, None),
            PatientEvent::AllergyRefuted { allergy, sealed } => {
                let why = sealed.open().and_then(|why| why.reason.clone());
                self.set_allergy(*allergy, AllergyStatus::Refuted, why);
            }
            PatientEvent::AllergyResolved { allergy, sealed } => {
                let why = sealed.open().and_then(|why| why.reason.clone());
                self.set_allergy(*allergy, AllergyStatus::Resolved, why);
            }
            PatientEvent::NoKnownAllergiesAsserted {} => self.no_known_allergies = Some(at),
            PatientEvent::ProblemAdded { problem, sealed } => {
                self.problems.push(noted(*problem, sealed.open().cloned(), at));
            }
            PatientEvent::ProblemResolved { problem, sealed } => {
                let why = sealed.open().and_then(|why| why.reason.clone());
                let resolve = |entry: &mut ProblemEntry| (entry.active, entry.resolution_reason) = (false, why);
                change_one(&mut self.problems, |entry| entry.id == *problem, resolve);
            }
            PatientEvent::ConsentGiven { consent, scope, sealed } => self.consents.push(ConsentEntry {
                id: *consent,
                scope: *scope,
                text: sealed.open().and_then(|consent| consent.text.clone()),
                given_at: at,
                withdrawn_at: None,
                withdrawal_reason: None,
            }),
            PatientEvent::ConsentWithdrawn { consent, sealed, .. } => {
                let why = sealed.open().and_then(|why| why.reason.clone());
                let withdraw = |entry: &mut ConsentEntry| {
                    (entry.withdrawn_at, entry.withdrawal_reason) = (Some(at), why);
                };
                change_one(&mut self.consents, |entry| entry.id == *consent, withdraw);
            }
            _ => {}
        }
    }

    /// What remains of each entry is that there was one.
    pub(super) fn erase_entries(&mut self) {
        for entry in &mut self.identifiers {
            entry.value = None;
        }
        for entry in &mut self.family {
            entry.relationship = None;
        }
        for entry in &mut self.allergies {
            let erased = recorded(entry.id, None, entry.recorded_at);
            *entry = AllergyEntry { status: entry.status, ..erased };
        }
        for entry in &mut self.problems {
            let erased = noted(entry.id, None, entry.recorded_at);
            *entry = ProblemEntry { active: entry.active, ..erased };
        }
        for entry in &mut self.consents {
            (entry.text, entry.withdrawal_reason) = (None, None);
        }
    }

    fn set_allergy(&mut self, allergy: AllergyId, status: AllergyStatus, why: Option<String>) {
        let set = |entry: &mut AllergyEntry| (entry.status, entry.status_reason) = (status, why);
        change_one(&mut self.allergies, |entry| entry.id == allergy, set);
    }
}

fn change_one<T>(entries: &mut [T], is_meant: impl Fn(&T) -> bool, change: impl FnOnce(&mut T)) {
    if let Some(entry) = entries.iter_mut().find(|entry| is_meant(entry)) {
        change(entry);
    }
}

fn recorded(id: AllergyId, allergy: Option<Allergy>, at: DateTime<Utc>) -> AllergyEntry {
    let known = allergy.as_ref();
    AllergyEntry {
        id,
        substance: known.map(|allergy| allergy.substance.clone()),
        code: known.and_then(|allergy| allergy.code.clone()),
        class: known.and_then(|allergy| allergy.class.clone()),
        category: known.and_then(|allergy| allergy.category.clone()),
        criticality: known.and_then(|allergy| allergy.criticality),
        reaction: known.and_then(|allergy| allergy.reaction.clone()),
        status: AllergyStatus::Unconfirmed,
        status_reason: None,
        recorded_at: at,
    }
}

fn noted(id: ProblemId, problem: Option<Problem>, at: DateTime<Utc>) -> ProblemEntry {
    let known = problem.as_ref();
    ProblemEntry {
        id,
        text: known.map(|problem| problem.text.clone()),
        code: known.and_then(|problem| problem.code.clone()),
        onset: known.and_then(|problem| problem.onset),
        active: true,
        resolution_reason: None,
        recorded_at: at,
    }
}
