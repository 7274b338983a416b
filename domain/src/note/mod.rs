//! A clinical note: a draft that is its author's alone, and from its signature on a part of the record that nothing
//! changes. Corrections are further revisions, additions are addenda, and each carries the signature of who made it.
//!
//! A note tells of what has happened, so it may be written about whoever has a record: also about somebody who has
//! died or no longer comes. About who is erased nothing is written.

pub mod amend;
pub mod draft;
pub mod release;
pub mod sign;
mod state;

#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
mod sample;

use events::{
    AggregateKind, NoteEvent, PatientId, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Patient, Read, Refusal, doctor::reads_who_acts};

pub use amend::{AddNoteAddendum, AmendNote};
pub use draft::{SaveNoteDraft, StartNote};
pub use release::{ReleaseNote, RetractNote};
pub use sign::{CosignNote, SignNote};
pub use state::{Note, Revision};

#[derive(Clone, Debug, derive_more::From)]
pub enum NoteCommand {
    Start(StartNote),
    SaveDraft(SaveNoteDraft),
    Sign(SignNote),
    Cosign(CosignNote),
    AddAddendum(AddNoteAddendum),
    Amend(AmendNote),
    Release(ReleaseNote),
    Retract(RetractNote),
}

impl Aggregate for Note {
    const KIND: AggregateKind = AggregateKind::Note;
    type Event = NoteEvent;
    type Command = NoteCommand;

    /// Whether the patient is erased; and where something is signed, the licence of who signs.
    fn reads(_: StreamId, state: Option<&Self>, command: &NoteCommand, facts: &Facts) -> Vec<Read> {
        if let NoteCommand::Start(start) = command {
            return start.reads(facts);
        }
        let patient = state.map(|note| note.patient);
        let signer = match command {
            NoteCommand::Sign(_) | NoteCommand::Cosign(_) | NoteCommand::AddAddendum(_) | NoteCommand::Amend(_) => {
                reads_who_acts(facts)
            }
            NoteCommand::Start(_) | NoteCommand::SaveDraft(_) | NoteCommand::Release(_) | NoteCommand::Retract(_) => {
                None
            }
        };
        patient.map(|patient| Read::Stream(patient.into())).into_iter().chain(signer).collect()
    }

    fn decide(
        state: Option<&Self>,
        command: NoteCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let known = || {
            let note = state.ok_or_else(|| Refusal::not_found("note"))?;
            patient(note.patient, facts).map(|()| note)
        };
        let event = match command {
            NoteCommand::Start(command) => Some(command.decide(state, facts, context)?),
            NoteCommand::SaveDraft(command) => command.decide(known()?, context)?,
            NoteCommand::Sign(command) => Some(command.decide(known()?, facts, context)?),
            NoteCommand::Cosign(command) => command.decide(known()?, facts, context)?,
            NoteCommand::AddAddendum(command) => Some(command.decide(known()?, facts, context)?),
            NoteCommand::Amend(command) => Some(command.decide(known()?, facts, context)?),
            NoteCommand::Release(command) => command.decide(known()?)?,
            NoteCommand::Retract(command) => Some(command.decide(known()?, context)?),
        };
        Ok(event.map_or_else(Decision::already_so, |event| Decision::one(context.target, event)))
    }

    fn evolve(state: Option<Self>, event: &NoteEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(note) => note.apply(event),
        }
    }

    fn claims(_: Option<&Self>, _: &Self) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}

/// That there is such a patient, of whom something can still be said.
fn patient(id: PatientId, facts: &Facts) -> Result<(), Refusal> {
    facts.get::<Patient>(id).ok_or_else(|| Refusal::not_found("patient"))?.not_erased()
}

/// What may not be done to a note as it stands.
fn wrong_status(note: &Note, what: &str) -> Refusal {
    let detail = format!("A note that is {} cannot be {what}.", note.status);
    Refusal::conflict("wrong-status", detail).with("status", note.status.to_string())
}
