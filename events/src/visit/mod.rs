//! What can happen to a visit (FHIR Encounter): somebody comes, is looked at, is seen by a doctor and goes. Each
//! event says whose visit it is, by whom and where, so that no fold has to look at another table.

mod vitals;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::{AppointmentId, DiagnosisId, DoctorId, Number, OfficeId, PatientId, Sealed, VitalsId};

pub use vitals::{Measured, Quantity, VitalFlag, VitalSign, VitalSigns};

/// FHIR R4 EncounterStatus, as far as a clinic without beds has it.
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
pub enum VisitStatus {
    /// Made ready before the patient comes.
    Planned,
    Arrived,
    Triaged,
    /// With the doctor.
    InProgress,
    Finished,
    /// Ended before it began.
    Cancelled,
    EnteredInError,
}

impl VisitStatus {
    /// Neither over nor struck out.
    pub fn is_open(self) -> bool {
        match self {
            Self::Planned | Self::Arrived | Self::Triaged | Self::InProgress => true,
            Self::Finished | Self::Cancelled | Self::EnteredInError => false,
        }
    }
}

/// Whose visit it is, by whom and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attendance {
    pub patient: PatientId,
    pub office: OfficeId,
    /// `None`: nobody has been assigned yet.
    pub doctor: Option<DoctorId>,
    /// `None`: the patient walked in.
    pub appointment: Option<AppointmentId>,
    /// In the clinic's zone as it was: of the arrival, or of the appointment while the visit is planned.
    pub day: NaiveDate,
}

/// How soon somebody has to be seen: the five steps of the Canadian Triage and Acuity Scale.
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
pub enum TriagePriority {
    /// Now.
    Resuscitation,
    /// Within a quarter of an hour.
    Emergent,
    /// Within half an hour.
    Urgent,
    /// Within an hour.
    LessUrgent,
    /// Within two hours.
    NonUrgent,
}

/// How sure a diagnosis is: FHIR condition-ver-status.
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
pub enum Certainty {
    Unconfirmed,
    Provisional,
    /// One of several that are weighed.
    Differential,
    Confirmed,
    Refuted,
}

/// Why a visit ended before it began.
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
pub enum VisitCancellation {
    DidNotCome,
    LeftBeforeSeen,
    DoctorUnavailable,
    ReferredElsewhere,
    OpenedByMistake,
    Other,
}

/// When the patient is to come again, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FollowUp {
    pub on: NaiveDate,
    /// `None`: whoever is there.
    pub doctor: Option<DoctorId>,
}

/// Why the patient comes, in the patient's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChiefComplaint {
    pub complaint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriageNote {
    pub note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// ICD-10, upper case, with its dot: `J45.9`.
    pub code: Option<String>,
    pub text: String,
}

/// A diagnosis as it should have been recorded, and why it was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiagnosisCorrection {
    pub code: Option<String>,
    pub text: String,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FollowUpText {
    /// What the patient is told: `fasting`, `bring the X-ray`.
    pub instructions: Option<String>,
}

