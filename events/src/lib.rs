//! What can have happened in a clinic: pure data, no rules and no I/O.
//!
//! One enum per aggregate ([`PatientEvent`], [`AppointmentEvent`], …); [`DomainEvent`] is the enum of
//! enums. An event has a *clear* part, which rules and statistics live on, and at most one *sealed*
//! part ([`Sealed`]), which says something about a person and may be erased. [`codec`] splits the two
//! for the log and joins them again. `history/` keeps one JSON of every event ever written.

pub mod access;
pub mod appointment;
pub mod audit;
pub mod calendar;
pub mod case_study;
pub mod catalogue;
pub mod charge;
pub mod claim;
pub mod clinic;
pub mod codec;
pub mod dental_chart;
pub mod dental_template;
pub mod department;
pub mod doctor;
pub mod document;
pub mod envelope;
pub mod event;
pub mod ids;
pub mod invoice;
pub mod lab_order;
pub mod lab_report;
pub mod medicine;
pub mod note;
pub mod number;
pub mod patient;
pub mod plans;
pub mod prescription;
pub mod retention;
pub mod sealed;
pub mod short_key;
pub mod staff;
pub mod substance;
pub mod tooth;
pub mod values;
pub mod visit;

pub use access::AccessEvent;
pub use appointment::AppointmentEvent;
pub use case_study::CaseStudyEvent;
pub use catalogue::CatalogueEvent;
pub use charge::ChargeEvent;
pub use clinic::ClinicEvent;
pub use dental_chart::DentalChartEvent;
pub use dental_template::DentalTemplateEvent;
pub use department::DepartmentEvent;
pub use doctor::DoctorEvent;
pub use document::DocumentEvent;
pub use envelope::{Actor, ActorKind, Client, Ledger, Position, Purpose, Recorded, Role};
pub use event::{AggregateKind, DomainEvent, StreamId};
pub use ids::*;
pub use invoice::InvoiceEvent;
pub use lab_order::LabOrderEvent;
pub use lab_report::LabReportEvent;
pub use medicine::MedicineEvent;
pub use note::NoteEvent;
pub use number::{Number, Series};
pub use patient::PatientEvent;
pub use prescription::PrescriptionEvent;
pub use sealed::Sealed;
pub use short_key::ShortKeyEvent;
pub use staff::StaffEvent;
pub use substance::SubstanceEvent;
pub use visit::VisitEvent;
