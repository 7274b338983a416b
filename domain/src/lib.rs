//! The rules of a clinic: pure functions, no I/O, no clock, no randomness.
//!
//! Each aggregate is one file, or a folder of stories once it outgrows one, always in the same order:
//! state, commands, what a decision reads, `decide`, `evolve`, claims and counters, tests. [`State`] leads
//! an event to its aggregate; [`values`] says what a value may be.

mod aggregate;
pub mod appointment;
pub mod bookings;
pub mod case_study;
pub mod catalogue;
pub mod charge;
pub mod clinic;
pub mod dental_chart;
pub mod dental_template;
pub mod department;
pub mod doctor;
pub mod document;
mod hours;
#[cfg(test)]
mod invariants;
pub mod invoice;
pub mod lab_order;
pub mod lab_report;
#[cfg(test)]
mod lives;
pub mod medicine;
pub mod note;
pub mod patient;
pub mod prescription;
mod pseudonyms;
mod refusal;
pub mod short_key;
pub mod staff;
mod state;
pub mod substance;
#[cfg(test)]
mod testing;
mod two_persons;
pub mod usage;
pub mod values;
pub mod visit;

pub use aggregate::{Aggregate, Context, Decision, Facts, HeldTime, Read};
pub use appointment::{Appointment, AppointmentCommand};
pub use case_study::{CaseStudy, CaseStudyCommand};
pub use catalogue::Catalogue;
pub use charge::{Charge, ChargeCommand};
pub use clinic::{Clinic, ClinicCommand};
pub use dental_chart::{DentalChart, DentalChartCommand};
pub use dental_template::{DentalTemplate, DentalTemplateCommand};
pub use department::{Department, DepartmentCommand};
pub use doctor::{Doctor, DoctorCommand};
pub use document::{Document, DocumentCommand};
pub use invoice::{Invoice, InvoiceCommand};
pub use lab_order::{LabOrder, LabOrderCommand};
pub use lab_report::{LabReport, LabReportCommand};
pub use medicine::{Medicine, MedicineCommand};
pub use note::{Note, NoteCommand};
pub use patient::{Patient, PatientCommand};
pub use prescription::{Prescription, PrescriptionCommand};
pub use pseudonyms::Pseudonyms;
pub use refusal::{Class, Refusal};
pub use short_key::{ShortKey, ShortKeyCommand};
pub use staff::{Staff, StaffCommand};
pub use state::{Effects, State};
pub use substance::{Substance, SubstanceCommand};
pub use usage::Usage;
pub use visit::{Visit, VisitCommand};
