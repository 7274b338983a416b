//! What becomes of the content: taken, whole and right, or not. Given by the program that receives it.

use events::{
    DocumentEvent,
    document::{DocumentStatus, UploadFailure},
};
use uuid::Uuid;

use super::{Document, state::content_hash, wrong_status};
use crate::{Context, Decision, Refusal, values::Sha256};

/// Asks whether the content may come now. Records nothing.
#[derive(Clone, Debug)]
pub struct ReceiveContent {}

/// The content is in the object store.
#[derive(Clone, Debug)]
pub struct CompleteUpload {
    pub upload: Uuid,
    /// Of what came.
    pub sha256: Sha256,
}

/// The content did not come, or not as it was announced; nothing of it is kept.
#[derive(Clone, Debug)]
pub struct FailUpload {
    pub failure: UploadFailure,
}

impl ReceiveContent {
    pub(super) fn decide(self, document: &Document) -> Result<Decision, Refusal> {
        awaited(document)?;
        Ok(Decision::already_so())
    }
}

impl CompleteUpload {
    pub(super) fn decide(self, document: &Document, context: &Context<'_>) -> Result<DocumentEvent, Refusal> {
        awaited(document)?;
        if content_hash(context.pseudonyms, self.sha256.as_str()) != document.content_hash {
            return Err(Refusal::rule("wrong-hash", "The content is not what the announced SHA-256 was made of."));
        }
        Ok(DocumentEvent::DocumentUploaded {
            patient: document.patient,
            kind: document.kind,
            size: document.size,
            upload: self.upload,
        })
    }
}

impl FailUpload {
    /// `None`: it is known already how it ended.
    pub(super) fn decide(self, document: &Document, context: &Context<'_>) -> Result<Option<DocumentEvent>, Refusal> {
        let is_early = self.failure == UploadFailure::Abandoned && context.now < document.upload_until;
        if document.status != DocumentStatus::Registered || is_early {
            return Ok(None);
        }
        let (patient, size, failure) = (document.patient, document.size, self.failure);
        Ok(Some(DocumentEvent::DocumentUploadFailed { patient, size, failure }))
    }
}

fn awaited(document: &Document) -> Result<(), Refusal> {
    match document.status {
        DocumentStatus::Registered => Ok(()),
        DocumentStatus::Failed => {
            let detail = "The content did not come as it was announced; announce the document anew.";
            Err(Refusal::conflict("upload-failed", detail))
        }
        _ => Err(wrong_status(document, "given another content")),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::{super::sample::*, *};
    use crate::testing::id;

    #[test]
    fn a_content_is_taken_once_and_only_if_it_is_the_announced_one() {
        let mut world = desk();
        world.document(id(1), announced(json!({"size": 700}))).unwrap();
        world.document(id(1), ReceiveContent {}).unwrap();
        assert_eq!(world.document(id(1), completed(OTHER_SHA256)).unwrap_err().code, "wrong-hash");
        world.document(id(1), completed(SHA256)).unwrap();
        assert_eq!(world.counter("usage/storage"), 700, "what was reserved is used");
        for command in [super::super::DocumentCommand::from(ReceiveContent {}), completed(SHA256).into()] {
            assert_eq!(world.document(id(1), command).unwrap_err().code, "wrong-status");
        }
        let late = FailUpload { failure: UploadFailure::Truncated };
        assert!(world.document(id(1), late).unwrap().is_empty(), "it has come, whatever somebody believes");
    }

    #[test]
    fn what_did_not_come_gives_its_room_back_once() {
        let mut world = desk();
        world.document(id(1), announced(json!({"size": 700}))).unwrap();
        for expected in [1, 0] {
            let failed = FailUpload { failure: UploadFailure::Truncated };
            assert_eq!(world.document(id(1), failed).unwrap().len(), expected);
            assert_eq!(world.counter("usage/storage"), 0);
        }
        assert_eq!(world.document(id(1), ReceiveContent {}).unwrap_err().code, "upload-failed");
        assert_eq!(world.document(id(1), completed(SHA256)).unwrap_err().code, "upload-failed");
    }

    #[test]
    fn nothing_is_given_up_before_its_time() {
        let mut world = desk();
        world.document(id(1), announced(json!({}))).unwrap();
        let given_up = || FailUpload { failure: UploadFailure::Abandoned };
        world.now += TimeDelta::minutes(59);
        assert!(world.document(id(1), given_up()).unwrap().is_empty());
        world.now += TimeDelta::minutes(1);
        assert_eq!(world.document(id(1), given_up()).unwrap().len(), 1);
    }
}
