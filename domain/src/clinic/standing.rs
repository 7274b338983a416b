//! Whether a clinic's people may work: the platform suspends and resumes.

use events::ClinicEvent;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Clinic, did};
use crate::{Context, Decision, values::Reason};

/// Suspends the clinic: its people's commands are refused, its record can still be read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendClinic {
    /// Names no person: it is not sealed.
    pub reason: Reason,
}

impl SuspendClinic {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Decision {
        if clinic.suspended {
            return Decision::already_so();
        }
        did(context, ClinicEvent::ClinicSuspended { reason: self.reason.into() })
    }
}

/// Lets a suspended clinic work again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeClinic {}

impl ResumeClinic {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Decision {
        if !clinic.suspended {
            return Decision::already_so();
        }
        did(context, ClinicEvent::ClinicResumed {})
    }
}
