//! A patient's dental chart: what was seen on which tooth, what is to be done about it, and what was done. It begins
//! with its first event; its id is the patient's. A person whose records were merged has several, and whoever decides
//! looks at all of them: see [`Mouth`].

pub mod correct;
pub mod extract;
mod mouth;
pub mod observe;
pub mod plan;
#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
mod sample;
mod state;
mod surfaces;
pub mod treat;

use events::{
    AggregateKind, DentalChartEvent, PatientId, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal};

pub use correct::{CorrectObservation, EnterExtractionInError, EnterObservationInError};
pub use extract::ExtractTooth;
pub use mouth::Mouth;
pub use observe::{RecordObservation, RecordObservations};
pub use plan::PlanProcedure;
pub use state::{DentalChart, Extraction, Observation, Procedure};
pub use treat::{CancelProcedure, CompleteProcedure, StartProcedure};

#[derive(Clone, Debug, derive_more::From)]
pub enum DentalChartCommand {
    RecordObservation(RecordObservation),
    RecordObservations(RecordObservations),
    CorrectObservation(CorrectObservation),
    EnterObservationInError(EnterObservationInError),
    PlanProcedure(PlanProcedure),
    StartProcedure(StartProcedure),
    CompleteProcedure(CompleteProcedure),
    CancelProcedure(CancelProcedure),
    ExtractTooth(ExtractTooth),
    EnterExtractionInError(EnterExtractionInError),
}

impl Aggregate for DentalChart {
    const KIND: AggregateKind = AggregateKind::DentalChart;
    type Event = DentalChartEvent;
    type Command = DentalChartCommand;

    /// The whole person, and whatever charts there are of them.
    fn reads(target: StreamId, _: Option<&Self>, command: &DentalChartCommand, facts: &Facts) -> Vec<Read> {
        let mut reads = Mouth::reads(PatientId(target.id), facts);
        if let DentalChartCommand::PlanProcedure(plan) = command {
            reads.extend(plan.template_id.map(|template| Read::Stream(template.into())));
        }
        reads
    }

    fn decide(
        _: Option<&Self>,
        command: DentalChartCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let mouth = Mouth::of(PatientId(context.target.id), facts)?;
        match command {
            DentalChartCommand::RecordObservation(command) => command.decide(&mouth, context),
            DentalChartCommand::RecordObservations(command) => command.decide(&mouth, context),
            DentalChartCommand::CorrectObservation(command) => command.decide(&mouth),
            DentalChartCommand::EnterObservationInError(command) => command.decide(&mouth),
            DentalChartCommand::PlanProcedure(command) => command.decide(&mouth, facts, context),
            DentalChartCommand::StartProcedure(command) => command.decide(&mouth),
            DentalChartCommand::CompleteProcedure(command) => command.decide(&mouth),
            DentalChartCommand::CancelProcedure(command) => command.decide(&mouth),
            DentalChartCommand::ExtractTooth(command) => command.decide(&mouth, context),
            DentalChartCommand::EnterExtractionInError(command) => command.decide(&mouth),
        }
    }

    fn evolve(state: Option<Self>, event: &DentalChartEvent) -> Option<Self> {
        state.unwrap_or_default().apply(event)
    }

    fn claims(_: Option<&Self>, _: &Self) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}
