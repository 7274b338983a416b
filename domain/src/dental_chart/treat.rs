//! What becomes of a planned procedure.

use events::{
    DentalChartEvent, DentalProcedureId,
    dental_chart::{DentalCancellationReason, DentalOutcome, DentalProcedureStatus, DentalText},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Mouth, Procedure};
use crate::{
    Decision, Refusal,
    values::{Price, Reason, Text},
};

/// Begins a planned procedure.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartProcedure {
    pub procedure_id: DentalProcedureId,
}

/// Says that a procedure that was started is done. It is final.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteProcedure {
    pub procedure_id: DentalProcedureId,
    /// What it cost in the end.
    #[serde(default)]
    pub actual_cost: Option<Price>,
    #[serde(default)]
    pub complications: Option<Text<2000>>,
}

/// Says that a procedure is not done, or not to its end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelProcedure {
    pub procedure_id: DentalProcedureId,
    pub reason: DentalCancellationReason,
    /// Why, in words.
    #[serde(default)]
    pub text: Option<Reason>,
}

impl StartProcedure {
    pub(super) fn decide(self, mouth: &Mouth<'_>) -> Result<Decision, Refusal> {
        let procedure = self.procedure_id;
        let (holder, planned) = mouth.procedure(procedure)?;
        must_be(planned, &[DentalProcedureStatus::Planned], "started")?;
        mouth.person.may_come()?;
        // Since it was planned, a tooth may have been extracted.
        if !planned.replaces {
            mouth.has_all(&planned.teeth)?;
        }
        Ok(Decision::one(holder, DentalChartEvent::ProcedureStarted { procedure, teeth: planned.teeth.clone() }))
    }
}

impl CompleteProcedure {
    pub(super) fn decide(self, mouth: &Mouth<'_>) -> Result<Decision, Refusal> {
        let procedure = self.procedure_id;
        let (holder, begun) = mouth.procedure(procedure)?;
        must_be(begun, &[DentalProcedureStatus::InProgress], "completed")?;
        let completed = DentalChartEvent::ProcedureCompleted {
            procedure,
            teeth: begun.teeth.clone(),
            cost: self.actual_cost.map(Into::into),
            sealed: DentalOutcome { complications: self.complications.map(Into::into) }.into(),
        };
        Ok(Decision::one(holder, completed))
    }
}

impl CancelProcedure {
    pub(super) fn decide(self, mouth: &Mouth<'_>) -> Result<Decision, Refusal> {
        let procedure = self.procedure_id;
        let (holder, known) = mouth.procedure(procedure)?;
        must_be(known, &[DentalProcedureStatus::Planned, DentalProcedureStatus::InProgress], "cancelled")?;
        let cancelled = DentalChartEvent::ProcedureCancelled {
            procedure,
            teeth: known.teeth.clone(),
            was: known.status,
            reason: self.reason,
            sealed: DentalText { text: self.text.map(Into::into) }.into(),
        };
        Ok(Decision::one(holder, cancelled))
    }
}

fn must_be(procedure: &Procedure, allowed: &[DentalProcedureStatus], what: &str) -> Result<(), Refusal> {
    if allowed.contains(&procedure.status) {
        return Ok(());
    }
    let detail = format!("A procedure that is {} cannot be {what}.", procedure.status);
    Err(Refusal::conflict("wrong-status", detail).with("status", procedure.status.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use strum::VariantArray;

    use super::{
        super::{
            DentalChartCommand, ExtractTooth, PlanProcedure,
            sample::{PATIENT, chart, clinic, on},
        },
        *,
    };
    use crate::testing::{World, body};

    fn given_planned(world: &mut World, code: &str) -> DentalProcedureId {
        on(world, PATIENT, body::<PlanProcedure>(json!({"code": code, "teeth": [16]}))).unwrap();
        *chart(world, PATIENT).procedures.keys().next_back().unwrap()
    }

    fn start(procedure: DentalProcedureId) -> DentalChartCommand {
        StartProcedure { procedure_id: procedure }.into()
    }

    fn complete(procedure: DentalProcedureId) -> DentalChartCommand {
        let cost = json!({"minor": 300_000, "currency": "INR"});
        body::<CompleteProcedure>(json!({"procedure_id": procedure, "actual_cost": cost, "complications": "none"}))
            .into()
    }

    fn cancel(procedure: DentalProcedureId) -> DentalChartCommand {
        body::<CancelProcedure>(json!({"procedure_id": procedure, "reason": "patient_declined"})).into()
    }

    /// Which status each command allows, and what comes of it.
    #[test]
    fn the_way_of_a_procedure_is_a_table() {
        use DentalProcedureStatus::{Cancelled, Completed, InProgress, Planned};
        type Make = fn(DentalProcedureId) -> DentalChartCommand;
        type Ways = &'static [(DentalProcedureStatus, DentalProcedureStatus)];
        let table: [(Make, Ways); 3] = [
            (start, &[(Planned, InProgress)]),
            (complete, &[(InProgress, Completed)]),
            (cancel, &[(Planned, Cancelled), (InProgress, Cancelled)]),
        ];
        for (command, ways) in table {
            for from in DentalProcedureStatus::VARIANTS {
                let mut world = clinic();
                let procedure = given_planned(&mut world, "D2391");
                let way: &[Make] = match from {
                    Planned => &[],
                    InProgress => &[start],
                    Completed => &[start, complete],
                    Cancelled => &[cancel],
                };
                for step in way {
                    on(&mut world, PATIENT, step(procedure)).unwrap();
                }
                let done = on(&mut world, PATIENT, command(procedure));
                match ways.iter().find(|(allowed, _)| allowed == from) {
                    Some((_, to)) => {
                        done.unwrap();
                        assert_eq!(chart(&world, PATIENT).procedures[&procedure].status, *to);
                    }
                    None => assert_eq!(done.unwrap_err().code, "wrong-status", "from {from}"),
                }
            }
        }
    }

    #[test]
    fn nothing_is_begun_where_the_tooth_is_gone_meanwhile() {
        let mut world = clinic();
        let (crown, implant) = (given_planned(&mut world, "D2740"), given_planned(&mut world, "D6010"));
        let extraction = given_planned(&mut world, "D7140");
        on(&mut world, PATIENT, start(extraction)).unwrap();
        let pulled = json!({"tooth": 16, "procedure_id": extraction});
        on(&mut world, PATIENT, body::<ExtractTooth>(pulled)).unwrap();
        assert_eq!(on(&mut world, PATIENT, start(crown)).unwrap_err().code, "tooth-missing");
        on(&mut world, PATIENT, start(implant)).unwrap();
        on(&mut world, PATIENT, complete(extraction)).expect("what was begun is brought to its end");
    }
}
