//! Writing a note. Until it is signed it is its author's alone.

use events::{
    NoteEvent, NoteId, PatientId, UserId, VisitId,
    claim::KeyedHash,
    note::{ContentHash, NoteKind, NoteStatus, NoteText},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Note, wrong_status};
use crate::{
    Context, Facts, Read, Refusal,
    patient::Group,
    values::{Name, Text},
    visit::origin,
};

/// The words of a note: up to 50,000 characters, without white space at either end.
pub type NoteContent = Text<50_000>;

/// Starts a note. It is a draft, which nobody but its author sees.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartNote {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<NoteId>,
    pub patient_id: PatientId,
    /// Of the same person.
    #[serde(default)]
    pub visit_id: Option<VisitId>,
    #[serde(default)]
    pub kind: NoteKind,
    #[serde(default)]
    pub title: Option<Name>,
    pub content: NoteContent,
}

/// Puts other words in the place of a draft's; by its author.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveNoteDraft {
    /// Left out, it stays as it is.
    #[serde(default)]
    pub kind: Option<NoteKind>,
    /// Left out, the draft has none.
    #[serde(default)]
    pub title: Option<Name>,
    pub content: NoteContent,
}

impl StartNote {
    /// The person, and the visit.
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        Group::reads(self.patient_id, facts).into_iter().chain(origin::reads(self.visit_id)).collect()
    }

    pub(super) fn decide(
        self,
        state: Option<&Note>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<NoteEvent, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is a note with this id already.").at("/id"));
        }
        let person = Group::find(self.patient_id, facts).map_err(|refusal| refusal.at("/patient_id"))?;
        origin::is_of(&person, self.visit_id, facts)?;
        let text = NoteText { title: self.title.map(Into::into), content: self.content.into() };
        Ok(NoteEvent::NoteStarted {
            patient: self.patient_id,
            visit: self.visit_id,
            kind: self.kind,
            author: author(context)?,
            draft: draft_hash(self.kind, &text, context),
            sealed: text.into(),
        })
    }
}

impl SaveNoteDraft {
    /// `None`: it says that already.
    pub(super) fn decide(self, note: &Note, context: &Context<'_>) -> Result<Option<NoteEvent>, Refusal> {
        is_authors_draft(note, "changed", context)?;
        let text = NoteText { title: self.title.map(Into::into), content: self.content.into() };
        let kind = self.kind.unwrap_or(note.kind);
        let draft = draft_hash(kind, &text, context);
        if draft == note.draft {
            return Ok(None);
        }
        Ok(Some(NoteEvent::NoteDraftSaved { patient: note.patient, kind, draft, sealed: text.into() }))
    }
}

fn author(context: &Context<'_>) -> Result<UserId, Refusal> {
    context.actor.user.ok_or_else(|| Refusal::forbidden("no-author", "Only somebody with a login writes a note."))
}

/// Of a draft, for who acts and is its author.
pub(super) fn is_authors_draft(note: &Note, what: &str, context: &Context<'_>) -> Result<(), Refusal> {
    if note.status != NoteStatus::Draft {
        return Err(wrong_status(note, what));
    }
    match context.actor.user == Some(note.author) {
        true => Ok(()),
        false => Err(Refusal::forbidden("not-the-author", "A draft is its author's alone.")),
    }
}

fn draft_hash(kind: NoteKind, text: &NoteText, context: &Context<'_>) -> KeyedHash {
    keyed(&ContentHash::of_note(NoteId(context.target.id), kind, text.title.as_deref(), &text.content), context)
}

