//! The problem list (FHIR Condition).

use events::{PatientEvent, ProblemId, patient::Problem, values::BirthDate};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Chart, sealed_reason};
use crate::{
    Context, Decision, Refusal,
    values::{Reason, Text},
};

/// Puts a problem on the list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddProblem {
    pub text: Text<500>,
    /// ICD-10.
    #[serde(default)]
    pub code: Option<Text<20>>,
    /// As exact as it is known: a day, a month or a year.
    #[serde(default)]
    pub onset: Option<BirthDate>,
}

/// Says that a problem is over. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveProblem {
    pub problem_id: ProblemId,
    #[serde(default)]
    pub reason: Option<Reason>,
}

impl AddProblem {
    pub(super) fn decide(self, chart: &Chart<'_>, context: &Context<'_>) -> Result<Decision, Refusal> {
        let problem = Problem { text: self.text.into(), code: self.code.map(Into::into), onset: self.onset };
        chart.record(PatientEvent::ProblemAdded { problem: context.new_id(0), sealed: problem.into() })
    }
}

impl ResolveProblem {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        let problem = self.problem_id;
        let found = chart.group.holding(|member| member.problems.get(&problem).copied());
        let (holder, active) = found.ok_or_else(|| Refusal::not_found("problem").at("/problem_id"))?;
        if !active {
            return Ok(Decision::already_so());
        }
        Ok(Decision::one(holder, PatientEvent::ProblemResolved { problem, sealed: sealed_reason(self.reason) }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Patient,
        testing::{World, body},
    };

    #[test]
    fn a_problem_is_resolved_once_wherever_it_lies() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let [survivor, double] = [1, 2].map(|n| world.given_patient(n));
        let content = json!({"text": "Essential hypertension", "code": "I10", "onset": "2019"});
        world.patient(double, body::<AddProblem>(content)).unwrap();
        let problem = *world.state::<Patient>(double).unwrap().problems.keys().next().unwrap();
        world.given_merge(double, survivor);
        let resolve = || ResolveProblem { problem_id: problem, reason: None };
        assert_eq!(world.patient(survivor, resolve()).unwrap().len(), 1);
        assert!(!world.state::<Patient>(double).unwrap().problems[&problem]);
        assert_eq!(world.patient(double, resolve()).unwrap(), []);
        let unknown = ResolveProblem { problem_id: ProblemId(uuid::Uuid::nil()), reason: None };
        assert_eq!(world.patient(survivor, unknown).unwrap_err().class, crate::Class::NotFound);
    }
}
