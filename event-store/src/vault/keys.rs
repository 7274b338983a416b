//! The keys of the installation and of a clinic.

use std::sync::Arc;

use aws_lc_rs::hmac;
use events::{ClinicId, PatientId, UserId, claim::KeyedHash};

use super::{
    seal::SealingKey,
    secret::{KEY_BYTES, Key, Root, random},
    wrap::{self, WrongKey},
};

const CLINIC_SALT: &str = "casebook/clinic-key/1";

/// The key that wraps every clinic's. Without it all records are lost.
pub struct MasterKey(Key);

impl MasterKey {
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Key::new(bytes))
    }

    /// A new one, for the first start of an installation. The caller stores it, readable by itself alone.
    pub fn random() -> Self {
        Self(random())
    }

    /// The bytes to store.
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    pub(super) fn wrap(&self, clinic: ClinicId, key: &Key) -> Vec<u8> {
        wrap::wrap(&self.0, clinic.0.as_bytes(), key)
    }

    pub(super) fn unwrap(&self, clinic: ClinicId, wrapped: &[u8]) -> Result<Key, WrongKey> {
        wrap::unwrap(&self.0, clinic.0.as_bytes(), wrapped)
    }
}

/// What a clinic's key yields. Every part is derived under a label of its own.
pub struct ClinicKeys {
    clinic: ClinicId,
    wrapping: Key,
    sealing: Arc<SealingKey>,
    /// Of the keyed hashes that stand for personal values in claims (`domain::Pseudonyms`).
    pub pseudonym_secret: Key,
    /// Of the keyed hashes and fingerprints by which commands are remembered.
    pub idempotency_secret: Key,
    /// Of the keyed hashes that stand for search terms in the access ledger.
    pub search_secret: Key,
    /// Of the secrets and of the recovery codes of logins that need a code.
    totp_secret: Key,
}

impl ClinicKeys {
    pub(super) fn new(clinic: ClinicId, key: &Key) -> Self {
        let root = Root::new(CLINIC_SALT, key);
        Self {
            clinic,
            wrapping: root.derive(b"patient-keys"),
            sealing: Arc::new(SealingKey::new(&root.derive(b"events"))),
            pseudonym_secret: root.derive(b"pseudonyms"),
            idempotency_secret: root.derive(b"idempotency"),
            search_secret: root.derive(b"search"),
            totp_secret: root.derive(b"totp"),
        }
    }

    /// What stands for a term that somebody searched for: HMAC-SHA256(secret, parameter ‖ 0 ‖ term), in hex. The
    /// caller folds case and accents first.
    pub fn search_hash(&self, parameter: &str, term: &str) -> KeyedHash {
        let content = [parameter.as_bytes(), &[0], term.as_bytes()].concat();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*self.search_secret);
        KeyedHash(hex::encode(hmac::sign(&key, &content)))
    }

    /// The secret of a login's one-time codes, of 20 bytes as RFC 4226 recommends: the first of
    /// HMAC-SHA256(secret, `secret` ‖ user ‖ salt).
    pub fn totp_secret(&self, user: UserId, salt: &[u8]) -> [u8; 20] {
        let whole = self.of_totp(b"secret", user, salt);
        std::array::from_fn(|n| whole[n])
    }

    /// What stands for a recovery code: HMAC-SHA256(secret, `recovery` ‖ user ‖ code).
    pub fn recovery_hash(&self, user: UserId, code: &str) -> [u8; 32] {
        self.of_totp(b"recovery", user, code.as_bytes())
    }

    fn of_totp(&self, what: &[u8], user: UserId, content: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*self.totp_secret);
        let tag = hmac::sign(&key, &[what, user.0.as_bytes(), content].concat());
        std::array::from_fn(|n| tag.as_ref()[n])
    }

    /// For events about no patient.
    pub(crate) fn sealing(&self) -> Arc<SealingKey> {
        self.sealing.clone()
    }

    /// A new patient's key, and its wrapped form to store.
    pub(crate) fn new_patient(&self, patient: PatientId) -> (Arc<SealingKey>, Vec<u8>) {
        let key = random();
        let wrapped = wrap::wrap(&self.wrapping, &self.owner(patient), &key);
        (Arc::new(SealingKey::new(&key)), wrapped)
    }

    pub(super) fn patient(&self, patient: PatientId, wrapped: &[u8]) -> Result<SealingKey, WrongKey> {
        Ok(SealingKey::new(&*wrap::unwrap(&self.wrapping, &self.owner(patient), wrapped)?))
    }

    fn owner(&self, patient: PatientId) -> Vec<u8> {
        [self.clinic.0.into_bytes(), patient.0.into_bytes()].concat()
    }
}
