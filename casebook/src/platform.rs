//! The platform's first administrator, who registers nobody but can help everybody.

use anyhow::{Result, anyhow};
use chrono::Utc;
use command_api::{
    App,
    auth::NewActivation,
    execute::{Call, Failure},
};
use domain::{Staff, staff::InviteStaff};
use events::{Actor, ClinicId, Ledger, StreamId, UserId};
use serde_json::json;
use uuid::Uuid;

const USERNAME: &str = "admin";

/// What is shown once, to whoever starts an installation for the first time.
pub struct FirstAdministrator {
    pub username: &'static str,
    /// Sets the first password.
    pub activation: String,
}

/// Makes the first administrator, where nothing was ever recorded for the platform.
pub async fn first_administrator(app: &App) -> Result<Option<FirstAdministrator>> {
    if app.store().head(ClinicId::PLATFORM, Ledger::Record).await?.position > 0 {
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
    match app.executor.execute(call).await {
        Ok(_) => Ok(Some(FirstAdministrator { username: USERNAME, activation: activation.expose().to_owned() })),
        // Another process started at the same moment and was first.
        Err(Failure::Refused(refusal)) if refusal.class == domain::Class::Conflict => Ok(None),
        Err(failure) => Err(anyhow!(failure).context("making the platform's first administrator")),
    }
}
