//! What holds of patients whatever is done to them, in whatever order.

use std::collections::BTreeSet;

use events::{AllergyId, DomainEvent, IdentifierId, PatientEvent, PatientId, StreamId};
use proptest::prelude::*;
use serde_json::json;

use super::{Patient, PatientCommand, UnmergePatient};
use crate::{
    Aggregate,
    testing::{World, body, id},
};

const PATIENTS: u128 = 4;

/// A command on the `n`-th patient.
#[derive(Clone, Debug)]
enum Step {
    Merge(u128),
    Unmerge,
    Identifier(u8),
    EndIdentifier(usize),
    Allergy,
    OnAllergy(usize, u8),
    NoAllergies,
    Consent(bool),
    Withdraw(usize),
    Standing(u8),
    Demographics(u16),
    Relative(u128),
    Restrict(bool),
    Problem,
    ResolveProblem(usize),
    Contact,
}

fn steps() -> impl Strategy<Value = Vec<(u128, Step)>> {
    let step = prop_oneof![
        4 => (1..=PATIENTS).prop_map(Step::Merge),
        2 => Just(Step::Unmerge),
        3 => (0..4_u8).prop_map(Step::Identifier),
        1 => (0..3_usize).prop_map(Step::EndIdentifier),
        2 => Just(Step::Allergy),
        2 => (0..3_usize, 0..3_u8).prop_map(|(n, what)| Step::OnAllergy(n, what)),
        1 => Just(Step::NoAllergies),
        1 => any::<bool>().prop_map(Step::Consent),
        1 => (0..2_usize).prop_map(Step::Withdraw),
        2 => (0..3_u8).prop_map(Step::Standing),
        1 => (1950..2020_u16).prop_map(Step::Demographics),
        1 => (1..=PATIENTS).prop_map(Step::Relative),
        1 => any::<bool>().prop_map(Step::Restrict),
        1 => Just(Step::Problem),
        1 => (0..3_usize).prop_map(Step::ResolveProblem),
        1 => Just(Step::Contact),
    ];
    proptest::collection::vec((1..=PATIENTS, step), 1..40)
}

/// The command, which may name what lies in any of the records.
fn command(step: &Step, world: &World) -> Option<PatientCommand> {
    let all = || (1..=PATIENTS).filter_map(|n| world.state::<Patient>(id::<PatientId>(n)));
    let identifiers = || all().flat_map(|patient| &patient.identifiers).map(|entry| entry.id).collect::<Vec<_>>();
    let allergies = || all().flat_map(|patient| patient.allergies.keys().copied()).collect::<Vec<AllergyId>>();
    let problems = || all().flat_map(|patient| patient.problems.keys().copied()).collect::<Vec<_>>();
    let consents = || all().flat_map(|patient| patient.consents.keys().copied()).collect::<Vec<_>>();
    Some(match step {
        Step::Merge(survivor) => {
            PatientCommand::Merge(body(json!({"survivor_id": id::<PatientId>(*survivor), "reason": "same"})))
        }
        Step::Unmerge => PatientCommand::Unmerge(UnmergePatient { reason: None }),
        Step::Identifier(n) => {
            let kind = if n % 2 == 0 { "passport" } else { "insurance" };
            PatientCommand::AddIdentifier(body(json!({"type": kind, "value": format!("K{n}")})))
        }
        Step::EndIdentifier(n) => {
            let identifier: IdentifierId = *identifiers().get(*n)?;
            PatientCommand::EndIdentifier(body(json!({"identifier_id": identifier})))
        }
        Step::Allergy => PatientCommand::RecordAllergy(body(json!({"substance": "latex"}))),
        Step::OnAllergy(n, what) => {
            let content = json!({"allergy_id": allergies().get(*n)?});
            match what {
                0 => PatientCommand::VerifyAllergy(body(content)),
                1 => PatientCommand::RefuteAllergy(body(content)),
                _ => PatientCommand::ResolveAllergy(body(content)),
            }
        }
        Step::NoAllergies => PatientCommand::AssertNoKnownAllergies(body(json!({}))),
        Step::Consent(research) => {
            let scope = if *research { "research" } else { "treatment" };
            PatientCommand::GiveConsent(body(json!({"scope": scope, "text": "I agree."})))
        }
        Step::Withdraw(n) => PatientCommand::WithdrawConsent(body(json!({"consent_id": consents().get(*n)?}))),
        Step::Standing(0) => PatientCommand::Deactivate(body(json!({"reason": "moved"}))),
        Step::Standing(1) => PatientCommand::Reactivate(body(json!({}))),
        Step::Standing(_) => PatientCommand::RecordDeath(body(json!({"cause": "age"}))),
        Step::Demographics(year) => {
            let content = json!({"first_name": "Asha", "birth_date": year.to_string(), "gender": "female"});
            PatientCommand::UpdateDemographics(body(content))
        }
        Step::Relative(n) => {
            let content = json!({"relative_id": id::<PatientId>(*n), "relationship": "sister"});
            PatientCommand::LinkFamily(body(content))
        }
        Step::Problem => PatientCommand::AddProblem(body(json!({"text": "asthma"}))),
        Step::ResolveProblem(n) => PatientCommand::ResolveProblem(body(json!({"problem_id": problems().get(*n)?}))),
        Step::Contact => PatientCommand::SetEmergencyContact(body(json!({"name": "Vikram"}))),
        Step::Restrict(yes) => {
            let word = if *yes { "restricted" } else { "normal" };
            PatientCommand::RestrictRecord(body(json!({"confidentiality": word})))
        }
    })
}

