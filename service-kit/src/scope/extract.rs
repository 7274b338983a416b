//! How a handler gets its scope: by naming it among its arguments.

use std::sync::Arc;

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::{FromRef, FromRequestParts, MatchedPath, RawPathParams};
use chrono::Utc;
use events::PatientId;
use http::{HeaderMap, header::AUTHORIZATION, request::Parts};

use super::{Authenticated, Authority, ClinicScope, PlatformScope};
use crate::{context::RequestContext, problem::Problem};

/// The path parameter that names a clinic.
const SLUG: &str = "slug";
/// The part of a route that names a patient, and the parameter in it.
const PATIENT: &str = "/patients/{id}";
const ID: &str = "id";
/// The security scheme of the OpenAPI document.
pub(crate) const BEARER: &str = "access_token";

impl<S> FromRequestParts<S> for Authenticated
where
    Authority: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let authority = Authority::from_ref(state);
        let token = bearer(&parts.headers).ok_or_else(Problem::unauthenticated)?;
        let claims = authority.verifier.verify(token, Utc::now())?;
        let context = RequestContext::of(&parts.extensions, parts.uri.path());
        let (operation, named) = (operation(parts), patient(parts, state).await);
        Ok(Self { claims, context, operation, named, journal: authority.journal })
    }
}

/// The template only: ids stay out of the ledger's technical columns.
fn operation(parts: &Parts) -> Arc<str> {
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    format!("{} {route}", parts.method).into()
}

/// Whose record a path like `/clinic/{slug}/api/v1/patients/{id}/merge` names.
async fn patient<S: Send + Sync>(parts: &mut Parts, state: &S) -> Option<PatientId> {
    let route = parts.extensions.get::<MatchedPath>()?;
    if !route.as_str().contains(PATIENT) {
        return None;
    }
    let params = RawPathParams::from_request_parts(parts, state).await.ok()?;
    params.iter().find(|(name, _)| *name == ID)?.1.parse().ok().map(PatientId)
}

/// RFC 6750: one `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

impl<S> FromRequestParts<S> for ClinicScope
where
    Authority: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let who = Authenticated::from_request_parts(parts, state).await?;
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        let slug = params.iter().find(|(name, _)| *name == SLUG).map(|(_, slug)| slug.to_owned());
        Self::authorise(who, slug.ok_or_else(Problem::not_found)?).await
    }
}

impl<S> FromRequestParts<S> for PlatformScope
where
    Authority: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Self::authorise(Authenticated::from_request_parts(parts, state).await?).await
    }
}

fn needs_token(operation: &mut Operation) {
    let requirement = [(BEARER.to_owned(), Vec::new())].into_iter().collect();
    if !operation.security.contains(&requirement) {
        operation.security.push(requirement);
    }
}

impl OperationInput for Authenticated {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        needs_token(operation);
    }
}

impl OperationInput for ClinicScope {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        needs_token(operation);
        crate::docs::path_parameter(ctx, operation, SLUG, "The clinic; it must be the token's.");
    }
}

impl OperationInput for PlatformScope {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        needs_token(operation);
    }
}
