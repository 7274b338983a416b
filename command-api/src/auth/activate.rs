//! The first password of a login, by the single-use secret that an administrator handed over.

use axum::extract::State;
use chrono::Utc;
use domain::{Staff, staff::ActivateStaff, values::Password};
use event_store::Credential;
use events::{Actor, ActorKind, UserId, access::LoginFailure, values::BirthDate};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service_kit::{Json, Problem, context::RequestContext, tokens::SecretHash};

use super::{
    login::{Sought, find},
    session::{Proven, Tokens, begin_session},
};
use crate::{
    app::App,
    execute::{Call, Secret},
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateBody {
    /// The clinic's slug; absent for the platform's own people.
    pub clinic: Option<String>,
    pub username: String,
    #[schemars(with = "String")]
    pub activation: SecretString,
    pub password: Password,
    /// Of the patient, for a portal account.
    pub birth_date: Option<BirthDate>,
}

/// Sets the password and logs in. The secret is good once and for 72 hours.
pub async fn activate(State(app): State<App>, Json(body): Json<ActivateBody>) -> Result<Json<Tokens>, Problem> {
    let sought = find(&app, body.clinic.as_deref(), &body.username).await?;
    let user = match may_activate(&app, &sought, &body).await? {
        Ok(user) => user,
        Err(failure) => return Err(sought.tried().failed(&app, failure).await),
    };
    let clinic = sought.clinic;
    let password = app.passwords.hash(body.password.into_secret()).await;
    let mut call = Call::<Staff>::new(clinic, user.into(), "ActivateStaff", ActivateStaff {}.into());
    call.actor = Actor { kind: ActorKind::Person, user: Some(user), name: sought.username, ..Actor::anonymous() };
    call.secret = Some(Secret::Password(password));
    if let Some(context) = RequestContext::current() {
        call.client = context.client;
        call.correlation_id = context.correlation_id;
    }
    app.executor.execute(call).await?;
    let login = app.executor.login(clinic, user).await?.ok_or_else(Problem::bad_credentials)?;
    let proven = Proven::of(clinic, user, login, false);
    begin_session(&app, &proven).await.map(Json)
}

/// Whose login it is, if the secret and the birth date beside it are right.
async fn may_activate(
    app: &App,
    sought: &Sought,
    body: &ActivateBody,
) -> Result<Result<UserId, LoginFailure>, Problem> {
    let Some(login) = &sought.login else { return Ok(Err(LoginFailure::UnknownUser)) };
    if !is_right(login, &body.activation) {
        return Ok(Err(LoginFailure::WrongActivation));
    }
    let Some(invited) = app.executor.login(sought.clinic, login.user).await? else {
        return Ok(Err(LoginFailure::NotAllowed));
    };
    if let Some(patient) = invited.staff.patient {
        let known = app.executor.birth_date(sought.clinic, patient).await?;
        if known.is_none() || known != body.birth_date {
            return Ok(Err(LoginFailure::WrongActivation));
        }
    }
    Ok(Ok(login.user))
}

fn is_right(login: &Credential, activation: &SecretString) -> bool {
    let sent = SecretHash::of(activation.expose_secret());
    let kept = login.activation.filter(|(_, expires_at)| Utc::now() < *expires_at);
    kept.is_some_and(|(hash, _)| SecretHash(hash).matches(&sent))
}
