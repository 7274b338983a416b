//! Opaque secrets: long enough to be stored as a plain hash, compared in constant time.

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, rand};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

const SECRET_BYTES: usize = 32;

/// A random secret of 256 bits, 43 characters in base64url. Handed out once, never stored, never logged.
#[derive(Clone, Debug)]
pub struct OpaqueSecret(SecretString);

/// SHA-256 of a secret: what is stored. A slow hash adds nothing to 256 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

impl OpaqueSecret {
    pub fn generate() -> Self {
        let mut bytes = [0_u8; SECRET_BYTES];
        // It fails only where the operating system gives no randomness: nothing can go on then.
        rand::fill(&mut bytes).expect("the operating system gives random bytes");
        Self(BASE64_URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// The text for the one answer or message that may hold it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.expose())
    }
}

impl SecretHash {
    /// Of a secret that somebody presents.
    pub fn of(secret: &str) -> Self {
        let digest = digest::digest(&digest::SHA256, secret.as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(digest.as_ref());
        Self(hash)
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_its_own_hash_only() {
        let (one, other) = (OpaqueSecret::generate(), OpaqueSecret::generate());
        assert_eq!(one.expose().len(), 43);
        assert!(one.hash().matches(&SecretHash::of(one.expose())));
        assert!(!one.hash().matches(&other.hash()));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = OpaqueSecret::generate();
        assert!(!format!("{secret:?}").contains(secret.expose()));
    }

    #[test]
    fn the_hash_is_sha_256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let hex: String = SecretHash::of("abc").0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, known);
    }
}
