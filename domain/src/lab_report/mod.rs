//! A laboratory report: the results of one order, verified and released. What was released never changes; an amendment
//! adds to it, and a correction names what it corrects.

pub mod correct;
pub mod critical;
#[cfg(test)]
pub(crate) mod properties;
pub mod record;
pub mod register;
pub mod release;
pub mod result;
#[cfg(test)]
pub(crate) mod sample;
mod state;
pub mod verify;

use events::{
    AggregateKind, LabReportEvent, LabResultId, Sealed, StreamId,
    claim::{ClaimChange, CounterChange},
    lab_report::LabNote,
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, usage::moved_claims, values};

pub use correct::{AmendReport, CorrectReport};
pub use critical::{AcknowledgeCritical, NotifyCritical};
pub use record::RecordResult;
pub use register::RegisterReport;
pub use release::{EnterReportInError, ReleaseReport};
pub use state::{Critical, Finding, LabReport};
pub use verify::VerifyResult;

#[derive(Clone, Debug, derive_more::From)]
pub enum LabReportCommand {
    Register(RegisterReport),
    RecordResult(RecordResult),
    VerifyResult(VerifyResult),
    Release(ReleaseReport),
    Amend(AmendReport),
    Correct(CorrectReport),
    NotifyCritical(NotifyCritical),
    AcknowledgeCritical(AcknowledgeCritical),
    EnterInError(EnterReportInError),
}

impl Aggregate for LabReport {
    const KIND: AggregateKind = AggregateKind::LabReport;
    type Event = LabReportEvent;
    type Command = LabReportCommand;

    /// What begins, releases or strikes out a report rests on its order.
    fn reads(_: StreamId, state: Option<&Self>, command: &LabReportCommand, _: &Facts) -> Vec<Read> {
        let of_order = || state.map(|report| Read::Stream(report.order.into())).into_iter().collect();
        match command {
            LabReportCommand::Register(command) => vec![Read::Stream(command.order_id.into())],
            LabReportCommand::NotifyCritical(NotifyCritical { doctor_id: Some(doctor), .. }) => {
                vec![Read::Stream((*doctor).into())]
            }
            LabReportCommand::Release(_) | LabReportCommand::EnterInError(_) => of_order(),
            LabReportCommand::RecordResult(_)
            | LabReportCommand::VerifyResult(_)
            | LabReportCommand::Amend(_)
            | LabReportCommand::Correct(_)
            | LabReportCommand::NotifyCritical(_)
            | LabReportCommand::AcknowledgeCritical(_) => Vec::new(),
        }
    }

    fn decide(
        state: Option<&Self>,
        command: LabReportCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let known = || state.ok_or_else(|| Refusal::not_found("laboratory report"));
        let one = |event: Option<LabReportEvent>| match event {
            Some(event) => Decision::one(context.target, event),
            None => Decision::already_so(),
        };
        Ok(match command {
            LabReportCommand::Register(command) => one(Some(command.decide(state, facts, context)?)),
            LabReportCommand::RecordResult(command) => one(Some(command.decide(known()?, context)?)),
            LabReportCommand::VerifyResult(command) => one(command.decide(known()?, context)?),
            LabReportCommand::Release(command) => command.decide(known()?, facts, context)?,
            LabReportCommand::Amend(command) => one(Some(command.decide(known()?, context)?)),
            LabReportCommand::Correct(command) => one(Some(command.decide(known()?, context)?)),
            LabReportCommand::NotifyCritical(command) => one(Some(command.decide(known()?, facts)?)),
            LabReportCommand::AcknowledgeCritical(command) => one(command.decide(known()?, context)?),
            LabReportCommand::EnterInError(command) => command.decide(known()?, facts, context)?,
        })
    }

    fn evolve(state: Option<Self>, event: &LabReportEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(report) => report.apply(event),
        }
    }

    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange> {
        moved_claims(&before.map(Self::held).unwrap_or_default(), &after.held())
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}

fn note(text: Option<values::Reason>) -> Sealed<LabNote> {
    LabNote { text: text.map(Into::into) }.into()
}

/// A result that stands: 404 for one that is not of this report, 409 for one that another has replaced.
fn standing(report: &LabReport, result: LabResultId) -> Result<&Finding, Refusal> {
    let finding = report.results.get(&result).ok_or_else(|| Refusal::not_found("result").at("/result_id"))?;
    match finding.replaced {
        false => Ok(finding),
        true => {
            let detail = "Another result has taken the place of this one; name that one.";
            Err(Refusal::conflict("result-replaced", detail).at("/result_id"))
        }
    }
}

/// What may not be done to a report as it stands.
fn wrong_status(report: &LabReport, what: &str) -> Refusal {
    let detail = format!("A report that is {} cannot be {what}.", report.status);
    Refusal::conflict("wrong-status", detail).with("status", report.status.to_string())
}
