//! The enum of enums, and the streams that events belong to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use uuid::Uuid;

use crate::{
    AccessEvent, AppointmentEvent, AppointmentId, CaseStudyEvent, CaseStudyId, CatalogueEvent, CatalogueId,
    ChargeEvent, ChargeId, ClinicEvent, ClinicId, DentalChartEvent, DentalChartId, DentalTemplateEvent,
    DentalTemplateId, DepartmentEvent, DepartmentId, DoctorEvent, DoctorId, DocumentEvent, DocumentId, InvoiceEvent,
    InvoiceId, LabOrderEvent, LabOrderId, LabReportEvent, LabReportId, MedicineEvent, MedicineId, NoteEvent, NoteId,
    Number, PatientEvent, PatientId, PrescriptionEvent, PrescriptionId, ShortKeyEvent, ShortKeyId, StaffEvent,
    SubstanceEvent, SubstanceId, UserId, VisitEvent, VisitId,
};

/// The kinds of aggregate. The written form is stored for ever.
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
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AggregateKind {
    Clinic,
    Staff,
    Doctor,
    Patient,
    Appointment,
    Document,
    DentalChart,
    DentalTemplate,
    Charge,
    Invoice,
    /// An entry of a catalogue of medicines.
    Medicine,
    /// What the platform knows under one name of a substance.
    Substance,
    /// The lists of one kind that are imported into the platform's catalogue.
    Catalogue,
    /// An abbreviation for lines of a prescription.
    ShortKey,
    LabOrder,
    LabReport,
    Visit,
    Department,
    Prescription,
    Note,
    CaseStudy,
    /// A record of the access ledger: each is a stream of its own, of one event, and no aggregate.
    Access,
}

impl AggregateKind {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One aggregate's events: its kind and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct StreamId {
    pub kind: AggregateKind,
    pub id: Uuid,
}

macro_rules! stream_of {
    ($($id:ident => $kind:ident),+ $(,)?) => {$(
        impl From<$id> for StreamId {
            fn from(id: $id) -> Self {
                Self { kind: AggregateKind::$kind, id: id.0 }
            }
        }
    )+};
}

stream_of! {
    ClinicId => Clinic,
    UserId => Staff,
    DoctorId => Doctor,
    PatientId => Patient,
    AppointmentId => Appointment,
    DocumentId => Document,
    DentalChartId => DentalChart,
    DentalTemplateId => DentalTemplate,
    ChargeId => Charge,
    InvoiceId => Invoice,
    MedicineId => Medicine,
    SubstanceId => Substance,
    CatalogueId => Catalogue,
    ShortKeyId => ShortKey,
    LabOrderId => LabOrder,
    LabReportId => LabReport,
    VisitId => Visit,
    DepartmentId => Department,
    PrescriptionId => Prescription,
    NoteId => Note,
    CaseStudyId => CaseStudy,
}

/// Anything that can have happened in a clinic.
#[derive(Clone, Debug, PartialEq, derive_more::From)]
pub enum DomainEvent {
    Clinic(ClinicEvent),
    Staff(StaffEvent),
    Doctor(DoctorEvent),
    Patient(PatientEvent),
    Appointment(AppointmentEvent),
    Document(DocumentEvent),
    DentalChart(DentalChartEvent),
    DentalTemplate(DentalTemplateEvent),
    Charge(ChargeEvent),
    Invoice(InvoiceEvent),
    Medicine(MedicineEvent),
    Substance(SubstanceEvent),
    Catalogue(CatalogueEvent),
    ShortKey(ShortKeyEvent),
    LabOrder(LabOrderEvent),
    LabReport(LabReportEvent),
    Visit(VisitEvent),
    Department(DepartmentEvent),
    Prescription(PrescriptionEvent),
    Note(NoteEvent),
    CaseStudy(CaseStudyEvent),
    Access(AccessEvent),
}

