//! A visit (FHIR Encounter): somebody comes, is looked at, is seen by a doctor and goes. A person is with one doctor
//! at a time: see [`person`]. What a visit does to the appointment that it came from: see [`arrive`] and [`consult`].

pub mod arrive;
pub mod consult;
pub mod diagnoses;
pub mod end;
pub mod follow_up;
pub mod open;
pub(crate) mod origin;
mod person;
#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
mod sample;
mod state;
pub mod triage;
pub mod vitals;

use events::{
    AggregateKind, AppointmentEvent, StreamId, VisitEvent,
    claim::{ClaimChange, CounterChange},
    visit::VisitStatus,
};

use crate::{Aggregate, Appointment, Context, Decision, Facts, Read, Refusal, usage::moved_claims};

pub use arrive::ArriveVisit;
pub use consult::{FinishVisit, ReopenVisit, StartConsultation};
pub use diagnoses::{CorrectDiagnosis, EnterDiagnosisInError, RecordDiagnosis};
pub use end::{CancelVisit, EnterVisitInError};
pub use follow_up::PlanFollowUp;
pub use open::OpenVisit;
pub use state::{DiagnosisState, Visit};
pub use triage::{AssignVisitDoctor, CompleteTriage, RecordChiefComplaint};
pub use vitals::{EnterVitalsInError, RecordVitals};

#[derive(Clone, Debug, derive_more::From)]
pub enum VisitCommand {
    Open(OpenVisit),
    Arrive(ArriveVisit),
    RecordChiefComplaint(RecordChiefComplaint),
    RecordVitals(Box<RecordVitals>),
    EnterVitalsInError(EnterVitalsInError),
    CompleteTriage(CompleteTriage),
    AssignDoctor(AssignVisitDoctor),
    Start(StartConsultation),
    RecordDiagnosis(RecordDiagnosis),
    CorrectDiagnosis(CorrectDiagnosis),
    EnterDiagnosisInError(EnterDiagnosisInError),
    PlanFollowUp(PlanFollowUp),
    Finish(FinishVisit),
    Reopen(ReopenVisit),
    Cancel(CancelVisit),
    EnterInError(EnterVisitInError),
}

impl From<RecordVitals> for VisitCommand {
    fn from(command: RecordVitals) -> Self {
        Self::RecordVitals(Box::new(command))
    }
}

impl Aggregate for Visit {
    const KIND: AggregateKind = AggregateKind::Visit;
    type Event = VisitEvent;
    type Command = VisitCommand;

    fn reads(_: StreamId, state: Option<&Self>, command: &VisitCommand, facts: &Facts) -> Vec<Read> {
        match (command, state) {
            (VisitCommand::Open(command), _) => command.reads(facts),
            (VisitCommand::Arrive(_) | VisitCommand::Finish(_), Some(visit)) => visit.reads_appointment(),
            (VisitCommand::AssignDoctor(command), Some(_)) => command.reads(),
            (VisitCommand::Start(_), Some(visit)) => consult::reads_to_start(visit, facts),
            (VisitCommand::Reopen(_), Some(visit)) => consult::reads_to_go_on(visit, facts),
            (VisitCommand::PlanFollowUp(command), Some(_)) => command.reads(),
            (
                VisitCommand::RecordChiefComplaint(_)
                | VisitCommand::RecordVitals(_)
                | VisitCommand::EnterVitalsInError(_)
                | VisitCommand::CompleteTriage(_)
                | VisitCommand::RecordDiagnosis(_)
                | VisitCommand::CorrectDiagnosis(_)
                | VisitCommand::EnterDiagnosisInError(_)
                | VisitCommand::Cancel(_)
                | VisitCommand::EnterInError(_),
                _,
            )
            | (
                VisitCommand::Arrive(_)
                | VisitCommand::AssignDoctor(_)
                | VisitCommand::Start(_)
                | VisitCommand::PlanFollowUp(_)
                | VisitCommand::Finish(_)
                | VisitCommand::Reopen(_),
                None,
            ) => Vec::new(),
        }
    }

