//! How a handler asks: by naming a [`Reader`] among its arguments.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use service_kit::{Capability, ClinicScope, Grant, Need, Problem, Reach, headers::MinPosition};

use crate::{
    QueryState, fresh,
    scope::{Reflected, Scoped, Select},
};

/// An authorised request for what one clinic's read models say, as new as it asks for.
#[derive(Clone)]
pub struct Reader {
    scope: ClinicScope,
    scoped: Scoped,
    at_least: MinPosition,
}

impl Reader {
    pub fn scope(&self) -> &ClinicScope {
        &self.scope
    }

    /// Whether the roles allow any of it to be read, and how far; else 403, recorded.
    pub async fn may_read(&self, capability: Capability) -> Result<Reach, Problem> {
        Ok(self.scope.require(capability, Need::Read).await?.read)
    }

    /// 403, recorded: for what a limited grant does not cover.
    pub async fn refuse(&self, capability: Capability) -> Problem {
        self.scope.refuse(capability, Need::Read).await
    }

    pub fn grant(&self, capability: Capability) -> Grant {
        self.scope.grant(capability)
    }

    pub async fn all<T: DeserializeOwned>(&self, select: Select) -> Result<Reflected<Vec<T>>, Problem> {
        if let Some(position) = self.at_least.0 {
            fresh::reached(&self.scoped, select.source(), position).await?;
        }
        self.scoped.run(select).await
    }

    pub async fn one<T: DeserializeOwned>(&self, select: Select) -> Result<Reflected<Option<T>>, Problem> {
        Ok(self.all(select).await?.map(|rows| rows.into_iter().next()))
    }
}

impl FromRequestParts<QueryState> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &QueryState) -> Result<Self, Problem> {
        let scope = ClinicScope::from_request_parts(parts, state).await?;
        let at_least = MinPosition::from_request_parts(parts, state).await?;
        Ok(Self { scoped: Scoped::of(&state.db, &scope), scope, at_least })
    }
}

impl OperationInput for Reader {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        ClinicScope::operation_input(ctx, operation);
        MinPosition::operation_input(ctx, operation);
    }
}
