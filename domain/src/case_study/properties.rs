//! What holds of a case study whatever is done to it and to its patients, in whatever order.

use events::{CaseStudyId, DomainEvent, PatientId, StreamId, case_study::CaseStudyStatus};
use proptest::prelude::*;
use serde_json::json;

use super::{CaseStudy, CaseStudyCommand, sample::*};
use crate::{
    Aggregate, Patient, PatientCommand,
    testing::{World, body, id},
};

#[derive(Clone, Debug)]
enum Step {
    DeIdentify,
    Link(u128),
    Approve(u128, bool),
    Publish,
    Withdraw,
    Consent(u128, bool),
    WithdrawConsent(u128),
    Merge,
    Unmerge,
    Erase(u128),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let patient = || prop_oneof![Just(ASHA), Just(RAVI)];
    let step = prop_oneof![
        4 => Just(Step::DeIdentify),
        5 => patient().prop_map(Step::Link),
        4 => (prop_oneof![Just(AUTHOR), Just(COLLEAGUE)], any::<bool>()).prop_map(|(who, it)| Step::Approve(who, it)),
        4 => Just(Step::Publish),
        1 => Just(Step::Withdraw),
        5 => (patient(), any::<bool>()).prop_map(|(patient, research)| Step::Consent(patient, research)),
        2 => patient().prop_map(Step::WithdrawConsent),
        1 => Just(Step::Merge),
        1 => Just(Step::Unmerge),
        1 => patient().prop_map(Step::Erase),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Refused or not: the rules hold either way.
fn take(world: &mut World, step: &Step) {
    let consent_of = |world: &World, patient: u128| {
        let consents = &world.state::<Patient>(id::<PatientId>(patient)).expect("a patient").consents;
        consents.keys().next_back().copied()
    };
    let not_erased = |world: &World, patient: &u128| {
        world.state::<Patient>(id::<PatientId>(*patient)).expect("a patient").not_erased().is_ok()
    };
    acts(world, AUTHOR);
    let on_study: CaseStudyCommand = match step {
        Step::DeIdentify => {
            let there = [ASHA, RAVI].into_iter().filter(|patient| not_erased(world, patient));
            let parts: Vec<_> = there.map(|n| json!({"patient_id": id::<PatientId>(n), "text": "A cough."})).collect();
            CaseStudyCommand::DeIdentify(body(json!({"method": "safe_harbor", "title": "C", "patients": parts})))
        }
        Step::Link(patient) => {
            let Some(consent) = consent_of(world, *patient) else { return };
            CaseStudyCommand::LinkConsent(body(json!({"patient_id": id::<PatientId>(*patient), "consent_id": consent})))
        }
        Step::Approve(who, verified) => {
            acts(world, *who);
            CaseStudyCommand::Approve(body(json!({"de_identification_verified": verified})))
        }
        Step::Publish => CaseStudyCommand::Publish(body(json!({}))),
        Step::Withdraw => CaseStudyCommand::Withdraw(body(json!({"reason": "slip"}))),
        Step::Erase(patient) => {
            // A person is erased under every id.
            let is_one = world.state::<Patient>(id::<PatientId>(RAVI)).expect("a patient").merged_into.is_some();
            for other in [ASHA, RAVI] {
                if (other == *patient || is_one) && not_erased(world, &other) {
                    given_erased(world, other);
                }
            }
            return;
        }
        Step::Consent(..) | Step::WithdrawConsent(_) | Step::Merge | Step::Unmerge => {
            let (patient, command): (u128, PatientCommand) = match step {
                Step::Consent(patient, research) => {
                    let scope = if *research { "research" } else { "publication" };
                    (*patient, PatientCommand::GiveConsent(body(json!({"scope": scope}))))
                }
                Step::WithdrawConsent(patient) => {
                    let Some(consent) = consent_of(world, *patient) else { return };
                    (*patient, PatientCommand::WithdrawConsent(body(json!({"consent_id": consent}))))
                }
                Step::Merge => (RAVI, PatientCommand::Merge(body(json!({"survivor_id": id::<PatientId>(ASHA)})))),
                _ => (RAVI, PatientCommand::Unmerge(body(json!({})))),
            };
            let _outcome = world.patient(id(patient), command);
            return;
        }
    };
    let _outcome = world.case_study(id(1), on_study);
}

/// No study stands on a consent that does not.
fn check(world: &World) {
    let study = study(world);
    for linked in study.parts.values().filter_map(|part| part.consent) {
        let holder = world.state::<Patient>(linked.holder).expect("a patient");
        let stands = holder.consents.contains_key(&linked.consent);
        assert!(stands || study.status == CaseStudyStatus::Withdrawn, "{study:?}");
    }
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[no_study_outlives_a_consent_that_it_rests_on];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_study_outlives_a_consent_that_it_rests_on(steps in steps()) {
        let mut world = drafted();
        for step in &steps {
            let before = study(&world).clone();
            take(&mut world, step);
            check(&world);
            let after = study(&world);
            if before.status != CaseStudyStatus::Published && after.status == CaseStudyStatus::Published {
                let agreed = after.parts.iter().filter(|(patient, _)| {
                    world.state::<Patient>(**patient).expect("a patient").not_erased().is_ok()
                }).all(|(_, part)| part.consent.is_some());
                prop_assert!(after.verified || agreed);
                prop_assert!(after.parts.values().any(|part| part.de_identified));
            }
            if before.status == CaseStudyStatus::Withdrawn {
                prop_assert_eq!(&before, after, "nothing follows on a withdrawal");
            }
        }
        let own = world.log.iter().filter(|(stream, _)| *stream == StreamId::from(id::<CaseStudyId>(1)));
        let read = own.fold(None, |state, (_, event)| match event {
            DomainEvent::CaseStudy(event) => Some(CaseStudy::evolve(state, event).expect("it follows")),
            _ => state,
        });
        prop_assert_eq!(read.as_ref(), Some(study(&world)));
    }
}
