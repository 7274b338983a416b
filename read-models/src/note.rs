//! Clinical notes: what each says and said, under whose signatures, and what was added.

use chrono::{DateTime, Utc};
use events::{
    AddendumId, DomainEvent, NoteEvent, NoteId, PatientId, Recorded, Role, UserId, VisitId,
    note::{AmendmentCode, ContentHash, NoteKind, NoteStatus, NoteText, RetractionCode},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.note_1`: one row per note.
pub struct Notes;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoteRow {
    pub id: NoteId,
    pub patient_id: PatientId,
    pub visit_id: Option<VisitId>,
    pub kind: NoteKind,
    pub status: NoteStatus,
    pub author_id: UserId,
    /// The user name at the time.
    pub author: String,
    /// Of the last draft: what is signed is in `revisions`. Empty once erased, like everything here that says something
    /// about the person.
    pub title: Option<String>,
    pub content: Option<String>,
    pub started_at: DateTime<Utc>,
    pub saved_at: DateTime<Utc>,
    /// For the first time.
    pub signed_at: Option<DateTime<Utc>>,
    pub released_at: Option<DateTime<Utc>>,
    pub retracted_at: Option<DateTime<Utc>>,
    pub retraction: Option<RetractionCode>,
    pub retraction_reason: Option<String>,
    /// What was signed, the latest last.
    pub revisions: Vec<NoteRevision>,
    pub addenda: Vec<NoteAddendum>,
    pub version: i64,
    pub position: i64,
}

/// What a note said from one signature to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoteRevision {
    /// 1, 2, 3 …
    pub number: i64,
    pub title: Option<String>,
    pub content: Option<String>,
    pub content_sha256: ContentHash,
    /// The first made it, the others cosigned it.
    pub signatures: Vec<Signature>,
    /// Why it took the place of the one before.
    pub amendment: Option<AmendmentCode>,
    pub amendment_reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Signature {
    pub user_id: UserId,
    /// User name and roles at the time.
    pub name: String,
    pub roles: Vec<Role>,
    pub signed_at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoteAddendum {
    pub id: AddendumId,
    pub content: Option<String>,
    pub content_sha256: ContentHash,
    pub signature: Signature,
}

impl Projection for Notes {
    const NAME: &'static str = "note";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.note_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = NoteRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Note(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<NoteRow>, _: &Uuid, event: &Recorded) -> Option<NoteRow> {
        let DomainEvent::Note(change) = &event.event else { return row };
        let mut row = match row {
            Some(row) => row,
            None => started(change, event)?,
        };
        row.take(change, event);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn started(change: &NoteEvent, event: &Recorded) -> Option<NoteRow> {
    let NoteEvent::NoteStarted { patient, visit, kind, author, .. } = change else { return None };
    Some(NoteRow {
        id: NoteId(event.stream.id),
        patient_id: *patient,
        visit_id: *visit,
        kind: *kind,
        status: NoteStatus::Draft,
        author_id: *author,
        author: event.actor.name.clone(),
        title: None,
        content: None,
        started_at: event.occurred_at,
        saved_at: event.occurred_at,
        signed_at: None,
        released_at: None,
        retracted_at: None,
        retraction: None,
        retraction_reason: None,
        revisions: Vec::new(),
        addenda: Vec::new(),
        version: event.version,
        position: event.position,
    })
}

fn signature(user: UserId, event: &Recorded) -> Signature {
    let (name, roles) = (event.actor.name.clone(), event.actor.roles.clone());
    Signature { user_id: user, name, roles, signed_at: event.occurred_at }
}

impl NoteRow {
    fn take(&mut self, change: &NoteEvent, event: &Recorded) {
        let at = event.occurred_at;
        match change {
            NoteEvent::NoteStarted { kind, sealed, .. } | NoteEvent::NoteDraftSaved { kind, sealed, .. } => {
                (self.kind, self.saved_at) = (*kind, at);
                self.say(sealed.open());
            }
            NoteEvent::NoteSigned { signer, content_sha256, .. } => {
                (self.status, self.signed_at) = (NoteStatus::Signed, Some(at));
                self.revisions.push(NoteRevision {
                    number: 1,
                    title: self.title.clone(),
                    content: self.content.clone(),
                    content_sha256: content_sha256.clone(),
                    signatures: vec![signature(*signer, event)],
                    amendment: None,
                    amendment_reason: None,
                });
            }
            NoteEvent::NoteCosigned { signer, revision, .. } => {
                if self.status == NoteStatus::Signed {
                    self.status = NoteStatus::Cosigned;
                }
                let cosigned = self.revisions.iter_mut().find(|known| known.number == *revision);
                cosigned.into_iter().for_each(|known| known.signatures.push(signature(*signer, event)));
            }
            NoteEvent::NoteAddendumAdded { addendum, author, content_sha256, sealed, .. } => {
                self.addenda.push(NoteAddendum {
                    id: *addendum,
                    content: sealed.open().map(|text| text.content.clone()),
                    content_sha256: content_sha256.clone(),
                    signature: signature(*author, event),
                });
            }
            NoteEvent::NoteAmended { signer, revision, reason, content_sha256, sealed, .. } => {
                self.status = NoteStatus::Amended;
                let text = sealed.open();
                self.revisions.push(NoteRevision {
                    number: *revision,
                    title: text.and_then(|text| text.title.clone()),
                    content: text.map(|text| text.content.clone()),
                    content_sha256: content_sha256.clone(),
                    signatures: vec![signature(*signer, event)],
                    amendment: Some(*reason),
                    amendment_reason: text.map(|text| text.reason.clone()),
                });
            }
            NoteEvent::NoteReleased { .. } => self.released_at = Some(at),
            NoteEvent::NoteEnteredInError { reason, sealed, .. } => {
                (self.status, self.retracted_at) = (NoteStatus::EnteredInError, Some(at));
                self.retraction = Some(*reason);
                self.retraction_reason = sealed.open().and_then(|why| why.reason.clone());
            }
        }
    }

    fn say(&mut self, text: Option<&NoteText>) {
        self.title = text.and_then(|text| text.title.clone());
        self.content = text.map(|text| text.content.clone());
    }

    /// Whether it was ever signed: what never was is its author's alone.
    pub fn was_signed(&self) -> bool {
        self.signed_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use events::{Sealed, note::AmendedText};

    use super::*;
    use crate::sample::History;

    fn amended(content: &str) -> NoteEvent {
        let reason = "a slip".to_owned();
        NoteEvent::NoteAmended {
            patient: PatientId(Uuid::nil()),
            signer: UserId(Uuid::from_u128(7)),
            revision: 2,
            reason: AmendmentCode::Correction,
            content_sha256: ContentHash("b".repeat(64)),
            sealed: Sealed::Open(AmendedText { title: None, content: content.to_owned(), reason }),
        }
    }

    #[test]
    fn an_amendment_leaves_what_was_signed() {
        let mut history = History::new();
        let note = history.note_signed("Seen.");
        history.note(note, amended("Seen twice."));
        let row = history.row::<Notes>(note.0).unwrap();
        let said: Vec<_> = row.revisions.iter().map(|revision| revision.content.as_deref().unwrap()).collect();
        assert_eq!(said, ["Seen.", "Seen twice."]);
        assert_eq!((row.status, row.revisions[0].signatures.len()), (NoteStatus::Amended, 1));
        assert_eq!(row.revisions[1].amendment_reason.as_deref(), Some("a slip"));
    }

    #[test]
    fn of_who_is_erased_the_signatures_remain() {
        let mut history = History::new();
        let note = history.note_signed("Seen.");
        history.note(note, amended("Seen twice."));
        let row = history.erased().row::<Notes>(note.0).unwrap();
        assert!(row.content.is_none() && row.revisions.iter().all(|revision| revision.content.is_none()));
        assert!(row.revisions.iter().all(|revision| revision.signatures.len() == 1));
        assert!(row.was_signed());
    }
}
