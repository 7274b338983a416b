//! One document of an API whose services have each a state, and so a router, of their own.

use aide::{
    axum::ApiRouter,
    generate::in_context,
    openapi::{OpenApi, Operation, PathItem, ReferenceOr, Response, SecurityScheme, Server},
    operation::OperationOutput,
};
use axum::Router;
use indexmap::map::Entry;

use super::{About, Docs, problems, refusals};
use crate::{
    problem::{Kind, Problem},
    scope::BEARER,
};

/// What has been taken out of routers so far.
///
/// All routers are built before the first is taken, on one thread: the schemas are named while routers are built, and
/// handed over with the first.
#[derive(Default)]
pub struct Collected {
    document: OpenApi,
    problem: Option<Response>,
}

impl Collected {
    /// Takes the documentation out of a router. An address may be in several, with other methods.
    pub fn take<S: Clone + Send + Sync + 'static>(&mut self, router: ApiRouter<S>) -> Router<S> {
        if self.problem.is_none() {
            self.problem = in_context(|ctx| Problem::operation_response(ctx, &mut Operation::default()));
        }
        let mut taken = OpenApi::default();
        let router = router.finish_api(&mut taken);
        for (path, item) in taken.paths.into_iter().flat_map(|paths| paths.paths) {
            if let ReferenceOr::Item(item) = item {
                self.add(path, item);
            }
        }
        if let Some(components) = taken.components {
            self.document.components.get_or_insert_default().schemas.extend(components.schemas);
        }
        router
    }

    fn add(&mut self, path: String, item: PathItem) {
        match self.document.paths.get_or_insert_default().paths.entry(path) {
            Entry::Vacant(vacant) => drop(vacant.insert(ReferenceOr::Item(item))),
            Entry::Occupied(mut known) => {
                if let ReferenceOr::Item(known) = known.get_mut() {
                    known.merge_with(item);
                }
            }
        }
    }

    /// `rules` are the services' own kinds of problem.
    pub fn finish(mut self, about: About, rules: &[&[Kind]]) -> Docs {
        let document = &mut self.document;
        document.info.title = about.title.to_owned();
        document.info.version = about.version.to_owned();
        document.info.description = Some(about.description.to_owned());
        document.servers.push(Server { url: "/".to_owned(), ..Default::default() });
        let components = document.components.get_or_insert_default();
        components.security_schemes.insert(BEARER.to_owned(), ReferenceOr::Item(bearer_scheme()));
        let kinds = problems::all(rules);
        if let Some(problem) = &self.problem {
            components.responses.extend(refusals::responses(problem, &kinds));
        }
        for (path, method, operation) in operations(document) {
            operation.operation_id.get_or_insert_with(|| operation_name(method, path));
            refusals::document(path, method, operation);
        }
        Docs::render(document, kinds)
    }
}

fn bearer_scheme() -> SecurityScheme {
    SecurityScheme::Http {
        scheme: "bearer".to_owned(),
        bearer_format: Some("JWT".to_owned()),
        description: Some("The access token of a login; it lives 15 minutes.".to_owned()),
        extensions: Default::default(),
    }
}

/// Every operation with its address and method.
fn operations(document: &mut OpenApi) -> impl Iterator<Item = (&str, &'static str, &mut Operation)> {
    let items = document.paths.iter_mut().flat_map(|paths| &mut paths.paths);
    items.filter_map(|(path, item)| Some((path, item.as_item_mut()?))).flat_map(|(path, item)| {
        let methods = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        methods.into_iter().filter_map(move |(method, operation)| Some((path.as_str(), method, operation.as_mut()?)))
    })
}

/// Names for generated clients: `post_clinic_patients_id_merge`. One that a handler gave itself stays.
fn operation_name(method: &str, path: &str) -> String {
    let words = path.split('/').filter(|word| !matches!(*word, "" | "api" | "v1" | "{slug}"));
    let words = words.map(|word| word.trim_matches(['{', '}']).replace(['-', '.'], "_"));
    std::iter::once(method.to_owned()).chain(words).collect::<Vec<_>>().join("_")
}
