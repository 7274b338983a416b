//! From a refusal or a failure to what HTTP answers.

use domain::{Class, Refusal};
use event_store::{AppendError, StoreError, VaultError};
use service_kit::{
    Problem,
    problem::{CONFLICT, CONTENDED, ERASED, FORBIDDEN, FieldError, LEGAL_HOLD, NOT_FOUND, RULE_REFUSED},
};

use crate::execute::{BUSY_RETRY_AFTER, Failure};

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refused(refusal),
            Failure::StaleVersion { current } => Self::stale_version(current),
            Failure::Forbidden => Self::forbidden(),
            Failure::Erased | Failure::Store(StoreError::Vault(VaultError::ClinicKeyDestroyed)) => Self::erased(),
            Failure::Busy | Failure::KeyRecorded => Self::new(CONTENDED).retry_after(BUSY_RETRY_AFTER),
            Failure::Log(AppendError::Unavailable(_)) => Self::unavailable("the log", failure),
            Failure::CorruptStream(_) | Failure::TooManyReads(_) | Failure::NoSecret(_) | Failure::Log(_) => {
                Self::internal(failure)
            }
            Failure::Store(error) => Self::unavailable("the log", error),
        }
    }
}

/// The domain's own code and words; the class decides the status.
fn refused(refusal: Refusal) -> Problem {
    let kind = match refusal.class {
        Class::NotFound => NOT_FOUND,
        Class::Forbidden => FORBIDDEN,
        Class::Conflict => CONFLICT,
        Class::Rule => RULE_REFUSED,
        Class::Gone => ERASED,
        Class::Held => LEGAL_HOLD,
    };
    let mut problem = Problem::new(kind.case(refusal.code)).detail(refusal.detail.clone());
    if let Some(pointer) = refusal.pointer {
        problem = problem.error(FieldError::new(pointer, refusal.code, refusal.detail));
    }
    refusal.extra.into_iter().fold(problem, |problem, (name, value)| problem.member(name, value))
}
