//! What a caller hands to the writer, and what comes back.

use std::{borrow::Cow, sync::Arc};

use chrono::{DateTime, Utc};
use events::{
    Actor, Client, ClinicId, DomainEvent, Ledger, PatientId, Position, Purpose, Recorded, StreamId, UserId,
    claim::{Bound, ClaimChange, ClaimKey, CounterChange, CounterKey, Fact},
};
use uuid::Uuid;

use crate::{credentials::CredentialChange, outbox::NewMail};

/// One command's worth of events, appended together or not at all.
pub struct Append {
    pub clinic: ClinicId,
    pub ledger: Ledger,
    pub about: Circumstances,
    pub events: Vec<NewEvent>,
    /// What the decision rested on.
    pub expectations: Vec<Expectation>,
    /// In the order of the events that cause them.
    pub claims: Vec<(StreamId, ClaimChange)>,
    pub counters: Vec<CounterChange>,
    pub bounds: Vec<Bound>,
    pub idempotency: Option<Idempotency>,
    /// Secrets of logins that change in the same transaction.
    pub credentials: Vec<CredentialChange>,
    /// Mails that are sent once the transaction has committed.
    pub mails: Vec<NewMail>,
    /// Of an access record: who was shown beside the patient whom its event names.
    pub shown: Vec<PatientId>,
}

impl Append {
    /// The version at which the decision knew a stream or a chart.
    pub(crate) fn expects(&self, fact: &Fact) -> Option<i64> {
        self.expectations.iter().find(|expectation| expectation.fact == *fact)?.version
    }
}

pub struct NewEvent {
    pub stream: StreamId,
    pub event: DomainEvent,
}

/// The audit columns that all events of one command share.
#[derive(Clone, Debug)]
pub struct Circumstances {
    pub actor: Actor,
    pub purpose: Purpose,
    /// A code, never free text.
    pub reason: Option<String>,
    /// `BookAppointment`; of an access record the method and the route.
    pub command: Cow<'static, str>,
    /// The trace id.
    pub correlation_id: Uuid,
    /// The command's own id: what its events have in common.
    pub causation_id: Uuid,
    pub client: Client,
    /// Business time; `None`: when it is recorded.
    pub occurred_at: Option<DateTime<Utc>>,
}

/// A fact as the decision knew it.
#[derive(Clone, Debug)]
pub struct Expectation {
    pub fact: Fact,
    /// The version of a stream or chart; 0 for one that does not exist yet; `None` for other facts.
    pub version: Option<i64>,
    /// The clinic's position when it was read; see [`Expectation::new_stream`].
    pub read_at: Position,
}

impl Expectation {
    /// Stands for "not read at all".
    const NOT_READ: Position = Position::MAX;

    /// A stream whose id was made a moment ago: nobody can have begun it, so nobody has looked. Where somebody has
    /// all the same, the log's own key refuses the append.
    pub fn new_stream(stream: StreamId) -> Self {
        Self { fact: Fact::Stream(stream), version: Some(0), read_at: Self::NOT_READ }
    }

    pub fn was_read(&self) -> bool {
        self.read_at != Self::NOT_READ
    }
}

/// How a command is remembered with its answer.
#[derive(Clone)]
pub struct Idempotency {
    /// The clinic under which it is looked up: the platform for a clinic that registers itself.
    pub clinic: ClinicId,
    /// `None`: given by somebody without a login.
    pub user: Option<UserId>,
    /// Keyed hash of the client's key.
    pub key_hash: [u8; 32],
    /// HMAC of method, path and body.
    pub fingerprint: [u8; 32],
    /// Derived from the client's key; the stored answer is encrypted under it.
    pub answer_key: [u8; 32],
    /// Makes the answer's bytes, once the numbers and positions are known. May run again when a group
    /// is repeated, so it only computes.
    pub answer: MakeAnswer,
}

/// From a command's events to the bytes of its answer.
pub type MakeAnswer = Arc<dyn Fn(&[Recorded]) -> Vec<u8> + Send + Sync>;

/// What was committed.
#[derive(Clone, Debug)]
pub struct Appended {
    /// With their numbers, versions and positions; sealed parts open.
    pub events: Vec<Recorded>,
    /// The clinic's position after the append.
    pub position: Position,
    /// The answer as it was stored, where there is an idempotency record.
    pub answer: Option<Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A fact moved since it was read: load and decide again.
    #[error("{0:?} has moved since it was read")]
    Moved(Fact),
    /// Somebody else holds the claim: decide again, to say so in the domain's words.
    #[error("the {} claim is held by another stream", .0.kind)]
    ClaimTaken(ClaimKey),
    /// Somebody else holds the doctor's time.
    #[error("the doctor's time is taken")]
    TimeTaken,
    /// `value` is where the counter would stand after the append.
    #[error("{counter} would stand at {value}, past its bound")]
    BoundPassed { counter: CounterKey, value: i64 },
    /// The same key was recorded by a command that committed first: look it up again.
    #[error("the idempotency key was recorded by another command")]
    KeyRecorded,
    /// The patient's key is destroyed (erasure), or fenced.
    #[error("the key of the person concerned is destroyed")]
    KeyDestroyed,
    /// The data itself was refused by the database.
    #[error("the events were refused by the log: {0}")]
    Refused(String),
    #[error("the log cannot be reached: {0}")]
    Unavailable(String),
}
