//! A single resource as it is answered: body, `ETag`, `Casebook-Position`, or 304.

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as ApiResponse},
};
use axum::response::{IntoResponse, Response};
use events::Position;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    etag::{ETag, IfNoneMatch},
    headers::position_header,
    json::Json,
};

/// One resource, as of a position of its clinic.
#[derive(Clone, Debug)]
pub struct Resource<T> {
    /// `None` when the client has it already.
    body: Option<T>,
    etag: ETag,
    position: Position,
}

impl<T> Resource<T> {
    /// `position` is what the answer reflects, `etag` what it shows.
    pub fn new(body: T, etag: ETag, position: Position) -> Self {
        Self { body: Some(body), etag, position }
    }

    /// What it shows.
    pub fn etag(&self) -> ETag {
        self.etag
    }

    /// 304 for a client that has exactly this.
    pub fn unless(self, known: &IfNoneMatch) -> Self {
        match known.has(self.etag) {
            true => Self { body: None, ..self },
            false => self,
        }
    }
}

impl<T: Serialize> IntoResponse for Resource<T> {
    fn into_response(self) -> Response {
        let headers = [self.etag.header(), position_header(self.position)];
        match self.body {
            Some(body) => (headers, Json(body)).into_response(),
            None => (StatusCode::NOT_MODIFIED, headers).into_response(),
        }
    }
}

impl<T: JsonSchema> OperationOutput for Resource<T> {
    type Inner = T;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<ApiResponse> {
        Json::<T>::operation_response(ctx, operation)
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, ApiResponse)> {
        let mut responses = Json::<T>::inferred_responses(ctx, operation);
        let unchanged = "What `If-None-Match` named is current.".to_owned();
        responses.push((Some(304), ApiResponse { description: unchanged, ..Default::default() }));
        responses
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::FromRequestParts;
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn what_the_client_has_is_not_sent_again() {
        let resource = Resource::new(serde_json::json!({"n": 1}), ETag::of_resource(3, 9), 12);
        let shown = resource.clone().into_response();
        assert_eq!((shown.status(), &shown.headers()["etag"]), (StatusCode::OK, &"\"3.9\"".parse().unwrap()));
        assert_eq!(shown.headers()["casebook-position"], "12");
        let known = "\"3.9\"";
        let request = http::Request::builder().header("if-none-match", known).body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let known = IfNoneMatch::from_request_parts(&mut parts, &()).await.unwrap();
        let unchanged = resource.unless(&known).into_response();
        assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
        assert!(unchanged.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
}
