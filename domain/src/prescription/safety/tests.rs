//! Alerts, from the clinic's side: what is said of which draft, and what holds it back.

use events::{
    DomainEvent, PatientId, PrescriptionEvent,
    prescription::{Alert, AlertKind, AlertSeverity},
};
use serde_json::{Value, json};

use super::super::{
    ChangePrescriptionItem, OverrideAlert, StopPrescription,
    sample::{
        AMOXICILLIN, AMPICILLIN, ASPIRIN, CO_AMOXICLAV, PARACETAMOL, PATIENT, WARFARIN, add, code, event, give,
        given_allergy, given_draft, given_draft_for, given_issued, issue, item, line, room,
    },
};
use crate::{
    Class, Patient, Refusal,
    patient::{RefuteAllergy, UnmergePatient},
    testing::{World, body, id},
};

fn patient() -> PatientId {
    id(PATIENT)
}

/// What a refusal lists: kind, severity, and whether it was overridden.
fn listed(refusal: &Refusal) -> Vec<(String, String, bool)> {
    assert_eq!((refusal.class, refusal.code), (Class::Rule, "alerts"));
    let (member, alerts) = &refusal.extra[0];
    assert_eq!(*member, "alerts");
    let text = |alert: &Value, member: &str| alert[member].as_str().unwrap().to_owned();
    let each = alerts.as_array().unwrap().iter();
    each.map(|alert| (text(alert, "kind"), text(alert, "severity"), alert["overridden"] == true)).collect()
}

fn ids(refusal: &Refusal) -> Vec<String> {
    let alerts = refusal.extra[0].1.as_array().unwrap();
    alerts.iter().map(|alert| alert["id"].as_str().unwrap().to_owned()).collect()
}

/// What the doctor was warned of when it was issued.
fn warned(events: &[DomainEvent]) -> Vec<Alert> {
    let PrescriptionEvent::PrescriptionIssued { sealed, .. } = event(events) else { panic!("{events:?}") };
    sealed.open().unwrap().alerts.clone()
}

fn kinds(alerts: &[Alert]) -> Vec<(AlertKind, AlertSeverity)> {
    alerts.iter().map(|alert| (alert.kind, alert.severity)).collect()
}

fn override_all(world: &mut World, n: u128, refusal: &Refusal) {
    for alert in ids(refusal) {
        let command = body::<OverrideAlert>(json!({"alert_id": alert, "reason": "tolerated_before"}));
        assert_eq!(give(world, n, command.clone()).unwrap().len(), 1);
        assert_eq!(give(world, n, command).unwrap().len(), 0, "it is overridden already");
    }
}

#[test]
fn an_allergy_holds_by_ingredient_by_another_name_and_by_class() {
    for (substance, medicine, kind) in [
        ("Amoxicillin", AMOXICILLIN, "allergy_ingredient"),
        ("Allergy to amoxycillin", CO_AMOXICLAV, "allergy_ingredient"),
        ("acetylsalicylic acid", ASPIRIN, "allergy_ingredient"),
        ("amoxycillin", AMPICILLIN, "allergy_class"),
        ("Penicillin allergy", AMOXICILLIN, "allergy_class"),
        ("NSAIDs", ASPIRIN, "allergy_class"),
    ] {
        let mut world = room();
        given_allergy(&mut world, patient(), substance);
        given_draft(&mut world, 1, &[medicine]);
        let refusal = issue(&mut world, 1).unwrap_err();
        assert_eq!(listed(&refusal), [(kind.to_owned(), "severe".to_owned(), false)], "{substance}");
        let said = serde_json::to_string(&refusal.extra).unwrap().to_lowercase() + &refusal.detail.to_lowercase();
        assert!(!said.contains("cillin") && !said.contains("aspirin"), "a refusal tells codes and ids: {said}");
    }
    let mut world = room();
    given_allergy(&mut world, patient(), "latex");
    given_issued(&mut world, 1, &[AMOXICILLIN]);
}

#[test]
fn an_allergy_extends_to_the_class_that_was_recorded_and_to_a_code() {
    for allergy in [
        json!({"substance": "an antibiotic of 2019", "class": "Penicillins"}),
        json!({"substance": "a blood thinner", "code": "11289"}),
    ] {
        let mut world = room();
        world.patient(patient(), body::<crate::patient::RecordAllergy>(allergy)).unwrap();
        given_draft(&mut world, 1, &[AMOXICILLIN, WARFARIN]);
        assert_eq!(listed(&issue(&mut world, 1).unwrap_err()).len(), 1);
    }
}

