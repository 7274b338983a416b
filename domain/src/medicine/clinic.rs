//! What a clinic says of an entry of the platform, for itself alone.

use events::MedicineEvent;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Medicine, MedicineDraft};
use crate::{Context, Decision, Facts, Refusal};

/// Puts the clinic's own wording in the place of what the platform says of a medicine.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct OverrideMedicine(pub MedicineDraft);

/// Goes back to what the platform says.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftMedicineOverride {}

/// Hides a medicine of the platform: it is neither found nor prescribed in this clinic.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HideMedicine {}

/// Shows a hidden medicine again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowMedicine {}

impl OverrideMedicine {
    pub(super) fn decide(
        self,
        state: Option<&Medicine>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        of_platform(state, facts, context)?;
        let entry = self.0.entry(facts)?;
        Ok(match state.and_then(|medicine| medicine.entry.as_ref()) == Some(&entry) {
            true => Decision::already_so(),
            false => Decision::one(context.target, MedicineEvent::MedicineOverridden { entry }),
        })
    }
}

impl LiftMedicineOverride {
    pub(super) fn decide(
        self,
        state: Option<&Medicine>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        of_platform(state, facts, context)?;
        Ok(match state.is_some_and(|medicine| medicine.entry.is_some()) {
            true => Decision::one(context.target, MedicineEvent::MedicineOverrideLifted {}),
            false => Decision::already_so(),
        })
    }
}

impl HideMedicine {
    pub(super) fn decide(
        self,
        state: Option<&Medicine>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        of_platform(state, facts, context)?;
        Ok(match is_hidden(state) {
            true => Decision::already_so(),
            false => Decision::one(context.target, MedicineEvent::MedicineHidden {}),
        })
    }
}

impl ShowMedicine {
    pub(super) fn decide(
        self,
        state: Option<&Medicine>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        of_platform(state, facts, context)?;
        Ok(match is_hidden(state) {
            true => Decision::one(context.target, MedicineEvent::MedicineShown {}),
            false => Decision::already_so(),
        })
    }
}

fn is_hidden(state: Option<&Medicine>) -> bool {
    state.is_some_and(|medicine| medicine.hidden)
}

/// The platform lists it, and a clinic asks.
fn of_platform(state: Option<&Medicine>, facts: &Facts, context: &Context<'_>) -> Result<(), Refusal> {
    context.in_clinic()?;
    if state.is_some_and(|medicine| medicine.is_own) {
        let detail = "The medicine is the clinic's own: change or retire it instead.";
        return Err(Refusal::rule("medicine-of-clinic", detail));
    }
    let listed = facts.of_platform::<Medicine>(context.target).and_then(Medicine::listed);
    listed.map(drop).ok_or_else(|| Refusal::not_found("medicine"))
}

#[cfg(test)]
mod tests {
    use events::{MedicineId, medicine::MedicineEntry};
    use serde_json::json;

    use super::{super::AddMedicine, *};
    use crate::testing::{World, body, id};

    fn target() -> MedicineId {
        id(1)
    }

    fn world() -> World {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        world.given_on_platform(target(), MedicineEvent::MedicineAdded { entry: body(json!({"name": "Dolo"})) });
        world
    }

    fn seen(world: &World) -> Option<String> {
        let facts = world.facts(super::super::reads(target()));
        facts.medicine(target()).map(|entry: &MedicineEntry| entry.name.clone())
    }

    fn overridden(name: &str) -> OverrideMedicine {
        OverrideMedicine(MedicineDraft::named(name.parse().unwrap()))
    }

    #[test]
    fn a_clinic_sees_its_own_wording_until_it_lifts_it() {
        let mut world = world();
        assert_eq!(seen(&world).as_deref(), Some("Dolo"));
        assert_eq!(world.when::<Medicine>(target(), overridden("Dolo, ours")).unwrap().len(), 1);
        assert_eq!(world.when::<Medicine>(target(), overridden("Dolo, ours")).unwrap().len(), 0);
        assert_eq!(seen(&world).as_deref(), Some("Dolo, ours"));
        assert_eq!(world.when::<Medicine>(target(), LiftMedicineOverride {}).unwrap().len(), 1);
        assert_eq!(world.when::<Medicine>(target(), LiftMedicineOverride {}).unwrap().len(), 0);
        assert_eq!(seen(&world).as_deref(), Some("Dolo"));
    }

    #[test]
    fn what_is_hidden_is_not_there_until_it_is_shown_with_the_clinics_wording() {
        let mut world = world();
        world.when::<Medicine>(target(), overridden("Dolo, ours")).unwrap();
        assert_eq!(world.when::<Medicine>(target(), HideMedicine {}).unwrap().len(), 1);
        assert_eq!(world.when::<Medicine>(target(), HideMedicine {}).unwrap().len(), 0);
        assert_eq!(seen(&world), None);
        assert_eq!(world.when::<Medicine>(target(), ShowMedicine {}).unwrap().len(), 1);
        assert_eq!(world.when::<Medicine>(target(), ShowMedicine {}).unwrap().len(), 0);
        assert_eq!(seen(&world).as_deref(), Some("Dolo, ours"));
    }

    #[test]
    fn what_the_platform_retires_is_gone_for_every_clinic() {
        let mut world = world();
        world.when::<Medicine>(target(), overridden("Dolo, ours")).unwrap();
        world.given_on_platform(target(), MedicineEvent::MedicineRetired {});
        assert_eq!(seen(&world), None);
        assert_eq!(world.when::<Medicine>(target(), HideMedicine {}).unwrap_err().class, crate::Class::NotFound);
    }

    #[test]
    fn a_clinics_own_medicine_is_neither_hidden_nor_overridden() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        world.when::<Medicine>(target(), body::<AddMedicine>(json!({"name": "House mix"}))).unwrap();
        assert_eq!(seen(&world).as_deref(), Some("House mix"));
        let refused = world.when::<Medicine>(target(), HideMedicine {}).unwrap_err();
        assert_eq!(refused.code, "medicine-of-clinic");
        assert_eq!(world.when::<Medicine>(target(), overridden("X")).unwrap_err().code, "medicine-of-clinic");
    }
}
