//! What happens to the secrets of logins follows from the events, in one place: so no way to an event can
//! forget it.

use event_store::{Activation, CredentialChange, FirstSecret, PasswordHash};
use events::{DomainEvent, StaffEvent, StreamId, UserId};

/// The secret that comes with a command: never in an event.
#[derive(Clone)]
pub enum Secret {
    /// Somebody's own new password.
    Password(PasswordHash),
    /// By which somebody else sets their first password.
    Activation(Activation),
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
                Secret::Activation(activation) => FirstSecret::Activation(activation),
            };
            Some(CredentialChange::Create { user, username_hash: username_hash.clone(), secret })
        }
        StaffEvent::StaffActivated { .. } | StaffEvent::PasswordChanged { .. } => {
            let Some(Secret::Password(password)) = secret.cloned() else { return Err(NoSecret) };
            Some(CredentialChange::SetPassword { user, password })
        }
        StaffEvent::ActivationRenewed { .. } => {
            let Some(Secret::Activation(activation)) = secret.cloned() else { return Err(NoSecret) };
            Some(CredentialChange::RenewActivation { user, activation })
        }
        StaffEvent::RoleGranted { .. } | StaffEvent::RoleRevoked { .. } => Some(CredentialChange::EndTokens { user }),
        StaffEvent::StaffLocked { until, .. } => Some(CredentialChange::Lock { user, until: *until }),
        StaffEvent::StaffUnlocked { .. } => Some(CredentialChange::Unlock { user }),
        StaffEvent::StaffDeactivated { .. } => Some(CredentialChange::Disable { user }),
        StaffEvent::PasswordResetRequested { .. }
        | StaffEvent::DepartmentAssigned { .. }
        | StaffEvent::DepartmentUnassigned { .. }
        | StaffEvent::EmergencyAccessGranted { .. }
        | StaffEvent::EmergencyAccessEnded { .. }
        | StaffEvent::EmergencyAccessReviewed { .. } => None,
    })
}
