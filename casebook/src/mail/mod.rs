//! Mails: where they go, and who takes them out of the outbox and sends them.

mod config;
mod mailer;
mod reminder;
mod writing;

use event_store::outbox::MailStanding;

pub use config::{MailConfig, Outgoing};
pub use mailer::Mailer;
pub use reminder::look as look_for_reminder;

/// How many of these were given up though somebody still waits for them.
pub fn failed(standing: &MailStanding) -> i64 {
    match standing.last_error.as_deref().is_some_and(writing::is_not_needed) {
        true => 0,
        false => standing.given_up,
    }
}
