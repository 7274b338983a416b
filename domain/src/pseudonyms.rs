//! Keyed hashes of personal values, so that uniqueness can be claimed without writing the value in clear.

use events::claim::KeyedHash;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Made from a clinic's own secret, so that equal values of two clinics have nothing in common.
#[derive(Clone)]
pub struct Pseudonyms(Hmac<Sha256>);

impl Pseudonyms {
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length"))
    }

    /// HMAC-SHA256(secret, kind ‖ 0 ‖ value), in hex. The caller folds case and spaces first.
    pub fn of(&self, kind: &str, value: &str) -> KeyedHash {
        let mut mac = self.0.clone();
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        KeyedHash(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