#[test]
fn an_override_says_why_and_lets_this_alert_pass() {
    let mut world = room();
    given_allergy(&mut world, patient(), "penicillin");
    given_draft(&mut world, 1, &[AMOXICILLIN]);
    let refusal = issue(&mut world, 1).unwrap_err();
    let other = json!({"alert_id": ids(&refusal)[0], "reason": "other"});
    assert_eq!(code(give(&mut world, 1, body::<OverrideAlert>(other))), "text-required");
    override_all(&mut world, 1, &refusal);
    let issued = issue(&mut world, 1).unwrap();
    assert_eq!(kinds(&warned(&issued)), [(AlertKind::AllergyClass, AlertSeverity::Severe)]);
    assert!(warned(&issued)[0].text.contains("penicillin"), "the prescriber was told what it was");
}

#[test]
fn an_override_holds_for_that_content_alone() {
    let mut world = room();
    given_allergy(&mut world, patient(), "penicillin");
    given_draft(&mut world, 1, &[AMOXICILLIN]);
    let refusal = issue(&mut world, 1).unwrap_err();
    override_all(&mut world, 1, &refusal);
    // The same line, another penicillin.
    let change = json!({"item_id": line(&world, 1, 0), "item": item(AMPICILLIN, json!({}))});
    give(&mut world, 1, body::<ChangePrescriptionItem>(change)).unwrap();
    let again = issue(&mut world, 1).unwrap_err();
    assert!(listed(&again).iter().all(|(_, _, overridden)| !overridden));
    assert_ne!(ids(&again), ids(&refusal));
    // Back to the first one; but now there is another allergy.
    let change = json!({"item_id": line(&world, 1, 0), "item": item(AMOXICILLIN, json!({}))});
    give(&mut world, 1, body::<ChangePrescriptionItem>(change)).unwrap();
    given_allergy(&mut world, patient(), "amoxicillin");
    let third = issue(&mut world, 1).unwrap_err();
    let overridden: Vec<bool> = listed(&third).into_iter().map(|(_, _, overridden)| overridden).collect();
    assert_eq!((overridden.len(), overridden.iter().filter(|is| **is).count()), (2, 1));
}

#[test]
fn an_alert_that_there_is_not_cannot_be_overridden() {
    let mut world = room();
    given_draft(&mut world, 1, &[AMOXICILLIN]);
    let unknown = body::<OverrideAlert>(json!({"alert_id": "0123", "reason": "no_alternative"}));
    let refused = give(&mut world, 1, unknown).unwrap_err();
    assert_eq!((refused.class, refused.pointer), (Class::NotFound, Some("/alert_id")));
}

#[test]
fn what_was_refuted_alerts_no_more() {
    let mut world = room();
    given_allergy(&mut world, patient(), "penicillin");
    let allergy = *world.state::<Patient>(patient()).unwrap().allergies.keys().next().unwrap();
    given_draft(&mut world, 1, &[AMOXICILLIN]);
    assert_eq!(code(issue(&mut world, 1)), "alerts");
    world.patient(patient(), RefuteAllergy { allergy_id: allergy, reason: None }).unwrap();
    assert_eq!(warned(&issue(&mut world, 1).unwrap()), []);
}

#[test]
fn an_allergy_of_any_record_of_the_person_counts_until_the_records_are_apart() {
    let mut world = room();
    let double = world.given_patient(0xA2);
    given_allergy(&mut world, double, "penicillin");
    given_draft(&mut world, 1, &[AMOXICILLIN]);
    world.given_merge(double, patient());
    assert_eq!(code(issue(&mut world, 1)), "alerts");
    given_draft_for(&mut world, 2, double, &[AMOXICILLIN]);
    assert_eq!(code(issue(&mut world, 2)), "alerts");
    world.patient(double, UnmergePatient { reason: None }).unwrap();
    issue(&mut world, 1).unwrap();
    assert_eq!(code(issue(&mut world, 2)), "alerts");
}

