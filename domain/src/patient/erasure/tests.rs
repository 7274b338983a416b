use events::{ClinicEvent, UserId, patient::PatientStatus};
use serde_json::json;

use super::*;
use crate::{
    Class,
    clinic::PlaceLegalHold,
    patient::{Life, RecordAllergy, UpdateDemographics},
    testing::{World, at, body, id},
};

/// A clinic with two administrators, the second of whom is given, and a patient.
fn start() -> (World, UserId, PatientId) {
    let mut world = World::registered();
    let second = world.given_staff(7, &[Role::ClinicAdmin]);
    let patient = world.given_patient(1);
    (world, second, patient)
}

fn request(world: &mut World, patient: PatientId) -> Result<Vec<&'static str>, Refusal> {
    let events = world.patient(patient, body::<RequestErasure>(json!({"reason": "moves away"})))?;
    Ok(events.iter().map(DomainEvent::event_type).collect())
}

fn approve(world: &mut World, who: UserId, patient: PatientId) -> Result<Vec<DomainEvent>, Refusal> {
    world.acts(who, &[Role::ClinicAdmin]);
    world.patient(patient, ApproveErasure {})
}

fn treated(world: &mut World, patient: PatientId) {
    world.patient(patient, body::<RecordAllergy>(json!({"substance": "latex"}))).unwrap();
}

/// The refusal, where there is one.
fn refused(events: &[DomainEvent]) -> Option<(RetentionBasis, DateTime<Utc>)> {
    events.iter().find_map(|event| match event {
        DomainEvent::Patient(PatientEvent::ErasureRefused { basis, until }) => Some((*basis, *until)),
        _ => None,
    })
}

#[test]
fn an_erasure_takes_two_persons() {
    let (mut world, second, patient) = start();
    let first = world.admin();
    assert_eq!(approve(&mut world, second, patient).unwrap_err().code, "no-erasure-requested");
    world.acts(first, &[Role::ClinicAdmin]);
    assert_eq!(request(&mut world, patient).unwrap(), ["ErasureRequested"]);
    assert_eq!(request(&mut world, patient).unwrap_err().code, "erasure-requested");
    let refused = approve(&mut world, first, patient).unwrap_err();
    assert_eq!((refused.class, refused.code), (Class::Forbidden, "second-person"));
    assert_eq!(approve(&mut world, second, patient).unwrap().len(), 1);
    let erased = world.state::<Patient>(patient).unwrap();
    assert_eq!((erased.life, erased.status()), (Life::Erased, PatientStatus::Erased));
    assert_eq!(world.counter("usage/patients"), 0);
}

#[test]
fn the_platforms_administrator_is_the_second_person_of_a_clinic_with_one() {
    let mut world = World::registered();
    let (admin, patient) = (world.admin(), world.given_patient(1));
    request(&mut world, patient).unwrap();
    assert_eq!(approve(&mut world, admin, patient).unwrap_err().code, "second-person");
    let mut two = world.clone();
    two.given_staff(7, &[Role::ClinicAdmin]);
    for (world, expected) in [(&mut world, None), (&mut two, Some("clinic-agrees"))] {
        world.acts(id::<UserId>(9), &[Role::PlatformAdmin]);
        assert_eq!(world.patient(patient, ApproveErasure {}).err().map(|refused| refused.code), expected);
    }
}

#[test]
fn a_patient_asks_and_one_administrator_agrees() {
    let mut world = World::registered();
    let (admin, patient) = (world.admin(), world.given_patient(1));
    world.acts(id::<UserId>(8), &[Role::Patient]);
    request(&mut world, patient).unwrap();
    assert_eq!(approve(&mut world, admin, patient).unwrap().len(), 1);
}

#[test]
fn nothing_is_done_with_who_is_erased() {
    let (mut world, second, patient) = start();
    let other = world.given_patient(2);
    request(&mut world, patient).unwrap();
    approve(&mut world, second, patient).unwrap();
    let gone = |refused: Result<Vec<DomainEvent>, Refusal>| {
        let refused = refused.unwrap_err();
        assert_eq!((refused.class, refused.code), (Class::Gone, "erased"));
    };
    gone(world.patient(patient, body::<UpdateDemographics>(json!({"first_name": "Asha"}))));
    gone(world.patient(patient, body::<RequestErasure>(json!({}))));
    gone(world.patient(patient, ApproveErasure {}));
    gone(world.patient(other, body::<super::super::MergePatient>(json!({"survivor_id": patient}))));
    let link = json!({"relative_id": patient, "relationship": "sister"});
    gone(world.patient(other, body::<super::super::LinkFamily>(link)));
    let hold = json!({"patient_id": patient, "reason": "too late"});
    gone(world.when::<Clinic>(world.clinic, body::<PlaceLegalHold>(hold)));
}

