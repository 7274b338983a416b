//! Between an event and its two stored parts.
//!
//! The clear part (`payload`) and the sealed part are JSON objects. A reader joins them textually, so
//! that decoding costs one pass of the parser and no intermediate tree.

use serde::Deserialize;
use serde_json::Value;

use crate::{AggregateKind, DomainEvent};

/// The version of every event's schema. An event that changes shape gets its own next version here and
/// an upcaster from the earlier one; the stored events stay as they are.
pub const SCHEMA_VERSION: i16 = 1;

/// An event as the log stores it, before sealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    pub event_type: &'static str,
    pub schema_version: i16,
    /// In clear: ids, codes of state, times, numbers, amounts, quantities.
    pub payload: Vec<u8>,
    /// To be encrypted; `None` where the event says nothing about a person.
    pub sealed: Option<Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("schema version {0} is newer than this program")]
    NewerSchema(i16),
    #[error("the stored event does not parse: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// Splits an event into its clear and its sealed part.
pub fn encode(event: &DomainEvent) -> Encoded {
    let mut data = match event {
        DomainEvent::Clinic(event) => serde_json::to_value(event),
        DomainEvent::Staff(event) => serde_json::to_value(event),
        DomainEvent::Doctor(event) => serde_json::to_value(event),
        DomainEvent::Patient(event) => serde_json::to_value(event),
        DomainEvent::Appointment(event) => serde_json::to_value(event),
        DomainEvent::Document(event) => serde_json::to_value(event),
        DomainEvent::DentalChart(event) => serde_json::to_value(event),
        DomainEvent::DentalTemplate(event) => serde_json::to_value(event),
        DomainEvent::Charge(event) => serde_json::to_value(event),
        DomainEvent::Invoice(event) => serde_json::to_value(event),
        DomainEvent::Medicine(event) => serde_json::to_value(event),
        DomainEvent::Substance(event) => serde_json::to_value(event),
        DomainEvent::Catalogue(event) => serde_json::to_value(event),
        DomainEvent::ShortKey(event) => serde_json::to_value(event),
        DomainEvent::LabOrder(event) => serde_json::to_value(event),
        DomainEvent::LabReport(event) => serde_json::to_value(event),
        DomainEvent::Visit(event) => serde_json::to_value(event),
        DomainEvent::Department(event) => serde_json::to_value(event),
        DomainEvent::Prescription(event) => serde_json::to_value(event),
        DomainEvent::Note(event) => serde_json::to_value(event),
        DomainEvent::CaseStudy(event) => serde_json::to_value(event),
        DomainEvent::Access(event) => serde_json::to_value(event),
    }
    .expect("an event is plain data with string keys")["data"]
        .take();
    let sealed = data.as_object_mut().and_then(|fields| fields.shift_remove("sealed")).filter(|part| !part.is_null());
    Encoded {
        event_type: event.event_type(),
        schema_version: SCHEMA_VERSION,
        payload: to_bytes(&data),
        sealed: sealed.map(|part| to_bytes(&part)),
    }
}

fn to_bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("a JSON value always serialises")
}

/// Joins the stored parts. `sealed` is the opened sealed part, or `None` where there is none, where the
/// reader has no key, or where it was erased.
pub fn decode(
    kind: AggregateKind,
    event_type: &str,
    schema_version: i16,
    payload: &[u8],
    sealed: Option<&[u8]>,
) -> Result<DomainEvent, DecodeError> {
    if schema_version > SCHEMA_VERSION {
        return Err(DecodeError::NewerSchema(schema_version));
    }
    let joined = join(event_type, payload, sealed);
    Ok(match kind {
        AggregateKind::Clinic => parse::<crate::ClinicEvent>(&joined)?.into(),
        AggregateKind::Staff => parse::<crate::StaffEvent>(&joined)?.into(),
        AggregateKind::Doctor => parse::<crate::DoctorEvent>(&joined)?.into(),
        AggregateKind::Patient => parse::<crate::PatientEvent>(&joined)?.into(),
        AggregateKind::Appointment => parse::<crate::AppointmentEvent>(&joined)?.into(),
        AggregateKind::Document => parse::<crate::DocumentEvent>(&joined)?.into(),
        AggregateKind::DentalChart => parse::<crate::DentalChartEvent>(&joined)?.into(),
        AggregateKind::DentalTemplate => parse::<crate::DentalTemplateEvent>(&joined)?.into(),
        AggregateKind::Charge => parse::<crate::ChargeEvent>(&joined)?.into(),
        AggregateKind::Invoice => parse::<crate::InvoiceEvent>(&joined)?.into(),
        AggregateKind::Medicine => parse::<crate::MedicineEvent>(&joined)?.into(),
        AggregateKind::Substance => parse::<crate::SubstanceEvent>(&joined)?.into(),
        AggregateKind::Catalogue => parse::<crate::CatalogueEvent>(&joined)?.into(),
        AggregateKind::ShortKey => parse::<crate::ShortKeyEvent>(&joined)?.into(),
        AggregateKind::LabOrder => parse::<crate::LabOrderEvent>(&joined)?.into(),
        AggregateKind::LabReport => parse::<crate::LabReportEvent>(&joined)?.into(),
        AggregateKind::Visit => parse::<crate::VisitEvent>(&joined)?.into(),
        AggregateKind::Department => parse::<crate::DepartmentEvent>(&joined)?.into(),
        AggregateKind::Prescription => parse::<crate::PrescriptionEvent>(&joined)?.into(),
        AggregateKind::Note => parse::<crate::NoteEvent>(&joined)?.into(),
        AggregateKind::CaseStudy => parse::<crate::CaseStudyEvent>(&joined)?.into(),
        AggregateKind::Access => parse::<crate::AccessEvent>(&joined)?.into(),
    })
}

fn parse<'a, T: Deserialize<'a>>(joined: &'a [u8]) -> Result<T, DecodeError> {
    Ok(serde_json::from_slice(joined)?)
}

/// `{"type":"…","data":{…payload…,"sealed":{…}}}`. The payload was written by [`encode`], so it is an
/// object whose last byte closes it; a tampered one fails in the parser.
fn join(event_type: &str, payload: &[u8], sealed: Option<&[u8]>) -> Vec<u8> {
    let mut joined = Vec::with_capacity(payload.len() + sealed.map_or(0, <[u8]>::len) + 64);
    joined.extend_from_slice(br#"{"type":""#);
    joined.extend_from_slice(event_type.as_bytes());
    joined.extend_from_slice(br#"","data":"#);
    match (payload.split_last(), sealed) {
        (Some((b'}', fields)), Some(sealed)) => {
            joined.extend_from_slice(fields);
            if fields != b"{" {
                joined.push(b',');
            }
            joined.extend_from_slice(br#""sealed":"#);
            joined.extend_from_slice(sealed);
            joined.push(b'}');
        }
        _ => joined.extend_from_slice(payload),
    }
    joined.push(b'}');
    joined
}
