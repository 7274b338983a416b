use events::{
    DiagnosisId, PatientId, Sealed,
    visit::{Certainty, Diagnosis, DiagnosisCorrection, VisitReason, VitalFlag},
};

use super::*;
use crate::sample::History;

fn attendance() -> Attendance {
    let (office, day) = (OfficeId(Uuid::from_u128(2)), "2026-03-02".parse().unwrap());
    Attendance { patient: PatientId(Uuid::from_u128(1)), office, doctor: None, appointment: None, day }
}

fn why(reason: &str) -> Sealed<VisitReason> {
    Sealed::Open(VisitReason { reason: Some(reason.to_owned()) })
}

#[test]
fn a_corrected_diagnosis_shows_what_it_was_and_why() {
    let mut history = History::new();
    let (attendance, diagnosis) = (attendance(), DiagnosisId(Uuid::from_u128(9)));
    let visit = history.visit_opened(1, attendance, "a cough");
    history.visit(visit, VisitEvent::ConsultationStarted { attendance, was: VisitStatus::Arrived });
    let found = Diagnosis { code: Some("J20.9".into()), text: "Bronchitis".into() };
    let (rank, certainty) = (1, Certainty::Provisional);
    let sealed = Sealed::Open(found);
    history.visit(visit, VisitEvent::DiagnosisRecorded { attendance, diagnosis, rank, certainty, sealed });
    let corrected = DiagnosisCorrection { code: None, text: "Pneumonia".into(), reason: "the X-ray".into() };
    let (rank, certainty, sealed) = (2, Certainty::Confirmed, Sealed::Open(corrected));
    history.visit(visit, VisitEvent::DiagnosisCorrected { attendance, diagnosis, rank, certainty, sealed });
    let entry = history.row::<Visits>(visit.0).unwrap().diagnoses.remove(0);
    assert_eq!((entry.now.text.as_deref(), entry.now.rank), (Some("Pneumonia"), 2));
    let [Correction { was, reason }] = entry.corrections.as_slice() else { panic!("one correction") };
    assert_eq!((was.text.as_deref(), was.code.as_deref()), (Some("Bronchitis"), Some("J20.9")));
    assert_eq!((was.rank, was.certainty, reason.as_deref()), (1, Certainty::Provisional, Some("the X-ray")));
    let erased = history.erased().row::<Visits>(visit.0).unwrap();
    let entry = &erased.diagnoses[0];
    assert_eq!((&entry.now.text, entry.now.rank, entry.corrections.len()), (&None, 2, 1));
}

#[test]
fn struck_out_vitals_stay_with_who_and_why() {
    let mut history = History::new();
    let attendance = attendance();
    let visit = history.visit_opened(1, attendance, "a cough");
    let (vitals, sealed) = history.pulse(131.0, Some(VitalFlag::CriticallyHigh), "sitting");
    let measured_at = history.now;
    history.visit(visit, VisitEvent::VitalsRecorded { attendance, vitals, measured_at, sealed });
    history.visit(visit, VisitEvent::VitalsEnteredInError { attendance, vitals, sealed: why("the next patient's") });
    let row = history.row::<Visits>(visit.0).unwrap();
    let entry = &row.vitals[0];
    assert_eq!((entry.signs[0].value, entry.signs[0].flag), (131.0, Some(VitalFlag::CriticallyHigh)));
    assert_eq!(entry.entered_in_error.as_ref().unwrap().reason.as_deref(), Some("the next patient's"));
    let erased = history.erased().row::<Visits>(visit.0).unwrap();
    assert!(erased.vitals[0].signs.is_empty() && erased.vitals[0].entered_in_error.is_some());
}

#[test]
fn a_reopened_visit_has_no_end_and_says_why() {
    let mut history = History::new();
    let attendance = attendance();
    let visit = history.visit_opened(1, attendance, "a cough");
    history.visit(visit, VisitEvent::ConsultationStarted { attendance, was: VisitStatus::Arrived });
    history.visit(visit, VisitEvent::VisitFinished { attendance });
    assert!(history.row::<Visits>(visit.0).unwrap().ended_at.is_some());
    history.visit(visit, VisitEvent::VisitReopened { attendance, sealed: why("forgotten") });
    let row = history.row::<Visits>(visit.0).unwrap();
    assert_eq!((row.status, row.ended_at), (VisitStatus::InProgress, None));
    assert_eq!(row.reopened[0].reason.as_deref(), Some("forgotten"));
    assert_eq!((row.number.as_str(), row.version), ("VIS-20260302-001", 4));
}
