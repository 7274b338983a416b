//! How a handler asks: by naming a [`Reader`] among its arguments.

use std::sync::{Arc, OnceLock};

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::FromRequestParts;
use event_store::{Store, StoredRow, feed::Opener, position::PositionWatch, stored_row};
use events::access::{Moment, Parameters};
use http::request::Parts;
use serde::de::DeserializeOwned;
use service_kit::{Capability, ClinicScope, Grant, Need, Problem, Reach, headers::MinPosition};

use crate::{
    QueryState,
    disclosure::Asked,
    fresh,
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
    store: Store,
    asked: Arc<Asked>,
    moment: Arc<OnceLock<Moment>>,
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

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Says at which moment of the record this request looks, for its access record. Only the first counts.
    pub(crate) fn looks_at(&self, moment: Moment) {
        let _ = self.moment.set(moment);
    }

    /// `None`: at the present.
    pub(crate) fn moment(&self) -> Option<Moment> {
        self.moment.get().copied()
    }

    /// The request's parameters as an access record has them: what somebody typed is hashed with the clinic's key.
    pub(crate) async fn parameters(&self) -> Result<Parameters, Problem> {
        if !self.asked.has_words() {
            return Ok(self.asked.parameters(None));
        }
        let keys = self.store.vault().clinic(self.scope.clinic()).await;
        let keys = keys.map_err(|error| Problem::unavailable("keys", error))?;
        Ok(self.asked.parameters(Some(&keys)))
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
        let asked = Arc::new(Asked::of(parts, state).await?);
        let QueryState { db, watch, opener, store, .. } = state.clone();
        let moment = Arc::default();
        Ok(Self { scoped: Scoped::of(&db, &scope), scope, at_least, watch, opener, store, asked, moment })
    }
}

impl OperationInput for Reader {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        ClinicScope::operation_input(ctx, operation);
        MinPosition::operation_input(ctx, operation);
    }
}
