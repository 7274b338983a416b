//! What is said after a note was signed: an addendum beside it, or another revision in its place. What was signed
//! before stays, with its signatures.

use events::{
    AddendumId, NoteEvent, NoteId,
    note::{AddendumText, AmendedText, AmendmentCode, ContentHash},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Note, Revision,
    draft::NoteContent,
    sign::{may_sign, other_content},
    wrong_status,
};
use crate::{
    Context, Facts, Refusal,
    values::{Name, Reason, Sha256},
};

/// Adds to a signed note, without changing it. Whoever adds signs what they add.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddNoteAddendum {
    pub content: NoteContent,
}

/// Puts another revision in the place of the one that stands, signed by who makes it. The earlier one stays readable,
/// with its signatures.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AmendNote {
    /// Left out, the revision has none.
    #[serde(default)]
    pub title: Option<Name>,
    pub content: NoteContent,
    /// Of the new revision, as `SignNote` has it.
    pub content_sha256: Sha256,
    #[serde(default)]
    pub code: AmendmentCode,
    /// In words.
    pub reason: Reason,
}

impl AddNoteAddendum {
    pub(super) fn decide(self, note: &Note, facts: &Facts, context: &Context<'_>) -> Result<NoteEvent, Refusal> {
        standing(note, "given an addendum")?;
        let author = may_sign(facts, context)?;
        let addendum: AddendumId = context.new_id(0);
        let content: String = self.content.into();
        let content_sha256 = ContentHash::of_addendum(NoteId(context.target.id), addendum, &content);
        let sealed = AddendumText { content }.into();
        Ok(NoteEvent::NoteAddendumAdded { patient: note.patient, addendum, author, content_sha256, sealed })
    }
}

impl AmendNote {
    pub(super) fn decide(self, note: &Note, facts: &Facts, context: &Context<'_>) -> Result<NoteEvent, Refusal> {
        let earlier = standing(note, "amended")?;
        let signer = may_sign(facts, context)?;
        let text =
            AmendedText { title: self.title.map(Into::into), content: self.content.into(), reason: self.reason.into() };
        let id = NoteId(context.target.id);
        let content_sha256 = ContentHash::of_note(id, note.kind, text.title.as_deref(), &text.content);
        if content_sha256.0 != self.content_sha256.as_str() {
            return Err(other_content());
        }
        if content_sha256 == earlier.content_sha256 {
            let detail = "The revision that stands says exactly this.";
            return Err(Refusal::rule("nothing-amended", detail).at("/content"));
        }
        Ok(NoteEvent::NoteAmended {
            patient: note.patient,
            signer,
            revision: earlier.number + 1,
            reason: self.code,
            content_sha256,
            sealed: text.into(),
        })
    }
}

/// The signed revision that stands.
fn standing<'n>(note: &'n Note, what: &str) -> Result<&'n Revision, Refusal> {
    note.revision.as_ref().filter(|_| note.status.is_signed()).ok_or_else(|| wrong_status(note, what))
}

#[cfg(test)]
mod tests {
    use events::note::{NoteKind, NoteStatus};
    use serde_json::{Value, json};

    use super::{super::sample::*, *};
    use crate::testing::{body, id};

    fn amendment(content: &str) -> Value {
        let hash = ContentHash::of_note(id(1), NoteKind::Progress, None, content).0;
        json!({"content": content, "content_sha256": hash, "code": "correction", "reason": "a slip"})
    }

    #[test]
    fn an_amendment_is_a_further_revision() {
        let mut ward = ward();
        given_signed(&mut ward, 1);
        for (n, content) in [(2, "Seen twice."), (3, "Seen thrice.")] {
            ward.note(id(1), body::<AmendNote>(amendment(content))).unwrap();
            let note = state(&ward, 1);
            assert_eq!((note.status, note.revision.as_ref().unwrap().number), (NoteStatus::Amended, n));
        }
    }

    #[test]
    fn an_amendment_changes_something_and_its_digest_is_right() {
        let mut ward = ward();
        given_signed(&mut ward, 1);
        assert_eq!(code(ward.note(id(1), body::<AmendNote>(amendment("Seen.")))), "nothing-amended");
        let mut wrong = amendment("Seen twice.");
        wrong["content"] = json!("Seen thrice.");
        assert_eq!(code(ward.note(id(1), body::<AmendNote>(wrong))), "content-differs");
    }

    #[test]
    fn additions_are_signed_too() {
        let mut ward = ward();
        given_signed(&mut ward, 1);
        let add = || body::<AddNoteAddendum>(json!({"content": "The X-ray is clear."}));
        acts(&mut ward, COLLEAGUE);
        for _ in 0..2 {
            assert_eq!(ward.note(id(1), add()).unwrap().len(), 1);
        }
        given_expired(&mut ward, COLLEAGUE);
        assert_eq!(code(ward.note(id(1), add())), "licence-expired");
        assert_eq!(code(ward.note(id(1), body::<AmendNote>(amendment("Seen twice.")))), "licence-expired");
    }

    #[test]
    fn a_draft_is_neither_amended_nor_added_to() {
        let mut ward = ward();
        given_draft(&mut ward, 1);
        let add = body::<AddNoteAddendum>(json!({"content": "The X-ray is clear."}));
        assert_eq!(code(ward.note(id(1), add)), "wrong-status");
        assert_eq!(code(ward.note(id(1), body::<AmendNote>(amendment("Seen twice.")))), "wrong-status");
    }
}
