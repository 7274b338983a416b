//! What a short key expands to.

use std::collections::BTreeSet;

use events::{ShortKeyEvent, prescription::PrescriptionItem};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{ShortKey, not_retired};
use crate::{Context, Decision, Facts, Read, Refusal, medicine, prescription::ItemBody};

/// As many as a prescription has.
const ITEMS_MAX: usize = 40;

/// Replaces the lines that a short key stands for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetShortKeyItems {
    /// In the order in which they are prescribed.
    pub items: Vec<ItemBody>,
}

/// Puts the lines into another order.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReorderShortKey {
    /// The places that they have now, from 0, in the order that they are to have: each once.
    pub order: Vec<usize>,
}

impl SetShortKeyItems {
    pub(super) fn decide(self, key: &ShortKey, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        not_retired(key)?;
        let items = checked(self.items, facts)?;
        Ok(match key.items == items {
            true => Decision::already_so(),
            false => Decision::one(context.target, ShortKeyEvent::ShortKeyItemsSet { items }),
        })
    }
}

impl ReorderShortKey {
    pub(super) fn decide(self, key: &ShortKey, context: &Context<'_>) -> Result<Decision, Refusal> {
        not_retired(key)?;
        let places: BTreeSet<usize> = self.order.iter().copied().collect();
        if self.order.len() != key.items.len() || !places.into_iter().eq(0..key.items.len()) {
            let detail = format!("The order names each of the places 0 to {} once.", key.items.len() - 1);
            return Err(Refusal::rule("not-an-order", detail).at("/order"));
        }
        Ok(match self.order.is_sorted() {
            true => Decision::already_so(),
            false => Decision::one(context.target, ShortKeyEvent::ShortKeyReordered { order: self.order }),
        })
    }
}

pub(super) fn reads(items: &[ItemBody]) -> Vec<Read> {
    items.iter().flat_map(|item| medicine::reads(item.medicine_id)).collect()
}

/// Lines of medicines that the clinic prescribes; asks for [`reads`].
pub(super) fn checked(items: Vec<ItemBody>, facts: &Facts) -> Result<Vec<PrescriptionItem>, Refusal> {
    if !(1..=ITEMS_MAX).contains(&items.len()) {
        let detail = format!("A short key stands for 1 to {ITEMS_MAX} lines of a prescription.");
        return Err(Refusal::rule("wrong-number-of-items", detail).at("/items"));
    }
    if items.iter().any(|item| facts.medicine(item.medicine_id).is_none()) {
        return Err(Refusal::not_found("medicine").at("/items"));
    }
    Ok(items.into_iter().map(ItemBody::written).collect())
}

#[cfg(test)]
mod tests {
    use events::{DoctorId, MedicineEvent, MedicineId, Role, ShortKeyId};
    use serde_json::{Value, json};

    use super::{super::*, *};
    use crate::testing::{World, body, id};

    fn key() -> ShortKeyId {
        id(1)
    }

    fn items(medicines: &[u128]) -> Value {
        let item =
            |n: &u128| json!({"medicine_id": id::<MedicineId>(*n), "quantity": {"value": 10, "unit": "{tablet}"}});
        medicines.iter().map(item).collect()
    }

    fn world() -> World {
        let mut world = World::registered();
        for n in 1..4 {
            let entry = body(json!({"name": format!("Medicine {n}")}));
            world.given_on_platform(id::<MedicineId>(n), MedicineEvent::MedicineAdded { entry });
        }
        world
    }

    fn define(world: &mut World, n: u128, code: &str, medicines: &[u128]) -> Result<usize, Refusal> {
        let command = body::<DefineShortKey>(json!({"code": code, "items": items(medicines)}));
        world.when::<ShortKey>(id::<ShortKeyId>(n), command).map(|events| events.len())
    }

    fn order_of(world: &World) -> Vec<MedicineId> {
        let items = &world.state::<ShortKey>(key()).unwrap().items;
        items.iter().map(|item| item.regimen.medicine).collect()
    }