#[test]
fn a_clinical_record_is_kept_ten_years_after_the_last_contact() {
    let (mut world, second, patient) = start();
    treated(&mut world, patient);
    let until = at("2036-03-02T03:00:00Z");
    let events = world.patient(patient, body::<RequestErasure>(json!({}))).unwrap();
    assert_eq!(refused(&events), Some((RetentionBasis::ClinicalRecord, until)));
    assert_eq!(approve(&mut world, second, patient).unwrap_err().code, "no-erasure-requested");
    world.now = until;
    assert_eq!(request(&mut world, patient).unwrap(), ["ErasureRequested"], "it may be asked again, and is allowed");
}

#[test]
fn who_is_treated_between_request_and_approval_is_kept() {
    let (mut world, second, patient) = start();
    request(&mut world, patient).unwrap();
    treated(&mut world, patient);
    let events = approve(&mut world, second, patient).unwrap();
    assert!(refused(&events).is_some(), "{events:?}");
    assert_eq!(world.state::<Patient>(patient).unwrap().life, Life::Active);
}

#[test]
fn a_minors_record_is_kept_until_three_years_past_majority() {
    let (mut world, ..) = start();
    let child = id::<PatientId>(5);
    let register = json!({"first_name": "Meera", "birth_date": "2024-05-01"});
    world.patient(child, body::<super::super::RegisterPatient>(register)).unwrap();
    treated(&mut world, child);
    let events = world.patient(child, body::<RequestErasure>(json!({}))).unwrap();
    // The end of 2024 in Kolkata, and 21 years.
    assert_eq!(refused(&events), Some((RetentionBasis::MinorsRecord, at("2045-12-31T18:30:00Z"))));
}

#[test]
fn periods_are_the_clinics() {
    let (mut world, _, patient) = start();
    treated(&mut world, patient);
    world.given_settings(json!({"retention": {"clinical_years": 3}}));
    let events = world.patient(patient, body::<RequestErasure>(json!({}))).unwrap();
    assert_eq!(refused(&events), Some((RetentionBasis::ClinicalRecord, at("2029-03-02T03:00:00Z"))));
}

#[test]
fn a_group_is_erased_as_a_whole_and_kept_as_a_whole() {
    let (mut world, second, survivor) = start();
    let double = world.given_patient(2);
    world.given_merge(double, survivor);
    let mut treated_as_double = world.clone();
    treated(&mut treated_as_double, double);
    assert_eq!(request(&mut treated_as_double, survivor).unwrap(), ["ErasureRequested", "ErasureRefused"]);
    request(&mut world, double).unwrap();
    let erased = approve(&mut world, second, survivor).unwrap();
    assert_eq!(erased.len(), 2);
    for patient in [survivor, double] {
        assert_eq!(world.state::<Patient>(patient).unwrap().status(), PatientStatus::Erased);
    }
    assert_eq!(world.counter("usage/patients"), 0);
}

#[test]
fn a_legal_hold_on_one_of_a_group_holds_the_person() {
    let (mut world, second, survivor) = start();
    let double = world.given_patient(2);
    request(&mut world, survivor).unwrap();
    world.given_merge(double, survivor);
    let hold = ClinicEvent::LegalHoldPlaced { hold: id(4), patient: Some(double), by: None, reason: "a case".into() };
    world.given(world.clinic, hold);
    let refused = approve(&mut world, second, survivor).unwrap_err();
    assert_eq!((refused.class, refused.code), (Class::Held, "legal-hold"));
    world.given(world.clinic, ClinicEvent::LegalHoldLifted { hold: id(4), reason: "settled".into() });
    approve(&mut world, second, survivor).unwrap();
}

#[test]
fn a_portal_login_ends_with_its_patient() {
    let (mut world, second, patient) = start();
    let invited = events::StaffEvent::StaffInvited {
        roles: vec![Role::Patient],
        patient: Some(patient),
        username_hash: events::claim::KeyedHash("00".into()),
        email_hash: None,
        sealed: Sealed::Erased,
    };
    let login = id::<UserId>(40);
    world.given(login, invited);
    request(&mut world, patient).unwrap();
    let events = approve(&mut world, second, patient).unwrap();
    let names: Vec<_> = events.iter().map(DomainEvent::event_type).collect();
    assert_eq!(names, ["StaffDeactivated", "PatientErased"]);
    assert!(!world.state::<Staff>(login).unwrap().may_log_in(world.now));
}

#[test]
fn the_list_erases_again_and_asks_nobody() {
    let (mut world, _, patient) = start();
    treated(&mut world, patient);
    assert_eq!(world.patient(patient, RepeatErasure {}).unwrap().len(), 1);
    assert!(world.patient(patient, RepeatErasure {}).unwrap().is_empty(), "already so");
    assert_eq!(world.patient(id(9), RepeatErasure {}).unwrap_err().class, Class::NotFound);
}
