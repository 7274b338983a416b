//! `?replay=`: the parameter that asks a clinic as it was.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::{FromRequestParts, OriginalUri};
use http::request::Parts;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    json::pairs,
    problem::{INVALID_PARAMETER, Problem},
};

/// The parameter's name.
pub(crate) const REPLAY: &str = "replay";

/// The replay that a request names. Who takes it answers from the replay; to an operation that does not, the parameter
/// is unknown, as any other is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayParameter(pub Option<Uuid>);

/// In a request's extensions: the parameter was taken.
#[derive(Clone, Copy)]
struct Taken;

/// Whether the parameter is somebody's already.
pub(crate) fn is_taken(parts: &Parts) -> bool {
    parts.extensions.get::<Taken>().is_some()
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Parameter {
    /// Asks the clinic as it was: the id of a replay that is ready. Then `Casebook-Position` is the replay's, and
    /// what depends on the time of day is told for the replay's instant.
    replay: Option<Uuid>,
}

impl<S: Send + Sync> FromRequestParts<S> for ReplayParameter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // A nested router sees a shortened address.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        let replay = read(uri.query().unwrap_or_default())?;
        parts.extensions.insert(Taken);
        Ok(Self(replay))
    }
}

fn read(query: &str) -> Result<Option<Uuid>, Problem> {
    let given: Vec<String> =
        pairs(query)?.into_iter().filter(|(name, _)| name == REPLAY).map(|(_, value)| value).collect();
    match given.as_slice() {
        [] => Ok(None),
        [one] => {
            let id = Uuid::try_parse(one).map_err(|_| Problem::parameter(REPLAY, "Expected the id of a replay."))?;
            Ok(Some(id))
        }
        _ => Err(Problem::new(INVALID_PARAMETER).detail("A query is asked of one replay.")),
    }
}

impl OperationInput for ReplayParameter {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        axum::extract::Query::<Parameter>::operation_input(ctx, operation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_one_replay_or_none() {
        let id = Uuid::from_u128(7);
        assert_eq!(read("status=active").unwrap(), None);
        assert_eq!(read(&format!("status=active&replay={id}")).unwrap(), Some(id));
        for wrong in ["replay=", "replay=7", &format!("replay={id}&replay={id}")] {
            assert_eq!(read(wrong).unwrap_err().code(), "invalid-parameter", "{wrong}");
        }
    }
}
