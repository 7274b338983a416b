//! When the patient is to come again.

use chrono::{Months, NaiveDate};
use events::{
    DoctorId, VisitEvent,
    calendar::day_of,
    visit::{FollowUp, FollowUpText},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{SEEN, Visit};
use crate::{Context, Doctor, Facts, Read, Refusal, values::Text};

const MAX_MONTHS_AHEAD: Months = Months::new(24);

/// Says when the patient is to come again, and to whom. It books nothing. A later plan replaces the earlier one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFollowUp {
    /// From today to two years from now.
    pub on: NaiveDate,
    /// Left out: whoever is there.
    #[serde(default)]
    pub doctor_id: Option<DoctorId>,
    /// What the patient is told.
    #[serde(default)]
    pub instructions: Option<Text<2000>>,
}

impl PlanFollowUp {
    pub(super) fn reads(&self) -> Vec<Read> {
        self.doctor_id.map(|doctor| Read::Stream(doctor.into())).into_iter().collect()
    }

    pub(super) fn decide(self, visit: &Visit, facts: &Facts, context: &Context<'_>) -> Result<VisitEvent, Refusal> {
        visit.must_take(&SEEN, "follow-up")?;
        let today = day_of(context.occurred_at, context.in_clinic()?.zone());
        let last = today.checked_add_months(MAX_MONTHS_AHEAD).unwrap_or(today);
        if self.on < today || self.on > last {
            let detail = "A follow-up lies between today and two years from now.";
            return Err(Refusal::rule("out-of-range", detail).at("/on"));
        }
        if let Some(doctor) = self.doctor_id {
            facts.get::<Doctor>(doctor).ok_or_else(|| Refusal::not_found("doctor").at("/doctor_id"))?;
        }
        Ok(VisitEvent::FollowUpPlanned {
            attendance: visit.attendance,
            follow_up: FollowUp { on: self.on, doctor: self.doctor_id },
            sealed: FollowUpText { instructions: self.instructions.map(Into::into) }.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use events::visit::VisitStatus;
    use serde_json::{Value, json};

    use super::{
        super::sample::{OTHER_DOCTOR, PATIENT, clinic, code, doctor, given, last},
        *,
    };
    use crate::testing::{World, body, id};

    fn plan(world: &mut World, content: Value) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.visit(id(1), body::<PlanFollowUp>(content))
    }

    #[test]
    fn a_follow_up_lies_ahead() {
        let mut world = clinic();
        given(&mut world, 1, PATIENT, VisitStatus::InProgress);
        for (on, allowed) in [("2026-03-01", false), ("2026-03-02", true), ("2028-03-02", true), ("2028-03-03", false)]
        {
            assert_eq!(plan(&mut world, json!({ "on": on })).is_ok(), allowed, "{on}");
        }
        plan(&mut world, json!({"on": "2026-03-09", "doctor_id": doctor(OTHER_DOCTOR)})).unwrap();
        let VisitEvent::FollowUpPlanned { follow_up, .. } = last(&world) else { panic!("it was planned") };
        assert_eq!(follow_up.doctor, Some(doctor(OTHER_DOCTOR)));
        let refusal = plan(&mut world, json!({"on": "2026-03-09", "doctor_id": doctor(0xBAD)})).unwrap_err();
        assert_eq!(refusal.pointer, Some("/doctor_id"));
    }

    #[test]
    fn a_follow_up_is_planned_by_who_sees_the_patient() {
        let mut world = clinic();
        given(&mut world, 1, PATIENT, VisitStatus::Triaged);
        assert_eq!(code(plan(&mut world, json!({"on": "2026-03-09"}))), "wrong-status");
    }
}
