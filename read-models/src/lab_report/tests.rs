use events::{
    DoctorId, Sealed, UserId,
    lab_report::{LabCorrection, LabNote, LabResult, NoticeChannel, ResultFlag, ResultValue},
};

use super::*;
use crate::sample::History;

const DOCTOR: DoctorId = DoctorId(Uuid::from_u128(0xD1));
const FIRST: LabResultId = LabResultId(Uuid::from_u128(1));
const SECOND: LabResultId = LabResultId(Uuid::from_u128(2));

fn glucose(value: f64, flag: ResultFlag) -> LabResult {
    LabResult {
        code: "2345-7".into(),
        text: "Glucose".into(),
        value: ResultValue::Quantity { value, unit: "mg/dL".into(), comparator: None },
        range: None,
        flag: Some(flag),
        note: None,
    }
}

/// A report that was released with one critical result.
fn released() -> (History, PatientId, LabReportId) {
    let mut history = History::new();
    let patient = history.registered("Asha");
    let order = history.lab_ordered(patient);
    let report = LabReportId(history.fresh());
    let number = Number::Given("LR-20260302-001".into());
    let by = Some(UserId(Uuid::from_u128(3)));
    history.lab_report(report, LabReportEvent::LabReportRegistered { number, order, patient, doctor: DOCTOR });
    history.lab_report(
        report,
        LabReportEvent::LabResultRecorded {
            patient,
            result: FIRST,
            replaces: None,
            by,
            critical: true,
            sealed: glucose(950.0, ResultFlag::CriticallyHigh).into(),
        },
    );
    let sealed = LabNote { text: Some("read back".into()) }.into();
    let channel = NoticeChannel::Phone;
    let notified = LabReportEvent::CriticalResultNotified { patient, result: FIRST, doctor: DOCTOR, channel, sealed };
    history.lab_report(report, notified);
    let status = LabReportStatus::Preliminary;
    history.lab_report(report, LabReportEvent::LabResultVerified { patient, result: FIRST, by: None, status });
    history.lab_report(report, LabReportEvent::LabReportReleased { patient, order });
    (history, patient, report)
}

fn corrected(history: &mut History, patient: PatientId, report: LabReportId) {
    let correction = LabCorrection { result: glucose(95.0, ResultFlag::Normal), why: "two digits were swapped".into() };
    let event = LabReportEvent::LabReportCorrected {
        patient,
        result: SECOND,
        corrects: FIRST,
        by: None,
        critical: false,
        was: LabReportStatus::Final,
        reason: CorrectionReason::Transcription,
        informs: DOCTOR,
        sealed: Sealed::Open(correction),
    };
    history.lab_report(report, event);
}

#[test]
fn a_correction_leaves_the_earlier_value_readable() {
    let (mut history, patient, report) = released();
    corrected(&mut history, patient, report);
    let row = history.row::<LabReports>(report.0).unwrap();
    let [first, second] = row.results.as_slice() else { panic!("two versions") };
    assert_eq!(first.value, Some(glucose(950.0, ResultFlag::CriticallyHigh).value));
    assert_eq!((first.replaced_by, second.replaces), (Some(SECOND), Some(FIRST)));
    assert_eq!(second.origin, ResultOrigin::Corrected);
    let [correction] = row.corrections.as_slice() else { panic!("one correction") };
    assert_eq!((correction.corrects, correction.informed_doctor_id), (FIRST, DOCTOR));
    assert_eq!(correction.why.as_deref(), Some("two digits were swapped"));
    assert_eq!(row.status, LabReportStatus::Corrected);
}

#[test]
fn a_critical_result_is_open_until_a_doctor_takes_note_or_it_was_none() {
    let open = |history: &History, report: LabReportId| history.row::<LabReports>(report.0).unwrap().open_critical;
    let (mut history, patient, report) = released();
    assert!(open(&history, report), "told is not yet taken note of");
    let mut slip = history.clone();
    corrected(&mut slip, patient, report);
    assert!(!open(&slip, report));
    history.lab_report(report, LabReportEvent::CriticalResultAcknowledged { patient, result: FIRST, doctor: DOCTOR });
    assert!(!open(&history, report));
    let row = history.row::<LabReports>(report.0).unwrap();
    assert_eq!((row.results[0].notices.len(), row.results[0].acknowledged.is_some()), (1, true));
}

#[test]
fn once_erased_nothing_says_what_was_found() {
    let (mut history, patient, report) = released();
    corrected(&mut history, patient, report);
    let row = history.erased().row::<LabReports>(report.0).unwrap();
    assert_eq!(row.results.len(), 2);
    assert!(row.results.iter().all(|entry| entry.value.is_none() && entry.code.is_none() && entry.flag.is_none()));
    assert_eq!((row.status, row.corrections[0].why.as_deref()), (LabReportStatus::Corrected, None));
}
