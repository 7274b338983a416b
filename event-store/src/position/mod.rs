//! How a query that waits for its own command learns that a read model has come far enough.
//!
//! A follower that has moved its checkpoint says so by a plain NATS message (never JetStream: who was not
//! there does not need it). The message only wakes; whether it is far enough is what the asker sees when it
//! looks. Without messages it looks every few milliseconds.

mod announce;
mod watch;

use events::{ClinicId, Position};

pub use announce::PositionAnnouncer;
pub use watch::{LOOK_EVERY, LOOK_WITHOUT_NATS_EVERY, PositionWatch, Waited};

/// Before the clinic's id.
const PREFIX: &str = "position.";
const SUBJECTS: &str = "position.*";

/// `<projection> <position>`.
fn message_of(projection: &str, position: Position) -> String {
    format!("{projection} {position}")
}

fn clinic_of(subject: &str) -> Option<ClinicId> {
    subject.strip_prefix(PREFIX)?.parse().ok()
}

fn parts_of(message: &[u8]) -> Option<(&str, Position)> {
    let (projection, position) = std::str::from_utf8(message).ok()?.split_once(' ')?;
    Some((projection, position.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_says_what_was_announced() {
        assert_eq!(parts_of(message_of("patient", 17).as_bytes()), Some(("patient", 17)));
        assert_eq!(clinic_of(&format!("{PREFIX}{}", ClinicId::PLATFORM)), Some(ClinicId::PLATFORM));
        assert_eq!(parts_of(b"patient"), None);
        assert_eq!(clinic_of("position.somewhere"), None);
    }
}
