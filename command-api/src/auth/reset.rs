//! A forgotten password: a single-use secret goes to the login's own e-mail address, and sets another one. The password
//! that there is stays good until then, so that nobody is locked out by somebody else's request.

use axum::extract::State;
use chrono::{TimeDelta, Utc};
use domain::{
    Pseudonyms, Staff,
    staff::{RequestPasswordReset, email_claim, email_hash},
    values::Password,
};
use event_store::{Credential, StoreError};
use events::{ClinicId, UserId, access::LoginFailure, values::BirthDate};
use http::StatusCode;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use service_kit::{Json, Problem, context::RequestContext};

use super::{
    login::{Sought, find},
    one_time::{Presented, Which, set_password},
    session::Tokens,
};
use crate::{
    app::App,
    execute::{Call, Failure, OneTime, Secret},
};

/// How long the secret is good for.
const RESET_LIFE: TimeDelta = TimeDelta::hours(1);
/// Whoever asks again sooner is sent no second mail: nobody's letter box is filled by others.
const RESETS_APART: TimeDelta = TimeDelta::minutes(5);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestPasswordResetBody {
    /// The clinic's slug; absent for the platform's own people.
    clinic: Option<String>,
    /// The user name, or the login's e-mail address.
    username: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPasswordBody {
    /// The clinic's slug; absent for the platform's own people.
    clinic: Option<String>,
    username: String,
    /// From the mail.
    #[schemars(with = "String")]
    secret: SecretString,
    password: Password,
    /// Of the patient, for a portal account.
    birth_date: Option<BirthDate>,
    /// Where the login needs one: of the authenticator app, or a recovery code.
    #[schemars(with = "Option<String>")]
    code: Option<SecretString>,
}

/// 202 at once, whoever is named: what becomes of it is done behind the answer, so that neither its words nor the time
/// that it takes say whether there is such a login.
pub async fn request(State(app): State<App>, Json(body): Json<RequestPasswordResetBody>) -> StatusCode {
    let offering = async move {
        if let Err(problem) = offer(&app, &body).await {
            tracing::warn!(status = problem.status().as_u16(), "a password reset could not be offered");
        }
    };
    match RequestContext::current() {
        Some(context) => drop(tokio::spawn(context.scope(offering))),
        None => drop(tokio::spawn(offering)),
    }
    StatusCode::ACCEPTED
}

/// Sets the password, ends all sessions and logs in. The secret is good once and for an hour.
pub async fn reset(State(app): State<App>, Json(body): Json<ResetPasswordBody>) -> Result<Json<Tokens>, Problem> {
    let ResetPasswordBody { clinic, username, secret, password, birth_date, code } = body;
    let presented = Presented { clinic, username, secret, password, birth_date, code };
    set_password(&app, Which::Reset, presented).await.map(Json)
}

/// Queues the mail, with the event that says so. Whoever named nobody, or somebody who may not log in, is recorded as
/// having tried.
async fn offer(app: &App, body: &RequestPasswordResetBody) -> Result<(), Problem> {
    let sought = find(app, body.clinic.as_deref(), &body.username).await?;
    let login = match &sought.login {
        Some(login) => Some(login.clone()),
        None => by_email(app, &sought, &body.username).await?,
    };
    let Some(login) = login else { return sought.tried().record(app, LoginFailure::UnknownUser).await };
    if was_offered_lately(&login) {
        return Ok(());
    }
    match give(app, sought.clinic, login.user).await {
        Ok(()) => Ok(()),
        Err(Failure::Refused(_) | Failure::Erased) => sought.tried().record(app, LoginFailure::NotAllowed).await,
        Err(failure) => Err(failure.into()),
    }
}

fn was_offered_lately(login: &Credential) -> bool {
    login.reset.is_some_and(|(_, expires_at)| Utc::now() < expires_at - RESET_LIFE + RESETS_APART)
}

async fn give(app: &App, clinic: ClinicId, user: UserId) -> Result<(), Failure> {
    const NAME: &str = "RequestPasswordReset";
    let mut call = Call::<Staff>::new(clinic, user.into(), NAME, RequestPasswordReset {}.into());
    call.secret = Some(Secret::OneTime(OneTime::generate(Utc::now(), RESET_LIFE)));
    if let Some(context) = RequestContext::current() {
        call.client = context.client;
        call.correlation_id = context.correlation_id;
    }
    app.executor.execute(call).await.map(drop)
}

/// The login that holds the address.
async fn by_email(app: &App, sought: &Sought, email: &str) -> Result<Option<Credential>, Problem> {
    let clinic = sought.clinic;
    if !sought.is_known_clinic {
        return Ok(None);
    }
    let keys = app.store().vault().clinic(clinic).await.map_err(|error| Failure::from(StoreError::from(error)))?;
    let claim = email_claim(&email_hash(&Pseudonyms::new(&keys.pseudonym_secret), email));
    let held = app.store().claims(clinic, std::slice::from_ref(&claim)).await.map_err(Failure::from)?;
    let Some(holder) = held.read.get(&claim) else { return Ok(None) };
    Ok(app.store().credential(clinic, UserId(holder.id)).await.map_err(Failure::from)?)
}
