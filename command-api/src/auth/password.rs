//! One's own password, changed by who knows the present one.

use axum::extract::State;
use domain::{Staff, staff::ChangePassword, values::Password};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use service_kit::{Authenticated, Json, Problem};

use super::{
    fresh::prove_again,
    session::{Proven, Tokens, begin_session},
};
use crate::{
    app::App,
    execute::{Call, Secret},
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
    prove_again(&app, &who, body.current_password).await?;
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
