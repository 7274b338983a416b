//! What holds of dental charts whatever is done to them, in whatever order, and whoever turns out to be the same person.

use std::collections::BTreeMap;

use events::{
    DentalChartEvent, DentalExtractionId, DentalObservationId, DomainEvent, PatientId, StreamId, tooth::Tooth,
};
use proptest::prelude::*;
use serde_json::json;

use super::{DentalChart, DentalChartCommand, sample::on};
use crate::{
    Aggregate, Patient,
    patient::UnmergePatient,
    testing::{World, body, id},
};

const PATIENTS: u128 = 2;
const TEETH: [u8; 3] = [16, 21, 75];
const CODES: [&str; 3] = ["D2391", "D6010", "D7140"];
const CONDITIONS: [&str; 2] = ["missing", "cavity"];

#[derive(Clone, Debug)]
enum Step {
    Observe(usize, usize),
    Correct(usize, usize, usize),
    StrikeOut(usize),
    Plan(usize, usize),
    On(usize, u8),
    Extract(usize),
    StrikeOutExtraction(usize),
    Merge,
    Unmerge,
}

fn steps() -> impl Strategy<Value = Vec<(u128, Step)>> {
    let (tooth, condition, code) = (0..TEETH.len(), 0..CONDITIONS.len(), 0..CODES.len());
    let step = prop_oneof![
        4 => (tooth.clone(), condition.clone()).prop_map(|(tooth, seen)| Step::Observe(tooth, seen)),
        2 => (0..4_usize, tooth.clone(), condition).prop_map(|(n, tooth, seen)| Step::Correct(n, tooth, seen)),
        2 => (0..4_usize).prop_map(Step::StrikeOut),
        5 => (tooth.clone(), code).prop_map(|(tooth, code)| Step::Plan(tooth, code)),
        6 => (0..6_usize, 0..3_u8).prop_map(|(n, what)| Step::On(n, what)),
        3 => tooth.prop_map(Step::Extract),
        1 => (0..3_usize).prop_map(Step::StrikeOutExtraction),
        1 => Just(Step::Merge),
        1 => Just(Step::Unmerge),
    ];
    proptest::collection::vec((1..=PATIENTS, step), 1..50)
}

/// The command, which may name what lies in either chart.
fn command(step: &Step, world: &World) -> Option<DentalChartCommand> {
    let charts = || (1..=PATIENTS).filter_map(|n| world.state::<DentalChart>(events::DentalChartId(id(n))));
    let observation = |n: usize| charts().flat_map(|chart| chart.observations.keys()).nth(n).copied();
    let procedure = |n: usize| charts().flat_map(|chart| chart.procedures.keys()).nth(n).copied();
    let extraction = |n: usize| charts().flat_map(|chart| chart.extractions.keys()).nth(n).copied();
    let finding = |tooth: usize, seen: usize| json!({"tooth": TEETH[tooth], "condition": CONDITIONS[seen]});
    Some(match step {
        Step::Observe(tooth, seen) => DentalChartCommand::RecordObservation(body(finding(*tooth, *seen))),
        Step::Correct(n, tooth, seen) => {
            let (named, finding) = (observation(*n)?, finding(*tooth, *seen));
            let content = json!({"observation_id": named, "finding": finding, "reason": "re_examined"});
            DentalChartCommand::CorrectObservation(body(content))
        }
        Step::StrikeOut(n) => {
            let content = json!({"observation_id": observation(*n)?, "reason": "wrong_patient"});
            DentalChartCommand::EnterObservationInError(body(content))
        }
        Step::Plan(tooth, code) => {
            DentalChartCommand::PlanProcedure(body(json!({"code": CODES[*code], "teeth": [TEETH[*tooth]]})))
        }
        Step::On(n, what) => {
            let content = json!({"procedure_id": procedure(*n)?});
            match what {
                0 => DentalChartCommand::StartProcedure(body(content)),
                1 => DentalChartCommand::CompleteProcedure(body(content)),
                _ => DentalChartCommand::CancelProcedure(body(json!({
                    "procedure_id": procedure(*n)?, "reason": "not_indicated"
                }))),
            }
        }
        Step::Extract(tooth) => DentalChartCommand::ExtractTooth(body(json!({"tooth": TEETH[*tooth]}))),
        Step::StrikeOutExtraction(n) => {
            let content = json!({"extraction_id": extraction(*n)?, "reason": "wrong_tooth"});
            DentalChartCommand::EnterExtractionInError(body(content))
        }
        Step::Merge | Step::Unmerge => return None,
    })
}

