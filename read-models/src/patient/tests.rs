use events::{
    AllergyId,
    patient::{
        Allergy, ConsentScope, ConsentText, ErasureCause, FamilyRelationship, IdentifierEntry, IdentifierValue,
        Problem, Reason, Standing,
    },
};

use super::*;
use crate::sample::History;

fn penicillin() -> Sealed<Allergy> {
    let substance = "penicillin".to_owned();
    Sealed::Open(Allergy { substance, code: None, class: None, category: None, criticality: None, reaction: None })
}

#[test]
fn a_refuted_allergy_says_why_and_stays() {
    let mut history = History::new();
    let patient = history.registered("Asha");
    let allergy = AllergyId(Uuid::from_u128(9));
    history.patient(patient, PatientEvent::AllergyRecorded { allergy, sealed: penicillin() });
    history.patient(patient, PatientEvent::AllergyVerified { allergy });
    let why = Sealed::Open(Reason { reason: Some("tested".into()) });
    history.patient(patient, PatientEvent::AllergyRefuted { allergy, sealed: why });
    let row = history.row::<Patients>(patient.0).unwrap();
    assert_eq!(row.allergies.len(), 1);
    assert_eq!(row.allergies[0].status, AllergyStatus::Refuted);
    assert_eq!(row.allergies[0].status_reason.as_deref(), Some("tested"));
}

#[test]
fn a_recorded_allergy_ends_the_assertion_of_none() {
    let mut history = History::new();
    let patient = history.registered("Asha");
    history.patient(patient, PatientEvent::NoKnownAllergiesAsserted {});
    assert!(history.row::<Patients>(patient.0).unwrap().no_known_allergies.is_some());
    let allergy = AllergyId(Uuid::from_u128(9));
    history.patient(patient, PatientEvent::AllergyRecorded { allergy, sealed: penicillin() });
    assert!(history.row::<Patients>(patient.0).unwrap().no_known_allergies.is_none());
}

#[test]
fn an_unmerged_patient_stands_as_before() {
    let mut history = History::new();
    let (source, survivor) = (history.registered("Asha"), history.registered("Asha R"));
    history.merged(source, survivor);
    let merged = history.row::<Patients>(source.0).unwrap();
    assert_eq!((merged.status, merged.merged_into), (PatientStatus::Merged, Some(survivor)));
    assert_eq!(history.row::<Patients>(survivor.0).unwrap().merged_ids, [source]);
    history.unmerged(source, survivor);
    let again = history.row::<Patients>(source.0).unwrap();
    assert_eq!((again.status, again.merged_into), (PatientStatus::Active, None));
    assert!(history.row::<Patients>(survivor.0).unwrap().merged_ids.is_empty());
}

#[test]
fn an_erased_patient_keeps_number_gender_and_year() {
    let mut history = History::new();
    let patient = history.registered("Asha");
    let row = history.erased().row::<Patients>(patient.0).unwrap();
    assert_eq!((row.first_name, row.phone, row.birth_date), (None, None, None));
    assert_eq!((row.number.as_str(), row.birth_year), ("PT-2026-00001", Some(1984)));
    assert_eq!(row.search_text, " pt-2026-00001");
}

#[test]
fn a_patient_is_found_by_name_number_and_phone() {
    let mut history = History::new();
    let patient = history.registered("Áshà");
    let row = history.row::<Patients>(patient.0).unwrap();
    assert_eq!(row.search_text, " asha rao pt-2026-00001 919820012345");
}

#[test]
fn an_erased_row_is_what_a_rebuild_without_the_key_makes_of_it() {
    let mut history = History::new();
    let (patient, relative) = (history.registered("Asha"), history.registered("Meera"));
    let some = |text: &str| Some(text.to_owned());
    let why = || Sealed::Open(Reason { reason: some("in somebody's words") });
    let (allergy, problem, consent) = (AllergyId(history.fresh()), history.fresh().into(), history.fresh().into());
    let identifier = IdentifierEntry { id: history.fresh().into(), kind: "passport".into(), hash: None };
    let contact = EmergencyContact { name: "Vikram".into(), relationship: None, phone: None };
    let text = Problem { text: "asthma".into(), code: some("J45"), onset: None };
    for event in [
        PatientEvent::IdentifierAdded { identifier, sealed: Sealed::Open(IdentifierValue { value: "Z1".into() }) },
        PatientEvent::EmergencyContactSet { sealed: contact.into() },
        PatientEvent::FamilyLinked { relative, sealed: FamilyRelationship { relationship: some("sister") }.into() },
        PatientEvent::AllergyRecorded { allergy, sealed: penicillin() },
        PatientEvent::AllergyRefuted { allergy, sealed: why() },
        PatientEvent::ProblemAdded { problem, sealed: text.into() },
        PatientEvent::ProblemResolved { problem, sealed: why() },
        PatientEvent::ConsentGiven {
            consent,
            scope: ConsentScope::Research,
            sealed: ConsentText { text: some("yes") }.into(),
        },
        PatientEvent::ConsentWithdrawn { consent, scope: ConsentScope::Research, sealed: why() },
        PatientEvent::DeathRecorded {
            was: PatientStatus::Active,
            sealed: Death { died_on: None, cause: some("age") }.into(),
        },
    ] {
        history.patient(patient, event);
    }
    let was = Standing { status: PatientStatus::Deceased, gender: Gender::Female, birth_year: Some(1984) };
    history.patient(patient, PatientEvent::PatientErased { cause: ErasureCause::Approved, was });
    let row = history.row::<Patients>(patient.0).unwrap();
    assert_eq!(row.status, PatientStatus::Erased);
    assert_eq!(Some(row), history.erased().row::<Patients>(patient.0));
}
