//! How a handler asks: by naming a [`Reader`] among its arguments.

use std::sync::Arc;

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::FromRequestParts;
use event_store::{StoredRow, feed::Opener, position::PositionWatch, stored_row};
use http::request::Parts;
use serde::de::DeserializeOwned;
use service_kit::{Capability, ClinicScope, Grant, Need, Problem, Reach, headers::MinPosition};

use crate::{
    QueryState, fresh,
    scope::{Reflected, Scoped, Select, Source},
};

/// An authorised request for what one clinic's read models say, as new as it asks for.
#[derive(Clone)]
pub struct Reader {
    scope: ClinicScope,
    scoped: Scoped,
    at_least: MinPosition,
    watch: PositionWatch,
    opener: Arc<dyn Opener>,
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
        self.wait(select.source()).await?;
        self.scoped.run(select).await
    }

    /// Rows of the log as they are stored.
    pub(crate) async fn log(&self, select: Select) -> Result<Reflected<Vec<StoredRow>>, Problem> {
        self.wait(select.source()).await?;
        self.scoped.run_as(select, stored_row).await
    }

    /// The same, where the position does not matter.
    pub(crate) async fn stored(&self, select: Select) -> Result<Vec<StoredRow>, Problem> {
        Ok(self.log(select).await?.value)
    }

    pub(crate) fn opener(&self) -> &dyn Opener {
        &*self.opener
    }

    async fn wait(&self, source: Source) -> Result<(), Problem> {
        match self.at_least.0 {
            Some(position) => fresh::reached(&self.scoped, &self.watch, source, position).await,
            None => Ok(()),
        }
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
        let (watch, opener) = (state.watch.clone(), state.opener.clone());
        Ok(Self { scoped: Scoped::of(&state.db, &scope), scope, at_least, watch, opener })
    }
}

impl OperationInput for Reader {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        ClinicScope::operation_input(ctx, operation);
        MinPosition::operation_input(ctx, operation);
    }
}
