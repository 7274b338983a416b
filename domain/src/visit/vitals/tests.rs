use events::visit::{VisitStatus, VitalFlag};
use serde_json::{Value, json};
use strum::VariantArray;

use super::{
    super::sample::{PATIENT, clinic, code, given, last},
    *,
};
use crate::{
    Class,
    testing::{World, at, body, id},
};

fn arrived() -> World {
    let mut world = clinic();
    given(&mut world, 1, PATIENT, VisitStatus::Arrived);
    world
}

fn record(world: &mut World, content: Value) -> Result<Vec<Measured>, Refusal> {
    world.visit(id(1), body::<RecordVitals>(content))?;
    match last(world) {
        VisitEvent::VitalsRecorded { sealed, .. } => Ok(sealed.open().unwrap().signs.clone()),
        other => panic!("{other:?}"),
    }
}

fn one(sign: &str, value: f64, unit: Option<&str>) -> Value {
    json!({ sign: {"value": value, "unit": unit} })
}

fn strike_out(world: &mut World, vitals: VitalsId) -> Result<Vec<events::DomainEvent>, Refusal> {
    world.visit(id(1), body::<EnterVitalsInError>(json!({"vitals_id": vitals, "reason": "the next patient's"})))
}

#[test]
fn a_set_is_recorded_as_it_was_measured() {
    let content = json!({
        "measured_at": "2026-03-02T02:55:00Z", "body_temperature": {"value": 98.6, "unit": "[degF]"},
        "blood_pressure_systolic": {"value": 120}, "blood_pressure_diastolic": {"value": 80}, "note": "sitting"
    });
    let signs = record(&mut arrived(), content).unwrap();
    let seen: Vec<_> = signs.iter().map(|one| (one.sign, one.value, one.unit.as_str(), one.flag)).collect();
    assert_eq!(
        seen,
        [
            (VitalSign::BodyTemperature, 98.6, "[degF]", None),
            (VitalSign::BloodPressureSystolic, 120.0, "mm[Hg]", None),
            (VitalSign::BloodPressureDiastolic, 80.0, "mm[Hg]", None)
        ]
    );
}

#[test]
fn what_is_unusual_in_adults_is_flagged() {
    use VitalFlag::{CriticallyHigh, CriticallyLow, High, Low};
    for (sign, unit, cases) in [
        (
            "body_temperature",
            None,
            vec![(35.0, Some(CriticallyLow)), (36.0, Some(Low)), (36.1, None), (38.0, None), (38.1, Some(High))],
        ),
        ("body_temperature", Some("[degF]"), vec![(97.0, None), (100.4, None), (100.5, Some(High))]),
        (
            "heart_rate",
            None,
            vec![
                (40.0, Some(CriticallyLow)),
                (50.0, Some(Low)),
                (51.0, None),
                (91.0, Some(High)),
                (131.0, Some(CriticallyHigh)),
            ],
        ),
        ("oxygen_saturation", None, vec![(91.0, Some(CriticallyLow)), (95.0, Some(Low)), (96.0, None)]),
        (
            "blood_glucose",
            Some("mmol/L"),
            vec![(2.9, Some(CriticallyLow)), (3.8, Some(Low)), (5.5, None), (11.2, Some(High))],
        ),
        ("pain_score", None, vec![(0.0, None), (4.0, Some(High)), (7.0, Some(CriticallyHigh))]),
        ("body_weight", Some("[lb_av]"), vec![(154.0, None)]),
    ] {
        for (value, flag) in cases {
            let signs = record(&mut arrived(), one(sign, value, unit)).unwrap();
            assert_eq!(signs[0].flag, flag, "{sign} {value}");
        }
    }
}

