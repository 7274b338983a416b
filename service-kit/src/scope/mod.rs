//! Who is asking, and for which clinic. A [`ClinicScope`] is only made by authorising a request, so that a query
//! which takes one can have no other clinic than the token's.
//!
//! Not checked here: whether the login still stands (logout, lock, change of role). Each service asks that in
//! its own round trip to the database, by [`Authenticated::session`], [`Authenticated::user`] and
//! [`Authenticated::issued_at`].

mod extract;
mod journal;
mod purpose;

use std::{ops::Deref, sync::Arc};

use chrono::{DateTime, Utc};
use events::{Actor, ActorKind, Client, ClinicId, PatientId, Purpose, Role, UserId};
pub(crate) use extract::BEARER;
pub use journal::{AccessJournal, Attempt, BoxFuture, Refused};
pub use purpose::purpose_of;
use uuid::Uuid;

use crate::{
    access::{Capability, Grant, Need, grant},
    context::RequestContext,
    problem::Problem,
    tokens::{Claims, TokenVerifier},
};

/// What authorising needs; part of a service's state (`FromRef`).
#[derive(Clone)]
pub struct Authority {
    verifier: TokenVerifier,
    journal: Arc<dyn AccessJournal>,
}

impl Authority {
    pub fn new(verifier: TokenVerifier, journal: Arc<dyn AccessJournal>) -> Self {
        Self { verifier, journal }
    }
}

/// A request with a valid access token, of a clinic or of the platform.
#[derive(Clone)]
pub struct Authenticated {
    claims: Arc<Claims>,
    context: RequestContext,
    /// `POST /clinic/{slug}/api/v1/patients`
    operation: Arc<str>,
    /// The patient of the path, where it names one.
    named: Option<PatientId>,
    journal: Arc<dyn AccessJournal>,
}

/// A request whose token belongs to the clinic that its path names.
#[derive(Clone)]
pub struct ClinicScope {
    who: Authenticated,
    slug: String,
}

/// A request of a platform administrator or operator.
#[derive(Clone)]
pub struct PlatformScope {
    who: Authenticated,
}

impl Authenticated {
    /// The token's clinic; the nil id for the platform.
    pub fn clinic(&self) -> ClinicId {
        self.claims.identity.clinic
    }

    pub fn user(&self) -> UserId {
        self.claims.identity.user
    }

    pub fn username(&self) -> &str {
        &self.claims.identity.name
    }

    /// The token family.
    pub fn session(&self) -> Uuid {
        self.claims.identity.session
    }

    /// To the microsecond; a token issued before its user's `not_before` is revoked.
    pub fn issued_at(&self) -> DateTime<Utc> {
        self.claims.issued_at()
    }

    pub fn roles(&self) -> &[Role] {
        &self.claims.identity.roles
    }

    pub fn has(&self, role: Role) -> bool {
        self.roles().contains(&role)
    }

    /// The one patient of a portal login.
    pub fn patient(&self) -> Option<PatientId> {
        self.claims.identity.patient
    }

    pub fn client(&self) -> &Client {
        &self.context.client
    }

    pub fn correlation_id(&self) -> Uuid {
        self.context.correlation_id
    }

    /// Method and route template: `POST /clinic/{slug}/api/v1/patients`.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// For what the data is used.
    pub fn purpose(&self) -> Purpose {
        purpose_of(&self.actor())
    }

    /// As it goes onto every event that the request records.
    pub fn actor(&self) -> Actor {
        let identity = &self.claims.identity;
        Actor {
            kind: ActorKind::Person,
            user: Some(identity.user),
            name: identity.name.clone(),
            roles: identity.roles.clone(),
            session: Some(identity.session),
            on_behalf_of: None,
        }
    }

    /// What the roles allow, without asking for anything.
    pub fn grant(&self, capability: Capability) -> Grant {
        grant(self.roles(), capability)
    }

    /// The grant, if it allows some of what is needed; a limited one is for the caller to look at
    /// ([`crate::access::Reach::covers`]). Else 403, once the refusal is in the access ledger.
    pub async fn require(&self, capability: Capability, need: Need) -> Result<Grant, Problem> {
        let grant = self.grant(capability);
        match grant.allows(need) {
            true => Ok(grant),
            false => Err(self.refuse(capability, need).await),
        }
    }

    /// Records a refusal and answers it: for what a limited grant does not cover. 503 when it cannot be recorded.
    pub async fn refuse(&self, capability: Capability, need: Need) -> Problem {
        match self.record(Refused::Capability { capability, need }).await {
            Ok(()) => Problem::forbidden().member("capability", capability).member("need", need),
            Err(problem) => problem,
        }
    }

    async fn record(&self, refused: Refused) -> Result<(), Problem> {
        let attempt = Attempt {
            clinic: self.clinic(),
            actor: self.actor(),
            client: self.context.client.clone(),
            correlation_id: self.context.correlation_id,
            operation: self.operation.clone(),
            patient: self.named,
            refused,
        };
        tracing::info!(refused = attempt.refused.code(), operation = %attempt.operation, "access refused");
        self.journal.record(attempt).await.map_err(|error| Problem::unavailable("access ledger", error))
    }
}

impl ClinicScope {
    /// 404 and an access record of the token's own clinic, if the path names another.
    async fn authorise(who: Authenticated, slug: String) -> Result<Self, Problem> {
        if !who.clinic().is_platform() && who.claims.identity.slug.as_deref() == Some(&slug) {
            return Ok(Self { who, slug });
        }
        who.record(Refused::cross_clinic(&slug)).await?;
        Err(Problem::not_found())
    }

    pub fn slug(&self) -> &str {
        &self.slug
    }
}

impl PlatformScope {
    async fn authorise(who: Authenticated) -> Result<Self, Problem> {
        let of_platform = who.has(Role::PlatformAdmin) || who.has(Role::Operator);
        if who.clinic().is_platform() && of_platform {
            return Ok(Self { who });
        }
        who.record(Refused::Platform).await?;
        Err(Problem::forbidden())
    }
}

impl Deref for ClinicScope {
    type Target = Authenticated;

    fn deref(&self) -> &Authenticated {
        &self.who
    }
}

impl Deref for PlatformScope {
    type Target = Authenticated;

    fn deref(&self) -> &Authenticated {
        &self.who
    }
}

#[cfg(test)]
mod tests;
