//! What holds of a medicine whatever its clinic does with it, in any order.

use events::{MedicineEvent, MedicineId};
use proptest::prelude::*;
use serde_json::json;

use super::{
    AddMedicine, HideMedicine, ImportMedicine, LiftMedicineOverride, Medicine, MedicineCommand, MedicineDraft,
    OverrideMedicine, RetireMedicine, ShowMedicine, UpdateMedicine, reads,
};
use crate::testing::{World, body, id};

/// The platform lists the first of three.
const LISTED: u128 = 1;
const STEPS_MAX: usize = 40;

fn draft() -> impl Strategy<Value = MedicineDraft> {
    (0..3_u8).prop_map(|n| MedicineDraft::named(format!("Medicine {n}").parse().unwrap()))
}

fn command() -> impl Strategy<Value = MedicineCommand> {
    prop_oneof![
        draft().prop_map(|medicine| AddMedicine { id: None, medicine }.into()),
        draft().prop_map(|medicine| UpdateMedicine(medicine).into()),
        draft().prop_map(|medicine| OverrideMedicine(medicine).into()),
        (draft(), any::<bool>()).prop_map(|(medicine, discontinued)| ImportMedicine { medicine, discontinued }.into()),
        Just(RetireMedicine {}.into()),
        Just(LiftMedicineOverride {}.into()),
        Just(HideMedicine {}.into()),
        Just(ShowMedicine {}.into()),
    ]
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[a_clinic_sees_what_it_should];

proptest! {
    /// Each event that is decided follows (the world sees to that); a retired or hidden medicine is seen by nobody, and
    /// a clinic that says nothing of the platform's sees it as the platform has it.
    #[test]
    fn a_clinic_sees_what_it_should(steps in prop::collection::vec((1..4_u128, command()), 0..STEPS_MAX)) {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let entry = body(json!({"name": "Medicine of the platform"}));
        world.given_on_platform(id::<MedicineId>(LISTED), MedicineEvent::MedicineAdded { entry });
        for (target, command) in steps {
            let _ = world.when::<Medicine>(id::<MedicineId>(target), command);
        }
        for n in 1..4 {
            let target = id::<MedicineId>(n);
            let facts = world.facts(reads(target));
            let seen = facts.medicine(target).map(|entry| entry.name.as_str());
            let here = world.state::<Medicine>(target);
            match here {
                None => prop_assert_eq!(seen, (n == LISTED).then_some("Medicine of the platform")),
                Some(medicine) if medicine.retired || medicine.hidden => prop_assert_eq!(seen, None),
                Some(medicine) => {
                    let own = medicine.entry.as_ref().map(|entry| entry.name.as_str());
                    prop_assert_eq!(seen, own.or(Some("Medicine of the platform")));
                }
            }
        }
    }
}
