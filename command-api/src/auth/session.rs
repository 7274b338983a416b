//! Sessions: an access token of fifteen minutes, and a refresh token that is good once.

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use event_store::{RefreshToken as StoredToken, Rotation};
use events::{ClinicId, PatientId, Role, UserId, access::LoginFailure};
use http::StatusCode;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use service_kit::{
    Authenticated, Json, Problem,
    tokens::{ACCESS_TOKEN_LIFE, Identity, OpaqueSecret, SecretHash, TokenSigner},
};
use uuid::Uuid;

use super::ledger::{self, Tried};
use crate::{
    app::App,
    execute::{CurrentLogin, Failure},
};

/// How long a refresh token is good for.
pub const REFRESH_TOKEN_LIFE: TimeDelta = TimeDelta::days(7);

/// What a login gets.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tokens {
    /// `Authorization: Bearer …`, for 15 minutes.
    pub access_token: String,
    /// Good once, for 7 days; using it gives another one.
    pub refresh_token: String,
    /// `Bearer`
    pub token_type: String,
    /// Seconds until the access token ends.
    pub expires_in: i64,
    /// The password was given by somebody else: change it before anything else.
    pub must_change_password: bool,
}

/// Somebody who has just proved who they are.
pub struct Proven {
    pub clinic: ClinicId,
    /// `None` on the platform.
    pub slug: Option<String>,
    pub user: UserId,
    pub username: String,
    pub roles: Vec<Role>,
    pub patient: Option<PatientId>,
    pub must_change_password: bool,
}

impl Proven {
    pub fn of(clinic: ClinicId, user: UserId, login: CurrentLogin, must_change_password: bool) -> Self {
        let CurrentLogin { staff, username, slug, .. } = login;
        Self { clinic, slug, user, username, roles: staff.roles, patient: staff.patient, must_change_password }
    }
}

/// A session whose tokens can be made before it begins: a command's answer may hold them.
#[derive(Clone)]
pub struct Prepared {
    session: Uuid,
    secret: OpaqueSecret,
    signer: TokenSigner,
}

impl Prepared {
    pub fn new(app: &App) -> Self {
        Self { session: Uuid::now_v7(), secret: OpaqueSecret::generate(), signer: app.signer.clone() }
    }

    /// The next tokens of a session that goes on.
    fn of_session(app: &App, session: Uuid, secret: OpaqueSecret) -> Self {
        Self { session, secret, signer: app.signer.clone() }
    }

    pub fn tokens(&self, proven: &Proven) -> Result<Tokens, Problem> {
        let identity = Identity {
            user: proven.user,
            clinic: proven.clinic,
            slug: proven.slug.clone(),
            roles: proven.roles.clone(),
            name: proven.username.clone(),
            session: self.session,
            patient: proven.patient,
        };
        let refresh_token = RefreshToken { clinic: proven.clinic, secret: self.secret.expose().to_owned() };
        Ok(Tokens {
            access_token: self.signer.sign(identity, Utc::now()).map_err(Problem::internal)?,
            refresh_token: refresh_token.write(),
            token_type: "Bearer".to_owned(),
            expires_in: ACCESS_TOKEN_LIFE.num_seconds(),
            must_change_password: proven.must_change_password,
        })
    }

    /// From now on the tokens are good, and it is recorded who has them.
    pub async fn begin(&self, app: &App, proven: &Proven) -> Result<(), Problem> {
        let now = Utc::now();
        let token = stored(&self.secret, now);
        let begun = app.store().begin_session(proven.clinic, proven.user, self.session, token, now).await;
        begun.map_err(Failure::from)?;
        ledger::logged_in(app, proven, self.session).await
    }
}

/// Begins a session and gives its tokens.
pub async fn begin_session(app: &App, proven: &Proven) -> Result<Tokens, Problem> {
    let prepared = Prepared::new(app);
    prepared.begin(app, proven).await?;
    prepared.tokens(proven)
}

/// What is kept of a refresh token.
fn stored(secret: &OpaqueSecret, now: DateTime<Utc>) -> StoredToken {
    StoredToken { hash: secret.hash().0, expires_at: now + REFRESH_TOKEN_LIFE }
}

/// A refresh token as clients see it: opaque to them, and led to its clinic by its first part.
struct RefreshToken {
    clinic: ClinicId,
    secret: String,
}

impl RefreshToken {
    fn write(&self) -> String {
        format!("{}.{}", self.clinic.0.simple(), self.secret)
    }

    fn read(text: &str) -> Option<Self> {
        let (clinic, secret) = text.split_once('.')?;
        Some(Self { clinic: ClinicId(Uuid::try_parse(clinic).ok()?), secret: secret.to_owned() })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshBody {
    #[schemars(with = "String")]
    refresh_token: SecretString,
}

/// Exchanges a refresh token. One that was used already ends its whole session: either the client or a
/// thief has used it before.
pub async fn refresh(State(app): State<App>, Json(body): Json<RefreshBody>) -> Result<Json<Tokens>, Problem> {
    let token = RefreshToken::read(body.refresh_token.expose_secret()).ok_or_else(Problem::bad_credentials)?;
    let next = OpaqueSecret::generate();
    let (used, now) = (SecretHash::of(&token.secret), Utc::now());
    let rotation = app.store().rotate(token.clinic, &used.0, stored(&next, now), now).await;
    let tried = |user| Tried { clinic: token.clinic, username_hash: None, user: Some(user) };
    let (user, session) = match rotation.map_err(Failure::from)? {
        Rotation::Rotated { user, session } => (user, session),
        Rotation::Reused { user, .. } => return Err(tried(user).failed(&app, LoginFailure::TokenReused).await),
        // Whose it was, nobody knows any more, if it ever was one.
        Rotation::Refused => return Err(Problem::bad_credentials()),
    };
    let known = app.store().credential(token.clinic, user).await.map_err(Failure::from)?;
    let must_change_password = known.is_some_and(|known| known.must_change_password);
    let login = app.executor.login(token.clinic, user).await?.filter(|login| login.staff.may_log_in(Utc::now()));
    let Some(login) = login else { return Err(tried(user).failed(&app, LoginFailure::NotAllowed).await) };
    let proven = Proven::of(token.clinic, user, login, must_change_password);
    Prepared::of_session(&app, session, next).tokens(&proven).map(Json)
}

/// Ends the session of the token that it is sent with, at once and everywhere.
pub async fn logout(State(app): State<App>, who: Authenticated) -> Result<StatusCode, Problem> {
    app.store().revoke_session(who.clinic(), who.session(), Utc::now()).await.map_err(Failure::from)?;
    ledger::logged_out(&app, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}
