//! What can happen to a document of a patient's record: a paper that was scanned, a report from elsewhere, a picture.
//!
//! Its bytes are no part of the log. They lie in the object store, sealed with the patient's key; the events say how
//! many they are and under which upload they are found.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};
use uuid::Uuid;

use crate::{
    CaseStudyId, DentalObservationId, DentalProcedureId, DocumentId, NoteId, PatientId, Sealed, UserId,
    claim::KeyedHash,
};

/// What kind of document it is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
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
pub enum DocumentKind {
    /// Insurance, correspondence, forms.
    Administrative,
    /// Reports, discharge summaries, letters of other doctors.
    Clinical,
    Laboratory,
    Imaging,
    Consent,
    Referral,
    /// A copy of a passport, a licence, a card.
    Identity,
    Other,
}

impl DocumentKind {
    /// Says nothing about the patient's health.
    pub fn is_administrative(self) -> bool {
        match self {
            Self::Administrative | Self::Consent | Self::Identity => true,
            Self::Clinical | Self::Laboratory | Self::Imaging | Self::Referral | Self::Other => false,
        }
    }

    /// What a laboratory makes: reports and pictures.
    pub fn is_of_laboratory(self) -> bool {
        matches!(self, Self::Laboratory | Self::Imaging)
    }
}

/// As FHIR R4's DocumentReference has it, with what comes before there is content and after it is gone.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum DocumentStatus {
    /// Announced; its content has not come yet.
    Registered,
    Current,
    Superseded,
    EnteredInError,
    /// Its content never came whole.
    Failed,
    /// Its content went with the patient's key.
    Erased,
}

/// Why the content of a document never came.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum UploadFailure {
    /// It ended before the announced size.
    Truncated,
    /// It went on after the announced size.
    TooLong,
    /// It is not what the announced hash was made of.
    WrongHash,
    /// Its first bytes are those of another media type.
    WrongMediaType,
    /// The object store did not take it.
    NotStored,
    /// It did not come in time.
    Abandoned,
}

/// What an attachment belongs to. Exactly one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Owner {
    /// The document itself.
    Document,
    Note {
        id: NoteId,
    },
    /// On a dental chart.
    Observation {
        id: DentalObservationId,
    },
    /// On a dental chart.
    Procedure {
        id: DentalProcedureId,
    },
    CaseStudy {
        id: CaseStudyId,
    },
}

impl Owner {
    /// Of what it belongs to; `None`: to itself.
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::Document => None,
            Self::Note { id } => Some(id.0),
            Self::Observation { id } => Some(id.0),
            Self::Procedure { id } => Some(id.0),
            Self::CaseStudy { id } => Some(id.0),
        }
    }
}

/// What a document is called, and what its content hashes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentText {
    pub title: String,
    pub description: Option<String>,
    /// SHA-256 of the content, in hexadecimal digits. Sealed, because it would tell for ever who had a paper that
    /// somebody else has too.
    pub sha256: String,
}

/// What a document is called from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentTitle {
    pub title: Option<String>,
    pub description: Option<String>,
}

/// What somebody wrote beside a review, a replacement or a correction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentRemark {
    pub remark: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum DocumentEvent {
    /// Announced: so many bytes are reserved in the clinic's storage until they come, or until `upload_until`.
    DocumentRegistered {
        patient: PatientId,
        kind: DocumentKind,
        owner: Owner,
        /// `application/pdf`
        media_type: String,
        /// In bytes.
        size: i64,
        /// Of the announced SHA-256, in hexadecimal digits: so that the rules can compare it without saying it.
        content_hash: KeyedHash,
        by: Option<UserId>,
        upload_until: DateTime<Utc>,
        #[serde(default)]
        sealed: Sealed<DocumentText>,
    },
    /// The content is there, whole and as it was announced.
    DocumentUploaded {
        patient: PatientId,
        kind: DocumentKind,
        size: i64,
        /// Under which it is found in the object store; each try has its own.
        upload: Uuid,
    },
    /// Gives the reserved bytes back.
    DocumentUploadFailed { patient: PatientId, size: i64, failure: UploadFailure },
    DocumentClassified {
        patient: PatientId,
        was: DocumentKind,
        kind: DocumentKind,
        /// `None` in it: as it was.
        #[serde(default)]
        sealed: Sealed<DocumentTitle>,
    },
    DocumentSuperseded {
        patient: PatientId,
        by: DocumentId,
        #[serde(default)]
        sealed: Sealed<DocumentRemark>,
    },
    /// Somebody who answers for the patient's care has read it.
    DocumentReviewed {
        patient: PatientId,
        #[serde(default)]
        sealed: Sealed<DocumentRemark>,
    },
    /// The patient sees it from now on.
    DocumentReleased { patient: PatientId },
    DocumentEnteredInError {
        patient: PatientId,
        was: DocumentStatus,
        #[serde(default)]
        sealed: Sealed<DocumentRemark>,
    },
    /// The patient is erased: the content goes, and gives its bytes back.
    DocumentContentErased { patient: PatientId, size: i64 },
}

impl DocumentEvent {
    /// Under whose record it was registered.
    pub fn patient(&self) -> PatientId {
        match self {
            Self::DocumentRegistered { patient, .. }
            | Self::DocumentUploaded { patient, .. }
            | Self::DocumentUploadFailed { patient, .. }
            | Self::DocumentClassified { patient, .. }
            | Self::DocumentSuperseded { patient, .. }
            | Self::DocumentReviewed { patient, .. }
            | Self::DocumentReleased { patient }
            | Self::DocumentEnteredInError { patient, .. }
            | Self::DocumentContentErased { patient, .. } => *patient,
        }
    }

    /// What of the clinic's storage an event takes, or gives back, in bytes.
    pub fn storage_taken(&self) -> i64 {
        match self {
            Self::DocumentRegistered { size, .. } => *size,
            Self::DocumentUploadFailed { size, .. } | Self::DocumentContentErased { size, .. } => -size,
            Self::DocumentUploaded { .. }
            | Self::DocumentClassified { .. }
            | Self::DocumentSuperseded { .. }
            | Self::DocumentReviewed { .. }
            | Self::DocumentReleased { .. }
            | Self::DocumentEnteredInError { .. } => 0,
        }
    }
}