/// Why it was reopened, cancelled or struck out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VisitReason {
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum VisitEvent {
    VisitOpened {
        number: Number,
        attendance: Attendance,
        /// `planned` or `arrived`.
        status: VisitStatus,
        #[serde(default)]
        sealed: Sealed<ChiefComplaint>,
    },
    /// `planned` to `arrived`; by whom and where is then as the appointment says.
    VisitArrived { attendance: Attendance },
    ChiefComplaintRecorded {
        attendance: Attendance,
        #[serde(default)]
        sealed: Sealed<ChiefComplaint>,
    },
    VitalsRecorded {
        attendance: Attendance,
        vitals: VitalsId,
        measured_at: DateTime<Utc>,
        #[serde(default)]
        sealed: Sealed<VitalSigns>,
    },
    VitalsEnteredInError {
        attendance: Attendance,
        vitals: VitalsId,
        #[serde(default)]
        sealed: Sealed<VisitReason>,
    },
    /// `arrived` or `triaged` to `triaged`.
    TriageCompleted {
        attendance: Attendance,
        was: VisitStatus,
        priority: TriagePriority,
        #[serde(default)]
        sealed: Sealed<TriageNote>,
    },
    /// `attendance` names who has it now.
    VisitDoctorAssigned { attendance: Attendance, from: Option<DoctorId> },
    /// `arrived` or `triaged` to `in-progress`, with the doctor who started it.
    ConsultationStarted { attendance: Attendance, was: VisitStatus },
    DiagnosisRecorded {
        attendance: Attendance,
        diagnosis: DiagnosisId,
        /// 1 is the principal one.
        rank: i64,
        certainty: Certainty,
        #[serde(default)]
        sealed: Sealed<Diagnosis>,
    },
    DiagnosisCorrected {
        attendance: Attendance,
        diagnosis: DiagnosisId,
        rank: i64,
        certainty: Certainty,
        #[serde(default)]
        sealed: Sealed<DiagnosisCorrection>,
    },
    DiagnosisEnteredInError {
        attendance: Attendance,
        diagnosis: DiagnosisId,
        #[serde(default)]
        sealed: Sealed<VisitReason>,
    },
    /// A later plan replaces the earlier one.
    FollowUpPlanned {
        attendance: Attendance,
        follow_up: FollowUp,
        #[serde(default)]
        sealed: Sealed<FollowUpText>,
    },
    /// `in-progress` to `finished`.
    VisitFinished { attendance: Attendance },
    /// `finished` to `in-progress` again.
    VisitReopened {
        attendance: Attendance,
        #[serde(default)]
        sealed: Sealed<VisitReason>,
    },
    VisitCancelled {
        attendance: Attendance,
        was: VisitStatus,
        reason: VisitCancellation,
        #[serde(default)]
        sealed: Sealed<VisitReason>,
    },
    VisitEnteredInError {
        attendance: Attendance,
        was: VisitStatus,
        /// The sets that stood in it: nothing of it was measured.
        vitals: Vec<VitalsId>,
        #[serde(default)]
        sealed: Sealed<VisitReason>,
    },
}

impl VisitEvent {
    /// As it is after the event.
    pub fn attendance(&self) -> &Attendance {
        match self {
            Self::VisitOpened { attendance, .. }
            | Self::VisitArrived { attendance }
            | Self::ChiefComplaintRecorded { attendance, .. }
            | Self::VitalsRecorded { attendance, .. }
            | Self::VitalsEnteredInError { attendance, .. }
            | Self::TriageCompleted { attendance, .. }
            | Self::VisitDoctorAssigned { attendance, .. }
            | Self::ConsultationStarted { attendance, .. }
            | Self::DiagnosisRecorded { attendance, .. }
            | Self::DiagnosisCorrected { attendance, .. }
            | Self::DiagnosisEnteredInError { attendance, .. }
            | Self::FollowUpPlanned { attendance, .. }
            | Self::VisitFinished { attendance }
            | Self::VisitReopened { attendance, .. }
            | Self::VisitCancelled { attendance, .. }
            | Self::VisitEnteredInError { attendance, .. } => attendance,
        }
    }

    pub fn number_mut(&mut self) -> Option<&mut Number> {
        match self {
            Self::VisitOpened { number, .. } => Some(number),
            Self::VisitArrived { .. }
            | Self::ChiefComplaintRecorded { .. }
            | Self::VitalsRecorded { .. }
            | Self::VitalsEnteredInError { .. }
            | Self::TriageCompleted { .. }
            | Self::VisitDoctorAssigned { .. }
            | Self::ConsultationStarted { .. }
            | Self::DiagnosisRecorded { .. }
            | Self::DiagnosisCorrected { .. }
            | Self::DiagnosisEnteredInError { .. }
            | Self::FollowUpPlanned { .. }
            | Self::VisitFinished { .. }
            | Self::VisitReopened { .. }
            | Self::VisitCancelled { .. }
            | Self::VisitEnteredInError { .. } => None,
        }
    }
}
