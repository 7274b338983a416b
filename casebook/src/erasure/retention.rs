//! Closed clinics whose retention has run out.

use anyhow::{Context, Result, anyhow};
use command_api::execute::{Call, Executor, Failure};
use domain::{Class, Clinic, clinic::ShredClinic};
use events::{Actor, ClinicEvent, ClinicId, DomainEvent};

/// Decides the end of every closed clinic whose retention has run out and on which no legal hold lies. Those for
/// which it was decided now. A scheduler may call it as often as it likes.
pub async fn shred_due(executor: &Executor, clinics: &[ClinicId]) -> Result<Vec<ClinicId>> {
    let mut due = Vec::new();
    for clinic in clinics.iter().copied().filter(|clinic| !clinic.is_platform()) {
        if is_closed(executor, clinic).await? && shred(executor, clinic).await? {
            due.push(clinic);
        }
    }
    Ok(due)
}

/// Closed, and its keys still there.
async fn is_closed(executor: &Executor, clinic: ClinicId) -> Result<bool> {
    let record = executor.store().load_stream(clinic, clinic.into(), 0).await?;
    let said = |wanted: fn(&ClinicEvent) -> bool| {
        record.events.iter().any(|recorded| matches!(&recorded.event, DomainEvent::Clinic(event) if wanted(event)))
    };
    Ok(said(|event| matches!(event, ClinicEvent::ClinicClosed { .. }))
        && !said(|event| matches!(event, ClinicEvent::ClinicShredded {})))
}

/// `false`: it is too early, or a legal hold is on it.
async fn shred(executor: &Executor, clinic: ClinicId) -> Result<bool> {
    let mut call = Call::<Clinic>::new(clinic, clinic.into(), "ShredClinic", ShredClinic {}.into());
    call.actor = Actor::system();
    match executor.execute(call).await {
        Ok(done) => Ok(!done.events.is_empty()),
        Err(Failure::Refused(refusal)) if matches!(refusal.class, Class::Conflict | Class::Held) => Ok(false),
        Err(failure) => Err(anyhow!(failure)).with_context(|| format!("ending clinic {clinic}")),
    }
}
