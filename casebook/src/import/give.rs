//! Gives commands by the path of every command, and knows when one was given before.

use std::time::Duration;

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use command_api::{
    Sent,
    execute::{Call, Executor, Failure, KeyedCall, Secret},
    keyed_call,
};
use domain::{Aggregate, State};
use event_store::{AppendError, StoreError};
use events::{Actor, ActorKind, Client, ClinicId, StreamId};
use reqwest::Method;
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    ids::Ids,
    report::{Refused, Stage},
};

/// How often a command is given again while the log cannot be reached, or is too busy.
const RETRIES_MAX: u32 = 8;
/// Before the first of them; twice as long before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
pub const AGENT: &str = concat!("casebook-import/", env!("CARGO_PKG_VERSION"));

/// Why something was not done.
#[derive(Debug)]
pub enum Stop {
    /// Goes into the report; the next line goes on.
    Refused(Refused),
    /// Ends the import.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// One step of a line.
pub struct Order<A: Aggregate> {
    pub stage: Stage,
    pub line: u64,
    /// Tells several steps of one stage and line apart.
    pub n: usize,
    pub target: StreamId,
    pub command: A::Command,
    pub occurred_at: DateTime<Utc>,
    pub secret: Option<Secret>,
}

/// Gives the commands of one clinic.
#[derive(Clone)]
pub struct Giver {
    pub executor: Executor,
    pub ids: Ids,
    pub clinic: ClinicId,
    /// The clinic was registered by this run: nothing lies under an id that is new.
    pub fresh: bool,
    /// What all events of a run have in common.
    pub run: Uuid,
}

impl Giver {
    /// Gives a command. It is no error when an earlier run gave it.
    pub async fn give<A>(&self, order: Order<A>) -> Result<(), Stop>
    where
        A: Aggregate,
        A::Command: Clone,
        for<'a> &'a A: TryFrom<&'a State>,
    {
        let (stage, line, target) = (order.stage, order.line, order.target);
        let refused = |code: &str, reason: &str| Refused { line, stage, code: code.into(), reason: reason.into() };
        if order.occurred_at > Utc::now() {
            return Err(Stop::Refused(refused("in-the-future", "It has not happened yet.")));
        }
        match execute(&self.executor, self.call(order).await?).await {
            Ok(()) | Err(Failure::KeyRecorded) => Ok(()),
            Err(Failure::Refused(_)) if self.recorded(target).await?.contains(&stage.event_type()) => Ok(()),
            Err(Failure::Refused(refusal)) => Err(Stop::Refused(refused(refusal.code, &refusal.detail))),
            Err(Failure::Erased) => Err(Stop::Refused(refused("erased", "The patient's record has been erased."))),
            Err(failure) => Err(Stop::Failed(anyhow!(failure).context(format!("line {line}, {stage}")))),
        }
    }

    /// The types of the events of a stream: how far earlier runs came with it.
    pub async fn recorded(&self, stream: StreamId) -> anyhow::Result<Vec<&'static str>> {
        let loaded = self.executor.store().load_stream(self.clinic, stream, 0).await?;
        Ok(loaded.events.iter().map(|recorded| recorded.event.event_type()).collect())
    }

    async fn call<A: Aggregate>(&self, order: Order<A>) -> Result<Call<A>, StoreError> {
        let Order { stage, line, n, target, command, occurred_at, secret } = order;
        let mut call = Call::new(self.clinic, target, stage.command(), command);
        call.actor = Actor { kind: ActorKind::Import, ..Actor::system() };
        call.client = Client { address: None, agent: Some(AGENT.to_owned()) };
        call.correlation_id = self.run;
        call.occurred_at = Some(occurred_at);
        call.fresh = self.fresh && stage.creates();
        call.secret = secret;
        call.idempotency = Some(self.keyed(stage, line, n).await?);
        Ok(call)
    }

    /// How the command is remembered: like one over HTTP, by a clinic that exists.
    async fn keyed(&self, stage: Stage, line: u64, n: usize) -> Result<KeyedCall, StoreError> {
        let kept_in = if stage == Stage::RegisterClinic { ClinicId::PLATFORM } else { self.clinic };
        let keys = self.executor.store().vault().clinic(kept_in).await?;
        let key = self.ids.key(line, &stage.to_string(), n);
        let sent = Sent { who: None, method: Method::POST, path: stage.command(), body: b"", key: Some(&key) };
        Ok(keyed_call(kept_in, &keys.idempotency_secret, &key, &sent))
    }
}

/// Runs a command, again where it may go well a moment later.
pub async fn execute<A>(executor: &Executor, call: Call<A>) -> Result<(), Failure>
where
    A: Aggregate,
    A::Command: Clone,
    for<'a> &'a A: TryFrom<&'a State>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 0..RETRIES_MAX {
        match executor.execute(call.clone()).await {
            Err(failure) if passes(&failure) => tracing::warn!(%failure, "trying again"),
            done => return done.map(drop),
        }
        sleep(pause).await;
        pause *= 2;
    }
    executor.execute(call).await.map(drop)
}

/// Whether it may go well a moment later.
fn passes(failure: &Failure) -> bool {
    matches!(failure, Failure::Busy | Failure::Log(AppendError::Unavailable(_)) | Failure::Store(_))
}