#[test]
fn an_ingredient_twice_is_told_and_does_not_hold_back() {
    let mut world = room();
    given_issued(&mut world, 1, &[AMOXICILLIN]);
    given_draft(&mut world, 2, &[CO_AMOXICLAV]);
    let duplicate = [(AlertKind::DuplicateIngredient, AlertSeverity::Moderate)];
    assert_eq!(kinds(&warned(&issue(&mut world, 2).unwrap())), duplicate);
    given_draft(&mut world, 3, &[PARACETAMOL]);
    add(&mut world, 3, PARACETAMOL, json!({})).unwrap();
    assert_eq!(kinds(&warned(&issue(&mut world, 3).unwrap())), duplicate);
}

#[test]
fn what_is_over_or_stopped_is_not_taken_any_more() {
    let mut world = room();
    given_issued(&mut world, 1, &[AMOXICILLIN]);
    given_issued(&mut world, 2, &[AMOXICILLIN]);
    for n in [1, 2] {
        give(&mut world, n, body::<StopPrescription>(json!({"reason": "ineffective"}))).unwrap();
    }
    given_draft(&mut world, 3, &[AMOXICILLIN]);
    assert_eq!(warned(&issue(&mut world, 3).unwrap()), []);
    // Its five days have passed, though the prescription itself still holds.
    world.now += chrono::TimeDelta::days(6);
    given_draft(&mut world, 4, &[AMOXICILLIN]);
    assert_eq!(warned(&issue(&mut world, 4).unwrap()), []);
}

#[test]
fn interactions_hold_back_by_how_bad_they_are() {
    let mut world = room();
    given_issued(&mut world, 1, &[WARFARIN]);
    given_draft(&mut world, 2, &[PARACETAMOL]);
    let minor = [(AlertKind::Interaction, AlertSeverity::Minor)];
    assert_eq!(kinds(&warned(&issue(&mut world, 2).unwrap())), minor);
    given_draft(&mut world, 3, &[ASPIRIN]);
    let refusal = issue(&mut world, 3).unwrap_err();
    assert_eq!(listed(&refusal), [("interaction".to_owned(), "severe".to_owned(), false)]);
    override_all(&mut world, 3, &refusal);
    let told = warned(&issue(&mut world, 3).unwrap());
    assert!(told[0].text.contains("bleeding") && told[0].text.contains("Warf 5"), "{told:?}");
    // Both in one draft, of somebody else.
    let other = world.given_patient(0xA3);
    given_draft_for(&mut world, 4, other, &[WARFARIN, ASPIRIN]);
    assert_eq!(listed(&issue(&mut world, 4).unwrap_err()).len(), 1);
}

#[test]
fn a_dose_beyond_the_usual_holds_back_and_one_below_is_told() {
    for (dose, times, expected) in [
        (json!({"value": 650, "unit": "mg"}), 4, None),
        (json!({"value": 1, "unit": "{tablet}"}), 6, None),
        (json!({"value": 2, "unit": "{tablet}"}), 1, Some(AlertSeverity::Severe)),
        (json!({"value": 1, "unit": "g"}), 5, Some(AlertSeverity::Severe)),
        (json!({"value": 100, "unit": "mg"}), 3, Some(AlertSeverity::Moderate)),
        (json!({"value": 10, "unit": "mL"}), 3, None),
    ] {
        let mut world = room();
        given_draft(&mut world, 1, &[]);
        let frequency = json!({"times": times, "every": {"count": 1, "unit": "d"}});
        add(&mut world, 1, PARACETAMOL, json!({"dose": dose, "frequency": frequency})).unwrap();
        let severity = match issue(&mut world, 1) {
            Ok(issued) => warned(&issued).first().map(|alert| alert.severity),
            Err(refusal) => {
                assert_eq!(listed(&refusal), [("dose_out_of_range".to_owned(), "severe".to_owned(), false)]);
                Some(AlertSeverity::Severe)
            }
        };
        assert_eq!(severity, expected, "{dose}, {times} times");
    }
}

#[test]
fn a_medicine_without_ingredients_is_judged_by_its_name() {
    let mut world = room();
    let medicine: events::MedicineId = id(0x2FF);
    let entry = json!({"name": "Amoxicillin syrup of the house", "unit": "mL"});
    world.given(medicine, events::MedicineEvent::MedicineAdded { entry: body(entry) });
    given_allergy(&mut world, patient(), "amoxicillin");
    given_draft(&mut world, 1, &[0x2FF]);
    assert_eq!(code(issue(&mut world, 1)), "alerts");
}
