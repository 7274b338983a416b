//! What can happen to an order of laboratory tests (FHIR ServiceRequest). What was asked for and why says something
//! about the patient, so it is sealed; how many tests of which kind, and where the order stands, is clear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::{DoctorId, LabReportId, Number, PatientId, Sealed, SpecimenId, VisitId};

/// FHIR R4 RequestStatus, as far as a laboratory's order goes through it.
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
pub enum LabOrderStatus {
    /// Prepared; a doctor activates it.
    Draft,
    Active,
    OnHold,
    /// Its report is final.
    Completed,
    Revoked,
}

/// What is examined.
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
pub enum TestKind {
    Blood,
    Urine,
    XRay,
    Ultrasound,
    Ecg,
    Ct,
    Mri,
    Other,
}

impl TestKind {
    /// Whether something may be taken from the patient and sent to the bench: sputum and stool are `other`.
    pub fn may_have_specimen(self) -> bool {
        match self {
            Self::Blood | Self::Urine | Self::Other => true,
            Self::XRay | Self::Ultrasound | Self::Ecg | Self::Ct | Self::Mri => false,
        }
    }
}

/// FHIR R4 RequestPriority. The later ones are the more urgent.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
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
pub enum OrderPriority {
    #[default]
    Routine,
    Urgent,
    /// As soon as possible.
    Asap,
    /// At once.
    Stat,
}

/// One examination that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabTest {
    /// LOINC.
    pub code: String,
    pub text: String,
    pub kind: TestKind,
}

/// What is asked for, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabRequest {
    pub tests: Vec<LabTest>,
    /// What the laboratory should know: the suspicion, the question.
    pub reason: Option<String>,
}

/// Why an order was put on hold or revoked, or a specimen was rejected, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabReason {
    pub reason: Option<String>,
}

/// What was taken from the patient. Its barcode belongs to it for ever, in the whole clinic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Specimen {
    pub id: SpecimenId,
    pub barcode: String,
    pub kind: TestKind,
}

/// Why a specimen cannot be examined.
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
pub enum SpecimenFault {
    Haemolysed,
    Clotted,
    Insufficient,
    Contaminated,
    Mislabelled,
    WrongContainer,
    /// It came too late.
    TooOld,
    Lost,
    Other,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum LabOrderEvent {
    /// Prepared for a doctor, who activates it.
    LabTestsDrafted {
        number: Number,
        patient: PatientId,
        visit: Option<VisitId>,
        priority: OrderPriority,
        /// Of each test, in their order.
        kinds: Vec<TestKind>,
        #[serde(default)]
        sealed: Sealed<LabRequest>,
    },
    LabTestsOrdered {
        number: Number,
        patient: PatientId,
        /// Who ordered them, and is told of what is critical.
        doctor: DoctorId,
        visit: Option<VisitId>,
        priority: OrderPriority,
        /// Of each test, in their order.
        kinds: Vec<TestKind>,
        #[serde(default)]
        sealed: Sealed<LabRequest>,
    },
    /// The doctor makes the draft their own order.
    LabOrderActivated {
        patient: PatientId,
        doctor: DoctorId,
    },
    SpecimenCollected {
        patient: PatientId,
        specimen: Specimen,
    },
    SpecimenRejected {
        patient: PatientId,
        specimen: SpecimenId,
        reason: SpecimenFault,
        #[serde(default)]
        sealed: Sealed<LabReason>,
    },
    LabOrderHeld {
        patient: PatientId,
        #[serde(default)]
        sealed: Sealed<LabReason>,
    },
    LabOrderReleased {
        patient: PatientId,
    },
    LabOrderRevoked {
        patient: PatientId,
        was: LabOrderStatus,
        #[serde(default)]
        sealed: Sealed<LabReason>,
    },
    /// Recorded with the release of its report.
    LabOrderCompleted {
        patient: PatientId,
        report: LabReportId,
    },
    /// The report that completed it was struck out: the order waits for another one.
    LabOrderReopened {
        patient: PatientId,
        report: LabReportId,
    },
}

impl LabOrderEvent {
    pub fn patient(&self) -> PatientId {
        match self {
            Self::LabTestsDrafted { patient, .. }
            | Self::LabTestsOrdered { patient, .. }
            | Self::LabOrderActivated { patient, .. }
            | Self::SpecimenCollected { patient, .. }
            | Self::SpecimenRejected { patient, .. }
            | Self::LabOrderHeld { patient, .. }
            | Self::LabOrderReleased { patient }
            | Self::LabOrderRevoked { patient, .. }
            | Self::LabOrderCompleted { patient, .. }
            | Self::LabOrderReopened { patient, .. } => *patient,
        }
    }

    pub fn number_mut(&mut self) -> Option<&mut Number> {
        match self {
            Self::LabTestsDrafted { number, .. } | Self::LabTestsOrdered { number, .. } => Some(number),
            Self::LabOrderActivated { .. }
            | Self::SpecimenCollected { .. }
            | Self::SpecimenRejected { .. }
            | Self::LabOrderHeld { .. }
            | Self::LabOrderReleased { .. }
            | Self::LabOrderRevoked { .. }
            | Self::LabOrderCompleted { .. }
            | Self::LabOrderReopened { .. } => None,
        }
    }
}
