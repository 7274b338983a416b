//! What happens to the secrets of logins follows from the events, in one place: so no way to an event can
//! forget it.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use event_store::{Activation, CredentialChange, FirstSecret, PasswordHash};
use events::{DomainEvent, StaffEvent, StreamId, UserId};
use service_kit::tokens::OpaqueSecret;

/// The secret that comes with a command: never in an event.
#[derive(Clone)]
pub enum Secret {
    /// Somebody's own new password.
    Password(PasswordHash),
    /// By which somebody sets their first password, or another one.
    OneTime(OneTime),
}

/// A secret that is good once, for a while. A hash of it is kept; itself is shown, or sent by mail.
#[derive(Clone)]
pub struct OneTime {
    secret: OpaqueSecret,
    expires_at: DateTime<Utc>,
}

impl OneTime {
    pub fn generate(now: DateTime<Utc>, life: TimeDelta) -> Self {
        Self { secret: OpaqueSecret::generate(), expires_at: (now + life).trunc_subsecs(0) }
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// What is kept of it.
    fn kept(&self) -> Activation {
        Activation { hash: self.secret.hash().0, expires_at: self.expires_at }
    }
}

/// An event asks for a secret that the command did not bring.
#[derive(Debug, PartialEq, Eq)]
pub struct NoSecret;

/// What a decision's events do to credentials.
pub fn credential_changes(
    events: &[(StreamId, DomainEvent)],
    secret: Option<&Secret>,
) -> Result<Vec<CredentialChange>, NoSecret> {
    let mut changes = Vec::new();
    for (stream, event) in events {
        if let DomainEvent::Staff(event) = event {
            changes.extend(change(UserId(stream.id), event, secret)?);
        }
    }
    // Who is made with a password of their own is active at once, and has it already.
    let made = changes.iter().any(|change| matches!(change, CredentialChange::Create { .. }));
    changes.retain(|change| !(made && matches!(change, CredentialChange::SetPassword { .. })));
    Ok(changes)
}

fn change(user: UserId, event: &StaffEvent, secret: Option<&Secret>) -> Result<Option<CredentialChange>, NoSecret> {
    Ok(match event {
        StaffEvent::StaffInvited { username_hash, .. } => {
            let secret = match secret.ok_or(NoSecret)?.clone() {
                Secret::Password(password) => FirstSecret::Password { password, must_change: false },
                Secret::OneTime(secret) => FirstSecret::Activation(secret.kept()),
            };
            Some(CredentialChange::Create { user, username_hash: username_hash.clone(), secret })
        }
        StaffEvent::StaffActivated { .. } | StaffEvent::PasswordChanged { .. } => {
            let Some(Secret::Password(password)) = secret.cloned() else { return Err(NoSecret) };
            Some(CredentialChange::SetPassword { user, password })
        }
        StaffEvent::ActivationRenewed { .. } => {
            let Some(Secret::OneTime(secret)) = secret else { return Err(NoSecret) };
            Some(CredentialChange::RenewActivation { user, activation: secret.kept() })
        }
        StaffEvent::PasswordResetRequested { .. } => {
            let Some(Secret::OneTime(secret)) = secret else { return Err(NoSecret) };
            Some(CredentialChange::OfferReset { user, reset: secret.kept() })
        }
        StaffEvent::RoleGranted { .. } | StaffEvent::RoleRevoked { .. } => Some(CredentialChange::EndTokens { user }),
        StaffEvent::StaffLocked { until, .. } => Some(CredentialChange::Lock { user, until: *until }),
        StaffEvent::StaffUnlocked { .. } => Some(CredentialChange::Unlock { user }),
        StaffEvent::StaffDeactivated { .. } => Some(CredentialChange::Disable { user }),
        StaffEvent::TotpEnabled { .. }
        | StaffEvent::TotpDisabled { .. }
        | StaffEvent::DepartmentAssigned { .. }
        | StaffEvent::DepartmentUnassigned { .. }
        | StaffEvent::EmergencyAccessGranted { .. }
        | StaffEvent::EmergencyAccessEnded { .. }
        | StaffEvent::EmergencyAccessReviewed { .. } => None,
    })
}
