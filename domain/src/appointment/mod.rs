//! An appointment: who is to be seen by whom, where and when.

mod alternatives;
pub mod attend;
pub mod book;
pub mod change;
pub mod end;
mod lanes;
pub mod missed;
pub mod overbook;
#[cfg(test)]
pub(crate) mod properties;
pub mod remind;
#[cfg(test)]
mod sample;
mod state;
pub mod waitlist;
mod wish;

use events::{
    AggregateKind, AppointmentEvent, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, patient::Group};

pub use attend::{CheckIn, CompleteAppointment, StartAppointment};
pub use book::BookAppointment;
pub use change::{ConfirmAppointment, RescheduleAppointment};
pub use end::{CancelAppointment, EnterAppointmentInError, MarkNoShow};
pub use missed::MarkMissed;
pub use overbook::OverbookAppointment;
pub use remind::{RecordReminder, ReminderOutcome, Reminding};
pub use state::Appointment;
pub use waitlist::WaitlistAppointment;

#[derive(Clone, Debug, derive_more::From)]
pub enum AppointmentCommand {
    Book(BookAppointment),
    Overbook(OverbookAppointment),
    Waitlist(WaitlistAppointment),
    Confirm(ConfirmAppointment),
    Reschedule(RescheduleAppointment),
    CheckIn(CheckIn),
    Start(StartAppointment),
    Complete(CompleteAppointment),
    MarkNoShow(MarkNoShow),
    MarkMissed(MarkMissed),
    Cancel(CancelAppointment),
    EnterInError(EnterAppointmentInError),
    RecordReminder(RecordReminder),
}

impl Aggregate for Appointment {
    const KIND: AggregateKind = AggregateKind::Appointment;
    type Event = AppointmentEvent;
    type Command = AppointmentCommand;

    /// What a choice of time rests on; a change of status rests on the appointment alone.
    fn reads(_: StreamId, state: Option<&Self>, command: &AppointmentCommand, facts: &Facts) -> Vec<Read> {
        match command {
            AppointmentCommand::Book(command) => command.reads(facts),
            AppointmentCommand::Overbook(command) => command.reads(facts),
            AppointmentCommand::Waitlist(command) => command.reads(facts),
            AppointmentCommand::Confirm(_) => {
                state.map_or_else(Vec::new, |state| change::reads_to_confirm(state, facts))
            }
            AppointmentCommand::Reschedule(command) => state.map_or_else(Vec::new, |state| command.reads(state, facts)),
            AppointmentCommand::MarkMissed(_) => {
                state.map_or_else(Vec::new, |state| Group::reads(state.slot.patient, facts))
            }
            AppointmentCommand::RecordReminder(_) => {
                state.map_or_else(Vec::new, |state| RecordReminder::reads(state, facts))
            }
            AppointmentCommand::CheckIn(_)
            | AppointmentCommand::Start(_)
            | AppointmentCommand::Complete(_)
            | AppointmentCommand::MarkNoShow(_)
            | AppointmentCommand::Cancel(_)
            | AppointmentCommand::EnterInError(_) => Vec::new(),
        }
    }

    fn decide(
        state: Option<&Self>,
        command: AppointmentCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let known = || state.ok_or_else(|| Refusal::not_found("appointment"));
        let event = match command {
            AppointmentCommand::Book(command) => command.decide(state, facts, context)?,
            AppointmentCommand::Overbook(command) => command.decide(state, facts, context)?,
            AppointmentCommand::Waitlist(command) => command.decide(state, facts, context)?,
            AppointmentCommand::Confirm(command) => command.decide(known()?, facts, context)?,
            AppointmentCommand::Reschedule(command) => match command.decide(known()?, facts, context)? {
                Some(event) => event,
                None => return Ok(Decision::already_so()),
            },
            AppointmentCommand::CheckIn(command) => command.decide(known()?)?,
            AppointmentCommand::Start(command) => command.decide(known()?)?,
            AppointmentCommand::Complete(command) => command.decide(known()?)?,
            AppointmentCommand::MarkNoShow(command) => command.decide(known()?, context)?,
            AppointmentCommand::MarkMissed(command) => match command.decide(known()?, facts, context)? {
                Some(event) => event,
                None => return Ok(Decision::already_so()),
            },
            AppointmentCommand::Cancel(command) => command.decide(known()?, context)?,
            AppointmentCommand::EnterInError(command) => command.decide(known()?)?,
            AppointmentCommand::RecordReminder(command) => match command.decide(known()?) {
                Some(event) => event,
                None => return Ok(Decision::already_so()),
            },
        };
        Ok(Decision::one(context.target, event))
    }

    fn evolve(state: Option<Self>, event: &AppointmentEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(appointment) => appointment.apply(event),
        }
    }

    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange> {
        let (held, holds) = (before.and_then(Self::held), after.held());
        if held == holds {
            return Vec::new();
        }
        let freed = held.map(|time| ClaimChange::FreeTime(time.doctor));
        freed.into_iter().chain(holds.map(ClaimChange::TakeTime)).collect()
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}

/// What may not be done to an appointment as it stands.
fn wrong_status(appointment: &Appointment, what: &str) -> Refusal {
    let detail = format!("An appointment that is {} cannot be {what}.", appointment.status);
    Refusal::conflict("wrong-status", detail).with("status", appointment.status.to_string())
}
