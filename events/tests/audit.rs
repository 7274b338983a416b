//! Every event has its place in an audit trail: a line of the table, and a sentence without a gap.

use std::{collections::BTreeSet, fs, path::PathBuf};

use events::{
    AccessEvent, Actor, AppointmentEvent, CaseStudyEvent, CatalogueEvent, ChargeEvent, ClinicEvent, DentalChartEvent,
    DentalTemplateEvent, DepartmentEvent, DoctorEvent, DocumentEvent, InvoiceEvent, LabOrderEvent, LabReportEvent,
    MedicineEvent, NoteEvent, PatientEvent, PrescriptionEvent, ShortKeyEvent, StaffEvent, SubstanceEvent, VisitEvent,
    audit::{Mark, TABLE, Told, meaning},
};
use serde_json::Value;
use strum::VariantNames;
use uuid::Uuid;

fn types() -> Vec<&'static str> {
    [
        ClinicEvent::VARIANTS,
        StaffEvent::VARIANTS,
        DoctorEvent::VARIANTS,
        PatientEvent::VARIANTS,
        AppointmentEvent::VARIANTS,
        DocumentEvent::VARIANTS,
        DentalChartEvent::VARIANTS,
        DentalTemplateEvent::VARIANTS,
        ChargeEvent::VARIANTS,
        InvoiceEvent::VARIANTS,
        LabOrderEvent::VARIANTS,
        LabReportEvent::VARIANTS,
        VisitEvent::VARIANTS,
        DepartmentEvent::VARIANTS,
        PrescriptionEvent::VARIANTS,
        NoteEvent::VARIANTS,
        CaseStudyEvent::VARIANTS,
        MedicineEvent::VARIANTS,
        SubstanceEvent::VARIANTS,
        CatalogueEvent::VARIANTS,
        ShortKeyEvent::VARIANTS,
        AccessEvent::VARIANTS,
    ]
    .concat()
}

/// The clear part of an event as it was written once.
fn payload(event: &str) -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("history/{event}.v1.json"));
    let text = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice::<Value>(&text).expect("a file of history/ is JSON")["payload"].take()
}

#[test]
fn every_event_has_a_line_and_every_line_an_event() {
    let (events, lines): (BTreeSet<_>, BTreeSet<_>) =
        (types().into_iter().collect(), TABLE.iter().map(|line| line.event).collect());
    assert_eq!(events.len(), types().len(), "two events have one name");
    let missing: Vec<_> = events.difference(&lines).collect();
    assert!(missing.is_empty(), "no line in events/src/audit/table.rs for {missing:?}");
    assert!(lines.is_subset(&events), "lines of no event: {:?}", lines.difference(&events));
}

#[test]
fn two_lines_of_one_event_never_fit_both() {
    for event in types() {
        let marks: Vec<Mark> = TABLE.iter().filter(|line| line.event == event).map(|line| line.mark).collect();
        let apart = match marks.as_slice() {
            [Mark::Any] => true,
            [Mark::With(one), Mark::Without(other)] => one == other,
            several => several.iter().all(|mark| matches!(mark, Mark::With(_))),
        };
        assert!(apart, "{event}: {marks:?}");
    }
}

#[test]
fn every_event_that_was_ever_written_is_told_without_a_gap() {
    for event in types() {
        let payload = payload(event);
        let told = Told {
            event,
            payload: &payload,
            patient: Some(Uuid::from_u128(1)),
            resource: Uuid::from_u128(2),
            operation: "an operation",
            zone: chrono_tz::UTC,
            label: &|_| Some("a label".to_owned()),
        };
        let meaning = meaning(event, payload.to_string().as_bytes());
        assert_eq!(meaning.event, event, "its history fits no line of the table");
        let said = told.sentence(&Actor::system(), meaning);
        assert!(!said.contains(['{', '}', '[', ']']) && !said.contains("(unknown)"), "{event}: {said}");
        assert_eq!(told.problem(meaning).is_some(), meaning.outcome as i16 > 0, "{event}");
    }
}
