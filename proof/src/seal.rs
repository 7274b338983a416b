//! Sealing one event, and opening it again with that event's own key.
//!
//! The key of an event is 64 bytes, derived from a data key that stays in the vault. The first 32 are a key
//! for AES-256-GCM, the other 32 its commitment. Stored is `commitment ‖ ciphertext ‖ tag`; the associated data
//! is `clinic ‖ patient ‖ event id`, 16 raw bytes each and a nil patient where the event is about none. The key
//! is used once, so the nonce is zero. GCM alone commits to no key: without the commitment, one ciphertext could
//! be made that opens to two texts under two keys.
//!
//! Who is given an event's key can open that event and no other.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time::verify_slices_are_equal,
};
use events::{ClinicId, PatientId};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::row::StoredRow;

const CIPHER_KEY_BYTES: usize = 32;
const COMMITMENT_BYTES: usize = 32;
/// Both halves of an event's key.
pub const EVENT_KEY_BYTES: usize = CIPHER_KEY_BYTES + COMMITMENT_BYTES;
const IDS_BYTES: usize = 48;

/// Which event a sealed part belongs to.
#[derive(Clone, Copy)]
pub struct Place([u8; IDS_BYTES]);

impl Place {
    pub fn new(clinic: ClinicId, patient: Option<PatientId>, event_id: Uuid) -> Self {
        let patient = patient.map_or(Uuid::nil(), |patient| patient.0);
        let mut ids = [0; IDS_BYTES];
        for (part, id) in ids.chunks_exact_mut(16).zip([clinic.0, patient, event_id]) {
            part.copy_from_slice(id.as_bytes());
        }
        Self(ids)
    }

    pub fn of(row: &StoredRow) -> Self {
        Self::new(row.clinic, row.patient, row.event_id)
    }

    /// `clinic ‖ patient ‖ event id`
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The sealed part was changed, belongs to another event, or was sealed under another key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed part does not open: it was changed, or belongs to another event")]
pub struct NotOpened;

/// The key of one event: it opens that event and no other. Wiped when it is dropped.
pub struct EventKey(Zeroizing<[u8; EVENT_KEY_BYTES]>);

impl EventKey {
    pub fn new(bytes: Zeroizing<[u8; EVENT_KEY_BYTES]>) -> Self {
        Self(bytes)
    }

    /// The bytes to hand out with the event.
    pub fn expose(&self) -> &[u8; EVENT_KEY_BYTES] {
        &self.0
    }

    pub fn seal(&self, place: Place, content: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(COMMITMENT_BYTES + content.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(self.commitment());
        sealed.extend_from_slice(content);
        let tag = self
            .cipher()
            .seal_in_place_separate_tag(nonce(), Aad::from(place.0), &mut sealed[COMMITMENT_BYTES..])
            .expect("an event is far smaller than GCM's limit");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let (commitment, content) = sealed.split_at_checked(COMMITMENT_BYTES).ok_or(NotOpened)?;
        verify_slices_are_equal(commitment, self.commitment()).map_err(|_| NotOpened)?;
        let mut content = content.to_vec();
        let length =
            self.cipher().open_in_place(nonce(), Aad::from(place.0), &mut content).map_err(|_| NotOpened)?.len();
        content.truncate(length);
        Ok(content)
    }

    fn cipher(&self) -> LessSafeKey {
        let key = &self.0[..CIPHER_KEY_BYTES];
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are a key of AES-256"))
    }

    fn commitment(&self) -> &[u8] {
        &self.0[CIPHER_KEY_BYTES..]
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(event: u128) -> Place {
        Place::new(ClinicId(Uuid::from_u128(1)), Some(PatientId(Uuid::from_u128(2))), Uuid::from_u128(event))
    }

    fn key(byte: u8) -> EventKey {
        EventKey::new(Zeroizing::new([byte; EVENT_KEY_BYTES]))
    }

    #[test]
    fn a_sealed_part_opens_in_its_place_under_its_key_alone() {
        let sealed = key(1).seal(place(3), b"{\"first_name\":\"Asha\"}");
        assert_eq!(key(1).open(place(3), &sealed).unwrap(), b"{\"first_name\":\"Asha\"}");
        assert_eq!(key(1).open(place(4), &sealed), Err(NotOpened));
        assert_eq!(key(2).open(place(3), &sealed), Err(NotOpened));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let sealed = key(1).seal(place(3), b"{}");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key(1).open(place(3), &changed), Err(NotOpened), "byte {at}");
        }
        assert_eq!(key(1).open(place(3), &sealed[..10]), Err(NotOpened));
    }

    #[test]
    fn a_key_whose_commitment_is_another_opens_nothing_though_its_cipher_would() {
        let sealed = key(1).seal(place(3), b"{}");
        let mut other = [1; EVENT_KEY_BYTES];
        other[EVENT_KEY_BYTES - 1] = 2;
        assert_eq!(EventKey::new(Zeroizing::new(other)).open(place(3), &sealed), Err(NotOpened));
    }
}
