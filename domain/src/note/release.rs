//! Showing a note to its patient, and striking one out.

use events::{
    NoteEvent, Sealed,
    note::{NoteStatus, RetractionCode},
    patient::Reason as Why,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Note, draft::is_authors_draft, wrong_status};
use crate::{Context, Refusal, values::Reason};

/// Lets the patient see a signed note in the portal: with its revisions, its addenda, and whatever comes to it later.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseNote {}

/// Strikes a note out that should never have been written: a draft by its author. It stays on record, with its
/// signatures.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetractNote {
    #[serde(default)]
    pub code: RetractionCode,
    /// In words.
    pub reason: Reason,
}

impl ReleaseNote {
    /// `None`: it is released already.
    pub(super) fn decide(self, note: &Note) -> Result<Option<NoteEvent>, Refusal> {
        if !note.status.is_signed() {
            return Err(wrong_status(note, "released"));
        }
        Ok((!note.released).then_some(NoteEvent::NoteReleased { patient: note.patient }))
    }
}

impl RetractNote {
    pub(super) fn decide(self, note: &Note, context: &Context<'_>) -> Result<NoteEvent, Refusal> {
        match note.status {
            NoteStatus::Draft => is_authors_draft(note, "struck out", context)?,
            NoteStatus::Signed | NoteStatus::Cosigned | NoteStatus::Amended => {}
            NoteStatus::EnteredInError => return Err(wrong_status(note, "struck out again")),
        }
        let sealed = Sealed::Open(Why { reason: Some(self.reason.into()) });
        Ok(NoteEvent::NoteEnteredInError { patient: note.patient, was: note.status, reason: self.code, sealed })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::sample::*, *};
    use crate::testing::{body, id};

    fn retract() -> RetractNote {
        body(json!({"code": "wrong_patient", "reason": "meant for the brother"}))
    }

    #[test]
    fn what_is_signed_is_released_once() {
        let mut ward = ward();
        given_draft(&mut ward, 1);
        assert_eq!(code(ward.note(id(1), ReleaseNote {})), "wrong-status");
        sign(&mut ward, 1).unwrap();
        assert_eq!(ward.note(id(1), ReleaseNote {}).unwrap().len(), 1);
        assert!(ward.note(id(1), ReleaseNote {}).unwrap().is_empty(), "already so");
    }

    #[test]
    fn a_retraction_removes_no_signature() {
        let mut ward = ward();
        given_signed(&mut ward, 1);
        acts(&mut ward, COLLEAGUE);
        ward.note(id(1), retract()).unwrap();
        let note = state(&ward, 1);
        assert_eq!((note.status, note.revision.as_ref().unwrap().signers.len()), (NoteStatus::EnteredInError, 1));
        assert_eq!(code(ward.note(id(1), retract())), "wrong-status");
        assert_eq!(code(ward.note(id(1), ReleaseNote {})), "wrong-status");
    }

    #[test]
    fn a_draft_is_its_authors_to_give_up() {
        let mut ward = ward();
        given_draft(&mut ward, 1);
        acts(&mut ward, COLLEAGUE);
        assert_eq!(code(ward.note(id(1), retract())), "not-the-author");
        acts(&mut ward, DOCTOR);
        ward.note(id(1), retract()).unwrap();
    }
}
