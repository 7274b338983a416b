//! A password by a single-use secret: an activation, which an administrator handed over, or a reset, which came by mail.

use chrono::{DateTime, Utc};
use domain::{Staff, staff::ActivateStaff, values::Password};
use event_store::{Credential, row::Hash};
use events::{Actor, ActorKind, UserId, access::LoginFailure, values::BirthDate};
use secrecy::{ExposeSecret, SecretString};
use service_kit::{Problem, context::RequestContext, tokens::SecretHash};

use super::{
    login::{Sought, find},
    session::{Proven, Tokens, begin_session},
    totp::second_factor,
};
use crate::{
    app::App,
    execute::{Call, Secret},
};

/// Which of a login's secrets is presented.
#[derive(Clone, Copy)]
pub(super) enum Which {
    Activation,
    Reset,
}

impl Which {
    fn kept(self, login: &Credential) -> Option<(Hash, DateTime<Utc>)> {
        match self {
            Self::Activation => login.activation,
            Self::Reset => login.reset,
        }
    }

    /// The name of the command on the event.
    fn command(self) -> &'static str {
        match self {
            Self::Activation => "ActivateStaff",
            Self::Reset => "ResetPassword",
        }
    }
}

/// A secret, as whom it is presented, and the password that it sets.
pub(super) struct Presented {
    /// The clinic's slug; absent for the platform's own people.
    pub(super) clinic: Option<String>,
    pub(super) username: String,
    pub(super) secret: SecretString,
    pub(super) password: Password,
    /// Of the patient, for a portal account.
    pub(super) birth_date: Option<BirthDate>,
    /// Where the login needs one.
    pub(super) code: Option<SecretString>,
}

/// Sets the password, which ends all sessions, and logs in.
pub(super) async fn set_password(app: &App, which: Which, presented: Presented) -> Result<Tokens, Problem> {
    let sought = find(app, presented.clinic.as_deref(), &presented.username).await?;
    let user = match may_set(app, which, &sought, &presented).await? {
        Ok(user) => user,
        Err(failure) => return Err(sought.tried().failed(app, failure).await),
    };
    let clinic = sought.clinic;
    if let Some(login) = app.executor.login(clinic, user).await? {
        second_factor(app, sought.tried(), user, &login.staff, presented.code.as_ref()).await?;
    }
    let password = app.passwords.hash(presented.password.into_secret()).await;
    let mut call = Call::<Staff>::new(clinic, user.into(), which.command(), ActivateStaff {}.into());
    call.actor = Actor { kind: ActorKind::Person, user: Some(user), name: sought.username, ..Actor::anonymous() };
    call.secret = Some(Secret::Password(password));
    if let Some(context) = RequestContext::current() {
        call.client = context.client;
        call.correlation_id = context.correlation_id;
    }
    app.executor.execute(call).await?;
    let login = app.executor.login(clinic, user).await?.ok_or_else(Problem::bad_credentials)?;
    let proven = Proven::of(clinic, user, login, false);
    begin_session(app, &proven).await
}

/// Whose login it is, if the secret and the birth date beside it are right.
async fn may_set(
    app: &App,
    which: Which,
    sought: &Sought,
    presented: &Presented,
) -> Result<Result<UserId, LoginFailure>, Problem> {
    let Some(login) = &sought.login else { return Ok(Err(LoginFailure::UnknownUser)) };
    if !is_right(which.kept(login), &presented.secret) {
        return Ok(Err(LoginFailure::WrongActivation));
    }
    let Some(current) = app.executor.login(sought.clinic, login.user).await? else {
        return Ok(Err(LoginFailure::NotAllowed));
    };
    if let Some(patient) = current.staff.patient {
        let known = app.executor.birth_date(sought.clinic, patient).await?;
        if known.is_none() || known != presented.birth_date {
            return Ok(Err(LoginFailure::WrongActivation));
        }
    }
    Ok(Ok(login.user))
}

fn is_right(kept: Option<(Hash, DateTime<Utc>)>, presented: &SecretString) -> bool {
    let sent = SecretHash::of(presented.expose_secret());
    let good = kept.filter(|(_, expires_at)| Utc::now() < *expires_at);
    good.is_some_and(|(hash, _)| SecretHash(hash).matches(&sent))
}