    fn decide(
        state: Option<&Self>,
        command: VisitCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let known = || state.ok_or_else(|| Refusal::not_found("visit"));
        let event = match command {
            VisitCommand::Open(command) => command.decide(state, facts, context)?,
            VisitCommand::Arrive(command) => return command.decide(known()?, facts, context),
            VisitCommand::RecordChiefComplaint(command) => command.decide(known()?)?,
            VisitCommand::RecordVitals(command) => command.decide(known()?, context)?,
            VisitCommand::EnterVitalsInError(command) => match command.decide(known()?)? {
                Some(event) => event,
                None => return Ok(Decision::already_so()),
            },
            VisitCommand::CompleteTriage(command) => command.decide(known()?)?,
            VisitCommand::AssignDoctor(command) => match command.decide(known()?, facts, context)? {
                Some(event) => event,
                None => return Ok(Decision::already_so()),
            },
            VisitCommand::Start(command) => return command.decide(known()?, facts, context),
            VisitCommand::RecordDiagnosis(command) => command.decide(known()?, context)?,
            VisitCommand::CorrectDiagnosis(command) => command.decide(known()?)?,
            VisitCommand::EnterDiagnosisInError(command) => match command.decide(known()?)? {
                Some(event) => event,
                None => return Ok(Decision::already_so()),
            },
            VisitCommand::PlanFollowUp(command) => command.decide(known()?, facts, context)?,
            VisitCommand::Finish(command) => return command.decide(known()?, facts, context),
            VisitCommand::Reopen(command) => command.decide(known()?, facts, context)?,
            VisitCommand::Cancel(command) => command.decide(known()?)?,
            VisitCommand::EnterInError(command) => command.decide(known()?)?,
        };
        Ok(Decision::one(context.target, event))
    }

    fn evolve(state: Option<Self>, event: &VisitEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(visit) => visit.apply(event),
        }
    }

    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange> {
        moved_claims(&before.map(Self::held).unwrap_or_default(), &after.held())
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}

impl Visit {
    /// The appointment that it came from, which goes along with it.
    fn reads_appointment(&self) -> Vec<Read> {
        self.attendance.appointment.map(|appointment| Read::Stream(appointment.into())).into_iter().collect()
    }

    fn appointment<'f>(&self, facts: &'f Facts) -> Option<&'f Appointment> {
        self.attendance.appointment.and_then(|appointment| facts.get::<Appointment>(appointment))
    }

    /// What happened to the visit, and with it to its appointment.
    fn with_appointment(
        &self,
        event: VisitEvent,
        follows: Option<AppointmentEvent>,
        context: &Context<'_>,
    ) -> Decision {
        let decision = Decision::one(context.target, event);
        match self.attendance.appointment.zip(follows) {
            Some((appointment, follows)) => decision.and(appointment, follows),
            None => decision,
        }
    }

    /// That it stands so that this may be done.
    fn must_be(&self, among: &[VisitStatus], what: &str) -> Result<(), Refusal> {
        if among.contains(&self.status) { Ok(()) } else { Err(self.cannot_be(what)) }
    }

    fn cannot_be(&self, what: &str) -> Refusal {
        let detail = format!("A visit that is {} cannot be {what}.", self.status);
        Refusal::conflict("wrong-status", detail).with("status", self.status.to_string())
    }

    /// That something may be recorded in it now.
    fn must_take(&self, among: &[VisitStatus], what: &str) -> Result<(), Refusal> {
        if among.contains(&self.status) {
            return Ok(());
        }
        let detail = match self.status {
            VisitStatus::Planned => format!("The patient has not arrived; no {what} yet."),
            VisitStatus::Arrived | VisitStatus::Triaged => {
                format!("The consultation has not started; no {what} yet.")
            }
            VisitStatus::Finished => format!("The visit is finished; reopen it to record {what}."),
            VisitStatus::InProgress | VisitStatus::Cancelled | VisitStatus::EnteredInError => {
                format!("A visit that is {} takes no {what}.", self.status)
            }
        };
        Err(Refusal::conflict("wrong-status", detail).with("status", self.status.to_string()))
    }
}

/// Where the patient is in the clinic.
const PRESENT: [VisitStatus; 3] = [VisitStatus::Arrived, VisitStatus::Triaged, VisitStatus::InProgress];
/// Where the patient waits for the doctor.
const WAITING: [VisitStatus; 2] = [VisitStatus::Arrived, VisitStatus::Triaged];
/// Where the patient is with the doctor.
const SEEN: [VisitStatus; 1] = [VisitStatus::InProgress];
