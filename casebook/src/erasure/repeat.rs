//! A backup that is put back brings keys and events back: before anything is served, the list of erasures is applied
//! to it.

use ::attachments::Attachments;
use anyhow::{Context, Result, anyhow};
use command_api::execute::{Call, Executor, Failure};
use domain::{Aggregate, Class, Clinic, Patient, State, clinic::ShredClinic, patient::RepeatErasure};
use event_store::Erased;
use events::{Actor, ClinicId, StreamId};
use futures::{StreamExt, TryStreamExt};
use projector::History;

use super::ErasureList;

/// Questions to the object store at once.
const AT_ONCE: usize = 16;

/// Destroys again every key that the list names and the database has, and makes the read models of those clinics
/// again; takes away every attachment of those whom the list names, since they may have come from a backup by themselves.
/// Only while no process serves: nobody holds an opened key. How many keys were there.
pub async fn repeat(
    executor: &Executor,
    history: &History,
    list: &ErasureList,
    attachments: &Attachments,
) -> Result<usize> {
    let listed: Vec<Erased> = list.read()?.iter().map(|listed| listed.erased()).collect();
    let store = executor.store();
    let revived = store.revived(&listed).await.context("comparing the keys with the list of erasures")?;
    for erased in &revived {
        erase_again(executor, *erased).await.with_context(|| format!("erasing {erased:?} again"))?;
        store.destroy_key(*erased).await?;
    }
    let mut clinics: Vec<ClinicId> = revived.iter().map(|erased| erased.clinic).collect();
    clinics.dedup();
    for clinic in clinics {
        projector::purge(history, clinic).await.with_context(|| format!("purging the read models of {clinic}"))?;
    }
    let gone = futures::stream::iter(&listed).map(|erased| attachments.erase(*erased)).buffer_unordered(AT_ONCE);
    gone.try_collect::<()>().await.context("taking attachments away again")?;
    Ok(revived.len())
}

/// The record says so again, where the backup is from before it did.
async fn erase_again(executor: &Executor, Erased { clinic, patient }: Erased) -> Result<()> {
    match patient {
        Some(patient) => record::<Patient>(executor, clinic, patient.into(), "RepeatErasure", RepeatErasure {}).await,
        None => record::<Clinic>(executor, clinic, clinic.into(), "ShredClinic", ShredClinic {}).await,
    }
}

async fn record<A>(
    executor: &Executor,
    clinic: ClinicId,
    target: StreamId,
    name: &'static str,
    command: impl Into<A::Command>,
) -> Result<()>
where
    A: Aggregate<Command: Clone>,
    for<'a> &'a A: TryFrom<&'a State>,
{
    let mut call = Call::<A>::new(clinic, target, name, command.into());
    call.actor = Actor::system();
    match executor.execute(call).await {
        Ok(_) => Ok(()),
        // A key that is there and fenced: the record says it, and the erasure was not finished when the backup was
        // made.
        Err(Failure::Erased) => Ok(()),
        // The backup is from before the patient was registered, or the clinic closed: there is only the key.
        Err(Failure::Refused(refusal)) if matches!(refusal.class, Class::NotFound | Class::Conflict) => Ok(()),
        Err(failure) => Err(anyhow!(failure)),
    }
}
