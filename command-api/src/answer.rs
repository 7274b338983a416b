//! What a command answers: `{"id", "version", "position", "events"}`, the ids of what it made on the way,
//! and what it alone may show (an activation, tokens). Never patient data.

use std::sync::Arc;

use events::{
    ClinicEvent, DentalChartEvent, DoctorEvent, DomainEvent, InvoiceEvent, LabOrderEvent, LabReportEvent, NoteEvent,
    PatientEvent, Position, PrescriptionEvent, Recorded, StaffEvent, StreamId, VisitEvent,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The answer to a command.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// Of the resource that the command acted on.
    pub id: Uuid,
    /// The resource's version after the command; send it as `If-Match`.
    pub version: i64,
    /// The clinic's position after the command; send it as `Casebook-Min-Position` to see the command.
    pub position: Position,
    /// What was recorded; empty where it was so already.
    pub events: Vec<String>,
    /// `office_id`, `allergy_id`, …: what the command made on the way.
    #[serde(flatten)]
    pub made: Map<String, Value>,
}

/// From the recorded events to further members of the answer. It may run more than once, so it only computes.
pub type Extra = Arc<dyn Fn(&[Recorded]) -> Map<String, Value> + Send + Sync>;

/// An answer with nothing but the usual.
pub fn nothing_more() -> Extra {
    Arc::new(|_| Map::new())
}

/// How a command's answer is made of what it recorded.
#[derive(Clone)]
pub struct Shape {
    pub target: StreamId,
    /// The member whose id is the answer's own, where the command made a part of something: `office_id`.
    pub made: Option<&'static str>,
    pub extra: Extra,
}

impl Shape {
    /// The bytes of the answer; the same for the same events, since they are stored under an idempotency key.
    pub fn write(&self, version: i64, position: Position, recorded: &[Recorded]) -> Vec<u8> {
        let ids: Vec<(&str, Uuid)> = recorded.iter().filter_map(made).collect();
        let part = ids.iter().find(|(name, _)| Some(*name) == self.made).map(|(_, id)| *id);
        // Of several of one kind none is the one: the resource lists them.
        let alone = ids.iter().filter(|(name, _)| ids.iter().filter(|(other, _)| other == name).count() == 1);
        let mut made: Map<String, Value> =
            alone.map(|(name, id)| ((*name).to_owned(), id.to_string().into())).collect();
        made.extend((self.extra)(recorded));
        let events = recorded.iter().map(|recorded| recorded.event.event_type().to_owned()).collect();
        let answer = Answer { id: part.unwrap_or(self.target.id), version, position, events, made };
        serde_json::to_vec(&answer).expect("plain data serialises")
    }
}

/// The id of what an event made inside its stream; or of the stream itself, where it began beside the target.
fn made(recorded: &Recorded) -> Option<(&'static str, Uuid)> {
    match &recorded.event {
        DomainEvent::Prescription(PrescriptionEvent::PrescriptionItemAdded { item, .. }) => Some(("item_id", item.0)),
        DomainEvent::Prescription(PrescriptionEvent::PrescriptionDrafted { replaces: Some(_), .. }) => {
            Some(("prescription_id", recorded.stream.id))
        }
        DomainEvent::Clinic(ClinicEvent::OfficeAdded { office }) => Some(("office_id", office.id.0)),
        DomainEvent::Clinic(ClinicEvent::ClosureDeclared { closure }) => Some(("closure_id", closure.id.0)),
        DomainEvent::Clinic(ClinicEvent::LegalHoldPlaced { hold, .. }) => Some(("hold_id", hold.0)),
        DomainEvent::Clinic(ClinicEvent::AuditorGranted { grant }) => Some(("auditor_grant_id", grant.id.0)),
        DomainEvent::Staff(StaffEvent::EmergencyAccessGranted { access, .. }) => {
            Some(("emergency_access_id", access.0))
        }
        DomainEvent::Doctor(DoctorEvent::LeaveDeclared { leave, .. }) => Some(("leave_id", leave.0)),
        DomainEvent::Patient(PatientEvent::IdentifierAdded { identifier, .. }) => {
            Some(("identifier_id", identifier.id.0))
        }
        DomainEvent::Patient(PatientEvent::AllergyRecorded { allergy, .. }) => Some(("allergy_id", allergy.0)),
        DomainEvent::Patient(PatientEvent::ProblemAdded { problem, .. }) => Some(("problem_id", problem.0)),
        DomainEvent::Patient(PatientEvent::ConsentGiven { consent, .. }) => Some(("consent_id", consent.0)),
        DomainEvent::DentalChart(DentalChartEvent::ObservationRecorded { observation, .. }) => {
            Some(("observation_id", observation.0))
        }
        DomainEvent::DentalChart(DentalChartEvent::ProcedurePlanned { procedure, .. }) => {
            Some(("procedure_id", procedure.0))
        }
        DomainEvent::DentalChart(DentalChartEvent::ToothExtracted { extraction, .. }) => {
            Some(("extraction_id", extraction.0))
        }
        DomainEvent::Invoice(InvoiceEvent::PaymentRecorded { payment, .. }) => Some(("payment_id", payment.0)),
        DomainEvent::Invoice(InvoiceEvent::CreditNoteIssued { credit_note, .. }) => {
            Some(("credit_note_id", credit_note.0))
        }
        DomainEvent::Invoice(InvoiceEvent::RefundIssued { refund, .. }) => Some(("refund_id", refund.0)),
        DomainEvent::LabOrder(LabOrderEvent::SpecimenCollected { specimen, .. }) => {
            Some(("specimen_id", specimen.id.0))
        }
        DomainEvent::LabReport(
            LabReportEvent::LabResultRecorded { result, .. }
            | LabReportEvent::LabReportAmended { result, .. }
            | LabReportEvent::LabReportCorrected { result, .. },
        ) => Some(("result_id", result.0)),
        DomainEvent::Note(NoteEvent::NoteAddendumAdded { addendum, .. }) => Some(("addendum_id", addendum.0)),
        DomainEvent::Visit(VisitEvent::VitalsRecorded { vitals, .. }) => Some(("vitals_id", vitals.0)),
        DomainEvent::Visit(VisitEvent::DiagnosisRecorded { diagnosis, .. }) => Some(("diagnosis_id", diagnosis.0)),
        _ => None,
    }
}
