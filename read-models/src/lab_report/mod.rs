//! Laboratory reports: every version of every result, who recorded, verified and released it, and what was corrected.

mod results;

use chrono::{DateTime, Utc};
use events::{
    DoctorId, DomainEvent, LabOrderId, LabReportEvent, LabReportId, LabResultId, Number, PatientId, Recorded,
    lab_report::{CorrectionReason, LabReportStatus},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use results::{CriticalNotice, LabResultEntry, ResultOrigin};

use crate::{Projection, stamp::Stamp};

/// `read.lab_report_1`: one row per report.
pub struct LabReports;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabReportRow {
    pub id: LabReportId,
    pub number: String,
    pub order_id: LabOrderId,
    pub patient_id: PatientId,
    /// Who ordered the tests.
    pub doctor_id: DoctorId,
    pub status: LabReportStatus,
    /// Every version of every result, in the order in which they were recorded.
    pub results: Vec<LabResultEntry>,
    /// A critical result stands of which no doctor has taken note.
    pub open_critical: bool,
    /// What was corrected after the release.
    pub corrections: Vec<LabCorrectionEntry>,
    pub registered_at: DateTime<Utc>,
    pub released: Option<Stamp>,
    pub struck_out: Option<StruckOut>,
    pub version: i64,
    pub position: i64,
}

/// A correction: what was not right, what takes its place, who made it, when and why, and who is to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabCorrectionEntry {
    /// What was not right; it is among the results.
    pub corrects: LabResultId,
    pub result_id: LabResultId,
    pub reason: CorrectionReason,
    /// In words.
    pub why: Option<String>,
    pub informed_doctor_id: DoctorId,
    pub stamp: Stamp,
}

/// Who struck a report out as entered in error, when and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StruckOut {
    pub reason: Option<String>,
    pub stamp: Stamp,
}

impl Projection for LabReports {
    const NAME: &'static str = "lab_report";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.lab_report_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = LabReportRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::LabReport(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<LabReportRow>, _: &Uuid, event: &Recorded) -> Option<LabReportRow> {
        let DomainEvent::LabReport(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, LabReportEvent::LabReportRegistered { number, order, patient, doctor }) => {
                made(number, *order, *patient, *doctor, event)
            }
            (row, _) => row?,
        };
        row.take(change, event);
        row.open_critical = row.has_open_critical();
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn made(number: &Number, order: LabOrderId, patient: PatientId, doctor: DoctorId, event: &Recorded) -> LabReportRow {
    LabReportRow {
        id: LabReportId(event.stream.id),
        number: number.as_str().to_owned(),
        order_id: order,
        patient_id: patient,
        doctor_id: doctor,
        status: LabReportStatus::Registered,
        results: Vec::new(),
        open_critical: false,
        corrections: Vec::new(),
        registered_at: event.occurred_at,
        released: None,
        struck_out: None,
        version: event.version,
        position: event.position,
    }
}

impl LabReportRow {
    fn take(&mut self, change: &LabReportEvent, event: &Recorded) {
        match change {
            LabReportEvent::LabReportRegistered { .. } => {}
            LabReportEvent::LabResultRecorded { result, replaces, critical, sealed, .. } => {
                self.status = LabReportStatus::Partial;
                replaces.inspect(|earlier| self.replace(*earlier, *result));
                self.add(*result, ResultOrigin::Recorded, *replaces, *critical, sealed.open(), event);
            }
            LabReportEvent::LabResultVerified { result, status, .. } => {
                self.status = *status;
                self.change(*result, |entry| entry.verified = Some(Stamp::of(event)));
            }
            LabReportEvent::LabReportReleased { .. } => {
                self.status = LabReportStatus::Final;
                self.released = Some(Stamp::of(event));
            }
            LabReportEvent::LabReportAmended { result, critical, sealed, .. } => {
                self.status = LabReportStatus::Amended;
                self.add(*result, ResultOrigin::Amended, None, *critical, sealed.open(), event);
            }
            LabReportEvent::LabReportCorrected { result, corrects, critical, reason, informs, sealed, .. } => {
                self.status = LabReportStatus::Corrected;
                self.replace(*corrects, *result);
                let correction = sealed.open();
                let found = correction.map(|correction| &correction.result);
                self.add(*result, ResultOrigin::Corrected, Some(*corrects), *critical, found, event);
                self.corrections.push(LabCorrectionEntry {
                    corrects: *corrects,
                    result_id: *result,
                    reason: *reason,
                    why: correction.map(|correction| correction.why.clone()),
                    informed_doctor_id: *informs,
                    stamp: Stamp::of(event),
                });
            }
            LabReportEvent::CriticalResultNotified { result, doctor, channel, sealed, .. } => {
                let text = sealed.open().and_then(|note| note.text.clone());
                let notice = CriticalNotice { doctor_id: *doctor, channel: *channel, text, stamp: Stamp::of(event) };
                self.change(*result, |entry| entry.notices.push(notice));
            }
            LabReportEvent::CriticalResultAcknowledged { result, .. } => {
                self.change(*result, |entry| entry.acknowledged = Some(Stamp::of(event)));
            }
            LabReportEvent::LabReportEnteredInError { sealed, .. } => {
                self.status = LabReportStatus::EnteredInError;
                let reason = sealed.open().and_then(|note| note.text.clone());
                self.struck_out = Some(StruckOut { reason, stamp: Stamp::of(event) });
            }
        }
    }

    fn has_open_critical(&self) -> bool {
        let is_open =
            |entry: &LabResultEntry| entry.critical && entry.replaced_by.is_none() && entry.acknowledged.is_none();
        self.status != LabReportStatus::EnteredInError && self.results.iter().any(is_open)
    }

    fn change(&mut self, result: LabResultId, change: impl FnOnce(&mut LabResultEntry)) {
        if let Some(entry) = self.results.iter_mut().find(|entry| entry.id == result) {
            change(entry);
        }
    }

    fn replace(&mut self, earlier: LabResultId, later: LabResultId) {
        self.change(earlier, |entry| entry.replaced_by = Some(later));
    }
}

#[cfg(test)]
mod tests;
