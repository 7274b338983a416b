//! The single-use secret by which a new login gets its password: shown once, kept as a hash.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use event_store::Activation;
use serde_json::json;
use service_kit::tokens::OpaqueSecret;

use crate::{answer::Extra, execute::Secret};

/// How long an activation is good for.
pub const ACTIVATION_LIFE: TimeDelta = TimeDelta::hours(72);

pub struct NewActivation {
    secret: OpaqueSecret,
    expires_at: DateTime<Utc>,
}

impl NewActivation {
    pub fn generate(now: DateTime<Utc>) -> Self {
        Self { secret: OpaqueSecret::generate(), expires_at: (now + ACTIVATION_LIFE).trunc_subsecs(0) }
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// What is kept of it.
    pub fn secret(&self) -> Secret {
        Secret::Activation(Activation { hash: self.secret.hash().0, expires_at: self.expires_at })
    }

    /// What the answer shows, to the administrator who made the login and to nobody else.
    pub fn shown(&self) -> Extra {
        let shown = json!({"activation": self.secret.expose(), "activation_expires_at": self.expires_at});
        let members = shown.as_object().cloned().unwrap_or_default();
        Arc::new(move |_| members.clone())
    }
}