/// Drafts come and go unsigned: of them even a digest would say too much to who has not the clinic's key.
pub(super) fn keyed(hash: &ContentHash, context: &Context<'_>) -> KeyedHash {
    context.pseudonyms.of("note", &hash.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{RetractNote, sample::*},
        *,
    };
    use crate::{
        Class,
        patient::{DeactivatePatient, RecordDeath},
        testing::{World, body, id},
        visit::OpenVisit,
    };

    #[test]
    fn a_draft_is_changed_by_its_author_alone_until_it_is_signed() {
        let mut ward = ward();
        given_draft(&mut ward, 1);
        let save = || body::<SaveNoteDraft>(json!({"kind": "soap", "content": "S: cough"}));
        ward.note(id(1), save()).unwrap();
        assert!(ward.note(id(1), save()).unwrap().is_empty(), "it says that already");
        acts(&mut ward, COLLEAGUE);
        assert_eq!(code(ward.note(id(1), save())), "not-the-author");
        acts(&mut ward, DOCTOR);
        ward.note(id(1), body::<SaveNoteDraft>(json!({"kind": "progress", "content": "Seen."}))).unwrap();
        sign(&mut ward, 1).unwrap();
        assert_eq!(code(ward.note(id(1), save())), "wrong-status");
    }

    #[test]
    fn a_note_is_about_somebody_whom_the_clinic_knows() {
        let mut ward = ward();
        let start =
            |patient: u128| body::<StartNote>(json!({"patient_id": id::<PatientId>(patient), "content": "Seen."}));
        let refused = ward.note(id(1), start(0xBAD)).unwrap_err();
        assert_eq!((refused.class, refused.pointer), (Class::NotFound, Some("/patient_id")));
        ward.note(id(1), start(PATIENT)).unwrap();
        assert_eq!(code(ward.note(id(1), start(PATIENT))), "duplicate");
        ward.patient(id(PATIENT), body::<DeactivatePatient>(json!({}))).unwrap();
        ward.note(id(2), start(PATIENT)).unwrap();
        ward.patient(id(PATIENT), body::<RecordDeath>(json!({}))).unwrap();
        ward.note(id(3), start(PATIENT)).unwrap();
    }

    #[test]
    fn a_note_is_of_a_visit_of_the_same_person() {
        let mut ward = ward();
        let other = ward.given_patient(0xA2);
        let open = json!({"patient_id": id::<PatientId>(PATIENT), "office_id": World::OFFICE});
        ward.visit(id(7), body::<OpenVisit>(open)).unwrap();
        let start = |patient: PatientId, visit: u128| {
            let visit: VisitId = id(visit);
            body::<StartNote>(json!({"patient_id": patient, "visit_id": visit, "content": "Seen."}))
        };
        for (wrong, class) in [(start(other, 7), Class::Rule), (start(id(PATIENT), 8), Class::NotFound)] {
            let refused = ward.note(id(1), wrong).unwrap_err();
            assert_eq!((refused.class, refused.pointer), (class, Some("/visit_id")));
        }
        ward.note(id(1), start(id(PATIENT), 7)).unwrap();
        ward.given_merge(other, id(PATIENT));
        ward.note(id(2), start(other, 7)).unwrap();
    }

    #[test]
    fn nothing_is_written_about_who_is_erased() {
        let mut ward = ward();
        given_draft(&mut ward, 1);
        given_signed(&mut ward, 2);
        given_erased(&mut ward);
        let start = body::<StartNote>(json!({"patient_id": id::<PatientId>(PATIENT), "content": "Seen."}));
        let save = body::<SaveNoteDraft>(json!({"content": "Seen."}));
        let retract = body::<RetractNote>(json!({"reason": "slip"}));
        for refused in [ward.note(id(3), start), ward.note(id(1), save), ward.note(id(2), retract)] {
            assert_eq!(refused.unwrap_err().class, Class::Gone);
        }
        assert_eq!(sign(&mut ward, 1).unwrap_err().class, Class::Gone);
    }

    #[test]
    fn a_note_has_words() {
        let parse = |content: &str| {
            serde_json::from_value::<StartNote>(json!({"patient_id": id::<PatientId>(PATIENT), "content": content}))
        };
        assert_eq!(parse(" Seen.\n").unwrap().content.as_str(), "Seen.");
        assert!(parse(" \n").is_err() && parse(&"x".repeat(50_001)).is_err());
    }
}
