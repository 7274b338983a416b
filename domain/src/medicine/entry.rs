//! The entries of a catalogue: the platform's in its own ledger, a clinic's in the clinic's.

use events::{MedicineEvent, MedicineId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Medicine, MedicineDraft};
use crate::{Context, Decision, Facts, Refusal};

/// Adds a medicine to the catalogue.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddMedicine {
    #[serde(default)]
    pub id: Option<MedicineId>,
    #[serde(flatten)]
    pub medicine: MedicineDraft,
}

/// Replaces all that the catalogue says of a medicine. What was prescribed keeps its own copy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct UpdateMedicine(pub MedicineDraft);

/// Takes a medicine from the catalogue for good.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireMedicine {}

/// A line of an imported list: adds it, or brings it up to date.
#[derive(Clone, Debug)]
pub struct ImportMedicine {
    pub medicine: MedicineDraft,
    pub discontinued: bool,
}

impl AddMedicine {
    pub(super) fn decide(
        self,
        state: Option<&Medicine>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        if state.is_some() || facts.of_platform::<Medicine>(context.target).is_some() {
            return Err(Refusal::conflict("duplicate", "There is a medicine with this id.").at("/id"));
        }
        Ok(Decision::one(context.target, MedicineEvent::MedicineAdded { entry: self.medicine.entry(facts)? }))
    }
}

impl UpdateMedicine {
    pub(super) fn decide(
        self,
        state: Option<&Medicine>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let medicine = own(state, facts, context)?;
        not_retired(medicine)?;
        let entry = self.0.entry(facts)?;
        Ok(match medicine.entry.as_ref() == Some(&entry) {
            true => Decision::already_so(),
            false => Decision::one(context.target, MedicineEvent::MedicineUpdated { entry }),
        })
    }
}

impl RetireMedicine {
    pub(super) fn decide(
        self,
        state: Option<&Medicine>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        Ok(match own(state, facts, context)?.retired {
            true => Decision::already_so(),
            false => Decision::one(context.target, MedicineEvent::MedicineRetired {}),
        })
    }
}

impl ImportMedicine {
    pub(super) fn decide(
        self,
        state: Option<&Medicine>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let (entry, discontinued) = (self.medicine.entry(facts)?, self.discontinued);
        let decision = match listed_here(state, facts, context)? {
            None => Decision::one(context.target, MedicineEvent::MedicineAdded { entry }),
            Some(medicine) if medicine.retired && discontinued => return Ok(Decision::already_so()),
            Some(medicine) => {
                not_retired(medicine)?;
                match medicine.entry.as_ref() == Some(&entry) {
                    true => Decision::already_so(),
                    false => Decision::one(context.target, MedicineEvent::MedicineUpdated { entry }),
                }
            }
        };
        Ok(match discontinued {
            true => decision.and(context.target, MedicineEvent::MedicineRetired {}),
            false => decision,
        })
    }
}

/// What this very catalogue lists. A clinic sees the platform's entries, but does not change them.
fn listed_here<'a>(
    state: Option<&'a Medicine>,
    facts: &Facts,
    context: &Context<'_>,
) -> Result<Option<&'a Medicine>, Refusal> {
    let of_platform = context.clinic.is_some() && facts.of_platform::<Medicine>(context.target).is_some();
    match state {
        Some(medicine) if medicine.is_own => Ok(Some(medicine)),
        None if !of_platform => Ok(None),
        None | Some(_) => {
            let detail = "The medicine is the platform's: override or hide it for this clinic instead.";
            Err(Refusal::rule("medicine-of-platform", detail))
        }
    }
}

fn own<'a>(state: Option<&'a Medicine>, facts: &Facts, context: &Context<'_>) -> Result<&'a Medicine, Refusal> {
    listed_here(state, facts, context)?.ok_or_else(|| Refusal::not_found("medicine"))
}

fn not_retired(medicine: &Medicine) -> Result<(), Refusal> {
    match medicine.retired {
        true => Err(Refusal::conflict("medicine-retired", "The medicine was retired; add it anew if it is back.")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Class,
        testing::{World, body, id},
    };

    const MEDICINE: u128 = 1;

    fn target() -> MedicineId {
        id(MEDICINE)
    }

    fn world() -> World {
        World::with_clinic(chrono_tz::Asia::Kolkata)
    }

    fn draft(name: &str) -> MedicineDraft {
        MedicineDraft::named(name.parse().unwrap())
    }

    fn import(world: &mut World, name: &str, discontinued: bool) -> Result<usize, Refusal> {
        let command = ImportMedicine { medicine: draft(name), discontinued };
        world.when::<Medicine>(target(), command).map(|events| events.len())
    }

    #[test]
    fn a_body_with_an_unknown_member_is_no_medicine() {
        assert!(serde_json::from_value::<AddMedicine>(json!({"name": "X", "id": null})).is_ok());
        assert!(serde_json::from_value::<AddMedicine>(json!({"name": "X", "colour": "red"})).is_err());
        assert!(serde_json::from_value::<UpdateMedicine>(json!({"name": "X", "id": null})).is_err());
    }

    #[test]
    fn an_entry_is_added_changed_and_retired() {
        let mut world = world();
        world.when::<Medicine>(target(), body::<AddMedicine>(json!({"name": "Dolo"}))).unwrap();
        let update = |name| UpdateMedicine(draft(name));
        assert_eq!(world.when::<Medicine>(target(), update("Dolo")).unwrap().len(), 0);
        assert_eq!(world.when::<Medicine>(target(), update("Dolo 650")).unwrap().len(), 1);
        assert_eq!(world.when::<Medicine>(target(), RetireMedicine {}).unwrap().len(), 1);
        assert_eq!(world.when::<Medicine>(target(), RetireMedicine {}).unwrap().len(), 0);
        assert_eq!(world.when::<Medicine>(target(), update("Dolo")).unwrap_err().code, "medicine-retired");
    }

    #[test]
    fn a_clinic_changes_no_entry_of_the_platform() {
        let mut world = world();
        world.given_on_platform(target(), MedicineEvent::MedicineAdded { entry: body(json!({"name": "Dolo"})) });
        let add = body::<AddMedicine>(json!({"name": "Mine"}));
        assert_eq!(world.when::<Medicine>(target(), add).unwrap_err().code, "duplicate");
        let update = UpdateMedicine(draft("Mine"));
        assert_eq!(world.when::<Medicine>(target(), update).unwrap_err().code, "medicine-of-platform");
        let retired = world.when::<Medicine>(target(), RetireMedicine {});
        assert_eq!(retired.unwrap_err().code, "medicine-of-platform");
        let unknown = world.when::<Medicine>(id::<MedicineId>(2), RetireMedicine {}).unwrap_err();
        assert_eq!(unknown.class, Class::NotFound);
    }

    #[test]
    fn a_list_that_is_imported_again_changes_what_has_changed() {
        let mut world = world();
        assert_eq!(import(&mut world, "Dolo", false), Ok(1));
        assert_eq!(import(&mut world, "Dolo", false), Ok(0));
        assert_eq!(import(&mut world, "Dolo 650", false), Ok(1));
        assert_eq!(import(&mut world, "Dolo 650", true), Ok(1));
        assert_eq!(import(&mut world, "Dolo 650", true), Ok(0));
        assert_eq!(import(&mut world, "Dolo 650", false).unwrap_err().code, "medicine-retired");
        let command = ImportMedicine { medicine: draft("Gone"), discontinued: true };
        assert_eq!(world.when::<Medicine>(id::<MedicineId>(2), command).unwrap().len(), 2);
    }
}
