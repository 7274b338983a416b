//! Visits in a clinic's life.

use chrono::TimeDelta;
use events::{
    DiagnosisId, DoctorId, Number, OfficeId, Sealed, VisitEvent, VisitId, VitalsId,
    visit::{
        Attendance, Certainty, ChiefComplaint, Diagnosis, DiagnosisCorrection, FollowUp, FollowUpText, Measured,
        TriageNote, TriagePriority, VisitCancellation, VisitReason, VisitStatus, VitalFlag, VitalSign, VitalSigns,
    },
};
use strum::VariantArray;
use uuid::Uuid;

use super::{
    History,
    life::{Chance, Life, NAMES},
};

/// A visit, and what has been recorded in it.
#[derive(Clone, Debug)]
pub struct Sitting {
    pub id: VisitId,
    pub attendance: Attendance,
    pub status: VisitStatus,
    vitals: Vec<VitalsId>,
    diagnoses: Vec<DiagnosisId>,
}

impl History {
    /// Of somebody who walked in.
    pub fn visit_opened(&mut self, n: i64, attendance: Attendance, complaint: &str) -> VisitId {
        let visit = VisitId(self.fresh());
        let number = Number::Given(format!("VIS-20260302-{n:03}"));
        let sealed = Sealed::Open(ChiefComplaint { complaint: Some(complaint.to_owned()) });
        let status = VisitStatus::Arrived;
        self.visit(visit, VisitEvent::VisitOpened { number, attendance, status, sealed });
        visit
    }

    /// A pulse, and whatever it is said to be beside what is usual.
    pub fn pulse(&mut self, value: f64, flag: Option<VitalFlag>, note: &str) -> (VitalsId, Sealed<VitalSigns>) {
        let sign = Measured { sign: VitalSign::HeartRate, value, unit: "/min".to_owned(), flag };
        let sealed = Sealed::Open(VitalSigns { signs: vec![sign], note: Some(note.to_owned()) });
        (VitalsId(self.fresh()), sealed)
    }
}

impl Life {
    pub(super) fn visit_opens(&mut self, chance: &mut Chance) {
        let Some(patient) = self.patients.get(chance.of(self.patients.len())).map(|person| person.id) else { return };
        let office = OfficeId(Uuid::from_u128(2));
        let day = self.history.now.date_naive();
        let attendance = Attendance { patient, office, doctor: None, appointment: None, day };
        let id = self.history.visit_opened(self.visits.len() as i64 + 1, attendance, chance.pick(&NAMES));
        let (status, vitals, diagnoses) = (VisitStatus::Arrived, Vec::new(), Vec::new());
        self.visits.push(Sitting { id, attendance, status, vitals, diagnoses });
    }

    pub(super) fn visit_changes(&mut self, chance: &mut Chance) {
        use VisitStatus as Is;
        let index = chance.of(self.visits.len());
        let Some(mut visit) = self.visits.get(index).cloned() else { return };
        let text = chance.pick(&NAMES).to_owned();
        let sealed = Sealed::Open(VisitReason { reason: Some(text.clone()) });
        let (attendance, was) = (visit.attendance, visit.status);
        let event = match (chance.of(6), was) {
            (0, Is::Arrived | Is::Triaged) => {
                visit.status = Is::Triaged;
                let (priority, note) = (chance.pick(TriagePriority::VARIANTS), Some(text));
                VisitEvent::TriageCompleted { attendance, was, priority, sealed: Sealed::Open(TriageNote { note }) }
            }
            (1, Is::Arrived | Is::Triaged) => {
                visit.status = Is::InProgress;
                visit.attendance.doctor = Some(DoctorId(Uuid::from_u128(1)));
                VisitEvent::ConsultationStarted { attendance: visit.attendance, was }
            }
            (1, Is::InProgress) => self.found(&mut visit, text, chance),
            (2, Is::Arrived | Is::Triaged | Is::InProgress) => self.measured(&mut visit, text, chance),
            (3, Is::InProgress) => {
                visit.status = Is::Finished;
                VisitEvent::VisitFinished { attendance }
            }
            (4, Is::Finished) => {
                visit.status = Is::InProgress;
                VisitEvent::VisitReopened { attendance, sealed }
            }
            (4, Is::Arrived | Is::Triaged) => {
                visit.status = Is::Cancelled;
                VisitEvent::VisitCancelled { attendance, was, reason: VisitCancellation::LeftBeforeSeen, sealed }
            }
            (5, Is::InProgress) => {
                let (on, doctor) = (attendance.day + TimeDelta::days(7), attendance.doctor);
                let (follow_up, instructions) = (FollowUp { on, doctor }, Some(text));
                let sealed = Sealed::Open(FollowUpText { instructions });
                VisitEvent::FollowUpPlanned { attendance, follow_up, sealed }
            }
            (5, Is::Cancelled) => {
                visit.status = Is::EnteredInError;
                let vitals = visit.vitals.clone();
                VisitEvent::VisitEnteredInError { attendance, was, vitals, sealed }
            }
            _ => return,
        };
        self.history.visit(visit.id, event);
        self.visits[index] = visit;
    }

    fn measured(&mut self, visit: &mut Sitting, text: String, chance: &mut Chance) -> VisitEvent {
        let attendance = visit.attendance;
        if let Some(vitals) = visit.vitals.pop_if(|_| chance.of(3) == 0) {
            let sealed = Sealed::Open(VisitReason { reason: Some(text) });
            return VisitEvent::VitalsEnteredInError { attendance, vitals, sealed };
        }
        let value = 60.0 + chance.of(60) as f64 / 10.0;
        let (vitals, sealed) = self.history.pulse(value, Some(VitalFlag::High), &text);
        visit.vitals.push(vitals);
        VisitEvent::VitalsRecorded { attendance, vitals, measured_at: self.history.now, sealed }
    }

    fn found(&mut self, visit: &mut Sitting, text: String, chance: &mut Chance) -> VisitEvent {
        let (attendance, certainty) = (visit.attendance, chance.pick(Certainty::VARIANTS));
        let (rank, code) = (chance.of(3) as i64 + 1, Some("J45.9".to_owned()));
        match (visit.diagnoses.last().copied(), chance.of(3)) {
            (Some(diagnosis), 0) => {
                let correction = DiagnosisCorrection { code, text: text.clone(), reason: text };
                let sealed = Sealed::Open(correction);
                VisitEvent::DiagnosisCorrected { attendance, diagnosis, rank, certainty, sealed }
            }
            (Some(diagnosis), 1) => {
                visit.diagnoses.pop();
                let sealed = Sealed::Open(VisitReason { reason: Some(text) });
                VisitEvent::DiagnosisEnteredInError { attendance, diagnosis, sealed }
            }
            _ => {
                let diagnosis = DiagnosisId(self.history.fresh());
                visit.diagnoses.push(diagnosis);
                let sealed = Sealed::Open(Diagnosis { code, text });
                VisitEvent::DiagnosisRecorded { attendance, diagnosis, rank, certainty, sealed }
            }
        }
    }
}
