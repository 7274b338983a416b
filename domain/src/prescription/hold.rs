//! A pause: nothing is taken and nothing is handed out, and the prescription is the same afterwards.

use events::{
    PrescriptionEvent,
    prescription::{PrescriptionStatus, StatusReason},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{case::Case, end::sealed};
use crate::{Decision, Refusal, values::Reason};

/// Pauses an active prescription.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldPrescription {
    pub reason: StatusReason,
    #[serde(default)]
    pub text: Option<Reason>,
}

/// Ends a pause.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleasePrescription {}

impl HoldPrescription {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        if case.prescription.status != PrescriptionStatus::Active {
            return Err(case.wrong_status("put on hold"));
        }
        let (patient, reason, sealed) = (case.patient(), self.reason, sealed(self.text));
        case.record(PrescriptionEvent::PrescriptionHeld { patient, reason, sealed })
    }
}

impl ReleasePrescription {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        if case.prescription.status != PrescriptionStatus::OnHold {
            return Err(case.wrong_status("released"));
        }
        case.person.may_come()?;
        case.record(PrescriptionEvent::PrescriptionReleased { patient: case.patient() })
    }
}
