//! Recording what was found.

use events::{LabReportEvent, LabResultId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{LabReport, result::NewResult, standing, wrong_status};
use crate::{Context, Refusal};

/// Records a result in a report that is not released.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordResult {
    pub result: NewResult,
    /// A result of this report that was recorded wrongly; it stays readable.
    #[serde(default)]
    pub replaces: Option<LabResultId>,
}

impl RecordResult {
    pub(super) fn decide(self, state: &LabReport, context: &Context<'_>) -> Result<LabReportEvent, Refusal> {
        if state.is_over() {
            return Err(wrong_status(state, "given a result; amend or correct it"));
        }
        if let Some(earlier) = self.replaces {
            standing(state, earlier).map_err(|refusal| refusal.at("/replaces"))?;
        }
        let result = self.result.checked()?;
        Ok(LabReportEvent::LabResultRecorded {
            patient: state.patient,
            result: context.new_id(0),
            replaces: self.replaces,
            by: context.actor.user,
            critical: result.flag.is_some_and(|flag| flag.is_critical()),
            sealed: result.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use events::lab_report::LabReportStatus;
    use serde_json::json;

    use super::{
        super::sample::{
            code, given_recorded, given_registered_in, given_released, glucose, record, report, report_id,
        },
        *,
    };
    use crate::{
        lab_order::sample::bench,
        testing::{body, id},
    };

    #[test]
    fn a_report_with_results_is_partial() {
        let mut world = bench();
        given_registered_in(&mut world, 1);
        assert_eq!(report(&world, 1).status, LabReportStatus::Registered);
        given_recorded(&mut world, 1, 90.0);
        given_recorded(&mut world, 1, 95.0);
        assert_eq!((report(&world, 1).status, report(&world, 1).standing().count()), (LabReportStatus::Partial, 2));
    }

    #[test]
    fn a_wrong_result_is_replaced_and_stays() {
        let mut world = bench();
        given_registered_in(&mut world, 1);
        let wrong = given_recorded(&mut world, 1, 900.0);
        let again = |value: f64| body::<RecordResult>(json!({"result": glucose(value), "replaces": wrong}));
        world.lab_report(report_id(1), again(90.0)).unwrap();
        assert_eq!((report(&world, 1).results.len(), report(&world, 1).standing().count()), (2, 1));
        let refusal = world.lab_report(report_id(1), again(91.0)).unwrap_err();
        assert_eq!((refusal.code, refusal.pointer), ("result-replaced", Some("/replaces")));
        let unknown = body::<RecordResult>(json!({"result": glucose(1.0), "replaces": id::<LabResultId>(0xBAD)}));
        assert_eq!(world.lab_report(report_id(1), unknown).unwrap_err().class, crate::Class::NotFound);
    }

    #[test]
    fn nothing_is_recorded_in_a_released_report() {
        let mut world = bench();
        given_released(&mut world, 1);
        assert_eq!(code(record(&mut world, 1, 90.0)), "wrong-status");
    }
}
