//! What a decision learns of the substances that medicines and allergies name.

use std::collections::{BTreeMap, BTreeSet};

use events::{SubstanceId, medicine::substance_key, substance::Interaction};

use super::Substance;
use crate::{Facts, Read};

/// RxNorm, as a coding system.
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

/// A substance under the one name that the platform knows it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Normalised; as it was asked for where the platform knows nothing of it.
    pub name: String,
    pub also: Vec<String>,
    /// Allergy classes: `penicillins`.
    pub classes: BTreeSet<String>,
    pub rxnorm: Option<String>,
}

/// What a decision reads to know these substances and their interactions: each name, then the name that it leads to.
pub fn reads<'n>(names: impl IntoIterator<Item = &'n str>, facts: &Facts) -> Vec<Read> {
    let read = |name: &str| Read::Platform(SubstanceId::of(name).into());
    let leads_to = |name: &str| facts.of_platform::<Substance>(SubstanceId::of(name))?.entry.as_ref()?.same_as.clone();
    names.into_iter().flat_map(|name| [Some(read(name)), leads_to(name).map(|other| read(&other))]).flatten().collect()
}

impl Facts {
    /// What the platform knows of a substance under any of its names. Asks for [`reads`].
    pub fn substance(&self, name: &str) -> Known {
        let name = substance_key(name);
        let entry = |name: &str| self.of_platform::<Substance>(SubstanceId::of(name))?.entry.as_ref();
        let Some(found) = entry(&name) else { return Known::nothing_of(name) };
        let other = found.same_as.as_deref();
        let Some(main) = other.map_or(Some(found), entry) else {
            return Known::nothing_of(other.map_or(name, str::to_owned));
        };
        Known {
            name: main.name.clone(),
            also: main.also.clone(),
            classes: main.classes.iter().chain(&found.classes).cloned().collect(),
            rxnorm: main.codes.iter().find(|coding| coding.system == RXNORM).map(|coding| coding.code.clone()),
        }
    }

    /// Which of these substances should not be taken together, each pair once, as the gravest of the tables has it.
    /// Asks for [`reads`].
    pub fn interactions<'n>(&self, ingredients: impl IntoIterator<Item = &'n str>) -> Vec<Interaction> {
        let names: BTreeSet<String> = ingredients.into_iter().map(|name| self.substance(name).name).collect();
        let mut found: BTreeMap<&[String; 2], &Interaction> = BTreeMap::new();
        let known = names.iter().filter_map(|name| self.of_platform::<Substance>(SubstanceId::of(name)));
        for interaction in known.flat_map(|substance| substance.interactions.values().flatten()) {
            if interaction.ingredients.iter().all(|name| names.contains(name)) {
                let kept = found.entry(&interaction.ingredients).or_insert(interaction);
                if kept.severity < interaction.severity {
                    *kept = interaction;
                }
            }
        }
        found.into_values().cloned().collect()
    }
}

impl Known {
    fn nothing_of(name: String) -> Self {
        Self { name, also: Vec::new(), classes: BTreeSet::new(), rxnorm: None }
    }
}

#[cfg(test)]
mod tests {
    use events::{
        SubstanceEvent,
        substance::{InteractionSeverity, SubstanceEntry},
    };
    use serde_json::json;

    use super::{
        super::{DescribeSubstance, OneInteraction, SetInteractions},
        *,
    };
    use crate::testing::{World, body};

    fn described(world: &mut World, entry: serde_json::Value) {
        let entry: SubstanceEntry = body(entry);
        let stream = SubstanceId::of(&entry.name);
        world.given_on_platform(stream, SubstanceEvent::SubstanceDescribed { entry, source: "a table".into() });
    }

    fn world() -> World {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        described(&mut world, json!({"name": "acetylsalicylic acid", "same_as": "aspirin"}));
        described(&mut world, json!({"name": "aspirin", "also": ["acetylsalicylic acid"], "classes": ["nsaids"]}));
        described(&mut world, json!({"name": "lost", "same_as": "found"}));
        world
    }

    fn facts(world: &World, names: &[&str]) -> Facts {
        let first = world.facts(reads(names.iter().copied(), &Facts::default()));
        world.facts(reads(names.iter().copied(), &first))
    }

    fn interaction(one: &str, two: &str, severity: InteractionSeverity) -> Interaction {
        Interaction { ingredients: [one.into(), two.into()], severity, text: "bleeding".into() }
    }

    fn given_interactions(world: &mut World, source: &str, interactions: &[Interaction]) {
        let (name, source) = (interactions[0].ingredients[0].clone(), source.to_owned());
        let event = SubstanceEvent::InteractionsSet { name: name.clone(), interactions: interactions.to_vec(), source };
        world.given_on_platform(SubstanceId::of(&name), event);
    }

    #[test]
    fn a_substance_is_known_under_each_of_its_names() {
        let facts = facts(&world(), &["Acetylsalicylic Acid", "Aspirin", "Nothing", "lost"]);
        for name in ["ACETYLSALICYLIC acid", "aspirin"] {
            let known = facts.substance(name);
            assert_eq!((known.name.as_str(), known.classes.contains("nsaids")), ("aspirin", true));
        }
        assert_eq!(facts.substance("Nothing").name, "nothing");
        assert_eq!(facts.substance("lost").name, "found");
    }

    #[test]
    fn an_interaction_is_found_whichever_names_are_used_and_in_whichever_order() {
        use InteractionSeverity::{Moderate, Severe};
        let mut world = world();
        given_interactions(&mut world, "one table", &[interaction("aspirin", "warfarin", Moderate)]);
        given_interactions(&mut world, "another", &[interaction("aspirin", "warfarin", Severe)]);
        for names in [["warfarin", "acetylsalicylic acid"], ["aspirin", "Warfarin"]] {
            let facts = facts(&world, &names);
            assert_eq!(facts.interactions(names), [interaction("aspirin", "warfarin", Severe)]);
        }
        assert_eq!(facts(&world, &["aspirin"]).interactions(["aspirin"]), []);
    }

    #[test]
    fn a_table_that_is_imported_again_changes_what_has_changed() {
        let mut world = world();
        let describe = |class: &str| DescribeSubstance {
            name: "Ibuprofen".parse().unwrap(),
            same_as: None,
            also: Vec::new(),
            classes: vec![class.parse().unwrap()],
            codes: Vec::new(),
            source: "a table".parse().unwrap(),
        };
        let stream = SubstanceId::of("ibuprofen");
        let mut given = |class| world.when::<Substance>(stream, describe(class)).unwrap().len();
        assert_eq!((given("NSAIDs"), given("nsaids"), given("others")), (1, 0, 1));
        assert!(world.when::<Substance>(SubstanceId::of("else"), describe("nsaids")).is_err());
        let set = |with: &[&str]| SetInteractions {
            name: "ibuprofen".parse().unwrap(),
            interactions: with
                .iter()
                .map(|with| OneInteraction {
                    with: with.parse().unwrap(),
                    severity: InteractionSeverity::Severe,
                    text: "bleeding".parse().unwrap(),
                })
                .collect(),
            source: "a table".parse().unwrap(),
        };
        let mut given = |with: &[&str]| world.when::<Substance>(stream, set(with)).map(|events| events.len());
        assert_eq!((given(&[]), given(&["warfarin"]), given(&["Warfarin"]), given(&[])), (Ok(0), Ok(1), Ok(0), Ok(1)));
        assert_eq!(given(&["aspirin"]).unwrap_err().code, "interaction-elsewhere");
    }
}
