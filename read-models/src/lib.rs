//! Read models as pure folds: which rows an event touches, and what each becomes.
//!
//! One file per read model: the row, its keys, its fold, its tests. Nothing here reaches a database, a
//! clock or chance, so the live row, a rebuilt one and one of the past agree by construction. A new read
//! model is one file here, one line in [`registry`], and one migration in `projector/migrations`.

pub mod appointment;
pub mod appointment_day;
pub mod billing_day;
pub mod by;
pub mod case_study;
pub mod changes;
pub mod charge;
pub mod clinic;
pub mod clinic_logo;
pub mod count;
pub mod dental_chart;
pub mod dental_template;
pub mod department;
pub mod doctor;
pub mod document;
pub mod emergency_access;
pub mod erasure;
pub mod invoice;
pub mod lab_order;
pub mod lab_report;
pub mod medicine;
pub mod note;
pub mod patient;
pub mod patient_stats;
pub mod prescription;
pub mod projection;
pub mod registry;
pub mod retention;
pub mod rows;
pub mod search;
pub mod short_key;
pub mod staff;
pub mod stamp;
pub mod standing;
pub mod usage;
pub mod visit;
pub mod vitals;

pub use appointment::{AppointmentRow, Appointments, Reminder};
pub use appointment_day::{AppointmentDayRow, AppointmentDays};
pub use billing_day::{BillingDayRow, BillingDays};
pub use by::By;
pub use case_study::{CaseStudies, CaseStudyRow};
pub use charge::{ChargeRow, Charges};
pub use clinic::{ClinicRow, Clinics};
pub use clinic_logo::{ClinicLogoRow, ClinicLogos};
pub use dental_chart::{DentalChartRow, DentalCharts};
pub use dental_template::{DentalTemplateRow, DentalTemplates};
pub use department::{DepartmentRow, Departments};
pub use doctor::{DoctorRow, Doctors};
pub use document::{DocumentRow, Documents};
pub use emergency_access::{EmergencyAccessRow, EmergencyAccesses};
pub use erasure::{ErasureRow, ErasureState, Erasures};
pub use invoice::{InvoiceRow, Invoices};
pub use lab_order::{LabOrderRow, LabOrders};
pub use lab_report::{LabReportRow, LabReports};
pub use medicine::{MedicineRow, Medicines};
pub use note::{NoteRow, Notes};
pub use patient::{PatientRow, Patients};
pub use patient_stats::{PatientStats, PatientStatsRow};
pub use prescription::{AlertOverride, Dispensing, PrescriptionLine, PrescriptionRow, Prescriptions};
pub use projection::{Key, Projection};
pub use registry::{Visitor, each, named};
pub use retention::{RetentionRow, Retentions};
pub use rows::Rows;
pub use short_key::{ShortKeyRow, ShortKeys};
pub use staff::{Staff, StaffRow};
pub use standing::{StandingRow, Standings};
pub use usage::{Usage, UsageRow};
pub use visit::{VisitRow, Visits};
pub use vitals::{Vitals, VitalsRow};

#[cfg(any(test, feature = "sample"))]
pub mod sample;

#[cfg(test)]
mod properties;
