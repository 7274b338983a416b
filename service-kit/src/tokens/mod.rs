//! Access tokens (signed JWTs that live 15 minutes) and opaque secrets (refresh tokens, activations).

mod keys;
mod secret;
mod verifier;

use chrono::{DateTime, TimeDelta, Utc};
use events::{ClinicId, PatientId, Role, UserId};
pub use keys::{Jwk, Jwks, KeyFileError, SigningKeys, TokenSigner};
pub use secret::{OpaqueSecret, SecretHash};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
pub use verifier::{TokenError, TokenVerifier};

/// How long an access token is good for.
pub const ACCESS_TOKEN_LIFE: TimeDelta = TimeDelta::minutes(15);
pub const ISSUER: &str = "casebook";
pub const AUDIENCE: &str = "casebook-api";

/// Who a token speaks for, as they were when it was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    #[serde(rename = "sub")]
    pub user: UserId,
    /// `ClinicId::PLATFORM` for platform roles.
    pub clinic: ClinicId,
    /// The clinic's; `None` for the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    pub roles: Vec<Role>,
    /// User name.
    pub name: String,
    /// The token family: one login, with all its refreshed tokens.
    pub session: Uuid,
    /// Portal logins only: the one patient they may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientId>,
}

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    #[serde(flatten)]
    pub identity: Identity,
    pub jti: Uuid,
    /// Seconds, as for every JWT.
    pub iat: i64,
    pub exp: i64,
    pub iss: String,
    pub aud: String,
    /// `iat` in microseconds: who logs out and in again within a second keeps the new token.
    iat_us: i64,
}

impl Claims {
    fn new(identity: Identity, now: DateTime<Utc>) -> Self {
        Self {
            identity,
            jti: Uuid::now_v7(),
            iat: now.timestamp(),
            exp: (now + ACCESS_TOKEN_LIFE).timestamp(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat_us: now.timestamp_micros(),
        }
    }

    /// To compare with a user's `not_before`: an earlier token is revoked.
    pub fn issued_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.iat_us).unwrap_or_default()
    }
}
