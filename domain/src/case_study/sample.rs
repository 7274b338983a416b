//! A library to test at: two patients, each with a note, two doctors, and a study of both coughs.

use events::{CaseStudyId, ConsentId, DomainEvent, NoteId, PatientEvent, PatientId, Role, patient::ErasureCause};
use serde_json::{Value, json};

use super::{ApproveCaseStudy, CaseStudy, DeIdentifyCaseStudy, DraftCaseStudy, PublishCaseStudy};
use crate::{
    Patient, Refusal,
    note::StartNote,
    patient::GiveConsent,
    testing::{World, body, id},
};

pub(super) const ASHA: u128 = 0xA1;
pub(super) const RAVI: u128 = 0xA2;
pub(super) const AUTHOR: u128 = 0xD1;
pub(super) const COLLEAGUE: u128 = 0xD2;
/// The note of a patient has the patient's number and this.
const NOTES: u128 = 0x100;

pub(super) fn library() -> World {
    let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
    for doctor in [AUTHOR, COLLEAGUE] {
        world.given_doctor(doctor);
    }
    acts(&mut world, AUTHOR);
    for patient in [ASHA, RAVI] {
        world.given_patient(patient);
        let note = json!({"patient_id": id::<PatientId>(patient), "content": "A cough."});
        world.note(id(NOTES + patient), body::<StartNote>(note)).expect("a note is started");
    }
    world
}

pub(super) fn acts(world: &mut World, doctor: u128) {
    world.acts(id(doctor), &[Role::Doctor]);
}

/// What is drawn from a patient's note.
pub(super) fn part(patient: u128) -> Value {
    let record = json!({"kind": "note", "id": id::<NoteId>(NOTES + patient)});
    json!({"patient_id": id::<PatientId>(patient), "records": [record], "text": "A coughs since Monday."})
}

/// A study of both, drafted by the author, who acts.
pub(super) fn drafted() -> World {
    let mut world = library();
    let draft = json!({"title": "Two coughs", "patients": [part(ASHA), part(RAVI)]});
    world.case_study(id(1), body::<DraftCaseStudy>(draft)).expect("a study is drafted");
    world
}

/// Whoever is not erased.
pub(super) fn given_de_identified(world: &mut World) {
    let is_there = |n: &&u128| world.state::<Patient>(id::<PatientId>(**n)).expect("a patient").not_erased().is_ok();
    let told = |n: &u128| json!({"patient_id": id::<PatientId>(*n), "text": "A cough of two weeks."});
    let patients: Vec<Value> = [ASHA, RAVI].iter().filter(is_there).map(told).collect();
    let content = json!({"method": "safe_harbor", "title": "Two coughs", "patients": patients});
    world.case_study(id(1), body::<DeIdentifyCaseStudy>(content)).expect("it is de-identified");
}

/// By the colleague.
pub(super) fn approve(world: &mut World, verified: bool) -> Result<Vec<DomainEvent>, Refusal> {
    acts(world, COLLEAGUE);
    let done = world.case_study(id(1), ApproveCaseStudy { de_identification_verified: verified });
    acts(world, AUTHOR);
    done
}

pub(super) fn given_published(world: &mut World) {
    given_de_identified(world);
    approve(world, true).expect("it is approved");
    world.case_study(id(1), PublishCaseStudy {}).expect("it is published");
}

pub(super) fn given_consent(world: &mut World, patient: u128, scope: &str) -> ConsentId {
    let give = body::<GiveConsent>(json!({"scope": scope, "text": "I agree."}));
    let events = world.patient(id(patient), give).expect("a consent is given");
    match events.as_slice() {
        [DomainEvent::Patient(PatientEvent::ConsentGiven { consent, .. })] => *consent,
        other => panic!("{other:?}"),
    }
}

pub(super) fn given_erased(world: &mut World, patient: u128) {
    let was = world.state::<Patient>(id::<PatientId>(patient)).expect("a patient").standing();
    world.given(id::<PatientId>(patient), PatientEvent::PatientErased { cause: ErasureCause::Approved, was });
}

pub(super) fn study(world: &World) -> &CaseStudy {
    world.state::<CaseStudy>(id::<CaseStudyId>(1)).expect("a case study")
}

pub(super) fn code(result: Result<Vec<DomainEvent>, Refusal>) -> &'static str {
    result.map(|events| panic!("{events:?}")).unwrap_err().code
}
