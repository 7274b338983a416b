//! How long what is kept, and what a record is kept as.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::{
    AppointmentEvent, DocumentEvent, DomainEvent, LabOrderEvent, NoteEvent, PatientEvent, VisitEvent,
    visit::VisitStatus,
};

/// How long a clinic keeps its records, in years. The defaults are those of the design; what the law of a place asks
/// for is the clinic's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// The clinical record, from the last contact on.
    pub clinical_years: i64,
    /// The age at which a patient is of full age.
    pub majority_age: i64,
    /// The clinical record of a minor, from full age on; kept until the later of the two.
    pub past_majority_years: i64,
    /// The audit trail and the access ledger, from the clinic's closing on.
    pub audit_years: i64,
    /// Disclosures and security, from the clinic's closing on.
    pub disclosure_years: i64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { clinical_years: 10, majority_age: 18, past_majority_years: 3, audit_years: 10, disclosure_years: 6 }
    }
}

impl Retention {
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// From a clinic's closing until nothing of it has to be kept any more: as if somebody had been born, and seen,
    /// on its last day.
    pub fn after_closing_years(&self) -> i64 {
        let minors = self.majority_age + self.past_majority_years;
        [self.clinical_years, minors, self.audit_years, self.disclosure_years].into_iter().max().unwrap_or(0)
    }
}

/// Why a record has to be kept.
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
pub enum RetentionBasis {
    /// So many years after the last contact.
    ClinicalRecord,
    /// So many years after the patient is of full age.
    MinorsRecord,
}

/// What an event in a patient's chart is kept as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordClass {
    /// Says what was found, done or decided about the patient's health, or that the patient was here.
    Clinical,
    /// All else: who the patient is, bookings, consents, the portal account. No law keeps it for its own sake.
    Administrative,
}

impl DomainEvent {
    pub fn record_class(&self) -> RecordClass {
        match self {
            Self::Patient(event) => event.record_class(),
            Self::Appointment(event) => event.record_class(),
            Self::Document(event) => event.record_class(),
            Self::LabOrder(event) => event.record_class(),
            Self::LabReport(_) => RecordClass::Clinical,
            Self::Prescription(event) => event.record_class(),
            // What was found, planned or done, and what was wrong about it.
            Self::DentalChart(_) => RecordClass::Clinical,
            Self::Clinic(_)
            | Self::Staff(_)
            | Self::Doctor(_)
            | Self::DentalTemplate(_)
            | Self::Department(_)
            | Self::Charge(_)
            | Self::Invoice(_)
            | Self::CaseStudy(_)
            | Self::Access(_) => RecordClass::Administrative,
            Self::Medicine(_) | Self::Substance(_) | Self::Catalogue(_) | Self::ShortKey(_) => {
                RecordClass::Administrative
            }
            Self::Visit(event) => event.record_class(),
            Self::Note(event) => event.record_class(),
        }
    }
}

impl PatientEvent {
    fn record_class(&self) -> RecordClass {
        match self {
            Self::AllergyRecorded { .. }
            | Self::AllergyVerified { .. }
            | Self::AllergyRefuted { .. }
            | Self::AllergyResolved { .. }
            | Self::NoKnownAllergiesAsserted {}
            | Self::ProblemAdded { .. }
            | Self::ProblemResolved { .. }
            | Self::DeathRecorded { .. } => RecordClass::Clinical,
            Self::PatientRegistered { .. }
            | Self::DemographicsUpdated { .. }
            | Self::IdentifierAdded { .. }
            | Self::IdentifierEnded { .. }
            | Self::EmergencyContactSet { .. }
            | Self::FamilyLinked { .. }
            | Self::ConsentGiven { .. }
            | Self::ConsentWithdrawn { .. }
            | Self::RecordRestricted { .. }
            | Self::PatientDeactivated { .. }
            | Self::PatientReactivated { .. }
            | Self::PatientMerged { .. }
            | Self::PatientMergedInto { .. }
            | Self::PatientUnmerged { .. }
            | Self::PatientUnmergedFrom { .. }
            | Self::ErasureRequested { .. }
            | Self::ErasureRefused { .. }
            | Self::PatientErased { .. } => RecordClass::Administrative,
        }
    }
}

impl LabOrderEvent {
    /// A draft that nobody ordered says nothing yet.
    fn record_class(&self) -> RecordClass {
        match self {
            Self::LabTestsDrafted { .. } => RecordClass::Administrative,
            Self::LabTestsOrdered { .. }
            | Self::LabOrderActivated { .. }
            | Self::SpecimenCollected { .. }
            | Self::SpecimenRejected { .. }
            | Self::LabOrderHeld { .. }
            | Self::LabOrderReleased { .. }
            | Self::LabOrderRevoked { .. }
            | Self::LabOrderCompleted { .. }
            | Self::LabOrderReopened { .. } => RecordClass::Clinical,
        }
    }
}

