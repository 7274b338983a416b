//! A ward to test at: one patient, two doctors with valid licences, a nurse; the first doctor acts.

use events::{
    DoctorEvent, DoctorId, DomainEvent, NoteId, PatientEvent, PatientId, Role, Sealed,
    note::{ContentHash, NoteKind},
    patient::ErasureCause,
};
use serde_json::json;

use super::{CosignNote, Note, SignNote, StartNote};
use crate::{
    Patient, Refusal,
    testing::{World, body, id},
};

pub(super) const PATIENT: u128 = 0xA1;
pub(super) const DOCTOR: u128 = 0xD1;
pub(super) const COLLEAGUE: u128 = 0xD2;
pub(super) const NURSE: u128 = 0xE1;
/// Of every draft made here.
const WORDS: &str = "Seen.";

pub(super) fn ward() -> World {
    let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
    world.given_patient(PATIENT);
    for doctor in [DOCTOR, COLLEAGUE] {
        world.given_doctor(doctor);
    }
    acts(&mut world, DOCTOR);
    world
}

/// A doctor gives the next commands.
pub(super) fn acts(world: &mut World, doctor: u128) {
    world.acts(id(doctor), &[Role::Doctor]);
}

pub(super) fn given_draft(world: &mut World, n: u128) {
    let start = json!({"patient_id": id::<PatientId>(PATIENT), "content": WORDS});
    world.note(id(n), body::<StartNote>(start)).expect("a note is started");
}

pub(super) fn given_signed(world: &mut World, n: u128) {
    given_draft(world, n);
    sign(world, n).expect("a note is signed");
}

/// Of a draft made here.
pub(super) fn digest(n: u128) -> String {
    ContentHash::of_note(id(n), NoteKind::Progress, None, WORDS).0
}

pub(super) fn sign(world: &mut World, n: u128) -> Result<Vec<DomainEvent>, Refusal> {
    world.note(id(n), body::<SignNote>(json!({"content_sha256": digest(n)})))
}

pub(super) fn cosign(world: &mut World, n: u128) -> Result<Vec<DomainEvent>, Refusal> {
    world.note(id(n), body::<CosignNote>(json!({"content_sha256": digest(n)})))
}

pub(super) fn given_licence_until(world: &mut World, doctor: u128, last: &str) {
    let licence_hash = world.state::<crate::Doctor>(id::<DoctorId>(doctor)).expect("a doctor").licence_hash.clone();
    let expires = Some(last.parse().expect("a day"));
    world.given(id::<DoctorId>(doctor), DoctorEvent::LicenceRecorded { licence_hash, expires, sealed: Sealed::Erased });
}

pub(super) fn given_expired(world: &mut World, doctor: u128) {
    given_licence_until(world, doctor, "2026-03-01");
}

pub(super) fn given_erased(world: &mut World) {
    let was = world.state::<Patient>(id::<PatientId>(PATIENT)).expect("a patient").standing();
    world.given(id::<PatientId>(PATIENT), PatientEvent::PatientErased { cause: ErasureCause::Approved, was });
}

pub(super) fn state(world: &World, n: u128) -> &Note {
    world.state::<Note>(id::<NoteId>(n)).expect("a note")
}

pub(super) fn code(result: Result<Vec<DomainEvent>, Refusal>) -> &'static str {
    result.map(|events| panic!("{events:?}")).unwrap_err().code
}
