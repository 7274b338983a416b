//! Every event that was ever written can be read for ever: `history/` holds one of each type and schema
//! version, in the two parts that the log stores. A file is added with its event and never changed.

use std::{collections::BTreeSet, fs, path::PathBuf};

use events::{
    AccessEvent, AggregateKind, AppointmentEvent, CaseStudyEvent, CatalogueEvent, ChargeEvent, ClinicEvent,
    DentalChartEvent, DentalTemplateEvent, DepartmentEvent, DoctorEvent, DocumentEvent, InvoiceEvent, LabOrderEvent,
    LabReportEvent, MedicineEvent, NoteEvent, PatientEvent, PrescriptionEvent, ShortKeyEvent, StaffEvent,
    SubstanceEvent, VisitEvent,
    codec::{DecodeError, SCHEMA_VERSION, decode, encode},
};
use serde_json::Value;
use strum::VariantNames;

/// Every type of event that there is, with its aggregate.
fn types() -> Vec<(AggregateKind, &'static str)> {
    let of = |kind, names: &[&'static str]| names.iter().map(|name| (kind, *name)).collect::<Vec<_>>();
    [
        of(AggregateKind::Clinic, ClinicEvent::VARIANTS),
        of(AggregateKind::Staff, StaffEvent::VARIANTS),
        of(AggregateKind::Doctor, DoctorEvent::VARIANTS),
        of(AggregateKind::Patient, PatientEvent::VARIANTS),
        of(AggregateKind::Appointment, AppointmentEvent::VARIANTS),
        of(AggregateKind::Document, DocumentEvent::VARIANTS),
        of(AggregateKind::DentalChart, DentalChartEvent::VARIANTS),
        of(AggregateKind::DentalTemplate, DentalTemplateEvent::VARIANTS),
        of(AggregateKind::Charge, ChargeEvent::VARIANTS),
        of(AggregateKind::Invoice, InvoiceEvent::VARIANTS),
        of(AggregateKind::Medicine, MedicineEvent::VARIANTS),
        of(AggregateKind::Substance, SubstanceEvent::VARIANTS),
        of(AggregateKind::Catalogue, CatalogueEvent::VARIANTS),
        of(AggregateKind::ShortKey, ShortKeyEvent::VARIANTS),
        of(AggregateKind::LabOrder, LabOrderEvent::VARIANTS),
        of(AggregateKind::LabReport, LabReportEvent::VARIANTS),
        of(AggregateKind::Visit, VisitEvent::VARIANTS),
        of(AggregateKind::Department, DepartmentEvent::VARIANTS),
        of(AggregateKind::Prescription, PrescriptionEvent::VARIANTS),
        of(AggregateKind::Note, NoteEvent::VARIANTS),
        of(AggregateKind::CaseStudy, CaseStudyEvent::VARIANTS),
        of(AggregateKind::Access, AccessEvent::VARIANTS),
    ]
    .concat()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("history")
}

/// One event as the log stores it: `{"payload": {…}, "sealed": {…} or null}`.
struct Stored {
    payload: Value,
    sealed: Option<Value>,
}

impl Stored {
    /// `None`: there is no such file.
    fn read(event_type: &str, version: i16) -> Option<Self> {
        let text = fs::read(folder().join(format!("{event_type}.v{version}.json"))).ok()?;
        let mut parts: Value = serde_json::from_slice(&text).expect("a file of history/ is JSON");
        let sealed = Some(parts["sealed"].take()).filter(|part| !part.is_null());
        Some(Self { payload: parts["payload"].take(), sealed })
    }
}

fn bytes(part: &Value) -> Vec<u8> {
    serde_json::to_vec(part).expect("a JSON value always serialises")
}

#[test]
fn every_event_has_a_file_of_the_current_version() {
    let missing: Vec<_> =
        types().into_iter().filter(|(_, event_type)| Stored::read(event_type, SCHEMA_VERSION).is_none()).collect();
    assert!(missing.is_empty(), "no file in events/history for {missing:?}");
}

#[test]
fn every_file_is_of_an_event_that_there_is() {
    let known: BTreeSet<String> = types()
        .into_iter()
        .flat_map(|(_, event_type)| (1..=SCHEMA_VERSION).map(move |version| format!("{event_type}.v{version}.json")))
        .collect();
    for file in fs::read_dir(folder()).expect("events/history can be listed") {
        let name = file.expect("an entry").file_name().into_string().expect("an ASCII name");
        assert!(known.contains(&name), "{name} is of no event");
    }
}

#[test]
fn an_event_of_the_current_version_comes_out_as_it_went_in() {
    for (kind, event_type) in types() {
        let Some(stored) = Stored::read(event_type, SCHEMA_VERSION) else { continue };
        let sealed = stored.sealed.as_ref().map(bytes);
        let event = decode(kind, event_type, SCHEMA_VERSION, &bytes(&stored.payload), sealed.as_deref())
            .unwrap_or_else(|error| panic!("{event_type}: {error}"));
        let again = encode(&event);
        assert_eq!(again.event_type, event_type);
        assert_eq!(again.payload, bytes(&stored.payload), "{event_type}");
        assert_eq!(again.sealed, sealed, "{event_type}");
    }
}

#[test]
fn an_event_of_any_version_is_read_with_and_without_its_sealed_part() {
    for (kind, event_type) in types() {
        for version in 1..=SCHEMA_VERSION {
            let Some(stored) = Stored::read(event_type, version) else { continue };
            let payload = bytes(&stored.payload);
            let read = |sealed: Option<&[u8]>| {
                decode(kind, event_type, version, &payload, sealed)
                    .unwrap_or_else(|error| panic!("{event_type}.v{version}: {error}"))
            };
            let erased = encode(&read(None));
            assert_eq!(erased.sealed, None, "{event_type}");
            let sealed = stored.sealed.as_ref().map(bytes);
            assert_eq!(encode(&read(sealed.as_deref())).payload, erased.payload, "{event_type}");
        }
    }
}

#[test]
fn a_version_that_is_not_known_yet_is_refused() {
    let newer = decode(AggregateKind::Clinic, "ClinicResumed", SCHEMA_VERSION + 1, b"{}", None);
    assert!(matches!(newer, Err(DecodeError::NewerSchema(_))));
}
