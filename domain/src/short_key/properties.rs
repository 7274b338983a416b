//! What holds of short keys whatever people do with them, in any order.

use std::collections::BTreeSet;

use events::{MedicineEvent, MedicineId, Role, ShortKeyId};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    DefineShortKey, ReorderShortKey, RetireShortKey, SetShortKeyItems, ShortKey, ShortKeyCommand, UseShortKey,
};
use crate::{
    State,
    testing::{World, body, id},
};

const STEPS_MAX: usize = 60;
/// The third is not in the catalogue.
const MEDICINES: u128 = 3;

fn items() -> impl Strategy<Value = Value> {
    let item =
        |n: u128| json!({"medicine_id": id::<MedicineId>(n), "quantity": {"value": n as u64, "unit": "{tablet}"}});
    prop::collection::vec((1..=MEDICINES).prop_map(item), 0..4).prop_map(Value::from)
}

/// One of the places that lines may have, or something that is none.
fn order() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![prop::sample::select(vec![vec![1, 0], vec![1, 2, 0]]), prop::collection::vec(0..4_usize, 0..4)]
}

fn command() -> impl Strategy<Value = ShortKeyCommand> {
    prop_oneof![
        3 => (0..2_u8, items()).prop_map(|(code, items)| {
            body::<DefineShortKey>(json!({"code": format!("K{code}"), "items": items})).into()
        }),
        2 => items().prop_map(|items| body::<SetShortKeyItems>(json!({"items": items})).into()),
        2 => order().prop_map(|order| ReorderShortKey { order }.into()),
        1 => Just(RetireShortKey {}.into()),
        2 => Just(UseShortKey { prescription_id: None }.into()),
    ]
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[a_code_is_never_held_twice];

proptest! {
    /// Each event that is decided follows (the world sees to that); a code stands for one short key of an owner, and
    /// each stands for something.
    #[test]
    fn a_code_is_never_held_twice(
        steps in prop::collection::vec((1..5_u128, any::<bool>(), command()), 0..STEPS_MAX),
    ) {
        let mut world = World::registered();
        let (admin, doctor) = (world.admin(), world.given_doctor(7));
        for n in 1..MEDICINES {
            let entry = body(json!({"name": format!("Medicine {n}")}));
            world.given_on_platform(id::<MedicineId>(n), MedicineEvent::MedicineAdded { entry });
        }
        for (target, by_doctor, command) in steps {
            match by_doctor {
                true => world.acts(doctor.0.into(), &[Role::Doctor]),
                false => world.acts(admin, &[Role::ClinicAdmin]),
            }
            let _ = world.when::<ShortKey>(id::<ShortKeyId>(target), command);
        }
        let mut codes = BTreeSet::new();
        for (_, state) in world.states() {
            let State::ShortKey(key) = state else { continue };
            prop_assert!(!key.items.is_empty());
            prop_assert!(key.retired || codes.insert((key.doctor, key.code.clone())));
        }
    }
}
