//! What can happen to a case study. It draws on several patients, and the log seals an event under one key: so each
//! patient's part is an event of its own, in that patient's chart, sealed under that patient's key. What the study says
//! of no single patient is sealed under the clinic's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray, VariantNames};
use uuid::Uuid;

use crate::{AggregateKind, ConsentId, Number, PatientId, Sealed, UserId, patient::Reason};

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
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum CaseStudyStatus {
    Draft,
    DeIdentified,
    Approved,
    Published,
    Withdrawn,
}

/// The two ways of 45 CFR 164.514(b).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DeIdentificationMethod {
    /// None of the eighteen identifiers is left.
    SafeHarbor,
    /// An expert has found that the risk is very small.
    ExpertDetermination,
}

/// Why a study was withdrawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum WithdrawalCode {
    /// A patient has withdrawn a consent that it rested on.
    ConsentWithdrawn,
    /// Somebody can be recognised in it.
    Identifiable,
    Error,
    #[default]
    Other,
}

/// A record that a study draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordRef {
    /// `note`, `appointment`, …
    pub kind: AggregateKind,
    pub id: Uuid,
}

/// What a study says of no single patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StudyText {
    pub title: String,
    pub introduction: Option<String>,
    /// Who has determined that nobody can be recognised, where somebody has.
    pub expert: Option<String>,
}

/// What a study says of one patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseText {
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum CaseStudyEvent {
    /// The patients follow, each in an event of their own.
    CaseStudyDrafted {
        number: Number,
        author: UserId,
        #[serde(default)]
        sealed: Sealed<StudyText>,
    },
    CaseStudyPatientAdded {
        patient: PatientId,
        records: Vec<RecordRef>,
        #[serde(default)]
        sealed: Sealed<CaseText>,
    },
    /// The part of one patient, without whatever tells who it is.
    CaseStudyPatientDeIdentified {
        patient: PatientId,
        #[serde(default)]
        sealed: Sealed<CaseText>,
    },
    /// All parts are.
    CaseStudyDeIdentified {
        method: DeIdentificationMethod,
        #[serde(default)]
        sealed: Sealed<StudyText>,
    },
    /// In the chart of whoever gave the consent: another record of the same person, where records were merged.
    CaseStudyConsentLinked {
        patient: PatientId,
        consent: ConsentId,
        /// The patient whose part rests on it.
        part: PatientId,
    },
    CaseStudyApproved {
        approver: UserId,
        /// The approver has verified that nobody can be recognised.
        verified: bool,
    },
    CaseStudyPublished {},
    CaseStudyWithdrawn {
        was: CaseStudyStatus,
        reason: WithdrawalCode,
        /// The one that was withdrawn, where that is why.
        consent: Option<ConsentId>,
        #[serde(default)]
        sealed: Sealed<Reason>,
    },
}

impl CaseStudyEvent {
    /// The one patient whom the event is about.
    pub fn patient(&self) -> Option<PatientId> {
        match self {
            Self::CaseStudyPatientAdded { patient, .. }
            | Self::CaseStudyPatientDeIdentified { patient, .. }
            | Self::CaseStudyConsentLinked { patient, .. } => Some(*patient),
            Self::CaseStudyDrafted { .. }
            | Self::CaseStudyDeIdentified { .. }
            | Self::CaseStudyApproved { .. }
            | Self::CaseStudyPublished {}
            | Self::CaseStudyWithdrawn { .. } => None,
        }
    }

    pub fn number_mut(&mut self) -> Option<&mut Number> {
        match self {
            Self::CaseStudyDrafted { number, .. } => Some(number),
            Self::CaseStudyPatientAdded { .. }
            | Self::CaseStudyPatientDeIdentified { .. }
            | Self::CaseStudyDeIdentified { .. }
            | Self::CaseStudyConsentLinked { .. }
            | Self::CaseStudyApproved { .. }
            | Self::CaseStudyPublished {}
            | Self::CaseStudyWithdrawn { .. } => None,
        }
    }
}
