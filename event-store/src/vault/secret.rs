//! Thirty-two secret bytes, and what is derived from them. All derivations are HKDF-SHA256 (RFC 5869).

use aws_lc_rs::{
    hkdf::{HKDF_SHA256, KeyType, Prk},
    hmac, rand,
};
use zeroize::Zeroizing;

pub const KEY_BYTES: usize = 32;

/// A key of 32 bytes that is wiped when it is dropped.
pub type Key = Zeroizing<[u8; KEY_BYTES]>;

/// The first half of HKDF, done once: `HMAC-SHA256(salt, secret)`.
pub(super) struct Root(Prk);

impl Root {
    pub(super) fn new(salt: &str, secret: &[u8; KEY_BYTES]) -> Self {
        let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes()), secret);
        Self(Prk::new_less_safe(HKDF_SHA256, extracted.as_ref()))
    }

    /// The second half: as many bytes as are asked for, bound to `info`.
    pub(super) fn derive<const N: usize>(&self, info: &[u8]) -> Zeroizing<[u8; N]> {
        let mut derived = Zeroizing::new([0; N]);
        let info = [info];
        let output = self.0.expand(&info, Length(N)).expect("a few keys are within HKDF's limit");
        output.fill(&mut *derived).expect("the length was asked for");
        derived
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// A new random key.
pub(super) fn random() -> Key {
    let mut key = Key::default();
    rand::fill(&mut *key).expect("the system has randomness");
    key
}
