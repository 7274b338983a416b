//! Notes and case studies in a clinic's life.

use events::{
    AddendumId, CaseStudyEvent, CaseStudyId, ConsentId, DomainEvent, NoteEvent, NoteId, PatientId, Sealed, UserId,
    case_study::{CaseStudyStatus, CaseText, DeIdentificationMethod, StudyText, WithdrawalCode},
    claim::KeyedHash,
    note::{AddendumText, AmendedText, AmendmentCode, ContentHash, NoteKind, NoteStatus, NoteText, RetractionCode},
    patient::Reason,
};

use super::{Life, life::Chance};
use crate::{CaseStudies, Notes};

impl Life {
    /// Something is written about one of the patients.
    pub(super) fn writing(&mut self, chance: &mut Chance) {
        match chance.of(3) {
            0 => self.study_changes(chance),
            _ => self.note_changes(chance),
        }
    }

    fn note_changes(&mut self, chance: &mut Chance) {
        let Some(patient) = self.patients.get(chance.of(self.patients.len())).map(|person| person.id) else { return };
        let (author, words) = (UserId(self.history.fresh()), chance.name());
        let notes: Vec<NoteId> =
            self.streams(|event| matches!(event, DomainEvent::Note(NoteEvent::NoteStarted { .. })));
        if notes.is_empty() || chance.of(4) == 0 {
            self.history.note_started(patient, author, words);
            return;
        }
        let note = chance.pick(&notes);
        let row = self.history.row::<Notes>(note.0).expect("a note that was started");
        let (patient, signer, content) = (row.patient_id, author, words.to_owned());
        let (content_sha256, revision) = (ContentHash("0".repeat(64)), row.revisions.len() as i64);
        let event = match (row.status, chance.of(5)) {
            (NoteStatus::EnteredInError, _) => return,
            (was, 0) => {
                let sealed = Sealed::Open(Reason { reason: Some(content) });
                NoteEvent::NoteEnteredInError { patient, was, reason: RetractionCode::Other, sealed }
            }
            (NoteStatus::Draft, 1 | 2) => {
                let (kind, draft) = (NoteKind::Nursing, KeyedHash(content.clone()));
                let sealed = Sealed::Open(NoteText { title: None, content });
                NoteEvent::NoteDraftSaved { patient, kind, draft, sealed }
            }
            (NoteStatus::Draft, _) => NoteEvent::NoteSigned { patient, signer, content_sha256 },
            (_, 1) => NoteEvent::NoteCosigned { patient, signer, revision, content_sha256 },
            (_, 2) => {
                let (addendum, sealed) = (AddendumId(self.history.fresh()), Sealed::Open(AddendumText { content }));
                NoteEvent::NoteAddendumAdded { patient, addendum, author, content_sha256, sealed }
            }
            (_, 3) => {
                let sealed = Sealed::Open(AmendedText { title: None, reason: content.clone(), content });
                let (revision, reason) = (revision + 1, AmendmentCode::Omission);
                NoteEvent::NoteAmended { patient, signer, revision, reason, content_sha256, sealed }
            }
            (_, _) => NoteEvent::NoteReleased { patient },
        };
        self.history.note(note, event);
    }

    fn study_changes(&mut self, chance: &mut Chance) {
        let is_first =
            |event: &DomainEvent| matches!(event, DomainEvent::CaseStudy(CaseStudyEvent::CaseStudyDrafted { .. }));
        let studies: Vec<CaseStudyId> = self.streams(is_first);
        if studies.is_empty() || chance.of(4) == 0 {
            let index = chance.of(self.patients.len());
            if let [one, other, ..] = &self.patients[index.min(self.patients.len())..] {
                self.history.case_study_drafted([one.id, other.id]);
            }
            return;
        }
        let study = chance.pick(&studies);
        let row = self.history.row::<CaseStudies>(study.0).expect("a study that was drafted");
        let patients: Vec<PatientId> = row.parts.iter().map(|part| part.patient_id).collect();
        let (patient, words) = (chance.pick(&patients), chance.name().to_owned());
        let event = match (row.status, chance.of(5)) {
            (CaseStudyStatus::Withdrawn, _) => return,
            (was, 0) => {
                let (reason, consent) = (WithdrawalCode::Other, Some(ConsentId(self.history.fresh())));
                let sealed = Sealed::Open(Reason { reason: Some(words) });
                CaseStudyEvent::CaseStudyWithdrawn { was, reason, consent, sealed }
            }
            (_, 1) => {
                let consent = ConsentId(self.history.fresh());
                CaseStudyEvent::CaseStudyConsentLinked { patient, consent, part: patient }
            }
            (CaseStudyStatus::Draft | CaseStudyStatus::DeIdentified, 2) => {
                let sealed = Sealed::Open(CaseText { text: words });
                CaseStudyEvent::CaseStudyPatientDeIdentified { patient, sealed }
            }
            (CaseStudyStatus::Draft, _) => {
                let sealed = Sealed::Open(StudyText { title: words, introduction: None, expert: None });
                CaseStudyEvent::CaseStudyDeIdentified { method: DeIdentificationMethod::SafeHarbor, sealed }
            }
            (CaseStudyStatus::DeIdentified, _) => {
                CaseStudyEvent::CaseStudyApproved { approver: UserId(self.history.fresh()), verified: true }
            }
            (CaseStudyStatus::Approved, _) => CaseStudyEvent::CaseStudyPublished {},
            (CaseStudyStatus::Published, _) => return,
        };
        self.history.case_study(study, event);
    }

    /// Those that such an event began.
    fn streams<Id: From<uuid::Uuid>>(&self, is_first: impl Fn(&DomainEvent) -> bool) -> Vec<Id> {
        self.history.events().filter(|one| is_first(&one.event)).map(|one| one.stream.id.into()).collect()
    }
}
