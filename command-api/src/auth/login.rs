//! User name and password for tokens.

use axum::extract::State;
use chrono::Utc;
use domain::{
    Pseudonyms, Staff,
    staff::{LockAfterFailedLogins, MAX_FAILED_LOGINS, username_hash},
    values::folded,
};
use event_store::{Credential, PasswordHash, StoreError, VaultError};
use events::{Actor, ClinicId, UserId, access::LoginFailure, claim::KeyedHash};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use service_kit::{Json, Problem, context::RequestContext};

use super::{
    ledger::Tried,
    session::{Proven, Tokens, begin_session},
    totp::second_factor,
};
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
    /// Where the login needs one: of the authenticator app, or a recovery code.
    #[schemars(with = "Option<String>")]
    pub code: Option<SecretString>,
}

/// Every failure takes as long and says the same: which of clinic, user name and password was wrong is
/// nobody's business.
pub async fn login(State(app): State<App>, Json(body): Json<LoginBody>) -> Result<Json<Tokens>, Problem> {
    let sought = find(&app, body.clinic.as_deref(), &body.username).await?;
    let stored = sought.login.as_ref().and_then(|login| login.password_hash.clone());
    let right = app.passwords.verify(body.password, stored.clone().map(PasswordHash)).await;
    let (clinic, tried, again) = (sought.clinic, sought.tried(), sought.tried());
    let Some(known) = sought.login else { return Err(tried.failed(&app, LoginFailure::UnknownUser).await) };
    let user = known.user;
    if !right {
        let failure = if stored.is_some() { LoginFailure::WrongPassword } else { LoginFailure::NotAllowed };
        tried.record(&app, failure).await?;
        count_failure(&app, clinic, user).await?;
        return Err(Problem::bad_credentials());
    }
    let login = app.executor.login(clinic, user).await?.filter(|login| login.staff.may_log_in(Utc::now()));
    let Some(login) = login else { return Err(tried.failed(&app, LoginFailure::NotAllowed).await) };
    second_factor(&app, again, user, &login.staff, body.code.as_ref()).await?;
    app.store().forget_failed_logins(clinic, user).await.map_err(Failure::from)?;
    let proven = Proven::of(clinic, user, login, known.must_change_password);
    begin_session(&app, &proven).await.map(Json)
}

/// What was found where somebody wants to get in.
pub struct Sought {
    /// The platform where nobody knows the clinic that was named.
    pub clinic: ClinicId,
    pub username: String,
    username_hash: KeyedHash,
    pub login: Option<Credential>,
    /// Whether there is the clinic that was named.
    pub is_known_clinic: bool,
}

impl Sought {
    pub(super) fn tried(&self) -> Tried {
        let user = self.login.as_ref().map(|login| login.user);
        Tried { clinic: self.clinic, username_hash: Some(self.username_hash.clone()), user }
    }
}

/// Looks for a login by clinic and user name.
pub async fn find(app: &App, slug: Option<&str>, username: &str) -> Result<Sought, Problem> {
    let named = match slug {
        None => Some(ClinicId::PLATFORM),
        Some(slug) => app.store().clinic_by_slug(slug).await.map_err(Failure::from)?,
    };
    let clinic = named.unwrap_or(ClinicId::PLATFORM);
    let keys = app.store().vault().clinic(clinic).await.map_err(|error| Failure::from(StoreError::from(error)))?;
    let pseudonyms = Pseudonyms::new(&keys.pseudonym_secret);
    let username_hash = username_hash(&pseudonyms, username);
    let login = match named {
        Some(clinic) => app.store().credential_of_username(clinic, &username_hash).await.map_err(Failure::from)?,
        None => None,
    };
    Ok(Sought { clinic, username: folded(username), username_hash, login, is_known_clinic: named.is_some() })
}

/// The login of a user name in a clinic; `None` also where there is no such clinic.
pub async fn user_named(app: &App, clinic: ClinicId, username: &str) -> Result<Option<UserId>, Problem> {
    let keys = match app.store().vault().clinic(clinic).await {
        Ok(keys) => keys,
        Err(VaultError::NoClinicKey) => return Ok(None),
        Err(error) => return Err(Failure::from(StoreError::from(error)).into()),
    };
    let username = username_hash(&Pseudonyms::new(&keys.pseudonym_secret), username);
    let login = app.store().credential_of_username(clinic, &username).await.map_err(Failure::from)?;
    Ok(login.map(|login| login.user))
}

/// The fifth failure in a row locks the login; the lock is an event, the count is not.
pub(super) async fn count_failure(app: &App, clinic: ClinicId, user: UserId) -> Result<(), Problem> {
    let failures = app.store().count_failed_login(clinic, user).await.map_err(Failure::from)?;
    if failures.unsigned_abs() < MAX_FAILED_LOGINS {
        return Ok(());
    }
    const NAME: &str = "LockAfterFailedLogins";
    let mut call = Call::<Staff>::new(clinic, user.into(), NAME, LockAfterFailedLogins {}.into());
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
