//! Clinical notes. What was signed is checked against its signature whenever it is read.

use chrono::{DateTime, Utc};
use events::{
    AddendumId, AggregateKind, NoteId, PatientId, UserId, VisitId,
    note::{ContentHash, NoteKind, NoteStatus, RetractionCode},
};
use read_models::{
    NoteRow, Notes,
    note::{NoteAddendum, NoteRevision, Signature},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{AsOf, Capability, Limit};

use crate::{
    clinical::{ClinicalResource, Filters, Place, Sight},
    sql::Sql,
};

/// A note as it stands, with all that was signed before.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Note {
    pub id: NoteId,
    pub patient_id: PatientId,
    pub visit_id: Option<VisitId>,
    pub kind: NoteKind,
    pub status: NoteStatus,
    pub version: i64,
    pub author_id: UserId,
    /// The user name at the time.
    pub author: String,
    pub title: Option<String>,
    pub content: Option<String>,
    /// Of a draft: what its signature has to state. Else what the signatures of the revision that stands state.
    pub content_sha256: Option<ContentHash>,
    /// Whether all that was signed reads as it was signed, addenda included. `false` is a fault: have the clinic's ledger
    /// verified. `null` of a draft.
    pub intact: Option<bool>,
    pub started_at: DateTime<Utc>,
    pub saved_at: DateTime<Utc>,
    /// For the first time.
    pub signed_at: Option<DateTime<Utc>>,
    /// Since when the patient sees it.
    pub released_at: Option<DateTime<Utc>>,
    pub retracted_at: Option<DateTime<Utc>>,
    pub retraction: Option<RetractionCode>,
    pub retraction_reason: Option<String>,
    /// What was signed, the latest last: it is the one that stands.
    pub revisions: Vec<SignedRevision>,
    pub addenda: Vec<SignedAddendum>,
}

/// What a note said from one signature to the next.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SignedRevision {
    #[serde(flatten)]
    pub revision: NoteRevision,
    /// Whether it reads as it was signed.
    pub intact: bool,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SignedAddendum {
    pub id: AddendumId,
    pub content: Option<String>,
    pub content_sha256: ContentHash,
    pub signature: Signature,
    /// Whether it reads as it was signed.
    pub intact: bool,
}

impl SignedRevision {
    fn of(note: NoteId, kind: NoteKind, revision: NoteRevision) -> Self {
        let content = revision.content.as_deref();
        let says = content.map(|content| ContentHash::of_note(note, kind, revision.title.as_deref(), content));
        let intact = says.as_ref() == Some(&revision.content_sha256);
        Self { revision, intact }
    }
}

impl SignedAddendum {
    fn of(note: NoteId, addendum: NoteAddendum) -> Self {
        let NoteAddendum { id, content, content_sha256, signature } = addendum;
        let says = content.as_deref().map(|content| ContentHash::of_addendum(note, id, content));
        let intact = says.as_ref() == Some(&content_sha256);
        Self { id, content, content_sha256, signature, intact }
    }
}

