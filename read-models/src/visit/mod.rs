//! Visits: who came, what was measured and found, and what became of it. What was corrected or struck out stays, with
//! who, when and why.

mod entries;

use chrono::{DateTime, NaiveDate, Utc};
use events::{
    AppointmentId, DoctorId, DomainEvent, Number, OfficeId, PatientId, Recorded, VisitEvent, VisitId,
    visit::{Attendance, TriagePriority, VisitCancellation, VisitStatus},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use entries::{Correction, DiagnosisEntry, DiagnosisVersion, FollowUpEntry, Struck, VitalsEntry};

use crate::Projection;

/// `read.visit_1`: one row per visit.
pub struct Visits;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VisitRow {
    pub id: VisitId,
    pub number: String,
    pub status: VisitStatus,
    pub patient_id: PatientId,
    pub office_id: OfficeId,
    pub doctor_id: Option<DoctorId>,
    pub appointment_id: Option<AppointmentId>,
    /// In the clinic's zone.
    pub day: NaiveDate,
    pub opened_at: DateTime<Utc>,
    pub arrived_at: Option<DateTime<Utc>>,
    pub triaged_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    /// When it was finished, cancelled or struck out; of a reopened one, none.
    pub ended_at: Option<DateTime<Utc>>,
    pub chief_complaint: Option<String>,
    pub priority: Option<TriagePriority>,
    pub triage_note: Option<String>,
    pub vitals: Vec<VitalsEntry>,
    pub diagnoses: Vec<DiagnosisEntry>,
    pub follow_up: Option<FollowUpEntry>,
    /// Each time that it was gone on with after its end.
    pub reopened: Vec<Struck>,
    pub cancellation: Option<VisitCancellation>,
    pub cancellation_text: Option<String>,
    pub entered_in_error: Option<Struck>,
    pub version: i64,
    pub position: i64,
}

impl Projection for Visits {
    const NAME: &'static str = "visit";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.visit_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = VisitRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Visit(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<VisitRow>, _: &Uuid, event: &Recorded) -> Option<VisitRow> {
        let DomainEvent::Visit(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, VisitEvent::VisitOpened { number, attendance, .. }) => opened(number, attendance, event),
            (row, _) => row?,
        };
        row.take(change, event);
        row.attend(change.attendance());
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn opened(number: &Number, attendance: &Attendance, event: &Recorded) -> VisitRow {
    VisitRow {
        id: VisitId(event.stream.id),
        number: number.as_str().to_owned(),
        status: VisitStatus::Planned,
        patient_id: attendance.patient,
        office_id: attendance.office,
        doctor_id: attendance.doctor,
        appointment_id: attendance.appointment,
        day: attendance.day,
        opened_at: event.occurred_at,
        arrived_at: None,
        triaged_at: None,
        started_at: None,
        ended_at: None,
        chief_complaint: None,
        priority: None,
        triage_note: None,
        vitals: Vec::new(),
        diagnoses: Vec::new(),
        follow_up: None,
        reopened: Vec::new(),
        cancellation: None,
        cancellation_text: None,
        entered_in_error: None,
        version: event.version,
        position: event.position,
    }
}

impl VisitRow {
    fn take(&mut self, change: &VisitEvent, event: &Recorded) {
        let at = event.occurred_at;
        match change {
            VisitEvent::VisitOpened { status, sealed, .. } => {
                self.status = *status;
                self.arrived_at = (*status == VisitStatus::Arrived).then_some(at);
                self.chief_complaint = sealed.open().and_then(|said| said.complaint.clone());
            }
            VisitEvent::VisitArrived { .. } => {
                self.status = VisitStatus::Arrived;
                self.arrived_at = Some(at);
            }
            VisitEvent::ChiefComplaintRecorded { sealed, .. } => {
                self.chief_complaint = sealed.open().and_then(|said| said.complaint.clone());
            }
            VisitEvent::TriageCompleted { priority, sealed, .. } => {
                self.status = VisitStatus::Triaged;
                self.triaged_at = Some(at);
                self.priority = Some(*priority);
                self.triage_note = sealed.open().and_then(|said| said.note.clone());
            }
            VisitEvent::VisitDoctorAssigned { .. } => {}
            VisitEvent::ConsultationStarted { .. } => {
                self.status = VisitStatus::InProgress;
                self.started_at = Some(at);
            }
            VisitEvent::VisitFinished { .. } => self.end_as(VisitStatus::Finished, at),
            VisitEvent::VisitReopened { sealed, .. } => {
                self.status = VisitStatus::InProgress;
                self.ended_at = None;
                self.reopened.push(Struck::of(sealed, event));
            }
            VisitEvent::VisitCancelled { reason, sealed, .. } => {
                self.end_as(VisitStatus::Cancelled, at);
                self.cancellation = Some(*reason);
                self.cancellation_text = sealed.open().and_then(|why| why.reason.clone());
            }
            VisitEvent::VisitEnteredInError { sealed, .. } => {
                self.end_as(VisitStatus::EnteredInError, at);
                self.entered_in_error = Some(Struck::of(sealed, event));
            }
            VisitEvent::VitalsRecorded { .. }
            | VisitEvent::VitalsEnteredInError { .. }
            | VisitEvent::DiagnosisRecorded { .. }
            | VisitEvent::DiagnosisCorrected { .. }
            | VisitEvent::DiagnosisEnteredInError { .. }
            | VisitEvent::FollowUpPlanned { .. } => self.take_entry(change, event),
        }
    }

    fn end_as(&mut self, status: VisitStatus, at: DateTime<Utc>) {
        self.status = status;
        self.ended_at = Some(at);
    }

    fn attend(&mut self, attendance: &Attendance) {
        self.office_id = attendance.office;
        self.doctor_id = attendance.doctor;
        self.day = attendance.day;
    }
}

#[cfg(test)]
mod tests;
