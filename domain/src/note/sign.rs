//! Signatures. Whoever signs says what, by its digest: so nobody signs words that were changed under their hands.

use events::{NoteEvent, Role, UserId, note::ContentHash};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Note,
    draft::{is_authors_draft, keyed},
    wrong_status,
};
use crate::{Context, Facts, Refusal, doctor::who_practises, values::Sha256};

/// Signs a draft; by its author, and by a doctor only with a valid licence. From then on nothing changes it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignNote {
    /// Of what is signed: the SHA-256 of the UTF-8 of `casebook-note-1`, the note's id, its kind, its title (empty where
    /// it has none) and its content, with a line feed between each and the next. A query of the draft tells it.
    pub content_sha256: Sha256,
}

/// Signs what somebody else has signed: a doctor with a valid licence.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CosignNote {
    /// Of the revision that stands, as `SignNote` has it.
    pub content_sha256: Sha256,
}

impl SignNote {
    pub(super) fn decide(self, note: &Note, facts: &Facts, context: &Context<'_>) -> Result<NoteEvent, Refusal> {
        is_authors_draft(note, "signed", context)?;
        let signer = may_sign(facts, context)?;
        let content_sha256 = ContentHash(self.content_sha256.into());
        if keyed(&content_sha256, context) != note.draft {
            return Err(other_content());
        }
        Ok(NoteEvent::NoteSigned { patient: note.patient, signer, content_sha256 })
    }
}

impl CosignNote {
    /// `None`: the doctor has cosigned it already.
    pub(super) fn decide(
        self,
        note: &Note,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Option<NoteEvent>, Refusal> {
        let Some(revision) = note.revision.as_ref().filter(|_| note.status.is_signed()) else {
            return Err(wrong_status(note, "cosigned"));
        };
        let signer = UserId(who_practises(facts, context)?.0);
        if revision.content_sha256.0 != self.content_sha256.as_str() {
            return Err(other_content());
        }
        match revision.signers.iter().position(|signed| *signed == signer) {
            Some(0) => {
                let detail = "A cosignature is another doctor's than who signed.";
                Err(Refusal::forbidden("own-signature", detail))
            }
            Some(_) => Ok(None),
            None => {
                let (patient, content_sha256) = (note.patient, revision.content_sha256.clone());
                Ok(Some(NoteEvent::NoteCosigned { patient, signer, revision: revision.number, content_sha256 }))
            }
        }
    }
}

/// Who puts their name under something: a doctor only with a valid licence.
pub(super) fn may_sign(facts: &Facts, context: &Context<'_>) -> Result<UserId, Refusal> {
    if context.actor.has(Role::Doctor) {
        return who_practises(facts, context).map(|doctor| UserId(doctor.0));
    }
    context.actor.user.ok_or_else(|| Refusal::forbidden("no-signer", "Only somebody with a login signs."))
}

/// Also for somebody whose draft was changed, by themselves, in another window.
pub(super) fn other_content() -> Refusal {
    let detail = "This is not the SHA-256 of what would be signed: read the note again. It is that of the UTF-8 of \
                  casebook-note-1, the note's id, its kind, its title and its content, joined by line feeds.";
    Refusal::rule("content-differs", detail).at("/content_sha256")
}

#[cfg(test)]
mod tests {
    use events::note::{NoteKind, NoteStatus};
    use serde_json::json;

    use super::{
        super::{AmendNote, SaveNoteDraft, sample::*},
        *,
    };
    use crate::testing::{body, id};

    #[test]
    fn a_note_is_signed_once_by_its_author() {
        let mut ward = ward();
        given_draft(&mut ward, 1);
        acts(&mut ward, COLLEAGUE);
        assert_eq!(code(sign(&mut ward, 1)), "not-the-author");
        acts(&mut ward, DOCTOR);
        sign(&mut ward, 1).unwrap();
        assert_eq!(code(sign(&mut ward, 1)), "wrong-status");
        let signed = state(&ward, 1);
        assert_eq!(signed.status, NoteStatus::Signed);
        assert_eq!(signed.revision.as_ref().unwrap().content_sha256.0, digest(1));
    }

