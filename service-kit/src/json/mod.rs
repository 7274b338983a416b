//! Extractors for bodies, paths and queries that answer problem+json, and the JSON answer.

mod query;
mod refusal;

use aide::{
    OperationInput, OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as ApiResponse},
};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header::CONTENT_TYPE, request::Parts};
pub use query::pairs;
pub(crate) use query::parse_pairs;
pub use query::{NoFilters, Query};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::problem::{BODY_TOO_LARGE, FieldError, MALFORMED, Problem, StatusCode, UNSUPPORTED_MEDIA_TYPE};

/// What an empty body stands for.
const EMPTY_OBJECT: &[u8] = b"{}";

/// A JSON body, of a request or of an answer.
///
/// As an extractor: 415 for another media type, 413 past the body limit, 400 `malformed` for what does not have
/// the documented shape, 422 `invalid` for what a value type refuses, each with a JSON pointer. An empty body
/// is read as `{}`, so that a command without fields needs none.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// A JSON body and the bytes that it was read from, for whoever takes a fingerprint of them.
#[derive(Clone, Debug)]
pub struct JsonBytes<T> {
    pub value: T,
    /// As they were sent; `{}` for an empty body.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        JsonBytes::from_request(request, state).await.map(|body| Self(body.value))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBytes<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media_type = media_type(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(BODY_TOO_LARGE),
            _ => Problem::malformed("The body could not be read."),
        })?;
        let bytes = match media_type {
            MediaType::Json if !bytes.is_empty() => bytes,
            MediaType::Json | MediaType::Unsaid if bytes.is_empty() => Bytes::from_static(EMPTY_OBJECT),
            _ => return Err(Problem::new(UNSUPPORTED_MEDIA_TYPE)),
        };
        Ok(Self { value: parse(&bytes)?, bytes })
    }
}

/// Reads a JSON document as [`Json`] does, for callers that need the bytes themselves as well.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if let Some(pointer) = refusal::nul_pointer(body) {
        let error = FieldError::new(pointer, "nul", "Text must not contain the character U+0000.");
        return Err(Problem::new(MALFORMED).error(error));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| refusal::body_refusal(&error))?;
    json.end().map_err(|_| Problem::malformed("The body goes on after the JSON document."))?;
    Ok(value)
}

enum MediaType {
    Json,
    Other,
    Unsaid,
}

fn media_type(headers: &HeaderMap) -> MediaType {
    let Some(value) = headers.get(CONTENT_TYPE) else { return MediaType::Unsaid };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.strip_prefix("application/") {
        Some(subtype) if subtype == "json" || subtype.ends_with("+json") => MediaType::Json,
        _ => MediaType::Other,
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}

impl<T: JsonSchema> OperationInput for Json<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        axum::Json::<T>::operation_input(ctx, operation);
    }
}

impl<T: JsonSchema> OperationInput for JsonBytes<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        axum::Json::<T>::operation_input(ctx, operation);
    }
}

impl<T: JsonSchema> OperationOutput for Json<T> {
    type Inner = T;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<ApiResponse> {
        axum::Json::<T>::operation_response(ctx, operation)
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, ApiResponse)> {
        axum::Json::<T>::inferred_responses(ctx, operation)
    }
}

/// The parameters of the path. One that cannot be read names nothing: 404.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        use axum::extract::rejection::PathRejection;
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|rejection| match rejection {
            PathRejection::FailedToDeserializePathParams(_) => Problem::not_found(),
            // A route without the parameter that its handler names.
            other => Problem::internal(other),
        })
    }
}

impl<T: JsonSchema> OperationInput for Path<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        axum::extract::Path::<T>::operation_input(ctx, operation);
    }
}

#[cfg(test)]
mod tests;
