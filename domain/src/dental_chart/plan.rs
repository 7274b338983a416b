//! What is to be done.

use events::{
    DentalChartEvent, DentalObservationId, DentalTemplateId,
    dental_chart::DentalTreatment,
    tooth::{Surface, Tooth},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Mouth, surfaces};
use crate::{
    Context, Decision, DentalTemplate, Facts, Refusal,
    values::{CdtCode, Price, Text, ToothNumber},
};

/// Plans a procedure. The answer's `procedure_id` names it from then on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanProcedure {
    pub code: CdtCode,
    /// Left out where it concerns the whole mouth.
    #[serde(default)]
    pub teeth: Vec<ToothNumber>,
    /// Of each of the teeth.
    #[serde(default)]
    pub surfaces: Vec<Surface>,
    #[serde(default)]
    pub description: Option<Text<500>>,
    #[serde(default)]
    pub estimate: Option<Price>,
    /// What it treats.
    #[serde(default)]
    pub observation_id: Option<DentalObservationId>,
    /// The template that proposed it.
    #[serde(default)]
    pub template_id: Option<DentalTemplateId>,
}

impl PlanProcedure {
    pub(super) fn decide(self, mouth: &Mouth<'_>, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        if !context.is_import() {
            mouth.person.may_come()?;
        }
        let teeth = self.teeth();
        let surfaces = self.surfaces(&teeth)?;
        let replaces = self.code.replaces_teeth();
        if !replaces {
            mouth.has_all(&teeth).map_err(|refusal| refusal.at("/teeth"))?;
        }
        if let Some(observation) = self.observation_id {
            mouth.observation(observation)?;
        }
        if let Some(template) = self.template_id {
            let known = facts.get::<DentalTemplate>(template);
            known.ok_or_else(|| Refusal::not_found("dental template").at("/template_id"))?;
        }
        let treatment =
            DentalTreatment { code: self.code.into(), surfaces, description: self.description.map(Into::into) };
        let planned = DentalChartEvent::ProcedurePlanned {
            procedure: context.new_id(0),
            teeth,
            replaces,
            observation: self.observation_id,
            template: self.template_id,
            estimate: self.estimate.map(Into::into),
            sealed: treatment.into(),
        };
        Ok(Decision::one(mouth.id, planned))
    }

    /// In their order, each once.
    fn teeth(&self) -> Vec<Tooth> {
        let mut teeth: Vec<Tooth> = self.teeth.iter().map(|tooth| tooth.get()).collect();
        teeth.sort_unstable();
        teeth.dedup();
        teeth
    }

    /// Each of the teeth has them.
    fn surfaces(&self, teeth: &[Tooth]) -> Result<Vec<Surface>, Refusal> {
        if teeth.is_empty() && !self.surfaces.is_empty() {
            return Err(Refusal::rule("no-tooth", "Surfaces are those of teeth: say which.").at("/teeth"));
        }
        teeth.iter().try_fold(Vec::new(), |_, tooth| {
            surfaces::of_tooth(*tooth, &self.surfaces).map_err(|refusal| refusal.at("/surfaces"))
        })
    }
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::{Value, json};

    use super::{
        super::{
            ExtractTooth,
            sample::{PATIENT, chart, clinic, given_observed, on},
        },
        *,
    };
    use crate::{
        patient::DeactivatePatient,
        testing::{World, body, id},
    };

    fn plan(world: &mut World, content: Value) -> Result<Vec<DomainEvent>, Refusal> {
        on(world, PATIENT, body::<PlanProcedure>(content))
    }

    #[test]
    fn a_missing_tooth_is_replaced_and_not_treated() {
        let mut world = clinic();
        given_observed(&mut world, PATIENT, json!({"tooth": 16, "condition": "missing"}));
        on(&mut world, PATIENT, body::<ExtractTooth>(json!({"tooth": 17}))).unwrap();
        for tooth in [16, 17] {
            let refused = plan(&mut world, json!({"code": "D2391", "teeth": [15, tooth]})).unwrap_err();
            assert_eq!((refused.code, refused.extra[0].clone()), ("tooth-missing", ("tooth", json!(tooth))));
            for code in ["D5213", "D6010", "D6240"] {
                plan(&mut world, json!({"code": code, "teeth": [tooth]})).unwrap();
            }
        }
        plan(&mut world, json!({"code": "D2391", "teeth": [15]})).unwrap();
        plan(&mut world, json!({"code": "D1110"})).unwrap();
    }

    #[test]
    fn a_tooth_that_another_record_of_the_person_misses_is_missing() {
        let mut world = clinic();
        let double = world.given_patient(2);
        given_observed(&mut world, double, json!({"tooth": 16, "condition": "missing"}));
        plan(&mut world, json!({"code": "D2391", "teeth": [16]})).unwrap();
        world.given_merge(double, PATIENT);
        let refused = plan(&mut world, json!({"code": "D2391", "teeth": [16]})).unwrap_err();
        assert_eq!(refused.code, "tooth-missing");
    }

    #[test]
    fn what_a_plan_names_is_known() {
        let mut world = clinic();
        for (member, at) in [("observation_id", "/observation_id"), ("template_id", "/template_id")] {
            let refused = plan(&mut world, json!({"code": "D2391", member: id::<DentalObservationId>(9)})).unwrap_err();
            assert_eq!((refused.class, refused.pointer), (crate::Class::NotFound, Some(at)));
        }
        let observation = given_observed(&mut world, PATIENT, json!({"tooth": 16, "condition": "cavity"}));
        plan(&mut world, json!({"code": "D2391", "teeth": [16], "observation_id": observation})).unwrap();
    }

    #[test]
    fn each_tooth_has_the_surfaces() {
        let mut world = clinic();
        let on_both = json!({"code": "D2391", "teeth": [16, 36], "surfaces": ["palatal"]});
        assert_eq!(plan(&mut world, on_both).unwrap_err().code, "no-such-surface");
        let nowhere = json!({"code": "D1110", "surfaces": ["buccal"]});
        assert_eq!(plan(&mut world, nowhere).unwrap_err().code, "no-tooth");
        plan(&mut world, json!({"code": "D2392", "teeth": [36, 16, 16], "surfaces": ["occlusal", "distal"]})).unwrap();
        let teeth = chart(&world, PATIENT).procedures.values().next().unwrap().teeth.clone();
        assert_eq!(teeth, [Tooth(16), Tooth(36)]);
    }

    #[test]
    fn who_does_not_come_is_not_treated() {
        let mut world = clinic();
        world.patient(PATIENT, DeactivatePatient { reason: None }).unwrap();
        assert_eq!(plan(&mut world, json!({"code": "D1110"})).unwrap_err().code, "patient-inactive");
        world.actor.kind = events::ActorKind::Import;
        plan(&mut world, json!({"code": "D1110"})).unwrap();
    }
}
