//! Opened keys, remembered for a minute at most: an erasure waits as long before it makes read models again.

use std::{sync::Arc, time::Duration};

use events::{ClinicId, PatientId};
use moka::sync::Cache;

use super::{keys::ClinicKeys, seal::SealingKey};

/// How long an opened key may be used without asking whether it still exists.
pub const OPENED_KEY_LIFE: Duration = Duration::from_secs(60);
const PATIENT_KEYS_MAX: u64 = 50_000;
const CLINIC_KEYS_MAX: u64 = 10_000;
/// How long a clinic may take from the first question about its secrets to its registration.
const REGISTRATION_LIFE: Duration = Duration::from_secs(60);

/// For whom a key was looked up. An append may only seal under a key that exists when it commits, so the
/// writer asks under the key epoch of the clinic's head, which the append compares: what was looked up
/// before a key was destroyed is never found after it. Readers have no epoch; they live with the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Era {
    Reading,
    Epoch(i64),
}

#[derive(Clone)]
pub(crate) enum PatientKey {
    Good(Arc<SealingKey>),
    /// An erasure has begun: it still opens, and seals nothing any more.
    Fenced(Arc<SealingKey>),
    Destroyed,
    /// Never made.
    Absent,
}

#[derive(Clone)]
pub(crate) enum ClinicKey {
    Good(Arc<ClinicKeys>),
    Fenced(Arc<ClinicKeys>),
    Destroyed,
    Absent,
}

impl ClinicKey {
    /// What can still be read with.
    pub(crate) fn keys(&self) -> Option<&Arc<ClinicKeys>> {
        match self {
            Self::Good(keys) | Self::Fenced(keys) => Some(keys),
            Self::Destroyed | Self::Absent => None,
        }
    }
}

/// A clinic that is about to register: its keys, and the wrapped form that its first append stores.
pub(crate) struct NewClinic {
    pub(crate) keys: Arc<ClinicKeys>,
    pub(crate) wrapped: Vec<u8>,
}

pub(super) struct Held {
    pub(super) clinics: Cache<(ClinicId, Era), ClinicKey>,
    pub(super) patients: Cache<(ClinicId, PatientId, Era), PatientKey>,
    pub(super) registering: Cache<ClinicId, Arc<NewClinic>>,
}

impl Held {
    pub(super) fn new(opened_key_life: Duration) -> Self {
        Self {
            clinics: Cache::builder().max_capacity(CLINIC_KEYS_MAX).time_to_live(opened_key_life).build(),
            patients: Cache::builder().max_capacity(PATIENT_KEYS_MAX).time_to_live(opened_key_life).build(),
            registering: Cache::builder().max_capacity(CLINIC_KEYS_MAX).time_to_live(REGISTRATION_LIFE).build(),
        }
    }
}
