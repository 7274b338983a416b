//! What can happen to a laboratory report (FHIR DiagnosticReport). What was found is sealed; that a result is critical
//! is clear, since somebody has to be told of it, and so is who recorded and who verified.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::{DoctorId, LabOrderId, LabResultId, Number, PatientId, Sealed, UserId};

/// FHIR R4 DiagnosticReportStatus.
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
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum LabReportStatus {
    /// Without results so far.
    Registered,
    /// Some of its results are not verified.
    Partial,
    /// All of its results are verified, and it is not released.
    Preliminary,
    Final,
    /// Results were added after it was final.
    Amended,
    /// Results were corrected after it was final.
    Corrected,
    EnteredInError,
}

impl LabReportStatus {
    /// Whether it was given out. What it said then never changes.
    pub fn is_released(self) -> bool {
        matches!(self, Self::Final | Self::Amended | Self::Corrected)
    }
}

/// FHIR QuantityComparator: what was measured lies beyond what the method can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Comparator {
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = ">")]
    Greater,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
pub enum ResultValue {
    Quantity {
        value: f64,
        /// UCUM.
        unit: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comparator: Option<Comparator>,
    },
    /// What was seen, in words.
    Text { text: String },
    Coded {
        /// The coding system, an URI: `http://snomed.info/sct`.
        system: String,
        code: String,
        text: Option<String>,
    },
}

/// What is usual, in the unit of the value. A bound that is left out does not bind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferenceRange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Below it a life is in danger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_low: Option<f64>,
    /// Above it a life is in danger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_high: Option<f64>,
    /// For whom it holds, or what is usual where that is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// FHIR ObservationInterpretation.
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
pub enum ResultFlag {
    #[serde(rename = "LL")]
    #[strum(serialize = "LL")]
    CriticallyLow,
    #[serde(rename = "L")]
    #[strum(serialize = "L")]
    Low,
    #[serde(rename = "N")]
    #[strum(serialize = "N")]
    Normal,
    #[serde(rename = "H")]
    #[strum(serialize = "H")]
    High,
    #[serde(rename = "HH")]
    #[strum(serialize = "HH")]
    CriticallyHigh,
    /// Of what has no low and high.
    #[serde(rename = "A")]
    #[strum(serialize = "A")]
    Abnormal,
}

impl ResultFlag {
    /// Whether the ordering doctor has to be told at once.
    pub fn is_critical(self) -> bool {
        matches!(self, Self::CriticallyLow | Self::CriticallyHigh)
    }
}

/// One result (FHIR Observation).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabResult {
    /// LOINC.
    pub code: String,
    pub text: String,
    pub value: ResultValue,
    pub range: Option<ReferenceRange>,
    /// `None`: nothing is said, and there is no range to say it.
    pub flag: Option<ResultFlag>,
    pub note: Option<String>,
}

/// Why a released result was not right.
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
pub enum CorrectionReason {
    /// A slip of the pen.
    Transcription,
    WrongPatient,
    WrongSpecimen,
    Instrument,
    Calculation,
    WrongRange,
    Other,
}

/// A result that takes the place of a released one, and why in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabCorrection {
    pub result: LabResult,
    pub why: String,
}

/// How a doctor was told of a critical result.
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
pub enum NoticeChannel {
    Phone,
    InPerson,
    Message,
}

/// What was said, or why, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabNote {
    pub text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum LabReportEvent {
    LabReportRegistered {
        number: Number,
        order: LabOrderId,
        patient: PatientId,
        /// Who ordered the tests.
        doctor: DoctorId,
    },
    /// The report is `partial` from here on.
    LabResultRecorded {
        patient: PatientId,
        result: LabResultId,
        /// An earlier result of this report, which was wrong and had not been released.
        replaces: Option<LabResultId>,
        by: Option<UserId>,
        critical: bool,
        #[serde(default)]
        sealed: Sealed<LabResult>,
    },
    LabResultVerified {
        patient: PatientId,
        result: LabResultId,
        by: Option<UserId>,
        /// Of the report, after it.
        status: LabReportStatus,
    },
    /// The report is `final` from here on.
    LabReportReleased {
        patient: PatientId,
        order: LabOrderId,
    },
    /// A result was added to a released report.
    LabReportAmended {
        patient: PatientId,
        result: LabResultId,
        by: Option<UserId>,
        critical: bool,
        was: LabReportStatus,
        #[serde(default)]
        sealed: Sealed<LabResult>,
    },
    /// A released result was not right. What it said stays readable.
    LabReportCorrected {
        patient: PatientId,
        result: LabResultId,
        /// The released result that was not right.
        corrects: LabResultId,
        by: Option<UserId>,
        critical: bool,
        was: LabReportStatus,
        reason: CorrectionReason,
        /// Who has to know: the ordering doctor.
        informs: DoctorId,
        #[serde(default)]
        sealed: Sealed<LabCorrection>,
    },
    CriticalResultNotified {
        patient: PatientId,
        result: LabResultId,
        /// Who was told.
        doctor: DoctorId,
        channel: NoticeChannel,
        #[serde(default)]
        sealed: Sealed<LabNote>,
    },
    CriticalResultAcknowledged {
        patient: PatientId,
        result: LabResultId,
        doctor: DoctorId,
    },
    LabReportEnteredInError {
        patient: PatientId,
        order: LabOrderId,
        was: LabReportStatus,
        #[serde(default)]
        sealed: Sealed<LabNote>,
    },
}

impl LabReportEvent {
    pub fn patient(&self) -> PatientId {
        match self {
            Self::LabReportRegistered { patient, .. }
            | Self::LabResultRecorded { patient, .. }
            | Self::LabResultVerified { patient, .. }
            | Self::LabReportReleased { patient, .. }
            | Self::LabReportAmended { patient, .. }
            | Self::LabReportCorrected { patient, .. }
            | Self::CriticalResultNotified { patient, .. }
            | Self::CriticalResultAcknowledged { patient, .. }
            | Self::LabReportEnteredInError { patient, .. } => *patient,
        }
    }

    pub fn number_mut(&mut self) -> Option<&mut Number> {
        match self {
            Self::LabReportRegistered { number, .. } => Some(number),
            Self::LabResultRecorded { .. }
            | Self::LabResultVerified { .. }
            | Self::LabReportReleased { .. }
            | Self::LabReportAmended { .. }
            | Self::LabReportCorrected { .. }
            | Self::CriticalResultNotified { .. }
            | Self::CriticalResultAcknowledged { .. }
            | Self::LabReportEnteredInError { .. } => None,
        }
    }
}
