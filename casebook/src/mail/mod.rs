//! Mails: where they go, and who takes them out of the outbox and sends them.

mod config;
mod mailer;
mod writing;

pub use config::{MailConfig, Outgoing};
pub use mailer::Mailer;
