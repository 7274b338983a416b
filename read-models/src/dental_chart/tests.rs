use events::{
    DentalChartEvent, DentalChartId, DentalExtractionId, DentalObservationId, DentalProcedureId, PatientId, Sealed,
    dental_chart::{
        CorrectedFinding, DentalCorrectionReason, DentalOutcome, DentalProcedureStatus, DentalText, DentalTreatment,
        ToothFinding,
    },
    tooth::{Surface, Tooth, ToothCondition},
};
use uuid::Uuid;

use super::{DentalChartRow, DentalCharts, teeth};
use crate::sample::History;

const PATIENT: PatientId = PatientId(Uuid::from_u128(7));
const OBSERVATION: DentalObservationId = DentalObservationId(Uuid::from_u128(1));
const PROCEDURE: DentalProcedureId = DentalProcedureId(Uuid::from_u128(2));

fn on(history: &mut History, patient: PatientId, event: DentalChartEvent) {
    history.push(DentalChartId::from(patient).into(), event);
}

fn finding(condition: ToothCondition) -> ToothFinding {
    ToothFinding { surfaces: vec![Surface::Occlusal], condition, severity: None, note: Some("soft".into()) }
}

fn seen(id: DentalObservationId, tooth: u8, condition: ToothCondition) -> DentalChartEvent {
    let (tooth, missing) = (Tooth(tooth), condition == ToothCondition::Missing);
    DentalChartEvent::ObservationRecorded { observation: id, tooth, missing, sealed: finding(condition).into() }
}

fn corrected(tooth: u8, condition: ToothCondition) -> DentalChartEvent {
    let said = CorrectedFinding { finding: finding(condition), text: Some("the x-ray".into()) };
    DentalChartEvent::ObservationCorrected {
        observation: OBSERVATION,
        tooth: Tooth(tooth),
        missing: condition == ToothCondition::Missing,
        reason: DentalCorrectionReason::WrongTooth,
        sealed: said.into(),
    }
}

fn planned() -> DentalChartEvent {
    let treatment = DentalTreatment { code: "D2391".into(), surfaces: vec![Surface::Occlusal], description: None };
    DentalChartEvent::ProcedurePlanned {
        procedure: PROCEDURE,
        teeth: vec![Tooth(16)],
        replaces: false,
        observation: Some(OBSERVATION),
        template: None,
        estimate: None,
        sealed: treatment.into(),
    }
}

fn chart(history: &History) -> DentalChartRow {
    history.row::<DentalCharts>(PATIENT.0).unwrap()
}

#[test]
fn a_corrected_observation_says_what_it_said_before() {
    let mut history = History::new();
    on(&mut history, PATIENT, seen(OBSERVATION, 17, ToothCondition::Missing));
    on(&mut history, PATIENT, corrected(16, ToothCondition::Cavity));
    let row = chart(&history);
    let entry = &row.observations[0];
    assert_eq!((entry.current.tooth, entry.current.condition), (Tooth(16), Some(ToothCondition::Cavity)));
    assert_eq!((entry.earlier.len(), entry.first().tooth), (1, Tooth(17)));
    assert_eq!(entry.current.text.as_deref(), Some("the x-ray"));
    let today = teeth(&row);
    assert_eq!(today.iter().map(|state| (state.tooth, state.missing)).collect::<Vec<_>>(), [(Tooth(16), false)]);
    assert_eq!(row.history_of(Tooth(17)).observations.len(), 1, "it is found where it was");
    assert_eq!((row.version, row.changed_at > row.begun_at), (2, true));
}

#[test]
fn what_is_struck_out_is_in_the_history_alone() {
    let mut history = History::new();
    let extraction = DentalExtractionId(Uuid::from_u128(3));
    on(&mut history, PATIENT, seen(OBSERVATION, 16, ToothCondition::Cavity));
    let text = || Sealed::Open(DentalText { text: Some("the one before".into()) });
    let (tooth, reason) = (Tooth(16), DentalCorrectionReason::WrongPatient);
    let wrong = DentalChartEvent::ObservationEnteredInError { observation: OBSERVATION, tooth, reason, sealed: text() };
    on(&mut history, PATIENT, wrong);
    on(&mut history, PATIENT, DentalChartEvent::ToothExtracted { extraction, tooth, procedure: None, sealed: text() });
    assert!(teeth(&chart(&history))[0].missing);
    on(&mut history, PATIENT, DentalChartEvent::ExtractionEnteredInError { extraction, tooth, reason, sealed: text() });
    let row = chart(&history);
    assert!(teeth(&row).is_empty());
    let ever = row.history_of(tooth);
    assert_eq!((ever.missing, ever.observations.len(), ever.extractions.len()), (false, 1, 1));
    assert!(ever.observations[0].struck_out.is_some());
}

#[test]
fn the_mouth_on_a_day_is_what_is_known_of_it_now() {
    let mut history = History::new();
    on(&mut history, PATIENT, seen(OBSERVATION, 17, ToothCondition::Cavity));
    let examined = history.now;
    on(&mut history, PATIENT, planned());
    on(&mut history, PATIENT, DentalChartEvent::ProcedureStarted { procedure: PROCEDURE, teeth: vec![Tooth(16)] });
    let begun = history.now;
    let outcome = DentalOutcome { complications: Some("bleeding".into()) };
    let (teeth_of, cost) = (vec![Tooth(16)], None);
    let done =
        DentalChartEvent::ProcedureCompleted { procedure: PROCEDURE, teeth: teeth_of, cost, sealed: outcome.into() };
    on(&mut history, PATIENT, done);
    on(&mut history, PATIENT, corrected(16, ToothCondition::Cavity));
    let row = chart(&history);
    assert_eq!(row.procedures[0].status, DentalProcedureStatus::Completed);
    let then = row.clone().before(begun + chrono::TimeDelta::seconds(1));
    assert_eq!(then.procedures[0].status, DentalProcedureStatus::InProgress);
    assert_eq!((&then.procedures[0].completed, &then.procedures[0].complications), (&None, &None));
    let at_first = row.clone().before(examined + chrono::TimeDelta::seconds(1));
    assert_eq!(at_first.observations[0].current.tooth, Tooth(16), "as it was found to be since");
    assert!(at_first.procedures.is_empty());
    let before = row.before(examined);
    assert!(before.observations.is_empty() && before.procedures.is_empty());
}

#[test]
fn the_charts_of_one_person_are_joined() {
    let mut history = History::new();
    let other = PatientId(Uuid::from_u128(8));
    on(&mut history, other, seen(DentalObservationId(Uuid::from_u128(9)), 26, ToothCondition::Missing));
    on(&mut history, PATIENT, seen(OBSERVATION, 16, ToothCondition::Cavity));
    let joined = chart(&history).join(history.row::<DentalCharts>(other.0).unwrap());
    assert_eq!((joined.id, joined.version), (PATIENT.0, 1));
    assert_eq!(joined.observations.iter().map(|entry| entry.current.tooth.0).collect::<Vec<_>>(), [26, 16]);
}

#[test]
fn of_who_is_erased_it_is_only_known_that_there_was_something() {
    let mut history = History::new();
    on(&mut history, PATIENT, seen(OBSERVATION, 16, ToothCondition::Cavity));
    on(&mut history, PATIENT, planned());
    let row = history.erased().row::<DentalCharts>(PATIENT.0).unwrap();
    let version = &row.observations[0].current;
    assert_eq!((version.condition, version.surfaces.len(), version.note.as_ref()), (None, 0, None));
    assert_eq!((row.procedures[0].code.as_ref(), row.procedures[0].teeth.len()), (None, 1));
}
