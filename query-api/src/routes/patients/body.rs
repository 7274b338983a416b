//! How a patient is shown.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use events::{
    PatientId,
    calendar::day_of,
    patient::{Confidentiality, EmergencyContact, PatientStatus},
    values::{Address, BirthDate, Gender},
};
use read_models::patient::{AllergyEntry, ConsentEntry, FamilyMember, Identifier, ProblemEntry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Completed years, today or at death.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Age {
    pub years: i32,
    /// The day of birth is not known: the person may be older by a year.
    pub estimated: bool,
}

impl Age {
    pub(super) fn of(born: Option<BirthDate>, died_on: Option<NaiveDate>, today: NaiveDate) -> Option<Self> {
        let (years, estimated) = born?.age_on(died_on.unwrap_or(today));
        Some(Self { years, estimated })
    }
}

/// A patient's record. Of a merged patient: the demographics of the survivor, and what was recorded under any
/// id of the group.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Patient {
    pub id: PatientId,
    /// `PT-2026-00001`
    pub number: String,
    pub status: PatientStatus,
    /// Of this id's own record.
    pub version: i64,
    pub registered_at: DateTime<Utc>,
    /// `null` once erased, as everything here that says something about the person.
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub birth_date: Option<BirthDate>,
    pub age: Option<Age>,
    pub gender: Gender,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub address: Option<Address>,
    pub blood_group: Option<String>,
    pub marital_status: Option<String>,
    pub language: Option<String>,
    pub identifiers: Vec<Identifier>,
    pub emergency_contact: Option<EmergencyContact>,
    pub family: Vec<FamilyMember>,
    pub confidentiality: Confidentiality,
    /// Read on there.
    pub merged_into: Option<PatientId>,
    /// Patients who were found to be this one.
    pub merged_ids: Vec<PatientId>,
    pub died_on: Option<NaiveDate>,
    #[serde(flatten)]
    pub clinical: Clinical,
}

/// What only some roles see; a member that is not there is not theirs to see.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Clinical {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allergies: Option<Allergies>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problems: Option<Vec<ProblemEntry>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause_of_death: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consents: Option<Vec<ConsentEntry>>,
}

/// Allergies, or the word that there are none.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Allergies {
    pub items: Vec<AllergyEntry>,
    /// When somebody last said that none are known, where none was recorded since.
    pub none_known_since: Option<DateTime<Utc>>,
}

/// A patient in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PatientSummary {
    pub id: PatientId,
    pub number: String,
    pub status: PatientStatus,
    pub version: i64,
    pub registered_at: DateTime<Utc>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub birth_date: Option<BirthDate>,
    pub age: Option<Age>,
    pub gender: Gender,
    pub phone: Option<String>,
    pub confidentiality: Confidentiality,
    pub merged_into: Option<PatientId>,
}

/// The columns of a [`SummaryRow`]: `p` is the patient, `c` the clinic, which may not be there.
pub(super) const SUMMARY: &str = "p.id, p.number, p.status, p.version, p.registered_at, p.first_name, p.last_name, \
     p.birth_date, p.gender, p.phone, p.confidentiality, p.merged_into, p.died_on, c.time_zone \
     FROM read.patient_1 p LEFT JOIN read.clinic_1 c ON c.clinic_id = s.clinic AND c.id = s.clinic";

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SummaryRow {
    id: PatientId,
    number: String,
    status: PatientStatus,
    version: i64,
    registered_at: DateTime<Utc>,
    first_name: Option<String>,
    last_name: Option<String>,
    birth_date: Option<BirthDate>,
    gender: Gender,
    phone: Option<String>,
    confidentiality: Confidentiality,
    merged_into: Option<PatientId>,
    died_on: Option<NaiveDate>,
    /// Where the clinic's row is there already.
    time_zone: Option<Tz>,
}

impl SummaryRow {
    pub(crate) fn shown(self, now: DateTime<Utc>) -> PatientSummary {
        PatientSummary {
            age: Age::of(self.birth_date, self.died_on, day_of(now, self.time_zone.unwrap_or(Tz::UTC))),
            id: self.id,
            number: self.number,
            status: self.status,
            version: self.version,
            registered_at: self.registered_at,
            first_name: self.first_name,
            last_name: self.last_name,
            birth_date: self.birth_date,
            gender: self.gender,
            phone: self.phone,
            confidentiality: self.confidentiality,
            merged_into: self.merged_into,
        }
    }
}
