//! What the rules know of a visit, and how each event changes it. Nothing of it is sealed.

use std::collections::BTreeMap;

use events::{
    AppointmentId, DiagnosisId, VisitEvent, VitalsId,
    claim::ClaimKey,
    visit::{Attendance, VisitStatus},
};

use crate::patient::merge::visit_in_progress;

/// A diagnosis as far as the rules know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiagnosisState {
    pub rank: i64,
    /// Struck out.
    pub in_error: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    pub status: VisitStatus,
    pub attendance: Attendance,
    /// `true` while the set stands.
    pub vitals: BTreeMap<VitalsId, bool>,
    pub diagnoses: BTreeMap<DiagnosisId, DiagnosisState>,
}

impl Visit {
    /// What it holds that no other visit may have: the patient while they are with the doctor, and the appointment
    /// that it came from.
    pub(crate) fn held(&self) -> Vec<ClaimKey> {
        let patient = (self.status == VisitStatus::InProgress).then(|| visit_in_progress(self.attendance.patient));
        let counts = !matches!(self.status, VisitStatus::Cancelled | VisitStatus::EnteredInError);
        let appointment = self.attendance.appointment.filter(|_| counts).map(visit_of);
        patient.into_iter().chain(appointment).collect()
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &VisitEvent) -> Option<Self> {
        let VisitEvent::VisitOpened { attendance, status, .. } = event else { return None };
        Some(Self { status: *status, attendance: *attendance, vitals: BTreeMap::new(), diagnoses: BTreeMap::new() })
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &VisitEvent) -> Option<Self> {
        match event {
            VisitEvent::VisitOpened { .. } => return None,
            VisitEvent::VisitArrived { .. } => self.moves(VisitStatus::Planned, VisitStatus::Arrived)?,
            VisitEvent::VitalsRecorded { vitals, .. } => {
                self.vitals.insert(*vitals, true).is_none().then_some(())?;
            }
            VisitEvent::VitalsEnteredInError { vitals, .. } => *self.vitals.get_mut(vitals)? = false,
            VisitEvent::TriageCompleted { was, .. } => self.moves(*was, VisitStatus::Triaged)?,
            VisitEvent::ConsultationStarted { was, .. } => self.moves(*was, VisitStatus::InProgress)?,
            VisitEvent::DiagnosisRecorded { diagnosis, rank, .. } => {
                let recorded = DiagnosisState { rank: *rank, in_error: false };
                self.diagnoses.insert(*diagnosis, recorded).is_none().then_some(())?;
            }
            VisitEvent::DiagnosisCorrected { diagnosis, rank, .. } => self.diagnoses.get_mut(diagnosis)?.rank = *rank,
            VisitEvent::DiagnosisEnteredInError { diagnosis, .. } => {
                self.diagnoses.get_mut(diagnosis)?.in_error = true;
            }
            VisitEvent::VisitFinished { .. } => self.moves(VisitStatus::InProgress, VisitStatus::Finished)?,
            VisitEvent::VisitReopened { .. } => self.moves(VisitStatus::Finished, VisitStatus::InProgress)?,
            VisitEvent::VisitCancelled { was, .. } => self.moves(*was, VisitStatus::Cancelled)?,
            VisitEvent::VisitEnteredInError { was, .. } => self.moves(*was, VisitStatus::EnteredInError)?,
            VisitEvent::ChiefComplaintRecorded { .. }
            | VisitEvent::VisitDoctorAssigned { .. }
            | VisitEvent::FollowUpPlanned { .. } => {}
        }
        let after = *event.attendance();
        // A visit is one patient's and one appointment's for ever.
        let same = (after.patient, after.appointment) == (self.attendance.patient, self.attendance.appointment);
        self.attendance = after;
        same.then_some(self)
    }

    fn moves(&mut self, from: VisitStatus, to: VisitStatus) -> Option<()> {
        (self.status == from).then(|| self.status = to)
    }
}

/// Held by the visit of an appointment: there is one, unless it was cancelled or struck out.
pub(super) fn visit_of(appointment: AppointmentId) -> ClaimKey {
    ClaimKey::clinic("visit-of-appointment", appointment)
}