impl From<NoteRow> for Note {
    fn from(row: NoteRow) -> Self {
        let (id, kind) = (row.id, row.kind);
        let stands = row.revisions.last().cloned();
        let revisions: Vec<_> = row.revisions.into_iter().map(|one| SignedRevision::of(id, kind, one)).collect();
        let addenda: Vec<_> = row.addenda.into_iter().map(|one| SignedAddendum::of(id, one)).collect();
        let intact = revisions.iter().all(|one| one.intact) && addenda.iter().all(|one| one.intact);
        let draft = |(title, content): (&Option<String>, &Option<String>)| {
            content.as_deref().map(|content| ContentHash::of_note(id, kind, title.as_deref(), content))
        };
        let (content_sha256, title, content) = match stands {
            Some(stands) => (Some(stands.content_sha256), stands.title, stands.content),
            None => (draft((&row.title, &row.content)), row.title, row.content),
        };
        Self {
            id,
            patient_id: row.patient_id,
            visit_id: row.visit_id,
            kind,
            status: row.status,
            version: row.version,
            author_id: row.author_id,
            author: row.author,
            title,
            content,
            content_sha256,
            intact: row.signed_at.map(|_| intact),
            started_at: row.started_at,
            saved_at: row.saved_at,
            signed_at: row.signed_at,
            released_at: row.released_at,
            retracted_at: row.retracted_at,
            retraction: row.retraction,
            retraction_reason: row.retraction_reason,
            revisions,
            addenda,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteFilters {
    /// Also those that were written under another id of the same person.
    patient: Option<PatientId>,
    author: Option<UserId>,
    kind: Option<NoteKind>,
    status: Option<NoteStatus>,
    visit: Option<VisitId>,
    /// What the record said then; of one patient alone.
    as_of: Option<AsOf>,
}

impl Filters<NoteRow> for NoteFilters {
    fn patient(&self) -> Option<PatientId> {
        self.patient
    }

    fn as_of(&self) -> Option<AsOf> {
        self.as_of
    }

    fn select(&self, sql: Sql) -> Sql {
        sql.bind_some(" AND a.author_id = ", self.author.map(|author| author.0))
            .bind_some(" AND a.kind = ", self.kind.map(|kind| kind.to_string()))
            .bind_some(" AND a.status = ", self.status.map(|status| status.to_string()))
            .bind_some(" AND a.visit_id = ", self.visit.map(|visit| visit.0))
    }

    fn takes(&self, row: &NoteRow) -> bool {
        self.author.is_none_or(|author| row.author_id == author)
            && self.kind.is_none_or(|kind| row.kind == kind)
            && self.status.is_none_or(|status| row.status == status)
            && self.visit.is_none_or(|visit| row.visit_id == Some(visit))
    }
}

/// Which notes somebody sees of a patient whose record they may see.
enum Seen {
    /// The patient's own, that were released.
    Released,
    /// What was signed, by whomever, and one's own drafts.
    Signed,
    /// One's own.
    Own,
}

impl Seen {
    fn by(sight: &Sight) -> Self {
        match sight.own {
            Some(_) => Self::Released,
            None if sight.reach.covers(Limit::Grant) => Self::Signed,
            None => Self::Own,
        }
    }
}

impl ClinicalResource for Notes {
    const KIND: AggregateKind = AggregateKind::Note;
    const CAPABILITY: Capability = Capability::Notes;
    const LIMITS: &'static [Limit] = &[Limit::Own];
    const COLLECTION: &'static str = "notes";
    const SINGULAR: &'static str = "Note";
    const PLURAL: &'static str = "Notes";
    const MODELS: &'static [&'static str] = &["note_1", "patient_1"];
    const AT: &'static str = "started_at";

    type Answer = Note;
    type Filters = NoteFilters;

    fn place(row: &NoteRow) -> Place {
        let NoteRow { id, patient_id, started_at, version, position, .. } = *row;
        Place { id: id.0, patient: patient_id, at: started_at, version, position }
    }

    fn answer(row: NoteRow, _: &Sight) -> Note {
        row.into()
    }

    fn shows(row: &NoteRow, sight: &Sight) -> bool {
        let is_author = row.author_id == sight.user;
        match Seen::by(sight) {
            Seen::Released => row.released_at.is_some(),
            Seen::Signed => row.was_signed() || is_author,
            Seen::Own => is_author,
        }
    }

    fn narrow(sql: Sql, sight: &Sight) -> Sql {
        match Seen::by(sight) {
            Seen::Released => sql.push(" AND a.released_at IS NOT NULL"),
            Seen::Signed => sql.push(" AND (a.signed_at IS NOT NULL OR a.author_id = ").bind(sight.user.0).push(")"),
            Seen::Own => sql.push(" AND a.author_id = ").bind(sight.user.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use read_models::sample::History;

    use super::*;

    #[test]
    fn what_reads_otherwise_than_it_was_signed_is_not_intact() {
        let mut history = History::new();
        let signed = history.note_signed("Seen.");
        let row = history.row::<Notes>(signed.0).unwrap();
        let note = Note::from(row.clone());
        assert_eq!((note.intact, note.content.as_deref()), (Some(true), Some("Seen.")));
        let mut tampered = row;
        tampered.revisions[0].content = Some("Seen and cured.".to_owned());
        let note = Note::from(tampered);
        assert_eq!((note.intact, note.revisions[0].intact), (Some(false), false));
        assert_eq!(note.content.as_deref(), Some("Seen and cured."), "a fault is shown, not hidden");
    }
}
