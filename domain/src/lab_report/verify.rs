//! Looking at a result a second time.

use events::{LabReportEvent, LabResultId, lab_report::LabReportStatus};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Finding, LabReport, standing, wrong_status};
use crate::{Context, Refusal};

/// Verifies a result: by somebody else than who recorded it, unless the clinic's settings say otherwise.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyResult {
    pub result_id: LabResultId,
}

impl VerifyResult {
    /// `None`: it is verified already.
    pub(super) fn decide(self, state: &LabReport, context: &Context<'_>) -> Result<Option<LabReportEvent>, Refusal> {
        if state.status == LabReportStatus::EnteredInError {
            return Err(wrong_status(state, "verified"));
        }
        let finding = standing(state, self.result_id)?;
        if finding.verified {
            return Ok(None);
        }
        is_another(finding, context)?;
        Ok(Some(LabReportEvent::LabResultVerified {
            patient: state.patient,
            result: self.result_id,
            by: context.actor.user,
            status: state.status_with(self.result_id),
        }))
    }
}

fn is_another(finding: &Finding, context: &Context<'_>) -> Result<(), Refusal> {
    let needs_another = context.in_clinic()?.settings.results_verified_by_another;
    match needs_another && finding.by.is_some() && finding.by == context.actor.user {
        false => Ok(()),
        true => {
            let detail = "Somebody else than who recorded the result verifies it.";
            Err(Refusal::forbidden("same-person", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::sample::{code, given_recorded, given_registered_in, report, verify, verify_as},
        *,
    };
    use crate::{
        lab_order::sample::{COLLEAGUE, DOCTOR, TECHNICIAN, bench},
        testing::id,
    };

    #[test]
    fn somebody_else_verifies() {
        for other in [COLLEAGUE, DOCTOR] {
            let mut world = bench();
            given_registered_in(&mut world, 1);
            let result = given_recorded(&mut world, 1, 90.0);
            assert_eq!(code(verify_as(&mut world, TECHNICIAN, 1, result)), "same-person");
            assert_eq!(verify_as(&mut world, other, 1, result).unwrap().len(), 1);
            assert_eq!(verify_as(&mut world, other, 1, result).unwrap(), [], "already so");
        }
    }

    #[test]
    fn a_clinic_may_let_one_person_do_both() {
        let mut world = bench();
        world.given_settings(json!({"results_verified_by_another": false}));
        given_registered_in(&mut world, 1);
        let result = given_recorded(&mut world, 1, 90.0);
        assert_eq!(verify_as(&mut world, TECHNICIAN, 1, result).unwrap().len(), 1);
    }

    #[test]
    fn a_report_is_preliminary_once_all_that_stands_is_verified() {
        let mut world = bench();
        given_registered_in(&mut world, 1);
        let [one, two] = [90.0, 95.0].map(|value| given_recorded(&mut world, 1, value));
        verify(&mut world, 1, one);
        assert_eq!(report(&world, 1).status, LabReportStatus::Partial);
        verify(&mut world, 1, two);
        assert_eq!(report(&world, 1).status, LabReportStatus::Preliminary);
        given_recorded(&mut world, 1, 99.0);
        assert_eq!(report(&world, 1).status, LabReportStatus::Partial);
        assert_eq!(verify_as(&mut world, COLLEAGUE, 1, id(0xBAD)).unwrap_err().class, crate::Class::NotFound);
    }
}