    #[test]
    fn nobody_signs_other_words_than_they_saw() {
        let mut ward = ward();
        given_draft(&mut ward, 1);
        ward.note(id(1), body::<SaveNoteDraft>(json!({"content": "Something else."}))).unwrap();
        let refused = sign(&mut ward, 1).unwrap_err();
        assert_eq!((refused.code, refused.pointer), ("content-differs", Some("/content_sha256")));
        let other = ContentHash::of_note(id(1), NoteKind::Progress, None, "Something else.").0;
        ward.note(id(1), body::<SignNote>(json!({"content_sha256": other.to_uppercase()}))).unwrap();
    }

    #[test]
    fn an_expired_licence_signs_and_cosigns_nothing() {
        let mut ward = ward();
        given_draft(&mut ward, 1);
        given_signed(&mut ward, 2);
        given_expired(&mut ward, DOCTOR);
        assert_eq!(code(sign(&mut ward, 1)), "licence-expired");
        acts(&mut ward, COLLEAGUE);
        given_expired(&mut ward, COLLEAGUE);
        assert_eq!(code(cosign(&mut ward, 2)), "licence-expired");
        ward.acts(id(NURSE), &[events::Role::Nurse]);
        assert_eq!(code(cosign(&mut ward, 2)), "not-a-doctor");
    }

    #[test]
    fn a_licence_is_valid_through_its_last_day() {
        let mut ward = ward();
        given_draft(&mut ward, 1);
        given_licence_until(&mut ward, DOCTOR, "2026-03-02");
        sign(&mut ward, 1).unwrap();
    }

    #[test]
    fn a_nurse_signs_what_the_nurse_wrote() {
        let mut ward = ward();
        ward.acts(id(NURSE), &[events::Role::Nurse]);
        given_draft(&mut ward, 1);
        sign(&mut ward, 1).unwrap();
        acts(&mut ward, DOCTOR);
        cosign(&mut ward, 1).unwrap();
        assert_eq!(state(&ward, 1).status, NoteStatus::Cosigned);
    }

    #[test]
    fn a_cosignature_is_another_doctors() {
        let mut ward = ward();
        given_draft(&mut ward, 1);
        acts(&mut ward, COLLEAGUE);
        assert_eq!(code(cosign(&mut ward, 1)), "wrong-status");
        acts(&mut ward, DOCTOR);
        sign(&mut ward, 1).unwrap();
        assert_eq!(code(cosign(&mut ward, 1)), "own-signature");
        acts(&mut ward, COLLEAGUE);
        cosign(&mut ward, 1).unwrap();
        assert!(cosign(&mut ward, 1).unwrap().is_empty(), "already so");
        assert_eq!(state(&ward, 1).revision.as_ref().unwrap().signers, [id(DOCTOR), id(COLLEAGUE)]);
    }

    #[test]
    fn an_amendment_is_cosigned_by_itself() {
        let mut ward = ward();
        given_signed(&mut ward, 1);
        acts(&mut ward, COLLEAGUE);
        cosign(&mut ward, 1).unwrap();
        acts(&mut ward, DOCTOR);
        let new = ContentHash::of_note(id(1), NoteKind::Progress, None, "Seen twice.").0;
        let amend = json!({"content": "Seen twice.", "content_sha256": new, "reason": "it was twice"});
        ward.note(id(1), body::<AmendNote>(amend)).unwrap();
        acts(&mut ward, COLLEAGUE);
        assert_eq!(code(cosign(&mut ward, 1)), "content-differs");
        ward.note(id(1), body::<CosignNote>(json!({"content_sha256": new}))).unwrap();
        let note = state(&ward, 1);
        assert_eq!((note.status, note.revision.as_ref().unwrap().signers.len()), (NoteStatus::Amended, 2));
    }
}
