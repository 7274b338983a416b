//! One's own password, changed by who knows the present one.

use axum::extract::State;
use domain::{Staff, staff::ChangePassword, values::Password};
use event_store::PasswordHash;
use events::access::LoginFailure;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use service_kit::{Authenticated, Json, Problem};

use super::{
    ledger::Tried,
    session::{Proven, Tokens, begin_session},
};
use crate::{
    app::App,
    execute::{Call, Failure, Secret},
    handle::must_stand,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    #[schemars(with = "String")]
    pub current_password: SecretString,
    pub new_password: Password,
}

/// Ends every session that began earlier, this one too, and begins a new one.
pub async fn change(
    State(app): State<App>,
    who: Authenticated,
    Json(body): Json<PasswordBody>,
) -> Result<Json<Tokens>, Problem> {
    let (clinic, user) = (who.clinic(), who.user());
    must_stand(&app, &who).await?;
    let known = app.store().credential(clinic, user).await.map_err(Failure::from)?;
    let stored = known.and_then(|login| login.password_hash).map(PasswordHash);
    if !app.passwords.verify(body.current_password, stored).await {
        let tried = Tried { clinic, username_hash: None, user: Some(user) };
        return Err(tried.failed(&app, LoginFailure::WrongPassword).await);
    }
    let password = app.passwords.hash(body.new_password.into_secret()).await;
    let mut call = Call::<Staff>::new(clinic, user.into(), "ChangePassword", ChangePassword {}.into());
    call.actor = who.actor();
    call.client = who.client().clone();
    call.correlation_id = who.correlation_id();
    call.secret = Some(Secret::Password(password));
    app.executor.execute(call).await?;
    let login = app.executor.login(clinic, user).await?.ok_or_else(Problem::bad_credentials)?;
    let proven = Proven::of(clinic, user, login, false);
    begin_session(&app, &proven).await.map(Json)
}
