//! A consulting room to test at: one patient, one doctor, a nurse, and a small catalogue.

use events::{
    DoctorId, DomainEvent, MedicineEvent, MedicineId, PatientId, PrescriptionEvent, PrescriptionId, PrescriptionItemId,
    Role, SubstanceEvent, SubstanceId, UserId,
    prescription::PrescriptionStatus,
    substance::{Interaction, InteractionSeverity},
};
use serde_json::{Value, json};

use super::{AddPrescriptionItem, DraftPrescription, IssuePrescription, Prescription, PrescriptionCommand};
use crate::{
    Refusal,
    patient::RecordAllergy,
    testing::{World, body, id},
};

pub(super) const PATIENT: u128 = 0xA1;
pub(super) const DOCTOR: u128 = 0xD1;
pub(super) const NURSE: u128 = 0xE1;

/// The catalogue, by what its entries hold.
pub(super) const AMOXICILLIN: u128 = 0x201;
pub(super) const CO_AMOXICLAV: u128 = 0x202;
pub(super) const AMPICILLIN: u128 = 0x203;
pub(super) const WARFARIN: u128 = 0x204;
pub(super) const ASPIRIN: u128 = 0x205;
pub(super) const PARACETAMOL: u128 = 0x206;

pub(super) fn room() -> World {
    let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
    world.given_patient(PATIENT);
    world.given_doctor(DOCTOR);
    world.given_staff(NURSE, &[Role::Nurse]);
    catalogue(&mut world);
    as_doctor(&mut world);
    world
}

pub(super) fn as_doctor(world: &mut World) {
    world.acts(id(DOCTOR), &[Role::Doctor]);
}

pub(super) fn as_nurse(world: &mut World) {
    world.acts(id::<UserId>(NURSE), &[Role::Nurse]);
}

fn catalogue(world: &mut World) {
    let penicillins = json!(["penicillins"]);
    let amoxicillin = json!({"name": "amoxicillin", "also": ["amoxycillin"], "strength": "500mg"});
    let clavulanic = json!({"name": "clavulanic acid", "strength": "125mg"});
    for (medicine, name, ingredients, classes, doses) in [
        (AMOXICILLIN, "Mox 500", json!([amoxicillin]), penicillins.clone(), Value::Null),
        (CO_AMOXICLAV, "Augmentin 625", json!([amoxicillin, clavulanic]), penicillins.clone(), Value::Null),
        (AMPICILLIN, "Roscillin", json!([{"name": "ampicillin"}]), penicillins, Value::Null),
        (WARFARIN, "Warf 5", json!([{"name": "warfarin", "rxnorm": "11289"}]), json!([]), Value::Null),
        (ASPIRIN, "Ecosprin", json!([{"name": "aspirin"}]), json!(["nsaids"]), Value::Null),
        (
            PARACETAMOL,
            "Dolo 650",
            json!([{"name": "paracetamol", "strength": "650mg"}]),
            json!([]),
            json!({"unit": "mg", "min_single": "250", "max_single": "1000", "max_daily": "4000"}),
        ),
    ] {
        let entry = json!({
            "name": name, "ingredients": ingredients, "classes": classes, "unit": "{tablet}", "route": "oral",
            "doses": doses
        });
        world.given_on_platform(id::<MedicineId>(medicine), MedicineEvent::MedicineAdded { entry: body(entry) });
    }
    substances(world);
}

