//! Sealing one event.
//!
//! `okm = HKDF-SHA256(ikm = data key, salt = SEAL_SALT, info = clinic ‖ patient ‖ event id, 64 bytes)`, ids as
//! 16 raw bytes each and a nil patient where the event is about none. The first 32 bytes are the event's key
//! for AES-256-GCM, the other 32 its commitment. Stored is `commitment ‖ ciphertext ‖ tag`, with the same ids
//! as associated data. The key is used once, so the nonce is zero. GCM alone commits to no key: without the
//! commitment, one ciphertext could be made that opens to two texts under two keys.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time::verify_slices_are_equal,
};
use events::{ClinicId, PatientId};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::secret::{KEY_BYTES, Root};
use crate::row::StoredRow;

pub const SEAL_SALT: &str = "casebook/sealed/1";

const COMMITMENT_BYTES: usize = 32;
const IDS_BYTES: usize = 48;

/// Which event a sealed part belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Place([u8; IDS_BYTES]);

impl Place {
    pub(crate) fn new(clinic: ClinicId, patient: Option<PatientId>, event_id: Uuid) -> Self {
        let patient = patient.map_or(Uuid::nil(), |patient| patient.0);
        let mut ids = [0; IDS_BYTES];
        for (part, id) in ids.chunks_exact_mut(16).zip([clinic.0, patient, event_id]) {
            part.copy_from_slice(id.as_bytes());
        }
        Self(ids)
    }

    pub(crate) fn of(row: &StoredRow) -> Self {
        Self::new(row.clinic, row.patient, row.event_id)
    }
}

/// The sealed part was changed, belongs to another event, or was sealed under another key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed part does not open: it was changed, or belongs to another event")]
pub struct NotOpened;

/// The data key of a patient, or that of a clinic for what is about no patient.
pub(crate) struct SealingKey(Root);

impl SealingKey {
    pub(super) fn new(data_key: &[u8; KEY_BYTES]) -> Self {
        Self(Root::new(SEAL_SALT, data_key))
    }

    pub(crate) fn seal(&self, place: Place, content: &[u8]) -> Vec<u8> {
        let event = self.of_event(place);
        let mut sealed = Vec::with_capacity(COMMITMENT_BYTES + content.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(event.commitment());
        sealed.extend_from_slice(content);
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let tag = event
            .cipher()
            .seal_in_place_separate_tag(nonce, Aad::from(place.0), &mut sealed[COMMITMENT_BYTES..])
            .expect("an event is far smaller than GCM's limit");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    pub(crate) fn open(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let event = self.of_event(place);
        let (commitment, content) = sealed.split_at_checked(COMMITMENT_BYTES).ok_or(NotOpened)?;
        verify_slices_are_equal(commitment, event.commitment()).map_err(|_| NotOpened)?;
        let mut content = content.to_vec();
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let length =
            event.cipher().open_in_place(nonce, Aad::from(place.0), &mut content).map_err(|_| NotOpened)?.len();
        content.truncate(length);
        Ok(content)
    }

    fn of_event(&self, place: Place) -> EventKey {
        EventKey(self.0.derive(&place.0))
    }
}

/// The key of one event: it opens that event and no other.
struct EventKey(Zeroizing<[u8; KEY_BYTES + COMMITMENT_BYTES]>);

impl EventKey {
    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.0[..KEY_BYTES]).expect("32 bytes are a key of AES-256"))
    }

    fn commitment(&self) -> &[u8] {
        &self.0[KEY_BYTES..]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::secret::random, *};

    fn place(event: u128) -> Place {
        Place::new(ClinicId(Uuid::from_u128(1)), Some(PatientId(Uuid::from_u128(2))), Uuid::from_u128(event))
    }

    #[test]
    fn a_sealed_part_opens_in_its_place_alone() {
        let key = SealingKey::new(&random());
        let sealed = key.seal(place(3), b"{\"first_name\":\"Asha\"}");
        assert_eq!(key.open(place(3), &sealed).unwrap(), b"{\"first_name\":\"Asha\"}");
        assert_eq!(key.open(place(4), &sealed), Err(NotOpened));
        assert_eq!(SealingKey::new(&random()).open(place(3), &sealed), Err(NotOpened));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let key = SealingKey::new(&random());
        let sealed = key.seal(place(3), b"{}");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(place(3), &changed), Err(NotOpened), "byte {at}");
        }
        assert_eq!(key.open(place(3), &sealed[..10]), Err(NotOpened));
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
