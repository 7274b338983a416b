//! The platform's first administrator, who registers nobody but can help everybody.

use anyhow::{Context, Result, anyhow};
use chrono::Utc;
use command_api::{
    auth::{ACTIVATION_LIFE, NewActivation},
    execute::{Call, Executor, Failure},
};
use domain::{
    Pseudonyms, Staff,
    staff::{InviteStaff, RenewActivation, username_hash},
};
use events::{Actor, ClinicId, Ledger, StreamId, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::say::say;

const USERNAME: &str = "admin";

/// What is shown once, to whoever starts an installation for the first time, or has lost it.
pub struct FirstAdministrator {
    pub username: &'static str,
    /// Sets the first password.
    pub activation: String,
}

/// Makes the first administrator, where nothing was ever recorded for the platform.
pub async fn first_administrator(executor: &Executor) -> Result<Option<FirstAdministrator>> {
    if executor.store().head(ClinicId::PLATFORM, Ledger::Record).await?.position > 0 {
        return Ok(None);
    }
    let (user, activation) = (UserId(Uuid::now_v7()), NewActivation::generate(Utc::now()));
    let invite: InviteStaff = serde_json::from_value(json!({
        "username": USERNAME, "name": "Platform administrator", "roles": ["platform_admin"]
    }))?;
    let mut call = Call::<Staff>::new(ClinicId::PLATFORM, StreamId::from(user), "InviteStaff", invite.into());
    call.fresh = true;
    call.actor = Actor::system();
    call.secret = Some(activation.secret());
    match executor.execute(call).await {
        Ok(_) => Ok(Some(FirstAdministrator::with(&activation))),
        // Another process started at the same moment and was first.
        Err(Failure::Refused(refusal)) if refusal.class == domain::Class::Conflict => Ok(None),
        Err(failure) => Err(anyhow!(failure).context("making the platform's first administrator")),
    }
}

/// Gives the first administrator a new activation; earlier ones, and the password, are worth nothing from then on.
///
/// # Errors
/// There is no such login, or it was deactivated.
pub async fn reset_administrator(executor: &Executor) -> Result<FirstAdministrator> {
    let store = executor.store();
    let keys = store.vault().clinic(ClinicId::PLATFORM).await?;
    let hash = username_hash(&Pseudonyms::new(&keys.pseudonym_secret), USERNAME);
    let login = store.credential_of_username(ClinicId::PLATFORM, &hash).await?;
    let user = login.context("the platform has no first administrator yet: start Casebook once")?.user;
    let activation = NewActivation::generate(Utc::now());
    let mut call =
        Call::<Staff>::new(ClinicId::PLATFORM, StreamId::from(user), "RenewActivation", RenewActivation {}.into());
    call.actor = Actor::system();
    call.secret = Some(activation.secret());
    let given = executor.execute(call).await;
    given.map_err(|failure| anyhow!(failure).context("renewing the administrator's activation"))?;
    Ok(FirstAdministrator::with(&activation))
}

impl FirstAdministrator {
    fn with(activation: &NewActivation) -> Self {
        Self { username: USERNAME, activation: activation.expose().to_owned() }
    }

    /// Shows the secret, once.
    pub fn greet(&self) -> Result<()> {
        let Self { username, activation } = self;
        say(&format!(
            "The platform's first administrator is `{username}`. This activation is shown once and is good for {} hours:\n\
             {activation}\n\
             Set the password: POST /api/v1/auth/activate {{\"username\", \"activation\", \"password\"}}",
            ACTIVATION_LIFE.num_hours()
        ))?;
        Ok(())
    }
}
