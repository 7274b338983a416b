//! The one path of every command: load what the decision rests on, decide, append; and if a fact moved
//! in between, load and decide again.

mod cache;
mod call;
mod facts;
mod login;
mod mails;
mod plan;
mod secrets;
mod turns;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound, Utc};
use domain::{Aggregate, Clinic, Context, Decision, Facts, Pseudonyms, Refusal, State};
use event_store::{AppendError, Appended, Expectation, Store, StoreError};
use events::{
    ClinicId, Position, Recorded, StreamId,
    claim::{ClaimKey, Fact},
};
use uuid::Uuid;

use cache::StateCache;
pub use call::{Call, Guard, KeyedCall, Reached};
use facts::{Loader, Reuse};
pub use login::CurrentLogin;
use plan::{After, plan, version_after, version_of};
pub use secrets::{OneTime, Secret};
pub use turns::Turns;

/// How often a decision is made again before the caller is asked to come back. Each round means that
/// somebody else succeeded, so many rounds mean many successes elsewhere, not a standstill.
const MAX_TRIES: u32 = 50;
/// What the caller is told to wait after [`MAX_TRIES`].
pub const BUSY_RETRY_AFTER: Duration = Duration::from_secs(1);

/// What became of a command.
#[derive(Debug)]
pub struct Done {
    /// The stream's version after it.
    pub version: i64,
    pub position: Position,
    /// The body of the answer.
    pub answer: Vec<u8>,
    /// Empty where nothing had to be recorded.
    pub events: Vec<Recorded>,
}

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// `If-Match` named another version than the current one.
    #[error("the version is {current}")]
    StaleVersion { current: i64 },
    /// The caller's rights do not reach this far.
    #[error("outside the caller's rights")]
    Forbidden,
    /// The key was recorded while this command was decided: look it up.
    #[error("the idempotency key is recorded already")]
    KeyRecorded,
    #[error("the record has been erased")]
    Erased,
    #[error("too many others act on the same things")]
    Busy,
    #[error("a stream holds an event that cannot follow: {0:?}")]
    CorruptStream(StreamId),
    #[error("{0} brought no secret for a login that needs one")]
    NoSecret(&'static str),
    #[error("a decision about {0:?} asks for ever more facts")]
    TooManyReads(StreamId),
    #[error("the log refused the events: {0}")]
    Log(AppendError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What time it is.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Executes commands. One in a process; cheap to clone.
#[derive(Clone)]
pub struct Executor {
    store: Store,
    states: StateCache,
    turns: Arc<Turns>,
    clock: Clock,
}

/// A decision, and what it rests on.
struct Decided {
    decision: Decision,
    facts: Facts,
    expectations: Vec<Expectation>,
}

/// What earlier tries of a command lost, so that the next one reads it and can refuse in words.
#[derive(Default)]
struct Lost {
    contended: bool,
    claims: Vec<ClaimKey>,
}

impl Lost {
    fn claim(&mut self, claim: ClaimKey) {
        self.contended = true;
        self.claims.push(claim);
    }
}

impl Executor {
    pub fn new(store: Store) -> Self {
        Self { store, states: StateCache::default(), turns: Arc::default(), clock: Arc::new(Utc::now) }
    }

    /// The same, by another clock: a test does not wait until something falls due.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The time at which a command is decided that is given now: in whole microseconds, as the log and the read models
    /// keep times, so that what is asked of the past is told as it was then.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)().trunc_subsecs(6)
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Runs a command to its end. Commands on one stream take turns, so that they never fail each other.
    pub async fn execute<A>(&self, mut call: Call<A>) -> Result<Done, Failure>
    where
        A: Aggregate,
        A::Command: Clone,
        for<'a> &'a A: TryFrom<&'a State>,
    {
        let _turn = self.turns.take((call.clinic, call.target)).await;
        let seed = Uuid::now_v7();
        let mut lost = Lost::default();
        for _ in 0..MAX_TRIES {
            let decided = self.decide_surely(&call, seed, &lost).await?;
            if decided.decision.events.is_empty() {
                return self.already_so(&call, &decided);
            }
            let expectations = decided.expectations.clone();
            let (append, after) = plan(&call, seed, decided)?;
            match self.store.append(append).await {
                Ok(appended) => return Ok(self.done(&call, appended, after, &expectations)),
                Err(AppendError::KeyRecorded) => return Err(Failure::KeyRecorded),
                Err(AppendError::KeyDestroyed) => return Err(Failure::Erased),
                Err(AppendError::Moved(fact)) => {
                    // Where an id is not so fresh after all, its stream is read like any other.
                    call.fresh &= fact != Fact::Stream(call.target);
                    self.states.forget(call.clinic, &fact);
                }
                Err(AppendError::ClaimTaken(claim)) => lost.claim(claim),
                Err(AppendError::TimeTaken | AppendError::BoundPassed { .. }) => lost.contended = true,
                Err(error @ (AppendError::Refused(_) | AppendError::Unavailable(_))) => {
                    return Err(Failure::Log(error));
                }
            }
        }
        Err(Failure::Busy)
    }

    /// What the log says of one thing now; `None` where there is none.
    pub async fn state_of<A>(&self, clinic: ClinicId, target: StreamId) -> Result<Option<A>, Failure>
    where
        A: Aggregate + TryFrom<State>,
    {
        let loaded = self.store.load_stream(clinic, target, 0).await?;
        let state = facts::fold(target, loaded.events.iter().map(|recorded| &recorded.event))?;
        Ok(state.and_then(|state| A::try_from(state).ok()))
    }

    /// A decision to record something is checked by the append. No append checks a refusal, or that there is nothing
    /// to do: what they rest on is read from the log, since another process may have moved it.
    async fn decide_surely<A>(&self, call: &Call<A>, seed: Uuid, lost: &Lost) -> Result<Decided, Failure>
    where
        A: Aggregate,
        A::Command: Clone,
        for<'a> &'a A: TryFrom<&'a State>,
    {
        match self.decide(call, seed, lost, Reuse::Kept).await {
            Ok(decided) if !decided.decision.events.is_empty() => Ok(decided),
            Ok(_) | Err(Failure::Refused(_) | Failure::StaleVersion { .. } | Failure::Forbidden) => {
                self.decide(call, seed, lost, Reuse::Nothing).await
            }
            Err(failure) => Err(failure),
        }
    }

    async fn decide<A>(&self, call: &Call<A>, seed: Uuid, lost: &Lost, reuse: Reuse) -> Result<Decided, Failure>
    where
        A: Aggregate,
        A::Command: Clone,
        for<'a> &'a A: TryFrom<&'a State>,
    {
        let rule = |state: Option<&A>, facts: &Facts, context: &Context<'_>| {
            A::decide(state, call.command.clone(), facts, context)
        };
        let (decision, facts, expectations) = self.resting_on(call, seed, lost, reuse, rule).await?;
        Ok(Decided { decision, facts, expectations })
    }

    /// Looks at what a command would rest on, as the log has it, and records nothing.
    pub async fn look<A, T>(
        &self,
        call: &Call<A>,
        look: impl FnOnce(Option<&A>, &Facts, &Context<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Failure>
    where
        A: Aggregate,
        for<'a> &'a A: TryFrom<&'a State>,
    {
        let (seen, ..) = self.resting_on(call, Uuid::now_v7(), &Lost::default(), Reuse::Nothing, look).await?;
        Ok(seen)
    }

    /// What a rule says of the facts that a command rests on; the facts, and as of when they hold.
    async fn resting_on<A, T>(
        &self,
        call: &Call<A>,
        seed: Uuid,
        lost: &Lost,
        reuse: Reuse,
        rule: impl FnOnce(Option<&A>, &Facts, &Context<'_>) -> Result<T, Refusal>,
    ) -> Result<(T, Facts, Vec<Expectation>), Failure>
    where
        A: Aggregate,
        for<'a> &'a A: TryFrom<&'a State>,
    {
        let known = Facts { actor: call.actor.user, contended: lost.contended, ..Facts::default() };
        let mut loader = Loader::new(&self.store, &self.states, call.clinic, reuse, known);
        loader.load_claims(&lost.claims).await?;
        loader.load_for::<A>(call.target, call.fresh, &call.command).await?;
        let (facts, expectations) = loader.into_parts();
        let state = facts.get::<A>(call.target);
        let reached = Reached { target: call.target, state, command: &call.command };
        if call.guard.as_ref().is_some_and(|allows| !allows(&reached)) {
            return Err(Failure::Forbidden);
        }
        check_version(call, &expectations)?;
        let now = self.now();
        let clinic = facts.get::<Clinic>(call.clinic);
        if let (true, Some(clinic)) = (call.needs_standing, clinic) {
            clinic.standing(now)?;
        }
        let pseudonyms = self.pseudonyms(call.clinic, clinic.is_none()).await?;
        let context = Context {
            actor: &call.actor,
            target: call.target,
            now,
            occurred_at: call.occurred_at.unwrap_or(now),
            clinic,
            pseudonyms: &pseudonyms,
            seed,
        };
        let said = rule(state, &facts, &context)?;
        Ok((said, facts, expectations))
    }

    /// A clinic that is being registered has no key in the log yet.
    async fn pseudonyms(&self, clinic: ClinicId, registering: bool) -> Result<Pseudonyms, Failure> {
        let keys = match registering && !clinic.is_platform() {
            true => self.store.vault().registering(clinic),
            false => self.store.vault().clinic(clinic).await.map_err(StoreError::from)?,
        };
        Ok(Pseudonyms::new(&keys.pseudonym_secret))
    }

    fn already_so<A: Aggregate>(&self, call: &Call<A>, decided: &Decided) -> Result<Done, Failure> {
        let read = decided.expectations.iter().filter(|expectation| expectation.was_read());
        let position = read.map(|expectation| expectation.read_at).max().unwrap_or(0);
        let version = version_of(call.target, &decided.expectations);
        let answer = call.shape().write(version, position, &[]);
        Ok(Done { version, position, answer, events: Vec::new() })
    }

    fn done<A: Aggregate>(&self, call: &Call<A>, appended: Appended, after: After, rested_on: &[Expectation]) -> Done {
        let before = version_of(call.target, rested_on);
        self.states.confirm(call.clinic, rested_on, appended.position);
        let version_in = |stream| version_after(stream, &appended.events, before);
        for (stream, state) in after {
            self.states.put(call.clinic, stream, Some(state), version_in(stream), appended.position);
        }
        let version = version_in(call.target);
        let answer =
            appended.answer.unwrap_or_else(|| call.shape().write(version, appended.position, &appended.events));
        Done { version, position: appended.position, answer, events: appended.events }
    }
}

fn check_version<A: Aggregate>(call: &Call<A>, expectations: &[Expectation]) -> Result<(), Failure> {
    let current = version_of(call.target, expectations);
    match call.expected_version {
        // What does not exist has no version to be stale: the decision says that it is not there.
        Some(expected) if current > 0 && expected != current => Err(Failure::StaleVersion { current }),
        _ => Ok(()),
    }
}