fn is_of_a_merge(event: &PatientEvent) -> bool {
    matches!(
        event,
        PatientEvent::PatientMerged { .. }
            | PatientEvent::PatientMergedInto { .. }
            | PatientEvent::PatientUnmerged { .. }
            | PatientEvent::PatientUnmergedFrom { .. }
    )
}

/// The state of a patient in whose life no merge ever was.
fn without_merges(world: &World, patient: PatientId) -> Patient {
    let own = world.log.iter().filter(|(stream, _)| *stream == StreamId::from(patient));
    let events = own.filter_map(|(_, event)| match event {
        DomainEvent::Patient(event) => Some(event),
        _ => None,
    });
    let plain = events.filter(|event| !is_of_a_merge(event));
    plain.fold(None, |state, event| Some(Patient::evolve(state, event).expect("it follows"))).expect("a patient")
}

fn check_claims_and_counters(world: &World) {
    let all: Vec<_> = (1..=PATIENTS).map(|n| (n, world.state::<Patient>(id::<PatientId>(n)).unwrap())).collect();
    let counted = all.iter().filter(|(_, patient)| patient.merged_into.is_none()).count();
    assert_eq!(world.counter("usage/patients"), i64::try_from(counted).unwrap());
    let held: BTreeSet<_> = all.iter().flat_map(|(_, patient)| patient.held()).collect();
    let taken = world.claims.keys().filter(|claim| claim.kind == "identifier").cloned().collect();
    assert_eq!(held, taken, "what is held is taken, and nothing else");
    for (n, patient) in &all {
        if let Some(into) = patient.merged_into {
            assert!(world.state::<Patient>(into).unwrap().merged.contains(&id(*n)), "a merge stands in both");
        }
    }
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[an_unmerge_restores_every_record_whatever_came_between];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_unmerge_restores_every_record_whatever_came_between(steps in steps()) {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        for n in 1..=PATIENTS {
            world.given_patient(n);
        }
        for (n, step) in &steps {
            if let Some(command) = command(step, &world) {
                // Refused or not: the rules that follow hold either way.
                let _outcome = world.patient(id(*n), command);
            }
            check_claims_and_counters(&world);
        }
        for n in 1..=PATIENTS {
            if world.state::<Patient>(id::<PatientId>(n)).unwrap().merged_into.is_some() {
                world.patient(id(n), UnmergePatient { reason: None }).expect("an unmerge is never refused");
            }
        }
        check_claims_and_counters(&world);
        for n in 1..=PATIENTS {
            let patient: PatientId = id(n);
            prop_assert_eq!(world.state::<Patient>(patient).unwrap(), &without_merges(&world, patient));
        }
    }
}
