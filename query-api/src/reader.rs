//! How a handler asks: by naming a [`Reader`] among its arguments.

use std::sync::{Arc, OnceLock};

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::FromRequestParts;
use chrono::{DateTime, Utc};
use event_store::{Store, StoredRow, feed::Opener, position::PositionWatch, stored_row};
use events::{
    EmergencyAccessId, PatientId,
    access::{Moment, Parameters},
};
use http::request::Parts;
use serde::de::DeserializeOwned;
use service_kit::{
    Capability, ClinicScope, Grant, Need, Problem, Reach, headers::MinPosition, replay::ReplayParameter,
};

use crate::{
    QueryState,
    disclosure::{Asked, Ledger},
    fresh,
    glass::Glass,
    replay::{self, Replay},
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
    ledger: Arc<dyn Ledger>,
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

    /// The past of the whole clinic; else 403, recorded.
    pub(crate) async fn may_replay(&self) -> Result<(), Problem> {
        match self.may_read(Capability::Replay).await?.is_everything() {
            true => Ok(()),
            false => Err(self.refuse(Capability::Replay).await),
        }
    }

    /// The emergency access by which the asker has the record of one of these patients open, as far as the statements
    /// of this request have said.
    pub(crate) fn emergency(&self, patients: &[PatientId]) -> Option<EmergencyAccessId> {
        self.scoped.glass().opened(patients)
    }

    /// Whose records the asker has open by emergency accesses, as far as the statements of this request have said.
    pub(crate) fn opened(&self) -> Vec<PatientId> {
        self.scoped.glass().patients()
    }

    /// Whether the asker can have broken glass at all.
    pub(crate) fn may_break_glass(&self) -> bool {
        Glass::may_be_broken_by(&self.scope)
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

    pub(crate) fn ledger(&self) -> &dyn Ledger {
        &*self.ledger
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

    /// The replay that the request is asked of; `None`: the clinic as it is.
    pub fn replay(&self) -> Option<&Replay> {
        self.scoped.replay()
    }

    /// The same request of the clinic as it is; `None` where it is that already.
    pub(crate) fn present(&self) -> Option<Self> {
        self.replay()?;
        Some(Self { scoped: self.scoped.clone().in_present(), ..self.clone() })
    }

    /// What time it is for the asker: in a replay the replay's instant.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.replay().map_or_else(Utc::now, |replay| replay.instant)
    }

    /// Of the clinic as it is.
    async fn of(parts: &mut Parts, state: &QueryState) -> Result<Self, Problem> {
        let scope = ClinicScope::from_request_parts(parts, state).await?;
        let at_least = MinPosition::from_request_parts(parts, state).await?;
        let asked = Arc::new(Asked::of(parts, state).await?);
        let QueryState { db, watch, opener, store, ledger, .. } = state.clone();
        let moment = Arc::default();
        Ok(Self { scoped: Scoped::of(&db, &scope), scope, at_least, watch, opener, store, ledger, asked, moment })
    }

    async fn wait(&self, source: Source) -> Result<(), Problem> {
        match (self.at_least.0, self.replay()) {
            (None, _) => Ok(()),
            (Some(position), Some(replay)) => replay.has_reached(position),
            (Some(position), None) => fresh::reached(&self.scoped, &self.watch, source, position).await,
        }
    }

    pub async fn one<T: DeserializeOwned>(&self, select: Select) -> Result<Reflected<Option<T>>, Problem> {
        Ok(self.all(select).await?.map(|rows| rows.into_iter().next()))
    }
}

impl FromRequestParts<QueryState> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &QueryState) -> Result<Self, Problem> {
        let mut reader = Self::of(parts, state).await?;
        if let ReplayParameter(Some(id)) = ReplayParameter::from_request_parts(parts, state).await? {
            reader.may_replay().await?;
            let replay = Replay::find(&reader.scoped, id).await?;
            reader.scoped = reader.scoped.in_replay(replay);
            reader.looks_at(Moment::Replay(id));
        }
        Ok(reader)
    }
}

impl OperationInput for Reader {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Live::operation_input(ctx, operation);
        ReplayParameter::operation_input(ctx, operation);
    }
}

/// A request for what has no past of its own, such as the audit trail: with `?replay=` it is refused.
pub struct Live(pub Reader);

impl FromRequestParts<QueryState> for Live {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &QueryState) -> Result<Self, Problem> {
        let reader = Reader::of(parts, state).await?;
        match ReplayParameter::from_request_parts(parts, state).await? {
            ReplayParameter(None) => Ok(Self(reader)),
            ReplayParameter(Some(_)) => Err(replay::is_of_the_present()),
        }
    }
}

impl OperationInput for Live {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        ClinicScope::operation_input(ctx, operation);
        MinPosition::operation_input(ctx, operation);
    }
}
