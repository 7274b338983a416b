//! The words that stand beside a limited cell of the matrix.

use strum::{Display, IntoStaticStr};

/// What a limited permission is limited to. What falls under it is for the route to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
#[repr(u8)]
pub enum Limit {
    /// The first administrator of a clinic.
    #[strum(serialize = "first admin")]
    FirstAdministrator,
    /// One's own: the doctor's, the author's, the patient's.
    Own,
    #[strum(serialize = "own contact")]
    OwnContact,
    Triage,
    /// Opening a visit.
    Open,
    /// What an auditor's grant covers.
    Grant,
    /// What was released to the patient.
    Released,
    Draft,
    Verify,
    /// Observations, not procedures.
    Observe,
    /// Administrative documents.
    #[strum(serialize = "admin")]
    Administrative,
    Upload,
    /// The laboratory's.
    #[strum(serialize = "lab")]
    Laboratory,
    /// The platform's catalogue.
    Platform,
    #[strum(serialize = "own keys")]
    OwnKeys,
    Approve,
    /// Numbers of clinics and events, no content.
    Counts,
    #[strum(serialize = "own clinic")]
    OwnClinic,
    Payment,
    Technical,
    Queue,
    Money,
    Metadata,
    #[strum(serialize = "own access log")]
    OwnAccessLog,
    #[strum(serialize = "own patients")]
    OwnPatients,
    /// One patient at a time.
    #[strum(serialize = "a patient")]
    OnePatient,
    Reviews,
    Request,
}

/// A set of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits(u64);

impl Limits {
    pub fn contains(self, limit: Limit) -> bool {
        self.0 & Self::from(limit).0 != 0
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl From<Limit> for Limits {
    fn from(limit: Limit) -> Self {
        Self(1 << limit as u8)
    }
}
