//! The query string, read strictly.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::FromRequestParts;
use http::request::Parts;
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

use super::refusal::{Complaint, pointer};
use crate::{
    problem::{FieldError, INVALID_PARAMETER, Problem},
    replay::{self, REPLAY},
};

const AS_OF: &str = "as_of";
/// What to do instead, where the past was asked for of what is not one patient's.
const OF_ONE_PATIENT: &str = "Only what is about one patient takes `as_of`. The whole clinic as it was is asked with \
                              `replay`: see `POST …/audit/replays`.";

/// The parameters of the query; `T` denies unknown fields. Anything that `T` does not take is 400.
/// Lists use [`crate::page::ListQuery`] instead, which adds `limit` and `cursor`.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

/// For operations that take no parameter of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoFilters {}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut pairs = pairs(parts.uri.query().unwrap_or_default())?;
        pairs.retain(|(name, _)| !replay::is_taken(parts) || name != REPLAY);
        parse_pairs(&pairs).map(Self)
    }
}

impl<T: JsonSchema> OperationInput for Query<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        axum::extract::Query::<T>::operation_input(ctx, operation);
    }
}

/// Decoded names and values of a query string, in their order; 400 where it is none.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|_| Problem::new(INVALID_PARAMETER))?;
    match pairs.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
        true => Err(Problem::new(INVALID_PARAMETER).detail("Parameters must not contain the character U+0000.")),
        false => Ok(pairs),
    }
}

pub(crate) fn parse_pairs<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Problem> {
    let encoded = serde_urlencoded::to_string(pairs).map_err(Problem::internal)?;
    let source = serde_urlencoded::Deserializer::new(form_urlencoded::parse(encoded.as_bytes()));
    serde_path_to_error::deserialize(source).map_err(|error: serde_path_to_error::Error<_>| {
        let place = pointer(error.path());
        let (place, detail) = match Complaint::read(&error.inner().to_string()) {
            Complaint::Malformed { code: "unknown-field", field: Some(name), .. } if name == AS_OF => {
                (format!("/{name}"), OF_ONE_PATIENT.to_owned())
            }
            Complaint::Malformed { detail, field, .. } => (field.map_or(place, |name| format!("/{name}")), detail),
            Complaint::Refused(detail) => (place, detail),
        };
        Problem::new(INVALID_PARAMETER).error(FieldError::new(place, "invalid-parameter", detail))
    })
}
