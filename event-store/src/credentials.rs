//! Secrets of logins. They live in a table of their own, never in an event.

use chrono::{DateTime, Utc};
use events::{UserId, claim::KeyedHash};

use crate::row::Hash;

/// A change to the secrets of one login, made in the transaction that records why.
#[derive(Clone)]
pub enum CredentialChange {
    /// A new login: with a password (the administrator of a new clinic), or waiting for its activation.
    Create {
        user: UserId,
        username_hash: KeyedHash,
        secret: FirstSecret,
    },
    /// The login's own password, from now on. Voids an activation, forgets failed logins, ends every session
    /// that began earlier.
    SetPassword {
        user: UserId,
        password: PasswordHash,
    },
    /// A new activation; an earlier one and the password are void. Ends all sessions.
    RenewActivation {
        user: UserId,
        activation: Activation,
    },
    /// A secret by which the login gets a new password; what there is stays good until it is used.
    OfferReset {
        user: UserId,
        reset: Activation,
    },
    /// No login until then; `None`: until it is unlocked. Ends all sessions.
    Lock {
        user: UserId,
        until: Option<DateTime<Utc>>,
    },
    Unlock {
        user: UserId,
    },
    /// What the tokens say has changed (a role): they must be made anew.
    EndTokens {
        user: UserId,
    },
    /// For good: password and activation are forgotten, all sessions end.
    Disable {
        user: UserId,
    },
}

#[derive(Clone)]
pub enum FirstSecret {
    Password {
        password: PasswordHash,
        /// Whether it must be changed at the first login.
        must_change: bool,
    },
    Activation(Activation),
}

/// An argon2 hash in PHC form.
#[derive(Clone)]
pub struct PasswordHash(pub String);

/// The single-use secret by which a login gets its first password, or another one.
#[derive(Clone)]
pub struct Activation {
    /// SHA-256 of the secret.
    pub hash: Hash,
    pub expires_at: DateTime<Utc>,
}
