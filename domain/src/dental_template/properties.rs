//! What holds of templates of dental treatment whatever is done with them, in whatever order.

use std::collections::BTreeSet;

use events::DentalTemplateId;
use proptest::prelude::*;
use serde_json::json;

use super::{DefineTemplate, DentalTemplate, DentalTemplateCommand, RetireTemplate};
use crate::{
    testing::{World, body, id},
    values::folded,
};

const TEMPLATES: u128 = 4;
const STEPS_MAX: usize = 40;

fn command() -> impl Strategy<Value = DentalTemplateCommand> {
    let (name, place) = (prop::sample::select(vec!["Filling", " filling ", "A look"]), prop::option::of(1..=8_u8));
    prop_oneof![
        2 => (name, 1..=8_u8, place).prop_map(|(name, quadrant, place)| {
            let procedures = json!([{"code": "D2391"}]);
            let template = json!({"name": name, "quadrant": quadrant, "place": place, "procedures": procedures});
            body::<DefineTemplate>(template).into()
        }),
        1 => Just(RetireTemplate {}.into()),
    ]
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[a_name_stands_for_one_template_in_use];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn a_name_stands_for_one_template_in_use(
        steps in prop::collection::vec((1..=TEMPLATES, command()), 0..STEPS_MAX)
    ) {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        for (n, command) in steps {
            let before = (world.log.len(), world.state::<DentalTemplate>(id::<DentalTemplateId>(n)).cloned());
            let retires = matches!(command, DentalTemplateCommand::Retire(_));
            let refused = world.when::<DentalTemplate>(id::<DentalTemplateId>(n), command).is_err();
            prop_assert!(!refused || world.log.len() == before.0, "a refused command leaves no event");
            let after = world.state::<DentalTemplate>(id::<DentalTemplateId>(n));
            prop_assert!(refused || after.is_some_and(|is| is.retired || !retires), "what is retired is");
            if let Some(was) = before.1 {
                prop_assert_eq!(&was.name, &after.expect("it stays").name, "a template is never renamed");
                prop_assert!(!was.retired || after.is_some_and(|is| is.retired), "and never comes back");
            }
            let mut names = BTreeSet::new();
            let all = (1..=TEMPLATES).filter_map(|n| world.state::<DentalTemplate>(id::<DentalTemplateId>(n)));
            for template in all.filter(|template| !template.retired) {
                prop_assert!(names.insert(folded(&template.name)), "two are called {}", template.name);
            }
            prop_assert_eq!(world.claims.keys().filter(|claim| claim.kind == "dental-template").count(), names.len());
        }
    }
}
