//! A clinic's template of dental treatment: what is usually done about a finding. Which one fits a finding best is said
//! by `events::dental_template::FindingPattern`; a dentist decides whether it is done.

#[cfg(test)]
pub(crate) mod properties;

use events::{
    AggregateKind, DentalTemplateEvent, DentalTemplateId, StreamId,
    claim::{ClaimChange, ClaimKey, CounterChange},
    dental_template::{FindingPattern, ProposedProcedure},
    tooth::{Surface, ToothCondition},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    Aggregate, Context, Decision, Facts, Read, Refusal,
    usage::moved_claims,
    values::{CdtCode, Name, Price, Text, Whole, folded},
};

/// Most procedures that one template proposes.
const MAX_PROCEDURES: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DentalTemplate {
    pub name: String,
    pub retired: bool,
}

#[derive(Clone, Debug, derive_more::From)]
pub enum DentalTemplateCommand {
    Define(DefineTemplate),
    Retire(RetireTemplate),
}

/// Defines what is usually done about a finding. What is left out of the pattern fits everything; of the templates that
/// fit a finding, the one that names most proposes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefineTemplate {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<DentalTemplateId>,
    /// Unique among the clinic's templates that are not retired.
    pub name: Name,
    /// The first digit of the tooth.
    #[serde(default)]
    pub quadrant: Option<Whole<1, 8>>,
    /// The second digit of the tooth: with `quadrant` it is one tooth, alone the same tooth of every quadrant.
    #[serde(default)]
    pub place: Option<Whole<1, 8>>,
    /// One of the finding's surfaces.
    #[serde(default)]
    pub surface: Option<Surface>,
    #[serde(default)]
    pub condition: Option<ToothCondition>,
    /// In the order in which they are done.
    #[schemars(length(min = 1, max = 20))]
    pub procedures: Vec<TemplateProcedure>,
}

/// A procedure that the template proposes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateProcedure {
    pub code: CdtCode,
    #[serde(default)]
    pub description: Option<Text<500>>,
    #[serde(default)]
    pub estimate: Option<Price>,
}

/// Retires a template: it proposes nothing any more. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireTemplate {}

impl DefineTemplate {
    fn decide(self, state: Option<&DentalTemplate>, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is a template with this id already.").at("/id"));
        }
        if self.procedures.is_empty() || self.procedures.len() > MAX_PROCEDURES {
            let detail = format!("A template proposes 1 to {MAX_PROCEDURES} procedures.");
            return Err(Refusal::rule("too-many", detail).at("/procedures").with("limit", MAX_PROCEDURES));
        }
        let pattern = self.pattern()?;
        facts.nobody_else_holds(&name_claim(self.name.as_str()), context.target).map_err(|taken| taken.at("/name"))?;
        let procedures = self.procedures.into_iter().map(Into::into).collect();
        let defined = DentalTemplateEvent::DentalTemplateDefined { name: self.name.into(), pattern, procedures };
        Ok(Decision::one(context.target, defined))
    }

    fn pattern(&self) -> Result<FindingPattern, Refusal> {
        let digit = |digit: Option<Whole<1, 8>>| digit.and_then(|digit| u8::try_from(digit.get()).ok());
        let (quadrant, place) = (digit(self.quadrant), digit(self.place));
        if quadrant.is_some_and(|quadrant| quadrant > 4) && place.is_some_and(|place| place > 5) {
            let detail = "A quadrant of primary teeth (5 to 8) has five.";
            return Err(Refusal::rule("no-such-tooth", detail).at("/place"));
        }
        Ok(FindingPattern { quadrant, place, surface: self.surface, condition: self.condition })
    }
}

impl From<TemplateProcedure> for ProposedProcedure {
    fn from(procedure: TemplateProcedure) -> Self {
        Self {
            code: procedure.code.into(),
            description: procedure.description.map(Into::into),
            estimate: procedure.estimate.map(Into::into),
        }
    }
}

fn name_claim(name: &str) -> ClaimKey {
    ClaimKey::clinic("dental-template", folded(name))
}

impl DentalTemplate {
    fn held(&self) -> Vec<ClaimKey> {
        if self.retired { Vec::new() } else { vec![name_claim(&self.name)] }
    }
}

impl Aggregate for DentalTemplate {
    const KIND: AggregateKind = AggregateKind::DentalTemplate;
    type Event = DentalTemplateEvent;
    type Command = DentalTemplateCommand;

    fn reads(_: StreamId, _: Option<&Self>, _: &DentalTemplateCommand, _: &Facts) -> Vec<Read> {
        Vec::new()
    }

    fn decide(
        state: Option<&Self>,
        command: DentalTemplateCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        match command {
            DentalTemplateCommand::Define(command) => command.decide(state, facts, context),
            DentalTemplateCommand::Retire(RetireTemplate {}) => {
                let template = state.ok_or_else(|| Refusal::not_found("dental template"))?;
                Ok(match template.retired {
                    true => Decision::already_so(),
                    false => Decision::one(context.target, DentalTemplateEvent::DentalTemplateRetired {}),
                })
            }
        }
    }

    fn evolve(state: Option<Self>, event: &DentalTemplateEvent) -> Option<Self> {
        match (state, event) {
            (None, DentalTemplateEvent::DentalTemplateDefined { name, .. }) => {
                Some(Self { name: name.clone(), retired: false })
            }
            (Some(template), DentalTemplateEvent::DentalTemplateRetired {}) if !template.retired => {
                Some(Self { retired: true, ..template })
            }
            _ => None,
        }
    }

    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange> {
        moved_claims(&before.map(Self::held).unwrap_or_default(), &after.held())
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{World, body, id};

    fn define(world: &mut World, n: u128, others: Value) -> Result<Vec<DomainEvent>, Refusal> {
        let mut all = json!({"name": "Filling", "condition": "cavity", "procedures": [{"code": "D2391"}]});
        all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        world.when::<DentalTemplate>(id::<DentalTemplateId>(n), body::<DefineTemplate>(all))
    }

    #[test]
    fn a_name_is_unique_among_those_in_use() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        define(&mut world, 1, json!({})).unwrap();
        let refused = define(&mut world, 2, json!({"name": " filling "})).unwrap_err();
        assert_eq!((refused.code, refused.pointer), ("duplicate", Some("/name")));
        for events in [1, 0] {
            let retired = world.when::<DentalTemplate>(id::<DentalTemplateId>(1), RetireTemplate {});
            assert_eq!(retired.unwrap().len(), events);
        }
        define(&mut world, 2, json!({})).unwrap();
        assert_eq!(define(&mut world, 1, json!({"name": "Other"})).unwrap_err().pointer, Some("/id"));
    }

    #[test]
    fn a_template_proposes_something_for_a_tooth_that_there_is() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        assert_eq!(define(&mut world, 1, json!({"procedures": []})).unwrap_err().code, "too-many");
        assert_eq!(define(&mut world, 1, json!({"quadrant": 5, "place": 6})).unwrap_err().code, "no-such-tooth");
        define(&mut world, 1, json!({"quadrant": 5, "place": 5})).unwrap();
        define(&mut world, 2, json!({"name": "Another", "place": 8})).unwrap();
    }
}
