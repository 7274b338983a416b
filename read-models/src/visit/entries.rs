//! The lists in a visit: vital signs, diagnoses, and what became of each.

use chrono::{DateTime, NaiveDate, Utc};
use events::{
    DiagnosisId, DoctorId, Recorded, Sealed, VisitEvent, VitalsId,
    visit::{Certainty, Measured, VisitReason},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::VisitRow;
use crate::stamp::Stamp;

/// That something was struck out or reopened, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Struck {
    pub done: Stamp,
    pub reason: Option<String>,
}

impl Struck {
    pub(crate) fn of(sealed: &Sealed<VisitReason>, event: &Recorded) -> Self {
        Self { done: Stamp::of(event), reason: sealed.open().and_then(|why| why.reason.clone()) }
    }
}

/// What was measured at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VitalsEntry {
    pub id: VitalsId,
    pub measured_at: DateTime<Utc>,
    pub signs: Vec<Measured>,
    pub note: Option<String>,
    pub recorded: Stamp,
    pub entered_in_error: Option<Struck>,
}

/// A diagnosis as it stood at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiagnosisVersion {
    /// ICD-10.
    pub code: Option<String>,
    /// Null once erased.
    pub text: Option<String>,
    /// 1 is the principal one.
    pub rank: i64,
    pub certainty: Certainty,
    pub recorded: Stamp,
}

/// What a diagnosis was before a correction, and why it was corrected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Correction {
    pub was: DiagnosisVersion,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiagnosisEntry {
    pub id: DiagnosisId,
    #[serde(flatten)]
    pub now: DiagnosisVersion,
    /// The earliest first.
    pub corrections: Vec<Correction>,
    pub entered_in_error: Option<Struck>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FollowUpEntry {
    pub on: NaiveDate,
    pub doctor_id: Option<DoctorId>,
    pub instructions: Option<String>,
    pub planned: Stamp,
}

impl VisitRow {
    /// The events that add to a list or change an entry of one.
    pub(super) fn take_entry(&mut self, change: &VisitEvent, event: &Recorded) {
        match change {
            VisitEvent::VitalsRecorded { vitals, measured_at, sealed, .. } => self.vitals.push(VitalsEntry {
                id: *vitals,
                measured_at: *measured_at,
                signs: sealed.open().map(|measured| measured.signs.clone()).unwrap_or_default(),
                note: sealed.open().and_then(|measured| measured.note.clone()),
                recorded: Stamp::of(event),
                entered_in_error: None,
            }),
            VisitEvent::VitalsEnteredInError { vitals, sealed, .. } => {
                if let Some(entry) = self.vitals.iter_mut().find(|entry| entry.id == *vitals) {
                    entry.entered_in_error = Some(Struck::of(sealed, event));
                }
            }
            VisitEvent::DiagnosisRecorded { diagnosis, rank, certainty, sealed, .. } => {
                let now = DiagnosisVersion {
                    code: sealed.open().and_then(|found| found.code.clone()),
                    text: sealed.open().map(|found| found.text.clone()),
                    rank: *rank,
                    certainty: *certainty,
                    recorded: Stamp::of(event),
                };
                let (corrections, entered_in_error) = (Vec::new(), None);
                self.diagnoses.push(DiagnosisEntry { id: *diagnosis, now, corrections, entered_in_error });
            }
            VisitEvent::DiagnosisCorrected { diagnosis, rank, certainty, sealed, .. } => {
                let now = DiagnosisVersion {
                    code: sealed.open().and_then(|found| found.code.clone()),
                    text: sealed.open().map(|found| found.text.clone()),
                    rank: *rank,
                    certainty: *certainty,
                    recorded: Stamp::of(event),
                };
                if let Some(entry) = self.diagnoses.iter_mut().find(|entry| entry.id == *diagnosis) {
                    let reason = sealed.open().map(|found| found.reason.clone());
                    entry.corrections.push(Correction { was: std::mem::replace(&mut entry.now, now), reason });
                }
            }
            VisitEvent::DiagnosisEnteredInError { diagnosis, sealed, .. } => {
                if let Some(entry) = self.diagnoses.iter_mut().find(|entry| entry.id == *diagnosis) {
                    entry.entered_in_error = Some(Struck::of(sealed, event));
                }
            }
            VisitEvent::FollowUpPlanned { follow_up, sealed, .. } => {
                self.follow_up = Some(FollowUpEntry {
                    on: follow_up.on,
                    doctor_id: follow_up.doctor,
                    instructions: sealed.open().and_then(|told| told.instructions.clone()),
                    planned: Stamp::of(event),
                });
            }
            VisitEvent::VisitOpened { .. }
            | VisitEvent::VisitArrived { .. }
            | VisitEvent::ChiefComplaintRecorded { .. }
            | VisitEvent::TriageCompleted { .. }
            | VisitEvent::VisitDoctorAssigned { .. }
            | VisitEvent::ConsultationStarted { .. }
            | VisitEvent::VisitFinished { .. }
            | VisitEvent::VisitReopened { .. }
            | VisitEvent::VisitCancelled { .. }
            | VisitEvent::VisitEnteredInError { .. } => {}
        }
    }
}
