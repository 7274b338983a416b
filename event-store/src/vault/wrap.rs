//! Keys encrypted by keys: a clinic's by the master key, a patient's by the clinic's.
//!
//! Stored as a version byte, a random nonce of 12 bytes, and AES-256-GCM's ciphertext and tag. The associated
//! data says whose key it is, so that two wrapped keys cannot be exchanged.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

use super::secret::{KEY_BYTES, Key};

const VERSION: u8 = 1;

/// The key cannot be unwrapped: another wrapping key was used, or the stored bytes were changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongKey;

pub(super) fn wrap(wrapping: &[u8; KEY_BYTES], owner: &[u8], key: &Key) -> Vec<u8> {
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, wrapping).expect("32 bytes are a key of AES-256");
    let mut content = zeroize::Zeroizing::new(key.to_vec());
    let nonce = cipher.seal_in_place_append_tag(Aad::from(owner), &mut *content).expect("32 bytes can be encrypted");
    [&[VERSION], nonce.as_ref().as_slice(), &content].concat()
}

pub(super) fn unwrap(wrapping: &[u8; KEY_BYTES], owner: &[u8], wrapped: &[u8]) -> Result<Key, WrongKey> {
    let (&VERSION, rest) = wrapped.split_first().ok_or(WrongKey)? else { return Err(WrongKey) };
    let (nonce, content) = rest.split_first_chunk::<NONCE_LEN>().ok_or(WrongKey)?;
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, wrapping).expect("32 bytes are a key of AES-256");
    let mut content = zeroize::Zeroizing::new(content.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let key = cipher.open_in_place(nonce, Aad::from(owner), &mut content).map_err(|_| WrongKey)?;
    Ok(Key::new(key.try_into().map_err(|_| WrongKey)?))
}

#[cfg(test)]
mod tests {
    use super::{super::secret::random, *};

    #[test]
    fn a_wrapped_key_opens_for_its_owner_under_its_key_alone() {
        let (wrapping, key) = (random(), random());
        let wrapped = wrap(&wrapping, b"asha", &key);
        assert_eq!(unwrap(&wrapping, b"asha", &wrapped).as_ref(), Ok(&key));
        assert_eq!(unwrap(&wrapping, b"ravi", &wrapped), Err(WrongKey));
        assert_eq!(unwrap(&random(), b"asha", &wrapped), Err(WrongKey));
        assert_eq!(unwrap(&wrapping, b"asha", &wrapped[..20]), Err(WrongKey));
        assert!(!wrapped.windows(KEY_BYTES).any(|part| part == &key[..]));
    }
}
