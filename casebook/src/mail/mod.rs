//! Mails: where they go, and who takes them out of the outbox and sends them.

mod config;
mod mailer;
mod reminder;
mod writing;

pub use config::{MailConfig, Outgoing};
pub use mailer::Mailer;
pub use reminder::look as look_for_reminder;
