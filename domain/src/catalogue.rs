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