fn substances(world: &mut World) {
    for entry in [
        json!({"name": "amoxicillin", "also": ["amoxycillin"], "classes": ["penicillins"]}),
        json!({"name": "amoxycillin", "same_as": "amoxicillin"}),
        json!({"name": "aspirin", "also": ["acetylsalicylic acid"], "classes": ["nsaids"]}),
        json!({"name": "acetylsalicylic acid", "same_as": "aspirin"}),
    ] {
        let stream = SubstanceId::of(entry["name"].as_str().unwrap());
        let described = SubstanceEvent::SubstanceDescribed { entry: body(entry), source: "a table".to_owned() };
        world.given_on_platform(stream, described);
    }
    let between = |one: &str, two: &str, severity, text: &str| Interaction {
        ingredients: [one.to_owned(), two.to_owned()],
        severity,
        text: text.to_owned(),
    };
    for interaction in [
        between("aspirin", "warfarin", InteractionSeverity::Severe, "bleeding"),
        between("paracetamol", "warfarin", InteractionSeverity::Minor, "a longer prothrombin time"),
    ] {
        let name = interaction.ingredients[0].clone();
        let interactions = vec![interaction];
        let stream = SubstanceId::of(&name);
        let set = SubstanceEvent::InteractionsSet { name, interactions, source: "a table".to_owned() };
        world.given_on_platform(stream, set);
    }
}

/// The body of an item, with other members in place of the usual ones.
pub(super) fn item(medicine: u128, others: Value) -> Value {
    let mut all = json!({
        "medicine_id": id::<MedicineId>(medicine), "dose": {"value": 1, "unit": "{tablet}"},
        "frequency": {"times": 2, "every": {"count": 1, "unit": "d"}}, "duration": {"count": 5, "unit": "d"},
        "quantity": {"value": 10, "unit": "{tablet}"}
    });
    all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    all
}

pub(super) fn give(
    world: &mut World,
    n: u128,
    command: impl Into<PrescriptionCommand>,
) -> Result<Vec<DomainEvent>, Refusal> {
    world.when::<Prescription>(id::<PrescriptionId>(n), command)
}

/// A draft of these medicines.
pub(super) fn given_draft(world: &mut World, n: u128, medicines: &[u128]) -> PrescriptionId {
    given_draft_for(world, n, id(PATIENT), medicines)
}

pub(super) fn given_draft_for(world: &mut World, n: u128, patient: PatientId, medicines: &[u128]) -> PrescriptionId {
    let items: Vec<Value> = medicines.iter().map(|medicine| item(*medicine, json!({}))).collect();
    give(world, n, body::<DraftPrescription>(json!({"patient_id": patient, "items": items}))).expect("it is drafted");
    id(n)
}

pub(super) fn given_issued(world: &mut World, n: u128, medicines: &[u128]) -> PrescriptionId {
    let id = given_draft(world, n, medicines);
    issue(world, n).expect("it is issued");
    id
}

pub(super) fn issue(world: &mut World, n: u128) -> Result<Vec<DomainEvent>, Refusal> {
    give(world, n, body::<IssuePrescription>(json!({})))
}

pub(super) fn add(world: &mut World, n: u128, medicine: u128, others: Value) -> Result<Vec<DomainEvent>, Refusal> {
    give(world, n, body::<AddPrescriptionItem>(json!({"item": item(medicine, others)})))
}

pub(super) fn given_allergy(world: &mut World, patient: PatientId, substance: &str) {
    let allergy = body::<RecordAllergy>(json!({"substance": substance, "criticality": "high"}));
    world.patient(patient, allergy).expect("an allergy is recorded");
}

pub(super) fn state(world: &World, n: u128) -> &Prescription {
    world.state::<Prescription>(id::<PrescriptionId>(n)).expect("a prescription")
}

pub(super) fn status(world: &World, n: u128) -> PrescriptionStatus {
    state(world, n).status
}

/// The `n`-th item of a prescription, from 0.
pub(super) fn line(world: &World, prescription: u128, n: usize) -> PrescriptionItemId {
    state(world, prescription).lines[n].item
}

pub(super) fn code(result: Result<Vec<DomainEvent>, Refusal>) -> &'static str {
    result.map(|events| panic!("{events:?}")).unwrap_err().code
}

pub(super) fn event(events: &[DomainEvent]) -> &PrescriptionEvent {
    match events {
        [DomainEvent::Prescription(event), ..] => event,
        others => panic!("an event of a prescription, not {others:?}"),
    }
}

pub(super) fn doctor() -> DoctorId {
    id(DOCTOR)
}
