//! The first password of a login, by the single-use secret that an administrator handed over.

use axum::extract::State;
use domain::values::Password;
use events::values::BirthDate;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use service_kit::{Json, Problem};

use super::{
    one_time::{Presented, Which, set_password},
    session::Tokens,
};
use crate::app::App;

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
    /// Where the login needs one: of the authenticator app, or a recovery code.
    #[schemars(with = "Option<String>")]
    pub code: Option<SecretString>,
}

/// Sets the password and logs in. The secret is good once and for 72 hours.
pub async fn activate(State(app): State<App>, Json(body): Json<ActivateBody>) -> Result<Json<Tokens>, Problem> {
    let ActivateBody { clinic, username, activation: secret, password, birth_date, code } = body;
    let presented = Presented { clinic, username, secret, password, birth_date, code };
    set_password(&app, Which::Activation, presented).await.map(Json)
}
