//! Ids: a UUIDv7 each, and a type each, so that a doctor is never taken for a patient.

use derive_more::{Display, From, FromStr, Into};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(Display, From, FromStr, Into, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
    )+};
}

id! {
    /// A tenant. The nil id is the platform itself.
    ClinicId,
    /// One place where a clinic receives patients.
    OfficeId,
    /// A login: of a clinic's staff, of a patient's portal, or of the platform.
    UserId,
    /// A doctor; the same id as the doctor's login.
    DoctorId,
    PatientId,
    AppointmentId,
    DocumentId,
    VisitId,
    /// A set of vital signs, measured together.
    VitalsId,
    DiagnosisId,
    DepartmentId,
    /// A span of days on which an office, or the whole clinic, is closed.
    ClosureId,
    /// A doctor's absence.
    LeaveId,
    /// A legal hold: what it covers is not erased while it lasts.
    LegalHoldId,
    AllergyId,
    /// An entry of a patient's problem list (FHIR Condition).
    ProblemId,
    IdentifierId,
    ConsentId,
    /// One breaking of the glass.
    EmergencyAccessId,
    AuditorGrantId,
    /// A patient's dental chart; the same id as the patient's.
    DentalChartId,
    /// Something seen on a tooth.
    DentalObservationId,
    DentalProcedureId,
    DentalExtractionId,
    DentalTemplateId,
    /// Something that a patient pays for.
    ChargeId,
    InvoiceId,
    PaymentId,
    CreditNoteId,
    RefundId,
    /// An entry of the platform's catalogue of medicines, or of a clinic's.
    MedicineId,
    /// What the platform knows under one name of a substance.
    SubstanceId,
    /// The lists of one kind that are imported into the platform's catalogue.
    CatalogueId,
    /// An abbreviation for lines of a prescription.
    ShortKeyId,
    /// An order of laboratory tests.
    LabOrderId,
    /// What was taken from a patient for the laboratory.
    SpecimenId,
    LabReportId,
    /// One version of one result of a laboratory report.
    LabResultId,
    PrescriptionId,
    /// A line of a prescription.
    PrescriptionItemId,
    NoteId,
    /// What was added to a signed note.
    AddendumId,
    CaseStudyId,
}

impl ClinicId {
    /// The platform: plans, platform accounts, and what must be unique over all clinics.
    pub const PLATFORM: Self = Self(Uuid::nil());

    pub fn is_platform(self) -> bool {
        self == Self::PLATFORM
    }
}

impl From<PatientId> for DentalChartId {
    /// A chart carries the id of its patient.
    fn from(patient: PatientId) -> Self {
        Self(patient.0)
    }
}

impl From<UserId> for DoctorId {
    /// A doctor carries the id of the login that was made with the doctor.
    fn from(user: UserId) -> Self {
        Self(user.0)
    }
}
