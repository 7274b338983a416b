//! Handing out: in one go or in parts, and again with each refill; never more than was prescribed.

use events::{
    PrescriptionEvent, PrescriptionItemId,
    prescription::{self as said, PrescriptionStatus},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{case::Case, issue::MAX_REFILLS};
use crate::{
    Decision, Refusal,
    patient::Life,
    values::{Amount, Whole},
};

/// Records that something of an item was handed out.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DispensePrescription {
    pub item_id: PrescriptionItemId,
    /// In the unit in which it was prescribed.
    pub quantity: Amount,
}

/// Allows so many further fillings.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoriseRefill {
    pub refills: Whole<1, MAX_REFILLS>,
}

/// Begins an authorised refill: the prescribed quantities may be handed out once more.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseRefill {}

impl DispensePrescription {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        may_be_filled(case, "dispensed")?;
        let line = case.line(self.item_id)?;
        let quantity: said::Amount = self.quantity.into();
        let unit = &line.supply.quantity.unit;
        if quantity.unit != *unit {
            let detail = format!("The item was prescribed in {unit}.");
            return Err(Refusal::rule("wrong-unit", detail).at("/quantity/unit").with("unit", unit.as_str()));
        }
        let left = said::Amount { value: case.prescription.left(line), unit: unit.clone() };
        if quantity.value > left.value {
            let detail = "That is more than was prescribed, the refills in use included.";
            let refusal = Refusal::rule("more-than-prescribed", detail).at("/quantity/value");
            return Err(refusal.with("left", serde_json::to_value(left).unwrap_or_default()));
        }
        let (patient, item) = (case.patient(), self.item_id);
        case.record(PrescriptionEvent::PrescriptionDispensed { patient, item, quantity })
    }
}

impl AuthoriseRefill {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        if !case.prescription.status.is_current() {
            return Err(case.wrong_status("refilled"));
        }
        let doctor = case.prescriber()?;
        case.person.may_come()?;
        let refills = self.refills.get();
        if case.prescription.refills.authorised + refills > MAX_REFILLS {
            let detail = format!("A prescription has at most {MAX_REFILLS} refills: issue another one.");
            return Err(Refusal::rule("too-many-refills", detail).at("/refills"));
        }
        case.record(PrescriptionEvent::PrescriptionRefillAuthorised { patient: case.patient(), doctor, refills })
    }
}

impl UseRefill {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        may_be_filled(case, "refilled")?;
        let refills = case.prescription.refills;
        if refills.used >= refills.authorised {
            let detail = "No refill is left: a doctor has to authorise one first.";
            return Err(Refusal::rule("no-refill-left", detail));
        }
        let (patient, refill) = (case.patient(), refills.used + 1);
        case.record(PrescriptionEvent::PrescriptionRefillUsed { patient, refill })
    }
}

/// It is active, it has not run out, and the patient lives.
fn may_be_filled(case: &Case<'_>, what: &str) -> Result<(), Refusal> {
    if case.prescription.status != PrescriptionStatus::Active {
        return Err(case.wrong_status(what));
    }
    if case.prescription.expires_at.is_none_or(|end| end <= case.context.now) {
        return Err(Refusal::rule("no-longer-valid", "The prescription's last day has passed."));
    }
    match case.person.life() {
        Life::Deceased => Err(Refusal::rule("patient-deceased", "The patient's death is on record.")),
        Life::Erased => Err(Refusal::gone()),
        Life::Active | Life::Inactive => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::{Value, json};

    use super::{
        super::{
            IssuePrescription,
            sample::{AMOXICILLIN, PARACETAMOL, PATIENT, add, code, give, given_draft, line, room, state},
        },
        *,
    };
    use crate::{
        patient::RecordDeath,
        testing::{World, body, id},
    };

    /// Ten tablets, with so many refills.
    fn issued(refills: i64) -> World {
        let mut world = room();
        given_draft(&mut world, 1, &[AMOXICILLIN]);
        give(&mut world, 1, body::<IssuePrescription>(json!({"refills": refills}))).unwrap();
        world
    }

    fn dispense(world: &mut World, value: Value, unit: &str) -> Result<usize, Refusal> {
        let content = json!({"item_id": line(world, 1, 0), "quantity": {"value": value, "unit": unit}});
        give(world, 1, body::<DispensePrescription>(content)).map(|events| events.len())
    }

    fn tablets(world: &mut World, value: Value) -> Result<usize, &'static str> {
        dispense(world, value, "{tablet}").map_err(|refusal| refusal.code)
    }

    fn refill(world: &mut World) -> Result<usize, &'static str> {
        give(world, 1, UseRefill {}).map(|events| events.len()).map_err(|refusal| refusal.code)
    }

    #[test]
    fn no_more_is_handed_out_than_was_prescribed() {
        let mut world = issued(0);
        for (value, expected) in [
            (json!(2.5), Ok(1)),
            (json!(7.6), Err("more-than-prescribed")),
            (json!(7.5), Ok(1)),
            (json!(0.0001), Err("more-than-prescribed")),
        ] {
            assert_eq!(tablets(&mut world, value), expected);
        }
        assert!(state(&world, 1).is_exhausted());
        let refusal = dispense(&mut world, json!(1), "{tablet}").unwrap_err();
        assert_eq!(refusal.extra, [("left", json!({"value": 0.0, "unit": "{tablet}"}))]);
    }

    #[test]
    fn it_is_handed_out_in_the_unit_in_which_it_was_prescribed() {
        let mut world = issued(0);
        assert_eq!(dispense(&mut world, json!(1), "mL").unwrap_err().code, "wrong-unit");
        let content = json!({"item_id": id::<PrescriptionItemId>(9), "quantity": {"value": 1, "unit": "{tablet}"}});
        let unknown = give(&mut world, 1, body::<DispensePrescription>(content)).unwrap_err();
        assert_eq!(unknown.pointer, Some("/item_id"));
    }

    #[test]
    fn each_authorised_refill_hands_the_same_out_once_more() {
        let mut world = issued(1);
        assert_eq!(tablets(&mut world, json!(10)), Ok(1));
        assert_eq!(tablets(&mut world, json!(1)), Err("more-than-prescribed"));
        assert_eq!(refill(&mut world), Ok(1));
        assert_eq!(tablets(&mut world, json!(10)), Ok(1));
        assert_eq!(refill(&mut world), Err("no-refill-left"));
        let authorise = |refills: i64| body::<AuthoriseRefill>(json!({"refills": refills}));
        give(&mut world, 1, authorise(1)).unwrap();
        assert_eq!((refill(&mut world), tablets(&mut world, json!(10))), (Ok(1), Ok(1)));
        assert_eq!(code(give(&mut world, 1, authorise(11))), "too-many-refills");
    }

    #[test]
    fn nothing_is_handed_out_of_a_draft_after_the_last_day_or_to_the_dead() {
        let mut world = room();
        given_draft(&mut world, 1, &[]);
        add(&mut world, 1, PARACETAMOL, json!({})).unwrap();
        assert_eq!(tablets(&mut world, json!(1)), Err("wrong-status"));
        let mut late = issued(1);
        late.now += TimeDelta::days(31);
        assert_eq!((tablets(&mut late, json!(1)), refill(&mut late)), (Err("no-longer-valid"), Err("no-longer-valid")));
        let mut world = issued(0);
        world.patient(id(PATIENT), body::<RecordDeath>(json!({}))).unwrap();
        assert_eq!(tablets(&mut world, json!(1)), Err("patient-deceased"));
    }
}
