//! The keys under which events are sealed.
//!
//! `okm = HKDF-SHA256(ikm = data key, salt = SEAL_SALT, info = clinic ‖ patient ‖ event id, 64 bytes)`: what one
//! event is sealed and opened with ([`EventKey`]).

use proof::seal::{EVENT_KEY_BYTES, EventKey, NotOpened, Place};
use zeroize::Zeroizing;

use super::secret::{KEY_BYTES, Root};

pub const SEAL_SALT: &str = "casebook/sealed/1";

/// The data key of a patient, or that of a clinic for what is about no patient.
pub(crate) struct SealingKey(Root);

impl SealingKey {
    pub(super) fn new(data_key: &[u8; KEY_BYTES]) -> Self {
        Self(Root::new(SEAL_SALT, data_key))
    }

    pub(crate) fn seal(&self, place: Place, content: &[u8]) -> Vec<u8> {
        self.of_event(place).seal(place, content)
    }

    pub(crate) fn open(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        self.of_event(place).open(place, sealed)
    }

    /// For what lies outside the log.
    pub(super) fn derive<const N: usize>(&self, info: &[u8]) -> Zeroizing<[u8; N]> {
        self.0.derive(info)
    }

    /// For a mail that waits in the outbox: `mail ‖ place`, longer than any event's, so that the key is none of an event's.
    pub(crate) fn of_mail(&self, place: Place) -> EventKey {
        EventKey::new(self.0.derive::<EVENT_KEY_BYTES>(&[b"mail".as_slice(), place.as_bytes()].concat()))
    }

    pub(crate) fn of_event(&self, place: Place) -> EventKey {
        EventKey::new(self.0.derive::<EVENT_KEY_BYTES>(place.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use events::{ClinicId, PatientId};
    use uuid::Uuid;

    use super::{super::secret::random, *};

    fn place(event: u128) -> Place {
        Place::new(ClinicId(Uuid::from_u128(1)), Some(PatientId(Uuid::from_u128(2))), Uuid::from_u128(event))
    }

    #[test]
    fn each_event_is_sealed_under_a_key_of_its_own() {
        let key = SealingKey::new(&random());
        let sealed = key.seal(place(3), b"{}");
        assert_eq!(key.of_event(place(3)).open(place(3), &sealed).unwrap(), b"{}");
        assert_eq!(key.of_event(place(4)).open(place(3), &sealed), Err(NotOpened));
        assert_eq!(SealingKey::new(&random()).open(place(3), &sealed), Err(NotOpened));
    }

    #[test]
    fn the_format_never_changes() {
        // Checked against an independent implementation (Python's cryptography: HKDF, AESGCM).
        let key = SealingKey::new(&[7; KEY_BYTES]);
        assert_eq!(
            hex::encode(key.seal(place(3), b"{}")),
            "05dfbce215f8c01ab95c2523fd0349fd643a3a6672a5a771f201c51960f5469eadf4dc5d128721f91b38f76ba9b3823c5ac2"
        );
    }
}
