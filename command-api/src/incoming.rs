//! All that a command's request carries besides who sent it.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::{Method, request::Parts};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use service_kit::{Path, Problem, etag::IfMatch, headers::IdempotencyKey, json::JsonBytes};
use uuid::Uuid;

/// `T` is what the path names: [`WithId`], or [`Whole`] for a collection or the clinic itself.
pub struct Incoming<C, T> {
    pub method: Method,
    pub path: String,
    pub target: T,
    pub key: IdempotencyKey,
    pub if_match: IfMatch,
    pub body: JsonBytes<C>,
}

impl<C, T> Incoming<C, T> {
    /// The same request, with what its body stands for.
    pub fn standing_for<D>(self, value: D) -> Incoming<D, T> {
        let Self { method, path, target, key, if_match, body } = self;
        Incoming { method, path, target, key, if_match, body: JsonBytes { value, bytes: body.bytes } }
    }
}

/// The path names no resource.
pub struct Whole;

/// The path names a resource by its id.
pub struct WithId(pub Uuid);

#[derive(Deserialize, JsonSchema)]
struct IdInPath {
    /// Of the resource.
    id: Uuid,
}

impl<S: Send + Sync> FromRequestParts<S> for Whole {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self)
    }
}

impl OperationInput for Whole {}

impl<S: Send + Sync> FromRequestParts<S> for WithId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(IdInPath { id }) = Path::from_request_parts(parts, state).await?;
        Ok(Self(id))
    }
}

impl OperationInput for WithId {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Path::<IdInPath>::operation_input(ctx, operation);
    }
}

impl<C, T, S> FromRequest<S> for Incoming<C, T>
where
    C: DeserializeOwned,
    T: FromRequestParts<S, Rejection = Problem> + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let target = T::from_request_parts(&mut parts, state).await?;
        let key = IdempotencyKey::from_request_parts(&mut parts, state).await?;
        let if_match = IfMatch::from_request_parts(&mut parts, state).await?;
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let body = JsonBytes::from_request(Request::from_parts(parts, body), state).await?;
        Ok(Self { method, path, target, key, if_match, body })
    }
}

impl<C: JsonSchema, T: OperationInput> OperationInput for Incoming<C, T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        T::operation_input(ctx, operation);
        IdempotencyKey::operation_input(ctx, operation);
        IfMatch::operation_input(ctx, operation);
        JsonBytes::<C>::operation_input(ctx, operation);
    }
}
