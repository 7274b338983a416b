//! Medicines that come, change and go.

use events::{
    DomainEvent, MedicineEvent, MedicineId,
    medicine::{Ingredient, MedicineEntry},
};

use super::{
    History,
    life::{Chance, Life, NAMES},
};

impl History {
    /// A medicine whose stream begins so.
    pub fn medicine(&mut self, first: MedicineEvent) -> MedicineId {
        let medicine = MedicineId(self.fresh());
        self.of_medicine(medicine, first);
        medicine
    }

    pub fn of_medicine(&mut self, medicine: MedicineId, event: MedicineEvent) {
        self.push(medicine.into(), event);
    }
}

impl Life {
    pub(super) fn medicine_changes(&mut self, chance: &mut Chance) {
        let entry = entry(chance);
        let last = self.history.events().filter_map(|recorded| match &recorded.event {
            DomainEvent::Medicine(event) => Some((MedicineId(recorded.stream.id), event.clone())),
            _ => None,
        });
        match (last.last(), chance.of(4)) {
            (
                Some((medicine, MedicineEvent::MedicineAdded { .. } | MedicineEvent::MedicineUpdated { .. })),
                n @ 0..2,
            ) => {
                let changes = [MedicineEvent::MedicineUpdated { entry }, MedicineEvent::MedicineRetired {}];
                self.history.of_medicine(medicine, changes[n].clone());
            }
            (Some((medicine, MedicineEvent::MedicineHidden {})), 0..2) => {
                self.history.of_medicine(medicine, MedicineEvent::MedicineShown {});
            }
            (Some((medicine, MedicineEvent::MedicineOverridden { .. })), 0..2) => {
                self.history.of_medicine(medicine, MedicineEvent::MedicineOverrideLifted {});
            }
            (_, n) => {
                let first = [
                    MedicineEvent::MedicineAdded { entry: entry.clone() },
                    MedicineEvent::MedicineOverridden { entry },
                    MedicineEvent::MedicineHidden {},
                ];
                self.history.medicine(first[n % 3].clone());
            }
        }
    }
}

fn entry(chance: &mut Chance) -> MedicineEntry {
    let ingredient =
        Ingredient { name: chance.pick(&NAMES).to_owned(), rxnorm: None, strength: None, also: Vec::new() };
    MedicineEntry {
        name: chance.pick(&NAMES).to_owned(),
        generic_name: None,
        ingredients: vec![ingredient],
        classes: Vec::new(),
        form: None,
        route: None,
        unit: None,
        strength: None,
        manufacturer: None,
        pack: None,
        price: None,
        codes: Vec::new(),
        doses: None,
    }
}
