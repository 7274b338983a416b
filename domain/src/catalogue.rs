//! Which lists were imported into the platform's catalogue.

use std::collections::BTreeMap;

use events::{
    AggregateKind, CatalogueEvent, StreamId,
    catalogue::CatalogueList,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, values::Name};

/// What was last imported from each source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue(pub BTreeMap<String, Imported>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub sha256: String,
    pub count: i64,
    pub refused: i64,
}

/// Says that a list was read to its end. Given by the program, once it was.
#[derive(Clone, Debug)]
pub struct ImportCatalogue {
    pub list: CatalogueList,
    pub source: Name,
    /// Of the file, in hexadecimal digits.
    pub sha256: String,
    pub count: i64,
    pub refused: i64,
}

impl Aggregate for Catalogue {
    const KIND: AggregateKind = AggregateKind::Catalogue;
    type Event = CatalogueEvent;
    type Command = ImportCatalogue;

    fn reads(_: StreamId, _: Option<&Self>, _: &ImportCatalogue, _: &Facts) -> Vec<Read> {
        Vec::new()
    }

    /// The same file with the same outcome is recorded once.
    fn decide(
        state: Option<&Self>,
        command: ImportCatalogue,
        _: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let ImportCatalogue { list, source, sha256, count, refused } = command;
        let last = state.and_then(|catalogue| catalogue.0.get(source.as_str()));
        if last.is_some_and(|last| last.sha256 == sha256 && (last.count, last.refused) == (count, refused)) {
            return Ok(Decision::already_so());
        }
        let source = source.into();
        let imported = CatalogueEvent::CatalogueImported { list, source, sha256, count, refused };
        Ok(Decision::one(context.target, imported))
    }

    fn evolve(state: Option<Self>, event: &CatalogueEvent) -> Option<Self> {
        let CatalogueEvent::CatalogueImported { source, sha256, count, refused, .. } = event;
        let mut catalogue = state.unwrap_or_default();
        catalogue.0.insert(source.clone(), Imported { sha256: sha256.clone(), count: *count, refused: *refused });
        Some(catalogue)
    }

    fn claims(_: Option<&Self>, _: &Self) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use events::CatalogueId;

    use super::*;
    use crate::testing::World;

    #[test]
    fn an_import_is_recorded_once() {
        let mut world = World::with_clinic(chrono_tz::UTC);
        let stream = CatalogueId::of(CatalogueList::Medicines);
        let import = |sha256: &str, count, source: &str| ImportCatalogue {
            list: CatalogueList::Medicines,
            source: source.parse().unwrap(),
            sha256: sha256.into(),
            count,
            refused: 0,
        };
        let mut given =
            |sha256, count, source| world.when::<Catalogue>(stream, import(sha256, count, source)).unwrap().len();
        assert_eq!((given("ab", 1, "brands"), given("ab", 1, "brands"), given("ab", 1, "generics")), (1, 0, 1));
        assert_eq!((given("cd", 1, "brands"), given("cd", 2, "brands"), given("ab", 1, "generics")), (1, 1, 0));
    }
}

#[cfg(test)]
pub(crate) mod properties {
    use std::collections::BTreeMap;

    use events::CatalogueId;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::World;

    const SOURCES: [&str; 3] = ["brands", "generics", "interactions"];
    const STEPS_MAX: usize = 30;

    fn import() -> impl Strategy<Value = ImportCatalogue> {
        let (source, digest) = (prop::sample::select(&SOURCES[..]), prop::sample::select(&["ab", "cd"][..]));
        (source, digest, 0..3_i64, 0..2_i64).prop_map(|(source, sha256, count, refused)| ImportCatalogue {
            list: CatalogueList::Medicines,
            source: source.parse().expect("a name"),
            sha256: sha256.to_owned(),
            count,
            refused,
        })
    }

    /// What the steps lead to is measured: see `crate::lives`.
    pub(crate) const LIVES: &[fn()] = &[of_each_source_the_last_import_is_known];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

        #[test]
        fn of_each_source_the_last_import_is_known(steps in prop::collection::vec(import(), 0..STEPS_MAX)) {
            let mut world = World::with_clinic(chrono_tz::UTC);
            let stream = CatalogueId::of(CatalogueList::Medicines);
            let mut last: BTreeMap<String, Imported> = BTreeMap::new();
            for import in steps {
                let ImportCatalogue { source, sha256, count, refused, .. } = import.clone();
                let new = Imported { sha256, count, refused };
                let is_new = last.insert(source.into(), new.clone()).as_ref() != Some(&new);
                let recorded = world.when::<Catalogue>(stream, import).expect("an import is never refused").len();
                prop_assert_eq!(recorded, usize::from(is_new), "an import is recorded where it says something new");
                prop_assert_eq!(&world.state::<Catalogue>(stream).expect("it is there").0, &last);
            }
        }
    }
}
