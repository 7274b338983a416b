//! Paper: who put an issued prescription on it, and when.

use events::{PrescriptionEvent, prescription::PrescriptionStatus};
use schemars::JsonSchema;
use serde::Deserialize;

use super::case::Case;
use crate::{Decision, Refusal};

/// Records that an issued prescription is put on paper. Each time counts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintPrescription {}

impl PrintPrescription {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        let withdrawn =
            matches!(case.prescription.status, PrescriptionStatus::Cancelled | PrescriptionStatus::EnteredInError);
        if !case.prescription.is_issued() || withdrawn {
            return Err(case.wrong_status("printed"));
        }
        case.record(PrescriptionEvent::PrescriptionPrinted { patient: case.patient() })
    }
}
