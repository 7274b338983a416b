//! What becomes of logins, in the access ledger. Locks and changes of rights are events of the record already.

use event_store::AccessRecord;
use events::{AccessEvent, Actor, ActorKind, ClinicId, PatientId, UserId, access::LoginFailure, claim::KeyedHash};
use service_kit::{Authenticated, Problem, context::RequestContext, scope::purpose_of};
use uuid::Uuid;

use super::session::Proven;
use crate::app::App;

/// As whom somebody tried to get in. Nobody has proved to be that user: the record has no actor.
pub(crate) struct Tried {
    /// The platform's ledger has those whose clinic nobody knows.
    pub(crate) clinic: ClinicId,
    /// Of the user name that was given.
    pub(crate) username_hash: Option<KeyedHash>,
    /// The login of that name.
    pub(crate) user: Option<UserId>,
}

impl Tried {
    /// Records a failure, and gives its answer: 401 that says nothing more, or 503 where it cannot be recorded.
    pub(crate) async fn failed(self, app: &App, failure: LoginFailure) -> Problem {
        match self.record(app, failure).await {
            Ok(()) => Problem::bad_credentials(),
            Err(problem) => problem,
        }
    }

    /// The same without an answer.
    pub(crate) async fn record(self, app: &App, failure: LoginFailure) -> Result<(), Problem> {
        let Self { clinic, username_hash, user } = self;
        let patient = match user {
            Some(user) => app.executor.login(clinic, user).await?.and_then(|login| login.staff.patient),
            None => None,
        };
        write(app, clinic, Actor::anonymous(), AccessEvent::LoginFailed { failure, username_hash, user, patient }).await
    }
}

/// A session has begun.
pub(super) async fn logged_in(app: &App, proven: &Proven, session: Uuid) -> Result<(), Problem> {
    let actor = Actor {
        kind: ActorKind::Person,
        user: Some(proven.user),
        name: proven.username.clone(),
        roles: proven.roles.clone(),
        session: Some(session),
        on_behalf_of: None,
    };
    write(app, proven.clinic, actor, AccessEvent::LoggedIn { session, patient: proven.patient }).await
}

/// A session was ended by its own user.
pub(super) async fn logged_out(app: &App, who: &Authenticated) -> Result<(), Problem> {
    let (session, patient): (Uuid, Option<PatientId>) = (who.session(), who.patient());
    write(app, who.clinic(), who.actor(), AccessEvent::LoggedOut { session, patient }).await
}

/// No route by which one logs in has an id in its path: the path is the route.
async fn write(app: &App, clinic: ClinicId, actor: Actor, event: AccessEvent) -> Result<(), Problem> {
    let context = RequestContext::current();
    let path = context.as_ref().map_or("", |context| &*context.path);
    let record = AccessRecord {
        purpose: purpose_of(&actor),
        actor,
        operation: format!("POST {path}").into(),
        correlation_id: context.as_ref().map_or_else(Uuid::now_v7, |context| context.correlation_id),
        client: context.map(|context| context.client).unwrap_or_default(),
        event,
        shown: Vec::new(),
    };
    let recorded = app.store().record_access(clinic, record).await;
    recorded.map(drop).map_err(|error| Problem::unavailable("access ledger", error))
}
