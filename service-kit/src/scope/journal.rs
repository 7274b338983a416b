//! What is reported of a refused request. The services write it into the access ledger of the token's clinic.

use std::{error::Error, pin::Pin, sync::Arc};

use events::{Actor, Client, ClinicId, PatientId};
use uuid::Uuid;

use crate::access::{Capability, Need};

/// A slug has at most 63 characters; what is longer is no slug, and is cut before it is written down.
const SLUG_CHARS_MAX: usize = 63;

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where refusals are recorded.
pub trait AccessJournal: Send + Sync + 'static {
    /// Returns once the attempt is durable; the refusal is answered after that.
    fn record(&self, attempt: Attempt) -> BoxFuture<'_, Result<(), Box<dyn Error + Send + Sync>>>;
}

/// A request that its token does not allow.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The token's: in its ledger the attempt belongs.
    pub clinic: ClinicId,
    pub actor: Actor,
    pub client: Client,
    pub correlation_id: Uuid,
    /// Method and route template: `POST /clinic/{slug}/api/v1/patients`.
    pub operation: Arc<str>,
    /// The patient of the path, where it names one.
    pub patient: Option<PatientId>,
    pub refused: Refused,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The path named another clinic, or one that does not exist.
    CrossClinic { slug: String },
    /// The roles do not allow it, or not as far.
    Capability { capability: Capability, need: Need },
    /// Somebody of a clinic asked for what belongs to the platform.
    Platform,
}

impl Refused {
    pub(super) fn cross_clinic(slug: &str) -> Self {
        Self::CrossClinic { slug: slug.chars().take(SLUG_CHARS_MAX).collect() }
    }

    /// Stable, for ledger and log.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CrossClinic { .. } => "cross-clinic",
            Self::Capability { .. } => "forbidden",
            Self::Platform => "platform-only",
        }
    }
}
