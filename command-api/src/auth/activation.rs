//! The single-use secret by which a new login gets its password: shown once, kept as a hash.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::{
    answer::Extra,
    execute::{OneTime, Secret},
};

/// How long an activation is good for.
pub const ACTIVATION_LIFE: TimeDelta = TimeDelta::hours(72);

pub struct NewActivation(OneTime);

impl NewActivation {
    pub fn generate(now: DateTime<Utc>) -> Self {
        Self(OneTime::generate(now, ACTIVATION_LIFE))
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    pub fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at()
    }

    /// What the command brings.
    pub fn secret(&self) -> Secret {
        Secret::OneTime(self.0.clone())
    }

    /// What the answer shows, to the administrator who made the login and to nobody else.
    pub fn shown(&self) -> Extra {
        let shown = json!({"activation": self.expose(), "activation_expires_at": self.expires_at()});
        let members = shown.as_object().cloned().unwrap_or_default();
        Arc::new(move |_| members.clone())
    }
}
