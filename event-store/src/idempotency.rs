//! How a command's answer is kept: encrypted under a key that only the client can name, since it may hold a
//! token or an activation secret.

use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use events::{ClinicId, UserId};
use uuid::Uuid;

use crate::{append::Idempotency, row::Hash};

/// How long a command is remembered.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(48 * 3600);

/// What was stored under an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// HMAC of the command that was accepted: another command under the same key is a mistake of the client.
    pub fingerprint: Vec<u8>,
    pub(crate) encrypted: Vec<u8>,
    pub(crate) owner: Vec<u8>,
}

impl StoredAnswer {
    /// The answer's bytes; `None` where the key is not the one under which it was stored.
    pub fn open(&self, answer_key: &[u8; 32]) -> Option<Vec<u8>> {
        let (nonce, content) = self.encrypted.split_first_chunk::<NONCE_LEN>()?;
        let mut content = content.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = cipher(answer_key).open_in_place(nonce, Aad::from(&self.owner), &mut content).ok()?.len();
        content.truncate(length);
        Some(content)
    }
}

pub(crate) fn encrypt(idempotency: &Idempotency, answer: &[u8]) -> Vec<u8> {
    let owner = owner(idempotency.clinic, idempotency.user, &idempotency.key_hash);
    let mut content = answer.to_vec();
    let nonce = cipher(&idempotency.answer_key)
        .seal_in_place_append_tag(Aad::from(owner), &mut content)
        .expect("an answer is far smaller than GCM's limit");
    [nonce.as_ref().as_slice(), &content].concat()
}

/// Whose answer it is: an answer that is moved to another row does not open.
pub(crate) fn owner(clinic: ClinicId, user: Option<UserId>, key_hash: &Hash) -> Vec<u8> {
    [clinic.0.as_bytes(), stored_user(user).as_bytes(), key_hash.as_slice()].concat()
}

/// Nil: without a login.
pub(crate) fn stored_user(user: Option<UserId>) -> Uuid {
    user.map_or(Uuid::nil(), |user| user.0)
}

fn cipher(key: &[u8; 32]) -> RandomizedNonceKey {
    RandomizedNonceKey::new(&AES_256_GCM, key).expect("32 bytes are a key of AES-256")
}
