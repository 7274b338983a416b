//! What a request asks for, as its access record says it: the resource that the path names, and the parameters.

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams};
use event_store::ClinicKeys;
use events::{
    AggregateKind,
    access::{Parameter, Parameters, Shown},
};
use http::request::Parts;
use read_models::search::fold_text;
use service_kit::{Problem, json::pairs};
use uuid::Uuid;

/// Parameters whose values are ids, days, instants, numbers and codes. The values of all others are hashed: a new
/// one gets into the ledger in clear only by being named here.
const IN_CLEAR: [&str; 23] = [
    "action",
    "actor",
    "as_of",
    "category",
    "date",
    "day",
    "doctor",
    "from",
    "gender",
    "kind",
    "ledger",
    "limit",
    "office",
    "outcome",
    "patient",
    "position",
    "replay",
    "resource",
    "resource_id",
    "sort",
    "status",
    "to",
    "visit",
];
/// Says where a page begins, in a form that may hold names.
const CURSOR: &str = "cursor";
const ID: &str = "id";
/// Says nothing that the record's clinic does not.
const SLUG: &str = "slug";

#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    resource: Option<(AggregateKind, Uuid)>,
    parameters: Vec<(String, String)>,
}

impl Asked {
    pub(crate) async fn of<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        let id = params.iter().find(|(name, _)| *name == ID).and_then(|(_, id)| id.parse().ok());
        let kind = parts.extensions.get::<MatchedPath>().and_then(|route| kind(route.as_str()));
        let mut parameters = pairs(parts.uri.query().unwrap_or_default())?;
        parameters.retain(|(name, _)| name != CURSOR);
        let named = params.iter().filter(|(name, _)| ![ID, SLUG].contains(name));
        parameters.extend(named.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Ok(Self { resource: kind.zip(id), parameters })
    }

    pub(super) fn resource(&self, version: Option<i64>) -> Option<Shown> {
        self.resource.map(|(kind, id)| Shown { kind, id, version })
    }

    /// Whether a key is needed to write the parameters down.
    pub(crate) fn has_words(&self) -> bool {
        self.parameters.iter().any(|(name, _)| !is_clear(name))
    }

    /// `keys` hash what somebody typed; without them it is left out.
    pub(crate) fn parameters(&self, keys: Option<&ClinicKeys>) -> Parameters {
        let written = |name: &str, value: &str| match is_clear(name) {
            true => Some(Parameter::Plain(value.to_owned())),
            false => keys.map(|keys| Parameter::Hashed(keys.search_hash(name, &fold_text(value)))),
        };
        let entries = self.parameters.iter();
        entries.filter_map(|(name, value)| Some((name.clone(), written(name, value)?))).collect()
    }
}

fn is_clear(name: &str) -> bool {
    IN_CLEAR.contains(&name)
}

/// The kind of resource whose id a route's template names: `…/lab-orders/{id}/…`.
fn kind(route: &str) -> Option<AggregateKind> {
    let (before, _) = route.split_once("/{id}")?;
    let (_, collection) = before.rsplit_once('/')?;
    let name = collection.replace('-', "_");
    let singular = match name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => name.strip_suffix('s').unwrap_or(&name).to_owned(),
    };
    singular.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_route_tells_what_was_asked_for() {
        let under = |rest: &str| kind(&format!("/clinic/{{slug}}/api/v1{rest}"));
        assert_eq!(under("/patients/{id}"), Some(AggregateKind::Patient));
        assert_eq!(under("/patients/{id}/appointments"), Some(AggregateKind::Patient));
        assert_eq!(under("/staff/{id}"), Some(AggregateKind::Staff));
        assert_eq!(under("/patients/search"), None);
        assert_eq!(under("/audit/replays/{id}"), None);
    }

    #[test]
    fn what_nobody_has_thought_about_is_not_written_in_clear() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let asked = Asked { parameters: vec![pair("day", "2026-03-14"), pair("q", "Sharma")], ..Asked::default() };
        assert!(asked.has_words());
        let day = Parameter::Plain("2026-03-14".to_owned());
        assert_eq!(asked.parameters(None), Parameters::from([("day".to_owned(), day)]));
    }
}
