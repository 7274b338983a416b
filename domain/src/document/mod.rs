//! A document of a patient's record: announced, uploaded, filed. Its bytes lie elsewhere; what is decided here is who
//! has room for how many, whether they are what was announced, and what becomes of the document.

pub mod change;
pub mod content;
mod owner;
#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
mod sample;
mod state;
pub mod upload;

use events::{
    AggregateKind, DocumentEvent, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, Usage};

pub use change::{ClassifyDocument, EnterDocumentInError, ReleaseDocument, ReviewDocument, SupersedeDocument};
pub use content::{CompleteUpload, FailUpload, ReceiveContent};
pub use state::{Document, content_hash};
pub use upload::UploadDocument;

#[derive(Clone, Debug, derive_more::From)]
pub enum DocumentCommand {
    Upload(UploadDocument),
    Receive(ReceiveContent),
    Complete(CompleteUpload),
    Fail(FailUpload),
    Classify(ClassifyDocument),
    Supersede(SupersedeDocument),
    Review(ReviewDocument),
    Release(ReleaseDocument),
    EnterInError(EnterDocumentInError),
}

impl Aggregate for Document {
    const KIND: AggregateKind = AggregateKind::Document;
    type Event = DocumentEvent;
    type Command = DocumentCommand;

    /// The person, and room for what is announced.
    fn reads(_: StreamId, state: Option<&Self>, command: &DocumentCommand, facts: &Facts) -> Vec<Read> {
        match (command, state) {
            (DocumentCommand::Upload(command), _) => command.reads(facts),
            (DocumentCommand::Supersede(command), Some(document)) => command.reads(document, facts),
            (
                DocumentCommand::Receive(_)
                | DocumentCommand::Complete(_)
                | DocumentCommand::Fail(_)
                | DocumentCommand::Classify(_)
                | DocumentCommand::Review(_)
                | DocumentCommand::Release(_)
                | DocumentCommand::EnterInError(_),
                Some(document),
            ) => vec![Read::Stream(document.patient.into())],
            (_, None) => Vec::new(),
        }
    }

    fn decide(
        state: Option<&Self>,
        command: DocumentCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let known = || state.ok_or_else(|| Refusal::not_found("document")).and_then(|known| known.readable(facts));
        let event = match command {
            DocumentCommand::Upload(command) => return command.decide(state, facts, context),
            DocumentCommand::Receive(command) => return command.decide(known()?),
            DocumentCommand::Complete(command) => command.decide(known()?, context)?,
            DocumentCommand::Fail(command) => match command.decide(known()?, context)? {
                Some(event) => event,
                None => return Ok(Decision::already_so()),
            },
            DocumentCommand::Classify(command) => match command.decide(known()?)? {
                Some(event) => event,
                None => return Ok(Decision::already_so()),
            },
            DocumentCommand::Supersede(command) => command.decide(known()?, facts, context)?,
            DocumentCommand::Review(command) => command.decide(known()?)?,
            DocumentCommand::Release(command) => match command.decide(known()?)? {
                Some(event) => event,
                None => return Ok(Decision::already_so()),
            },
            DocumentCommand::EnterInError(command) => command.decide(known()?)?,
        };
        Ok(Decision::one(context.target, event))
    }

    fn evolve(state: Option<Self>, event: &DocumentEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(document) => document.apply(event),
        }
    }

    fn claims(_: Option<&Self>, _: &Self) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(before: Option<&Self>, after: &Self) -> Vec<CounterChange> {
        Usage::Storage.moved(before.map_or(0, Self::bytes_held), after.bytes_held()).into_iter().collect()
    }
}

/// What may not be done to a document as it stands.
fn wrong_status(document: &Document, what: &str) -> Refusal {
    let detail = format!("A document that is {} cannot be {what}.", document.status);
    Refusal::conflict("wrong-status", detail).with("status", document.status.to_string())
}
