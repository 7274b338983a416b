//! How a problem is written.

use std::borrow::Cow;

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{MediaType, Operation, Response as ApiResponse, SchemaObject},
};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header::CONTENT_TYPE};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{FieldError, Problem};
use crate::context::RequestContext;

pub const PROBLEM_JSON: &str = "application/problem+json";
/// `type` is this path and a code that `/docs` explains.
const TYPE_PATH: &str = "/docs/problems/";

/// RFC 9457 problem details.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemBody {
    /// Address of the explanation of `code`, or of the kind of problem that it is a case of.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: Cow<'static, str>,
    pub status: u16,
    /// What is particular to this occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Cow<'static, str>>,
    /// Path of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Stable; decide on it.
    pub code: Cow<'static, str>,
    /// What to name when asking for help; also on every event that the request recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Further members, by code: `limit`, `used`, `alternatives`, …
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl Problem {
    /// The written form, with path and correlation id of the request that is being answered.
    pub fn body(&self) -> ProblemBody {
        let context = RequestContext::current();
        let parts = &*self.0;
        ProblemBody {
            kind: format!("{TYPE_PATH}{}", parts.kind.explained_at),
            title: parts.kind.title.into(),
            status: parts.kind.status.as_u16(),
            detail: parts.detail.clone(),
            instance: context.as_ref().map(|context| context.path.to_string()),
            code: parts.kind.code.into(),
            correlation_id: context.map(|context| context.correlation_id),
            errors: parts.errors.clone(),
            members: parts.members.clone(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = (self.0.kind.status, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response.headers_mut().extend(self.0.headers);
        response
    }
}

impl OperationOutput for Problem {
    type Inner = ProblemBody;

    fn operation_response(ctx: &mut GenContext, _: &mut Operation) -> Option<ApiResponse> {
        let json_schema = ctx.schema.subschema_for::<ProblemBody>();
        let schema = Some(SchemaObject { json_schema, example: None, external_docs: None });
        Some(ApiResponse {
            description: "Refused or failed; `code` says why.".to_owned(),
            content: [(PROBLEM_JSON.to_owned(), MediaType { schema, ..Default::default() })].into_iter().collect(),
            ..Default::default()
        })
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, ApiResponse)> {
        Self::operation_response(ctx, operation).map(|response| (None, response)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::problem::{ALL, causes};

    async fn written(problem: Problem) -> Value {
        let bytes = problem.into_response().into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn a_problem_has_the_members_of_rfc_9457_and_its_own() {
        let body = written(Problem::quota_exceeded(5, 5).detail("doctors")).await;
        assert_eq!(
            body,
            serde_json::json!({
                "type": "/docs/problems/quota-exceeded", "title": "The plan's limit is reached", "status": 403,
                "detail": "doctors", "code": "quota-exceeded", "limit": 5, "used": 5
            })
        );
    }

    #[tokio::test]
    async fn a_failure_shows_nothing_of_its_cause() {
        let io = std::io::Error::other("disk of clinic 7 is full");
        let body = written(Problem::internal(io)).await;
        assert_eq!(body["code"], "internal");
        assert!(!body.to_string().contains("disk"));
    }

    #[test]
    fn every_kind_is_answered_with_its_status_and_media_type() {
        for kind in ALL {
            let response = Problem::new(*kind).into_response();
            assert_eq!(
                (response.status(), &response.headers()[CONTENT_TYPE]),
                (kind.status, &PROBLEM_JSON.parse().unwrap())
            );
        }
    }

    #[test]
    fn a_lost_connection_is_a_503_with_retry_after_and_another_database_error_a_500() {
        let lost = Problem::from(sqlx::Error::PoolTimedOut).into_response();
        assert_eq!((lost.status().as_u16(), &lost.headers()["retry-after"]), (503, &HeaderValue::from_static("2")));
        assert_eq!(Problem::from(sqlx::Error::RowNotFound).status().as_u16(), 500);
    }

    #[test]
    fn causes_are_told_once_each() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        assert_eq!(causes(&Outer(std::io::Error::other("inner"))), "outer: inner");
    }
}
