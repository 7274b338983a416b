//! What holds of substances and their interactions whatever tables are imported, in whatever order.

use std::collections::BTreeMap;

use events::{SubstanceId, medicine::substance_key, substance::InteractionSeverity};
use proptest::prelude::*;

use super::{DescribeSubstance, OneInteraction, SetInteractions, Substance, SubstanceCommand};
use crate::{Refusal, testing::World, values::Name};

const NAMES: [&str; 4] = ["Aspirin", "aspirin ", "Ibuprofen", "Warfarin"];
const SOURCES: [&str; 2] = ["one table", "another"];
const STEPS_MAX: usize = 40;

/// A line of a table, given to the substance of this name.
type Line = (&'static str, SubstanceCommand);

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn names() -> impl Strategy<Value = Vec<Name>> {
    prop::collection::vec(prop::sample::select(&NAMES[..]).prop_map(name), 0..3)
}

fn line() -> impl Strategy<Value = Line> {
    let (to, of, source) = (prop::sample::select(&NAMES[..]), prop::sample::select(&NAMES[..]), 0..SOURCES.len());
    let describe = |of: &str, same: Option<&str>, classes: Vec<Name>, source: usize| DescribeSubstance {
        name: name(of),
        same_as: same.map(name),
        also: Vec::new(),
        classes,
        codes: Vec::new(),
        source: name(SOURCES[source]),
    };
    let set = |of: &str, with: Vec<Name>, source: usize| {
        let one =
            |with| OneInteraction { with, severity: InteractionSeverity::Severe, text: "bleeding".parse().unwrap() };
        SetInteractions {
            name: name(of),
            interactions: with.into_iter().map(one).collect(),
            source: name(SOURCES[source]),
        }
    };
    let same = prop::option::of(prop::sample::select(&NAMES[..]));
    prop_oneof![
        (to.clone(), of.clone(), same, names(), source.clone())
            .prop_map(move |(to, of, same, classes, source)| (to, describe(of, same, classes, source).into())),
        (to, of, names(), source).prop_map(move |(to, of, with, source)| (to, set(of, with, source).into())),
    ]
}

fn state<'w>(world: &'w World, name: &str) -> Option<&'w Substance> {
    world.state::<Substance>(SubstanceId::of(&substance_key(name)))
}

/// What lies under a name is about that name, and an interaction about what comes after it.
fn check(world: &World) {
    for of in NAMES {
        let (key, Some(substance)) = (substance_key(of), state(world, of)) else { continue };
        let entry = substance.entry.as_ref();
        assert!(entry.is_none_or(|entry| entry.name == key && entry.same_as.as_ref() != Some(&key)), "{entry:?}");
        for interaction in substance.interactions.values().flatten() {
            let [first, second] = &interaction.ingredients;
            assert!(*first == key && first < second, "{interaction:?} lies under {key}");
        }
    }
}

fn given(world: &mut World, (to, command): &Line) -> Result<usize, Refusal> {
    let stream = SubstanceId::of(&substance_key(to));
    world.when::<Substance>(stream, command.clone()).map(|events| events.len())
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[a_table_says_of_a_substance_what_is_its_own];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn a_table_says_of_a_substance_what_is_its_own(steps in prop::collection::vec(line(), 0..STEPS_MAX)) {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        for line in &steps {
            let before: BTreeMap<_, _> = world.states().map(|(stream, state)| (*stream, state.clone())).collect();
            if given(&mut world, line).is_err() {
                let after: BTreeMap<_, _> = world.states().map(|(stream, state)| (*stream, state.clone())).collect();
                prop_assert_eq!(before, after, "a refused line says nothing");
            } else {
                prop_assert_eq!(given(&mut world, line), Ok(0), "said twice it is said once");
            }
            check(&world);
        }
    }
}
