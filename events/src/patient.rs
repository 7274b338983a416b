//! What can happen to a patient's record. Ids, codes of state and counts are clear; whatever says
//! something about the person is sealed under the patient's key.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::{
    AllergyId, ConsentId, IdentifierId, Number, PatientId, ProblemId, Sealed, UserId,
    claim::KeyedHash,
    retention::RetentionBasis,
    values::{Address, BirthDate, Gender},
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Demographics {
    pub first_name: String,
    pub last_name: Option<String>,
    pub birth_date: Option<BirthDate>,
    /// E.164.
    pub phone: Option<String>,
    pub email: Option<String>,
    pub address: Option<Address>,
    /// `A+`, `O-`, …
    pub blood_group: Option<String>,
    pub marital_status: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyContact {
    pub name: String,
    pub relationship: Option<String>,
    pub phone: Option<String>,
}

/// A national or other id of a patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentifierEntry {
    pub id: IdentifierId,
    /// `aadhaar`, `passport`, `insurance`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Of type and value, for uniqueness; `None` for a type that need not be unique.
    pub hash: Option<KeyedHash>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentifierValue {
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FamilyRelationship {
    /// What the relative is to the patient: `mother`.
    pub relationship: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Criticality {
    Low,
    High,
    UnableToAssess,
}

/// FHIR AllergyIntolerance, as the clinic says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Allergy {
    pub substance: String,
    /// In the coding system of the clinic's catalogue (RxNorm, SNOMED CT).
    pub code: Option<String>,
    /// The class of substances that it extends to: `penicillins`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// `food`, `medication`, `environment`, `biologic`.
    pub category: Option<String>,
    pub criticality: Option<Criticality>,
    pub reaction: Option<String>,
}

/// FHIR Condition on the problem list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    pub text: String,
    /// ICD-10.
    pub code: Option<String>,
    pub onset: Option<BirthDate>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentText {
    pub text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Death {
    pub died_on: Option<NaiveDate>,
    pub cause: Option<String>,
}

/// What a consent is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ConsentScope {
    Treatment,
    DataSharing,
    Research,
    /// In a case study, or where else it may be read by anybody.
    Publication,
    Portal,
    Reminders,
}

/// Who may see a restricted record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Confidentiality {
    /// Everybody whose role allows it.
    Normal,
    /// Doctors, and the clinic's administrators.
    Restricted,
}

/// Where a record stands. Events carry it, so that a count can follow them without a second look.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PatientStatus {
    Active,
    Inactive,
    Deceased,
    /// Found to be the same person as another patient; read on there.
    Merged,
    /// What was said of the person can no longer be read by anybody.
    Erased,
}

/// Why a patient was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ErasureCause {
    /// Requested by one person, approved by another.
    Approved,
    /// A backup from before the erasure was put back, and the list of erasures applied to it.
    Listed,
}

/// What the statistics count of one patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    pub status: PatientStatus,
    pub gender: Gender,
    pub birth_year: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum PatientEvent {
    PatientRegistered {
        number: Number,
        gender: Gender,
        /// For statistics that outlive an erasure.
        birth_year: Option<i32>,
        #[serde(default)]
        sealed: Sealed<Demographics>,
    },
    DemographicsUpdated {
        gender: Gender,
        birth_year: Option<i32>,
        /// As it was before, so that a count needs no second look.
        was: Standing,
        #[serde(default)]
        sealed: Sealed<Demographics>,
    },
    IdentifierAdded {
        identifier: IdentifierEntry,
        #[serde(default)]
        sealed: Sealed<IdentifierValue>,
    },
    IdentifierEnded {
        identifier: IdentifierEntry,
    },
    EmergencyContactSet {
        #[serde(default)]
        sealed: Sealed<EmergencyContact>,
    },
    /// Written in both charts; a later link to the same relative replaces the earlier one.
    FamilyLinked {
        relative: PatientId,
        #[serde(default)]
        sealed: Sealed<FamilyRelationship>,
    },
    AllergyRecorded {
        allergy: AllergyId,
        #[serde(default)]
        sealed: Sealed<Allergy>,
    },
    AllergyVerified {
        allergy: AllergyId,
    },
    AllergyRefuted {
        allergy: AllergyId,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
    AllergyResolved {
        allergy: AllergyId,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
    NoKnownAllergiesAsserted {},
    ProblemAdded {
        problem: ProblemId,
        #[serde(default)]
        sealed: Sealed<Problem>,
    },
    ProblemResolved {
        problem: ProblemId,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
    ConsentGiven {
        consent: ConsentId,
        scope: ConsentScope,
        #[serde(default)]
        sealed: Sealed<ConsentText>,
    },
    ConsentWithdrawn {
        consent: ConsentId,
        scope: ConsentScope,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
    RecordRestricted {
        confidentiality: Confidentiality,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
    /// Where `was` is `merged`, here and in the two below, the record stays merged: what is recorded of it
    /// shows once it is unmerged (`again`).
    PatientDeactivated {
        was: PatientStatus,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
    PatientReactivated {
        was: PatientStatus,
    },
    DeathRecorded {
        was: PatientStatus,
        #[serde(default)]
        sealed: Sealed<Death>,
    },
    /// In the survivor's chart: `source` was found to be the same person.
    PatientMerged {
        source: PatientId,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
    /// In the source's chart: read on under `survivor`.
    PatientMergedInto {
        survivor: PatientId,
        was: Standing,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
    /// In the survivor's chart: `source` is a person of their own after all.
    PatientUnmerged {
        source: PatientId,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
    /// In the source's chart: it stands again as it stood before the merge.
    PatientUnmergedFrom {
        survivor: PatientId,
        again: Standing,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
    /// Waits for a second person, unless the refusal follows at once.
    ErasureRequested {
        /// `None`: the program itself.
        by: Option<UserId>,
        /// By the patient, in the portal.
        by_patient: bool,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
    /// The record has to be kept.
    ErasureRefused {
        basis: RetentionBasis,
        /// Until then at least.
        until: DateTime<Utc>,
    },
    /// The last event of the chart: from here on the key is fenced, and then destroyed.
    PatientErased {
        cause: ErasureCause,
        was: Standing,
    },
}

impl PatientEvent {
    pub fn number_mut(&mut self) -> Option<&mut Number> {
        match self {
            Self::PatientRegistered { number, .. } => Some(number),
            _ => None,
        }
    }
}