/// Which teeth the charts of these patients say are gone, told from the events alone.
#[derive(Default)]
struct Gone {
    seen: BTreeMap<DentalObservationId, Tooth>,
    pulled: BTreeMap<DentalExtractionId, Tooth>,
}

impl Gone {
    fn of<'e>(events: impl Iterator<Item = &'e DentalChartEvent>) -> Vec<Tooth> {
        let mut gone = Self::default();
        events.for_each(|event| gone.take(event));
        gone.seen.into_values().chain(gone.pulled.into_values()).collect()
    }

    fn take(&mut self, event: &DentalChartEvent) {
        match event {
            DentalChartEvent::ObservationRecorded { observation, tooth, missing, .. }
            | DentalChartEvent::ObservationCorrected { observation, tooth, missing, .. } => {
                self.seen.remove(observation);
                if *missing {
                    self.seen.insert(*observation, *tooth);
                }
            }
            DentalChartEvent::ObservationEnteredInError { observation, .. } => drop(self.seen.remove(observation)),
            DentalChartEvent::ToothExtracted { extraction, tooth, .. } => drop(self.pulled.insert(*extraction, *tooth)),
            DentalChartEvent::ExtractionEnteredInError { extraction, .. } => drop(self.pulled.remove(extraction)),
            DentalChartEvent::ProcedurePlanned { .. }
            | DentalChartEvent::ProcedureStarted { .. }
            | DentalChartEvent::ProcedureCompleted { .. }
            | DentalChartEvent::ProcedureCancelled { .. } => {}
        }
    }
}

fn of_chart(world: &World, patient: PatientId) -> impl Iterator<Item = &DentalChartEvent> {
    let stream = StreamId::from(events::DentalChartId::from(patient));
    world.log.iter().filter(move |(of, _)| *of == stream).filter_map(|(_, event)| match event {
        DomainEvent::DentalChart(event) => Some(event),
        _ => None,
    })
}

/// No treatment was begun, and no tooth pulled, where there is none.
fn check(event: &DomainEvent, gone: &[Tooth], replacing: impl Fn() -> bool) {
    match event {
        DomainEvent::DentalChart(DentalChartEvent::ProcedurePlanned { teeth, replaces, .. }) => {
            assert!(*replaces || teeth.iter().all(|tooth| !gone.contains(tooth)), "planned on {teeth:?}");
        }
        DomainEvent::DentalChart(DentalChartEvent::ProcedureStarted { teeth, .. }) => {
            assert!(replacing() || teeth.iter().all(|tooth| !gone.contains(tooth)), "begun on {teeth:?}");
        }
        DomainEvent::DentalChart(DentalChartEvent::ToothExtracted { tooth, .. }) => {
            assert!(!gone.contains(tooth), "{tooth} was pulled twice");
        }
        _ => {}
    }
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[no_treatment_begins_where_there_is_no_tooth];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_treatment_begins_where_there_is_no_tooth(steps in steps()) {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let patients: Vec<PatientId> = (1..=PATIENTS).map(|n| world.given_patient(n)).collect();
        for (n, step) in &steps {
            let (double, survivor) = (patients[1], patients[0]);
            let merged = world.state::<Patient>(double).unwrap().merged_into.is_some();
            match step {
                Step::Merge if !merged => world.given_merge(double, survivor),
                Step::Unmerge if merged => drop(world.patient(double, UnmergePatient { reason: None }).unwrap()),
                _ => {}
            }
            let Some(command) = command(step, &world) else { continue };
            let mouth: Vec<PatientId> = if merged { patients.clone() } else { vec![id(*n)] };
            let gone = Gone::of(mouth.iter().flat_map(|patient| of_chart(&world, *patient)));
            let named = match &command {
                DentalChartCommand::StartProcedure(start) => Some(start.procedure_id),
                _ => None,
            };
            // Refused or not: the rule holds either way.
            for event in on(&mut world, id(*n), command).unwrap_or_default() {
                let charts = patients.iter().filter_map(|patient| {
                    world.state::<DentalChart>(events::DentalChartId::from(*patient))
                });
                let replacing = || charts.clone().any(|chart| {
                    named.and_then(|named| chart.procedures.get(&named)).is_some_and(|one| one.replaces)
                });
                check(&event, &gone, replacing);
            }
        }
        for patient in patients {
            let replayed = of_chart(&world, patient).fold(None, |state, event| {
                Some(DentalChart::evolve(state, event).expect("it follows"))
            });
            prop_assert_eq!(replayed.as_ref(), world.state::<DentalChart>(events::DentalChartId::from(patient)));
        }
    }
}
