//! Reminders: who is to be reminded, as the log has it, and what came of it.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use command_api::execute::{Call, Executor, Failure};
use domain::{
    Appointment, Clinic, Refusal,
    appointment::{RecordReminder, ReminderOutcome, Reminding},
};
use event_store::TakenMail;
use events::{
    Actor, AppointmentId, ClinicId, PatientId,
    appointment::{ReminderFailure, Slot},
};

use super::writing::{NO_ADDRESS_CODE, TOO_LATE_CODE};

/// The name of the command on the events.
const NAME: &str = "RecordReminder";

/// A reminder as the rules know it.
pub fn asked(reminding: event_store::Reminding) -> Reminding {
    Reminding { for_start: reminding.for_start, hours_before: reminding.hours_before.into() }
}

/// Which reminder of an appointment may be sent, to whom, and the slot that it reminds of. `choose` names it, given the
/// appointment, the clinic and the time; where it names none, there is none.
///
/// # Errors
/// The rules refuse it, or the log cannot be read.
pub async fn look(
    executor: &Executor,
    clinic: ClinicId,
    appointment: AppointmentId,
    choose: impl FnOnce(&Appointment, &Clinic, DateTime<Utc>) -> Option<Reminding>,
) -> Result<Option<(Reminding, PatientId, Slot)>, Failure> {
    // What the look rests on does not depend on which reminder it is.
    let any = Reminding { for_start: DateTime::UNIX_EPOCH, hours_before: 0 };
    let call = call(clinic, appointment, RecordReminder { reminding: any, outcome: ReminderOutcome::Sent });
    executor
        .look(&call, |state, facts, context| {
            let state = state.ok_or_else(|| Refusal::not_found("appointment"))?;
            let Some(reminding) = choose(state, context.in_clinic()?, context.now) else { return Ok(None) };
            let patient = state.may_be_reminded(reminding, facts, context)?;
            Ok(Some((reminding, patient, state.slot)))
        })
        .await
}

/// Records that a reminder was sent; once, however often it was. Who was erased meanwhile has no chart to record it in.
pub async fn was_sent(executor: &Executor, mail: &TakenMail) -> Result<()> {
    record(executor, mail, ReminderOutcome::Sent).await
}

/// Records that a reminder was given up, unless nobody was to be reminded any more.
pub async fn was_given_up(executor: &Executor, mail: &TakenMail, code: &str) -> Result<()> {
    let failure = match code {
        NO_ADDRESS_CODE => ReminderFailure::NoAddress,
        TOO_LATE_CODE => ReminderFailure::TooLate,
        "refused" => ReminderFailure::Refused,
        _ => return Ok(()),
    };
    record(executor, mail, ReminderOutcome::Failed(failure)).await
}

async fn record(executor: &Executor, mail: &TakenMail, outcome: ReminderOutcome) -> Result<()> {
    let Some(reminding) = mail.reminding.map(asked) else { return Ok(()) };
    let call = call(mail.clinic, AppointmentId(mail.about), RecordReminder { reminding, outcome });
    match executor.execute(call).await {
        Ok(_) | Err(Failure::Erased | Failure::Refused(_)) => Ok(()),
        Err(failure) => Err(failure).context("recording what came of a reminder"),
    }
}

fn call(clinic: ClinicId, appointment: AppointmentId, command: RecordReminder) -> Call<Appointment> {
    Call { actor: Actor::system(), ..Call::new(clinic, appointment.into(), NAME, command.into()) }
}