impl AppointmentEvent {
    fn record_class(&self) -> RecordClass {
        match self {
            Self::PatientCheckedIn { .. } | Self::AppointmentStarted { .. } | Self::AppointmentFulfilled { .. } => {
                RecordClass::Clinical
            }
            Self::AppointmentBooked { .. }
            | Self::AppointmentWaitlisted { .. }
            | Self::AppointmentConfirmed { .. }
            | Self::AppointmentRescheduled { .. }
            | Self::AppointmentCancelled { .. }
            | Self::AppointmentMarkedNoShow { .. }
            | Self::AppointmentEnteredInError { .. }
            | Self::ReminderSent { .. }
            | Self::ReminderFailed { .. } => RecordClass::Administrative,
        }
    }

    /// Whether the appointment still lies ahead, or goes on, after the event.
    pub fn leaves_open(&self) -> bool {
        match self {
            Self::AppointmentBooked { .. }
            | Self::AppointmentWaitlisted { .. }
            | Self::AppointmentConfirmed { .. }
            | Self::AppointmentRescheduled { .. }
            | Self::PatientCheckedIn { .. }
            | Self::AppointmentStarted { .. } => true,
            Self::AppointmentCancelled { .. }
            | Self::AppointmentFulfilled { .. }
            | Self::AppointmentMarkedNoShow { .. }
            | Self::AppointmentEnteredInError { .. } => false,
            // A reminder changes nothing; it may be on record only after the end.
            Self::ReminderSent { was, .. } | Self::ReminderFailed { was, .. } => !was.is_final(),
        }
    }
}

impl DocumentEvent {
    fn record_class(&self) -> RecordClass {
        match self {
            Self::DocumentUploaded { kind, .. } if !kind.is_administrative() => RecordClass::Clinical,
            Self::DocumentReviewed { .. } => RecordClass::Clinical,
            Self::DocumentRegistered { .. }
            | Self::DocumentUploaded { .. }
            | Self::DocumentUploadFailed { .. }
            | Self::DocumentClassified { .. }
            | Self::DocumentSuperseded { .. }
            | Self::DocumentReleased { .. }
            | Self::DocumentEnteredInError { .. }
            | Self::DocumentContentErased { .. } => RecordClass::Administrative,
        }
    }

    /// Whether the clinic keeps bytes for the document, or room for them, after the event.
    pub fn leaves_content(&self) -> bool {
        !matches!(self, Self::DocumentUploadFailed { .. } | Self::DocumentContentErased { .. })
    }
}

impl VisitEvent {
    fn record_class(&self) -> RecordClass {
        match self {
            Self::VisitOpened { status: VisitStatus::Planned, .. }
            | Self::VisitDoctorAssigned { .. }
            | Self::VisitCancelled { .. }
            | Self::VisitEnteredInError { .. } => RecordClass::Administrative,
            Self::VisitOpened { .. }
            | Self::VisitArrived { .. }
            | Self::ChiefComplaintRecorded { .. }
            | Self::VitalsRecorded { .. }
            | Self::VitalsEnteredInError { .. }
            | Self::TriageCompleted { .. }
            | Self::ConsultationStarted { .. }
            | Self::DiagnosisRecorded { .. }
            | Self::DiagnosisCorrected { .. }
            | Self::DiagnosisEnteredInError { .. }
            | Self::FollowUpPlanned { .. }
            | Self::VisitFinished { .. }
            | Self::VisitReopened { .. } => RecordClass::Clinical,
        }
    }

    /// Whether the visit lies ahead, or goes on, after the event.
    pub fn leaves_open(&self) -> bool {
        !matches!(self, Self::VisitFinished { .. } | Self::VisitCancelled { .. } | Self::VisitEnteredInError { .. })
    }
}

impl NoteEvent {
    fn record_class(&self) -> RecordClass {
        match self {
            Self::NoteStarted { .. }
            | Self::NoteDraftSaved { .. }
            | Self::NoteSigned { .. }
            | Self::NoteCosigned { .. }
            | Self::NoteAddendumAdded { .. }
            | Self::NoteAmended { .. } => RecordClass::Clinical,
            Self::NoteReleased { .. } | Self::NoteEnteredInError { .. } => RecordClass::Administrative,
        }
    }
}
