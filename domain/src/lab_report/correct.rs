//! What follows a release: results that are added, and results that take the place of others. Both count at once, since
//! what is wrong must not stand a minute longer; somebody verifies them after that.

use events::{
    LabReportEvent, LabResultId,
    lab_report::{CorrectionReason, LabCorrection},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{LabReport, result::NewResult, standing, wrong_status};
use crate::{Context, Refusal, values::Reason};

/// Adds a result to a released report.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AmendReport {
    pub result: NewResult,
}

/// Puts a result in the place of a released one, which stays readable. The ordering doctor is to know.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectReport {
    /// What was not right.
    pub result_id: LabResultId,
    pub result: NewResult,
    pub reason: CorrectionReason,
    /// Why, in words.
    pub why: Reason,
}

impl AmendReport {
    pub(super) fn decide(self, state: &LabReport, context: &Context<'_>) -> Result<LabReportEvent, Refusal> {
        if !state.status.is_released() {
            return Err(wrong_status(state, "amended"));
        }
        let result = self.result.checked()?;
        Ok(LabReportEvent::LabReportAmended {
            patient: state.patient,
            result: context.new_id(0),
            by: context.actor.user,
            critical: result.flag.is_some_and(|flag| flag.is_critical()),
            was: state.status,
            sealed: result.into(),
        })
    }
}

impl CorrectReport {
    pub(super) fn decide(self, state: &LabReport, context: &Context<'_>) -> Result<LabReportEvent, Refusal> {
        if !state.status.is_released() {
            return Err(wrong_status(state, "corrected"));
        }
        standing(state, self.result_id)?;
        let result = self.result.checked()?;
        Ok(LabReportEvent::LabReportCorrected {
            patient: state.patient,
            result: context.new_id(0),
            corrects: self.result_id,
            by: context.actor.user,
            critical: result.flag.is_some_and(|flag| flag.is_critical()),
            was: state.status,
            reason: self.reason,
            informs: state.doctor,
            sealed: LabCorrection { result, why: self.why.into() }.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use events::{DomainEvent, lab_report::LabReportStatus};
    use serde_json::json;

    use super::{
        super::sample::{code, given_registered_in, given_released, glucose, report, report_id, verify_as},
        *,
    };
    use crate::{
        lab_order::sample::{DOCTOR, TECHNICIAN, bench},
        testing::{World, body, id},
    };

    fn correct(world: &mut World, result: LabResultId, value: f64) -> Result<Vec<DomainEvent>, Refusal> {
        let content = json!({
            "result_id": result, "result": glucose(value), "reason": "transcription", "why": "two digits were swapped"
        });
        world.lab_report(report_id(1), body::<CorrectReport>(content))
    }

    fn amend(world: &mut World) -> Result<Vec<DomainEvent>, Refusal> {
        world.lab_report(report_id(1), body::<AmendReport>(json!({"result": glucose(80.0)})))
    }

    #[test]
    fn a_correction_names_what_it_corrects_and_whom_it_informs() {
        let mut world = bench();
        let wrong = given_released(&mut world, 1);
        let events = correct(&mut world, wrong, 95.0).unwrap();
        let [DomainEvent::LabReport(LabReportEvent::LabReportCorrected { result, corrects, informs, was, .. })] =
            events.as_slice()
        else {
            panic!("a report was corrected");
        };
        assert_eq!((*corrects, *informs, *was), (wrong, id(DOCTOR), LabReportStatus::Final));
        let (state, right) = (report(&world, 1), *result);
        assert!(state.results[&wrong].replaced && !state.results[&right].replaced);
        assert!(!state.results[&right].verified, "somebody verifies it after that");
        assert_eq!(state.status, LabReportStatus::Corrected);
        verify_as(&mut world, TECHNICIAN, 1, right).unwrap();
        assert_eq!(report(&world, 1).status, LabReportStatus::Corrected, "verifying releases nothing anew");
        assert_eq!(code(correct(&mut world, wrong, 96.0)), "result-replaced");
        correct(&mut world, right, 96.0).unwrap();
    }

    #[test]
    fn an_amendment_adds() {
        let mut world = bench();
        let first = given_released(&mut world, 1);
        amend(&mut world).unwrap();
        assert_eq!((report(&world, 1).status, report(&world, 1).standing().count()), (LabReportStatus::Amended, 2));
        correct(&mut world, first, 95.0).unwrap();
        amend(&mut world).unwrap();
        assert_eq!(report(&world, 1).status, LabReportStatus::Amended);
    }

    #[test]
    fn what_is_not_released_is_neither_amended_nor_corrected() {
        let mut world = bench();
        given_registered_in(&mut world, 1);
        let result = super::super::sample::given_recorded(&mut world, 1, 90.0);
        assert_eq!(code(correct(&mut world, result, 95.0)), "wrong-status");
        assert_eq!(code(amend(&mut world)), "wrong-status");
    }
}
