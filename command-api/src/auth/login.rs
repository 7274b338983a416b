//! User name and password for tokens.

use axum::extract::State;
use chrono::Utc;
use domain::{
    Pseudonyms, Staff,
    staff::{LockAfterFailedLogins, MAX_FAILED_LOGINS, username_hash},
    values::folded,
};
use event_store::{Credential, PasswordHash, StoreError};
use events::{Actor, ClinicId};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use service_kit::{Json, Problem, context::RequestContext};

use super::session::{Proven, Tokens, begin_session};
use crate::{
    app::App,
    execute::{Call, Failure},
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    /// The clinic's slug; absent for the platform's own people.
    pub clinic: Option<String>,
    pub username: String,
    #[schemars(with = "String")]
    pub password: SecretString,
}

/// Every failure takes as long and says the same: which of clinic, user name and password was wrong is
/// nobody's business.
pub async fn login(State(app): State<App>, Json(body): Json<LoginBody>) -> Result<Json<Tokens>, Problem> {
    let found = find(&app, body.clinic.as_deref(), &body.username).await?;
    let stored = found.as_ref().and_then(|found| found.login.password_hash.clone());
    let right = app.passwords.verify(body.password, stored.map(PasswordHash)).await;
    let Some(found) = found else { return Err(Problem::bad_credentials()) };
    let user = found.login.user;
    if !right {
        count_failure(&app, &found).await?;
        return Err(Problem::bad_credentials());
    }
    let login = app.executor.login(found.clinic, user).await?;
    let login = login.filter(|login| login.staff.may_log_in(Utc::now())).ok_or_else(Problem::bad_credentials)?;
    app.store().forget_failed_logins(found.clinic, user).await.map_err(Failure::from)?;
    let proven = Proven::of(found.clinic, user, login, found.login.must_change_password);
    begin_session(&app, &proven).await.map(Json)
}

/// A login that exists.
pub struct Found {
    pub clinic: ClinicId,
    pub username: String,
    pub login: Credential,
}

/// Finds a login by clinic and user name.
pub async fn find(app: &App, slug: Option<&str>, username: &str) -> Result<Option<Found>, Problem> {
    let clinic = match slug {
        None => Some(ClinicId::PLATFORM),
        Some(slug) => app.store().clinic_by_slug(slug).await.map_err(Failure::from)?,
    };
    let Some(clinic) = clinic else { return Ok(None) };
    let keys = app.store().vault().clinic(clinic).await.map_err(|error| Failure::from(StoreError::from(error)))?;
    let pseudonyms = Pseudonyms::new(&keys.pseudonym_secret);
    let hash = username_hash(&pseudonyms, username);
    let login = app.store().credential_of_username(clinic, &hash).await.map_err(Failure::from)?;
    Ok(login.map(|login| Found { clinic, username: folded(username), login }))
}

/// The fifth failure in a row locks the login; the lock is an event, the count is not.
async fn count_failure(app: &App, found: &Found) -> Result<(), Problem> {
    let user = found.login.user;
    let failures = app.store().count_failed_login(found.clinic, user).await.map_err(Failure::from)?;
    if failures.unsigned_abs() < MAX_FAILED_LOGINS {
        return Ok(());
    }
    const NAME: &str = "LockAfterFailedLogins";
    let mut call = Call::<Staff>::new(found.clinic, user.into(), NAME, LockAfterFailedLogins {}.into());
    call.actor = Actor::system();
    if let Some(context) = RequestContext::current() {
        call.client = context.client;
        call.correlation_id = context.correlation_id;
    }
    match app.executor.execute(call).await {
        // Somebody else's failure locked it first.
        Ok(_) | Err(Failure::Refused(_)) => Ok(()),
        Err(failure) => Err(failure.into()),
    }
}
