//! Mails: what they say in each language, how they are written, and how they leave. What is to be sent, to whom and when
//! is not known here.

mod folder;
mod letter;
mod place;
mod post;
mod smtp;
mod texts;

pub use letter::{House, Letter, Mail, NotAnAddress, OneTime, Reminder, Sender};
pub use lettre::Address;
pub use place::{Place, Tls, WrongPlace};
pub use post::{Post, Undelivered};
pub use url::Url;