impl DomainEvent {
    pub fn kind(&self) -> AggregateKind {
        match self {
            Self::Clinic(_) => AggregateKind::Clinic,
            Self::Staff(_) => AggregateKind::Staff,
            Self::Doctor(_) => AggregateKind::Doctor,
            Self::Patient(_) => AggregateKind::Patient,
            Self::Appointment(_) => AggregateKind::Appointment,
            Self::Document(_) => AggregateKind::Document,
            Self::DentalChart(_) => AggregateKind::DentalChart,
            Self::DentalTemplate(_) => AggregateKind::DentalTemplate,
            Self::Charge(_) => AggregateKind::Charge,
            Self::Invoice(_) => AggregateKind::Invoice,
            Self::Medicine(_) => AggregateKind::Medicine,
            Self::Substance(_) => AggregateKind::Substance,
            Self::Catalogue(_) => AggregateKind::Catalogue,
            Self::ShortKey(_) => AggregateKind::ShortKey,
            Self::LabOrder(_) => AggregateKind::LabOrder,
            Self::LabReport(_) => AggregateKind::LabReport,
            Self::Visit(_) => AggregateKind::Visit,
            Self::Department(_) => AggregateKind::Department,
            Self::Prescription(_) => AggregateKind::Prescription,
            Self::Note(_) => AggregateKind::Note,
            Self::CaseStudy(_) => AggregateKind::CaseStudy,
            Self::Access(_) => AggregateKind::Access,
        }
    }

    /// The stored name of the event: `PatientRegistered`.
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Clinic(event) => event.into(),
            Self::Staff(event) => event.into(),
            Self::Doctor(event) => event.into(),
            Self::Patient(event) => event.into(),
            Self::Appointment(event) => event.into(),
            Self::Document(event) => event.into(),
            Self::DentalChart(event) => event.into(),
            Self::DentalTemplate(event) => event.into(),
            Self::Charge(event) => event.into(),
            Self::Invoice(event) => event.into(),
            Self::Medicine(event) => event.into(),
            Self::Substance(event) => event.into(),
            Self::Catalogue(event) => event.into(),
            Self::ShortKey(event) => event.into(),
            Self::LabOrder(event) => event.into(),
            Self::LabReport(event) => event.into(),
            Self::Visit(event) => event.into(),
            Self::Department(event) => event.into(),
            Self::Prescription(event) => event.into(),
            Self::Note(event) => event.into(),
            Self::CaseStudy(event) => event.into(),
            Self::Access(event) => event.into(),
        }
    }

    /// The patient whom the event is about, if it is one. In the record it is written in that patient's chart.
    pub fn patient(&self, stream: StreamId) -> Option<PatientId> {
        match self {
            Self::Clinic(_) | Self::Doctor(_) | Self::DentalTemplate(_) | Self::Department(_) => None,
            Self::Medicine(_) | Self::Substance(_) | Self::Catalogue(_) | Self::ShortKey(_) => None,
            Self::Staff(event) => event.patient(),
            Self::Patient(_) | Self::DentalChart(_) => Some(PatientId(stream.id)),
            Self::Appointment(event) => Some(event.slot().patient),
            Self::Document(event) => Some(event.patient()),
            Self::Charge(event) => Some(event.patient()),
            Self::Invoice(event) => Some(event.patient()),
            Self::LabOrder(event) => Some(event.patient()),
            Self::LabReport(event) => Some(event.patient()),
            Self::Visit(event) => Some(event.attendance().patient),
            Self::Prescription(event) => Some(event.patient()),
            Self::Note(event) => Some(event.patient()),
            Self::CaseStudy(event) => event.patient(),
            Self::Access(event) => event.patient(),
        }
    }

    /// The number that the writer gives inside the append, where the event has one.
    pub fn number_mut(&mut self) -> Option<&mut Number> {
        match self {
            Self::Clinic(_)
            | Self::Staff(_)
            | Self::Doctor(_)
            | Self::Document(_)
            | Self::Access(_)
            | Self::DentalChart(_)
            | Self::DentalTemplate(_)
            | Self::Charge(_)
            | Self::Department(_)
            | Self::Note(_) => None,
            Self::Medicine(_) | Self::Substance(_) | Self::Catalogue(_) | Self::ShortKey(_) => None,
            Self::Patient(event) => event.number_mut(),
            Self::Appointment(event) => event.number_mut(),
            Self::Invoice(event) => event.number_mut(),
            Self::LabOrder(event) => event.number_mut(),
            Self::LabReport(event) => event.number_mut(),
            Self::Visit(event) => event.number_mut(),
            Self::Prescription(event) => event.number_mut(),
            Self::CaseStudy(event) => event.number_mut(),
        }
    }
}
