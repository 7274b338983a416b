//! Which mails a decision's events cause, in one place, as with the secrets of logins: so no way to an event can forget
//! its mail.

use domain::State;
use event_store::{MailKind, NewMail};
use events::{ActorKind, DomainEvent, StaffEvent, StreamId};
use uuid::Uuid;

use super::Secret;

/// The mail that brings a login's one-time secret, where the login has an address for it. An import hands its secrets
/// to the operator instead: nobody expects a mail from a clinic that has only just been brought here.
pub fn mail_of(
    stream: StreamId,
    event: &DomainEvent,
    after: &State,
    secret: Option<&Secret>,
    by: ActorKind,
) -> Option<NewMail> {
    let (DomainEvent::Staff(event), State::Staff(login), Some(Secret::OneTime(secret))) = (event, after, secret) else {
        return None;
    };
    let kind = match event {
        StaffEvent::StaffInvited { .. } | StaffEvent::ActivationRenewed { .. } => MailKind::Activation,
        StaffEvent::PasswordResetRequested { .. } => MailKind::PasswordReset,
        _ => return None,
    };
    (by != ActorKind::Import && login.email_hash.is_some()).then(|| NewMail {
        id: Uuid::now_v7(),
        kind,
        about: stream.id,
        patient: login.patient,
        secret: secret.expose().into(),
        not_after: secret.expires_at(),
    })
}