#[test]
fn what_cannot_be_is_refused_where_it_stands() {
    for (sign, value, unit, code) in [
        ("body_temperature", 98.6, None, "impossible-value"),
        ("body_temperature", 36.6, Some("[degF]"), "impossible-value"),
        ("heart_rate", -70.0, None, "impossible-value"),
        ("oxygen_saturation", 101.0, None, "impossible-value"),
        ("body_weight", 70_000.0, None, "impossible-value"),
        ("pain_score", 11.0, None, "impossible-value"),
        ("pain_score", 2.5, None, "too-precise"),
        ("body_height", 170.123, None, "too-precise"),
        ("heart_rate", 70.0, Some("Hz"), "unknown-unit"),
    ] {
        let refusal = record(&mut arrived(), one(sign, value, unit)).unwrap_err();
        assert_eq!((refusal.class, refusal.code), (Class::Rule, code), "{sign} {value}");
        assert_eq!(refusal.pointer.unwrap().strip_prefix('/'), Some(sign));
    }
    let reversed = json!({"blood_pressure_systolic": {"value": 80}, "blood_pressure_diastolic": {"value": 120}});
    assert_eq!(record(&mut arrived(), reversed).unwrap_err().pointer, Some("/blood_pressure_diastolic"));
    assert_eq!(code(record(&mut arrived(), json!({"note": "asleep"}))), "required");
}

#[test]
fn every_sign_can_be_given_and_points_to_its_member() {
    let values = [37.0, 70.0, 15.0, 120.0, 80.0, 98.0, 70.0, 170.0, 55.0, 100.0, 0.0];
    assert_eq!(values.len(), VitalSign::VARIANTS.len());
    for (sign, value) in VitalSign::VARIANTS.iter().zip(values) {
        let signs = record(&mut arrived(), one(&sign.to_string(), value, None)).unwrap();
        assert_eq!((signs[0].sign, signs[0].flag), (*sign, None));
        let pointer = record(&mut arrived(), one(&sign.to_string(), 1e9, None)).unwrap_err().pointer;
        assert_eq!(pointer.unwrap().strip_prefix('/'), Some(sign.to_string().as_str()));
    }
}

#[test]
fn a_measure_lies_in_the_past() {
    let mut world = arrived();
    let content = |at: &str| json!({"measured_at": at, "heart_rate": {"value": 70}});
    world.now = at("2026-03-02T04:00:00Z");
    assert_eq!(record(&mut world, content("2026-03-02T04:05:01Z")).unwrap_err().pointer, Some("/measured_at"));
    record(&mut world, content("2026-03-02T04:05:00Z")).unwrap();
}

#[test]
fn sets_are_struck_out_one_by_one() {
    let mut world = arrived();
    let set = |world: &mut World| {
        record(world, one("heart_rate", 70.0, None)).unwrap();
        match last(world) {
            VisitEvent::VitalsRecorded { vitals, .. } => *vitals,
            other => panic!("{other:?}"),
        }
    };
    let (first, second) = (set(&mut world), set(&mut world));
    assert_eq!(strike_out(&mut world, first).unwrap().len(), 1);
    assert_eq!(strike_out(&mut world, first).unwrap().len(), 0, "already so");
    let stands: Vec<_> = world.state::<Visit>(id::<events::VisitId>(1)).unwrap().vitals.clone().into_iter().collect();
    assert_eq!(stands, [(first, false), (second, true)]);
    assert_eq!(strike_out(&mut world, id(0xBAD)).unwrap_err().class, Class::NotFound);
}

#[test]
fn vitals_are_taken_while_the_patient_is_here() {
    for (status, taken) in [
        (VisitStatus::Arrived, true),
        (VisitStatus::Triaged, true),
        (VisitStatus::InProgress, true),
        (VisitStatus::Finished, false),
        (VisitStatus::Cancelled, false),
        (VisitStatus::EnteredInError, false),
    ] {
        let mut world = clinic();
        given(&mut world, 1, PATIENT, status);
        assert_eq!(record(&mut world, one("heart_rate", 70.0, None)).is_ok(), taken, "{status}");
    }
}