    #[test]
    fn a_code_stands_for_one_short_key_of_each_owner() {
        let mut world = world();
        let doctor = world.given_doctor(7);
        define(&mut world, 1, "fever", &[1]).unwrap();
        assert_eq!(define(&mut world, 2, "Fever", &[1]).unwrap_err().code, "duplicate");
        world.acts(doctor.0.into(), &[Role::Doctor]);
        define(&mut world, 2, "FEVER", &[1]).unwrap();
        assert_eq!(world.state::<ShortKey>(id::<ShortKeyId>(2)).unwrap().doctor, Some(doctor));
        assert_eq!(define(&mut world, 3, "FEVER", &[1]).unwrap_err().code, "duplicate");
        world.when::<ShortKey>(id::<ShortKeyId>(2), RetireShortKey {}).unwrap();
        define(&mut world, 3, "FEVER", &[1]).unwrap();
    }

    #[test]
    fn only_a_doctor_has_short_keys_of_their_own() {
        let mut world = world();
        let own = body::<DefineShortKey>(json!({"code": "X", "owner": "own", "items": items(&[1])}));
        assert_eq!(world.when::<ShortKey>(key(), own).unwrap_err().code, "not-a-doctor");
        let doctor: DoctorId = world.given_doctor(7);
        world.acts(doctor.0.into(), &[Role::Doctor]);
        let clinics = body::<DefineShortKey>(json!({"code": "X", "owner": "clinic", "items": items(&[1])}));
        world.when::<ShortKey>(key(), clinics).unwrap();
        assert_eq!(world.state::<ShortKey>(key()).unwrap().doctor, None);
    }

    #[test]
    fn items_are_replaced_and_put_into_order() {
        let mut world = world();
        define(&mut world, 1, "FEVER", &[1, 2, 3]).unwrap();
        let reorder = |order: &[usize]| ReorderShortKey { order: order.to_vec() };
        assert_eq!(world.when::<ShortKey>(key(), reorder(&[0, 1, 2])).unwrap().len(), 0);
        world.when::<ShortKey>(key(), reorder(&[2, 0, 1])).unwrap();
        assert_eq!(order_of(&world), [3, 1, 2].map(id::<MedicineId>));
        for wrong in [&[0, 1][..], &[0, 1, 1], &[1, 2, 3], &[0, 1, 2, 3]] {
            assert_eq!(world.when::<ShortKey>(key(), reorder(wrong)).unwrap_err().code, "not-an-order");
        }
        let set = |medicines: &[u128]| body::<SetShortKeyItems>(json!({"items": items(medicines)}));
        world.when::<ShortKey>(key(), set(&[2])).unwrap();
        assert_eq!(world.when::<ShortKey>(key(), set(&[2])).unwrap().len(), 0);
        assert_eq!(order_of(&world), [id::<MedicineId>(2)]);
        let unknown = world.when::<ShortKey>(key(), set(&[2, 9])).unwrap_err();
        assert_eq!((unknown.class, unknown.pointer), (crate::Class::NotFound, Some("/items")));
        assert_eq!(world.when::<ShortKey>(key(), set(&[])).unwrap_err().code, "wrong-number-of-items");
    }

    #[test]
    fn each_use_is_counted_until_it_is_retired() {
        let mut world = world();
        define(&mut world, 1, "FEVER", &[1]).unwrap();
        let used = || UseShortKey { prescription_id: None };
        world.when::<ShortKey>(key(), used()).unwrap();
        world.when::<ShortKey>(key(), used()).unwrap();
        assert_eq!(world.state::<ShortKey>(key()).unwrap().uses, 2);
        let elsewhere = UseShortKey { prescription_id: Some(id(99)) };
        assert_eq!(world.when::<ShortKey>(key(), elsewhere).unwrap_err().pointer, Some("/prescription_id"));
        assert_eq!(world.when::<ShortKey>(key(), RetireShortKey {}).unwrap().len(), 1);
        assert_eq!(world.when::<ShortKey>(key(), RetireShortKey {}).unwrap().len(), 0);
        assert_eq!(world.when::<ShortKey>(key(), used()).unwrap_err().code, "short-key-retired");
        assert_eq!(world.when::<ShortKey>(id::<ShortKeyId>(5), used()).unwrap_err().class, crate::Class::NotFound);
    }
}
