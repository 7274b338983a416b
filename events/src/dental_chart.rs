//! What can happen to a patient's dental chart. Which teeth are concerned, and which of them are gone, is in clear: the
//! rules rest on it. What was found and what is done about it is sealed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::{
    DentalExtractionId, DentalObservationId, DentalProcedureId, DentalTemplateId, Sealed,
    tooth::{Surface, Tooth, ToothCondition, ToothSeverity},
    values::Money,
};

/// Where a procedure stands (of FHIR's Procedure.status: preparation, in-progress, completed, not-done).
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
pub enum DentalProcedureStatus {
    Planned,
    InProgress,
    Completed,
    Cancelled,
}

/// Why what the chart said was not so.
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
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DentalCorrectionReason {
    WrongTooth,
    WrongFinding,
    WrongPatient,
    /// A later look, or an image, showed something else.
    ReExamined,
    Other,
}

/// Why a procedure is not done.
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
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DentalCancellationReason {
    PatientDeclined,
    PatientAbsent,
    NotIndicated,
    /// Another procedure is done instead.
    Replaced,
    EnteredInError,
    Other,
}

/// What is seen on a tooth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToothFinding {
    /// In the order of [`Surface`], each once; empty where it concerns the whole tooth.
    pub surfaces: Vec<Surface>,
    pub condition: ToothCondition,
    pub severity: Option<ToothSeverity>,
    pub note: Option<String>,
}

/// What is seen instead, and why it was not seen before, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectedFinding {
    pub finding: ToothFinding,
    pub text: Option<String>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DentalTreatment {
    /// CDT, `D2391`.
    pub code: String,
    /// In the order of [`Surface`], each once.
    pub surfaces: Vec<Surface>,
    pub description: Option<String>,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DentalOutcome {
    pub complications: Option<String>,
}

/// Why, or how, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DentalText {
    pub text: Option<String>,
}

/// The stream is the patient's: its id is the patient's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum DentalChartEvent {
    ObservationRecorded {
        observation: DentalObservationId,
        tooth: Tooth,
        /// The tooth is not there.
        missing: bool,
        #[serde(default)]
        sealed: Sealed<ToothFinding>,
    },
    /// The observation says something else from now on; what it said stays readable.
    ObservationCorrected {
        observation: DentalObservationId,
        /// As corrected.
        tooth: Tooth,
        /// As corrected.
        missing: bool,
        reason: DentalCorrectionReason,
        #[serde(default)]
        sealed: Sealed<CorrectedFinding>,
    },
    /// It should never have been recorded.
    ObservationEnteredInError {
        observation: DentalObservationId,
        tooth: Tooth,
        reason: DentalCorrectionReason,
        #[serde(default)]
        sealed: Sealed<DentalText>,
    },
    ProcedurePlanned {
        procedure: DentalProcedureId,
        /// Empty where it concerns the whole mouth.
        teeth: Vec<Tooth>,
        /// It is an implant or a prosthesis: it may be done where a tooth is missing.
        replaces: bool,
        /// What it treats.
        observation: Option<DentalObservationId>,
        /// What proposed it.
        template: Option<DentalTemplateId>,
        estimate: Option<Money>,
        #[serde(default)]
        sealed: Sealed<DentalTreatment>,
    },
    ProcedureStarted {
        procedure: DentalProcedureId,
        teeth: Vec<Tooth>,
    },
    ProcedureCompleted {
        procedure: DentalProcedureId,
        teeth: Vec<Tooth>,
        /// What it cost in the end.
        cost: Option<Money>,
        #[serde(default)]
        sealed: Sealed<DentalOutcome>,
    },
    ProcedureCancelled {
        procedure: DentalProcedureId,
        teeth: Vec<Tooth>,
        /// `planned` or `in-progress`.
        was: DentalProcedureStatus,
        reason: DentalCancellationReason,
        #[serde(default)]
        sealed: Sealed<DentalText>,
    },
    ToothExtracted {
        extraction: DentalExtractionId,
        tooth: Tooth,
        /// In whose course.
        procedure: Option<DentalProcedureId>,
        #[serde(default)]
        sealed: Sealed<DentalText>,
    },
    /// The tooth was never extracted.
    ExtractionEnteredInError {
        extraction: DentalExtractionId,
        tooth: Tooth,
        reason: DentalCorrectionReason,
        #[serde(default)]
        sealed: Sealed<DentalText>,
    },
}
