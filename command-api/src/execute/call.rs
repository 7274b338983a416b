//! A command and what surrounds it: who gave it, on what, and what came with it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::Aggregate;
use events::{Actor, Client, ClinicId, PatientId, Purpose, StreamId};
use uuid::Uuid;

use super::Secret;
use crate::answer::{Extra, Shape, nothing_more};

/// A command and everything that surrounds it.
pub struct Call<A: Aggregate> {
    pub clinic: ClinicId,
    /// The stream that the command acts on.
    pub target: StreamId,
    /// The server made the target's id just now, so nothing can lie under it.
    pub fresh: bool,
    pub command: A::Command,
    /// `BookAppointment`.
    pub name: &'static str,
    /// `If-Match`: the version that the caller saw.
    pub expected_version: Option<i64>,
    pub actor: Actor,
    pub purpose: Purpose,
    /// Why, as a code, where the command says so.
    pub reason: Option<String>,
    /// The patients whose records the actor has open by broken glass: what is done about them is emergency
    /// treatment.
    pub emergencies: Vec<PatientId>,
    pub client: Client,
    pub correlation_id: Uuid,
    /// Only an import says when it really happened.
    pub occurred_at: Option<DateTime<Utc>>,
    /// Also refused by a clinic that is suspended or has run out.
    pub needs_standing: bool,
    /// What the caller's limited rights ask of the thing itself.
    pub guard: Option<Guard<A>>,
    /// A secret that the command brings for a login.
    pub secret: Option<Secret>,
    /// Further members of the answer, such as an activation shown once.
    pub extra: Extra,
    /// The member of the answer whose id is the answer's own: `office_id`.
    pub made: Option<&'static str>,
    pub idempotency: Option<KeyedCall>,
}

/// A command that came with an `Idempotency-Key`.
#[derive(Clone)]
pub struct KeyedCall {
    /// Where it is remembered; the platform's for a clinic that does not exist yet.
    pub clinic: ClinicId,
    pub key_hash: [u8; 32],
    /// HMAC of method, path and body.
    pub fingerprint: [u8; 32],
    /// Derived from the client's key.
    pub answer_key: [u8; 32],
}

impl<A: Aggregate> Call<A> {
    /// A command of nobody in particular, from nowhere: the caller says what is known.
    pub fn new(clinic: ClinicId, target: StreamId, name: &'static str, command: A::Command) -> Self {
        Self {
            clinic,
            target,
            fresh: false,
            command,
            name,
            expected_version: None,
            actor: Actor::anonymous(),
            purpose: Purpose::Hoperat,
            reason: None,
            emergencies: Vec::new(),
            client: Client::default(),
            correlation_id: Uuid::now_v7(),
            occurred_at: None,
            needs_standing: false,
            guard: None,
            secret: None,
            extra: nothing_more(),
            made: None,
            idempotency: None,
        }
    }
}

impl<A: Aggregate> Call<A> {
    pub(super) fn shape(&self) -> Shape {
        Shape { target: self.target, made: self.made, extra: self.extra.clone() }
    }
}

// By hand: a derived one would ask that the aggregate itself be cloned with it.
impl<A: Aggregate> Clone for Call<A>
where
    A::Command: Clone,
{
    fn clone(&self) -> Self {
        Self {
            command: self.command.clone(),
            actor: self.actor.clone(),
            reason: self.reason.clone(),
            emergencies: self.emergencies.clone(),
            client: self.client.clone(),
            guard: self.guard.clone(),
            secret: self.secret.clone(),
            extra: self.extra.clone(),
            idempotency: self.idempotency.clone(),
            ..*self
        }
    }
}

/// What a command is about to act on, for rights that reach only so far.
pub struct Reached<'a, A: Aggregate> {
    pub target: StreamId,
    pub state: Option<&'a A>,
    pub command: &'a A::Command,
}

/// Whether a command on this state lies within the caller's rights.
pub type Guard<A> = Arc<dyn Fn(&Reached<'_, A>) -> bool + Send + Sync>;
