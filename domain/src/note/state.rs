//! What the rules know of a note, and how each event changes it. Nothing of it is sealed: of what the note says there
//! is a digest.

use events::{
    NoteEvent, PatientId, UserId,
    claim::KeyedHash,
    note::{ContentHash, NoteKind, NoteStatus},
};

#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub patient: PatientId,
    pub author: UserId,
    pub kind: NoteKind,
    pub status: NoteStatus,
    /// A keyed hash of the digest of the last draft.
    pub draft: KeyedHash,
    /// The one that stands; `None` before the first signature.
    pub revision: Option<Revision>,
    /// The patient sees it.
    pub released: bool,
}

/// What was signed, and by whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// 1, 2, 3 …
    pub number: i64,
    pub content_sha256: ContentHash,
    /// Who made it, and who signed it after that.
    pub signers: Vec<UserId>,
}

impl Revision {
    fn signed(number: i64, content_sha256: &ContentHash, signer: UserId) -> Self {
        Self { number, content_sha256: content_sha256.clone(), signers: vec![signer] }
    }
}

impl Note {
    /// The state after the first event.
    pub(super) fn from_first(event: &NoteEvent) -> Option<Self> {
        let NoteEvent::NoteStarted { patient, kind, author, draft, .. } = event else { return None };
        Some(Self {
            patient: *patient,
            author: *author,
            kind: *kind,
            status: NoteStatus::Draft,
            draft: draft.clone(),
            revision: None,
            released: false,
        })
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &NoteEvent) -> Option<Self> {
        let (is_draft, is_signed) = (self.status == NoteStatus::Draft, self.status.is_signed());
        match event {
            NoteEvent::NoteStarted { .. } => return None,
            NoteEvent::NoteDraftSaved { kind, draft, .. } => {
                is_draft.then_some(())?;
                (self.kind, self.draft) = (*kind, draft.clone());
            }
            NoteEvent::NoteSigned { signer, content_sha256, .. } => {
                is_draft.then_some(())?;
                self.status = NoteStatus::Signed;
                self.revision = Some(Revision::signed(1, content_sha256, *signer));
            }
            NoteEvent::NoteCosigned { signer, revision, .. } => {
                is_signed.then_some(())?;
                let current = self.revision.as_mut().filter(|current| current.number == *revision)?;
                current.signers.push(*signer);
                if self.status == NoteStatus::Signed {
                    self.status = NoteStatus::Cosigned;
                }
            }
            NoteEvent::NoteAddendumAdded { .. } => is_signed.then_some(())?,
            NoteEvent::NoteAmended { signer, revision, content_sha256, .. } => {
                is_signed.then_some(())?;
                self.revision.as_ref().filter(|current| current.number + 1 == *revision)?;
                self.status = NoteStatus::Amended;
                self.revision = Some(Revision::signed(*revision, content_sha256, *signer));
            }
            NoteEvent::NoteReleased { .. } => {
                (is_signed && !self.released).then_some(())?;
                self.released = true;
            }
            NoteEvent::NoteEnteredInError { was, .. } => {
                (self.status == *was && *was != NoteStatus::EnteredInError).then_some(())?;
                self.status = NoteStatus::EnteredInError;
            }
        }
        Some(self)
    }
}
