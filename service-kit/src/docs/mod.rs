//! The OpenAPI document, and a page that shows it without asking any other host.

mod collected;
mod html;
mod page;
mod problems;
mod refusals;
mod schema;

use std::sync::Arc;

use aide::{
    axum::ApiRouter,
    generate::GenContext,
    openapi::{OpenApi, Operation, Parameter, ParameterData, ParameterSchemaOrContent, PathStyle, SchemaObject},
    operation::add_parameters,
};
use axum::{
    Router,
    body::Bytes,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
pub use collected::Collected;
use http::{HeaderValue, header};
use tower_http::compression::CompressionLayer;

use crate::{
    json::Path,
    problem::{self, Kind, Problem},
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
    /// The documentation of an API that is one router; of several, see [`Collected`].
    pub fn of<S: Clone + Send + Sync + 'static>(
        router: ApiRouter<S>,
        about: About,
        rules: &[&[Kind]],
    ) -> (Router<S>, Self) {
        let mut collected = Collected::default();
        let router = collected.take(router);
        (router, collected.finish(about, rules))
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
