//! The OpenAPI document, and a page that shows it without asking any other host.

mod html;
mod page;
mod problems;
mod schema;

use std::sync::Arc;

use aide::{
    axum::ApiRouter,
    generate::GenContext,
    openapi::{
        OpenApi, Operation, Parameter, ParameterData, ParameterSchemaOrContent, PathStyle, ReferenceOr, SchemaObject,
        SecurityScheme, Server,
    },
    operation::add_parameters,
};
use axum::{
    Router,
    body::Bytes,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderValue, header};
use tower_http::compression::CompressionLayer;

use crate::{
    json::Path,
    problem::{self, Kind, Problem},
    scope::BEARER,
};

/// A build never changes its documentation, but another build may come soon.
const CACHE: &str = "public, max-age=300";

/// What the document says about itself.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub title: &'static str,
    pub version: &'static str,
    /// A few sentences for who opens `/docs` the first time.
    pub description: &'static str,
}

/// The documentation of a complete API, made once at the start.
#[derive(Clone)]
pub struct Docs {
    openapi: Bytes,
    page: Bytes,
    policy: HeaderValue,
    codes: Arc<[&'static str]>,
}

impl Docs {
    /// Takes the documentation out of a router. `rules` are the services' own kinds of problem. It is made on the
    /// thread that built the router, where the schemas were collected.
    pub fn of<S: Clone + Send + Sync + 'static>(
        router: ApiRouter<S>,
        about: About,
        rules: &[&[Kind]],
    ) -> (Router<S>, Self) {
        let mut document = OpenApi::default();
        let router = router.finish_api_with(&mut document, |api| {
            let api = api.title(about.title).version(about.version).description(about.description);
            let here = Server { url: "/".to_owned(), ..Default::default() };
            api.server(here).security_scheme(BEARER, bearer_scheme())
        });
        name_operations(&mut document);
        (router, Self::render(&document, problems::all(rules)))
    }

    fn render(document: &OpenApi, kinds: Vec<Kind>) -> Self {
        // Our own document always has a JSON form; an empty one would be seen by the first test that looks.
        let value = serde_json::to_value(document).unwrap_or_default();
        let openapi = serde_json::to_string_pretty(&value).unwrap_or_default();
        let (page, policy) = (page::render(&value, &kinds), page::policy());
        Self { openapi: openapi.into(), page: page.into(), policy, codes: kinds.iter().map(|kind| kind.code).collect() }
    }

    /// The OpenAPI 3.1 document, as it is served and as it is kept in the repository.
    pub fn openapi(&self) -> &[u8] {
        &self.openapi
    }

    /// `/openapi.json`, `/docs`, and `/docs/problems/{code}`, which every problem's `type` points at.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let (document, page, problems) = (self.clone(), self.clone(), self.clone());
        Router::new()
            .route("/openapi.json", get(async move || document.answer_document()))
            .route("/docs", get(async move || page.answer_page()))
            .route("/docs/problems/{code}", get(async move |code: Path<String>| problems.answer_problem(&code.0)))
            .layer(CompressionLayer::new())
    }

    fn answer_document(&self) -> Response {
        let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, CACHE)];
        (headers, self.openapi.clone()).into_response()
    }

    fn answer_page(&self) -> Response {
        let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, CACHE)];
        (headers, [(header::CONTENT_SECURITY_POLICY, self.policy.clone())], self.page.clone()).into_response()
    }

    fn answer_problem(&self, code: &str) -> Response {
        match self.codes.iter().find(|known| **known == code) {
            Some(code) => Redirect::to(&format!("/docs#problem-{code}")).into_response(),
            None => Problem::new(problem::NOT_FOUND).into_response(),
        }
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

/// Names for generated clients: `post_clinic_patients_id_merge`. One that a handler gave itself stays.
fn name_operations(document: &mut OpenApi) {
    for (path, item) in document.paths.iter_mut().flat_map(|paths| &mut paths.paths) {
        let ReferenceOr::Item(item) = item else { continue };
        let operations = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                operation.operation_id.get_or_insert_with(|| operation_name(method, path));
            }
        }
    }
}

fn operation_name(method: &str, path: &str) -> String {
    let words = path.split('/').filter(|word| !matches!(*word, "" | "api" | "v1" | "{slug}"));
    let words = words.map(|word| word.trim_matches(['{', '}']).replace(['-', '.'], "_"));
    std::iter::once(method.to_owned()).chain(words).collect::<Vec<_>>().join("_")
}

/// Adds a path parameter to the documentation of an operation.
pub(crate) fn path_parameter(ctx: &mut GenContext, operation: &mut Operation, name: &str, about: &str) {
    let json_schema = ctx.schema.subschema_for::<String>();
    let schema = SchemaObject { json_schema, external_docs: None, example: None };
    let parameter_data = ParameterData {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        required: true,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(schema),
        example: None,
        examples: Default::default(),
        explode: None,
        extensions: Default::default(),
    };
    add_parameters(ctx, operation, [Parameter::Path { parameter_data, style: PathStyle::Simple }]);
}

#[cfg(test)]
mod tests;
