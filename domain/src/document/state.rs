//! What the rules know of a document, and how each event changes it. Nothing of it is sealed.

use chrono::{DateTime, Utc};
use events::{
    DocumentEvent, DocumentId, PatientId, UserId,
    claim::KeyedHash,
    document::{DocumentKind, DocumentStatus},
};
use uuid::Uuid;

use crate::{Facts, Patient, Pseudonyms, Refusal};

#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub patient: PatientId,
    pub kind: DocumentKind,
    pub status: DocumentStatus,
    pub media_type: String,
    /// In bytes.
    pub size: i64,
    pub content_hash: KeyedHash,
    /// Who announced it.
    pub by: Option<UserId>,
    pub upload_until: DateTime<Utc>,
    /// Under which its content is found.
    pub upload: Option<Uuid>,
    pub superseded_by: Option<DocumentId>,
    pub is_reviewed: bool,
    pub is_released: bool,
}

/// What stands for a SHA-256 in the clear part of events.
pub fn content_hash(pseudonyms: &Pseudonyms, sha256: &str) -> KeyedHash {
    pseudonyms.of("content", sha256)
}

impl Document {
    /// What it takes of the clinic's storage: from the announcement on, until it is known that nothing came, or until
    /// the content went.
    pub(super) fn bytes_held(&self) -> i64 {
        match self.status {
            DocumentStatus::Registered
            | DocumentStatus::Current
            | DocumentStatus::Superseded
            | DocumentStatus::EnteredInError => self.size,
            DocumentStatus::Failed | DocumentStatus::Erased => 0,
        }
    }

    /// 410 for what was of somebody who is erased.
    pub(super) fn readable(&self, facts: &Facts) -> Result<&Self, Refusal> {
        if self.status == DocumentStatus::Erased {
            return Err(Refusal::gone());
        }
        facts.get::<Patient>(self.patient).map_or(Ok(()), Patient::not_erased)?;
        Ok(self)
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &DocumentEvent) -> Option<Self> {
        let DocumentEvent::DocumentRegistered {
            patient, kind, media_type, size, content_hash, by, upload_until, ..
        } = event
        else {
            return None;
        };
        Some(Self {
            patient: *patient,
            kind: *kind,
            status: DocumentStatus::Registered,
            media_type: media_type.clone(),
            size: *size,
            content_hash: content_hash.clone(),
            by: *by,
            upload_until: *upload_until,
            upload: None,
            superseded_by: None,
            is_reviewed: false,
            is_released: false,
        })
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &DocumentEvent) -> Option<Self> {
        use DocumentStatus::{Current, EnteredInError, Erased, Failed, Registered, Superseded};
        let follows = match event {
            DocumentEvent::DocumentRegistered { .. } => false,
            DocumentEvent::DocumentUploaded { .. } | DocumentEvent::DocumentUploadFailed { .. } => {
                self.status == Registered
            }
            DocumentEvent::DocumentClassified { .. }
            | DocumentEvent::DocumentReviewed { .. }
            | DocumentEvent::DocumentReleased { .. } => matches!(self.status, Current | Superseded),
            DocumentEvent::DocumentSuperseded { .. } => matches!(self.status, Current | Superseded),
            DocumentEvent::DocumentEnteredInError { .. } => matches!(self.status, Current | Superseded),
            DocumentEvent::DocumentContentErased { .. } => self.bytes_held() > 0,
        };
        if !follows || event.patient() != self.patient {
            return None;
        }
        match event {
            DocumentEvent::DocumentRegistered { .. } => return None,
            DocumentEvent::DocumentUploaded { upload, .. } => {
                self.status = Current;
                self.upload = Some(*upload);
            }
            DocumentEvent::DocumentUploadFailed { .. } => self.status = Failed,
            DocumentEvent::DocumentClassified { kind, .. } => self.kind = *kind,
            DocumentEvent::DocumentSuperseded { by, .. } => {
                self.status = Superseded;
                self.superseded_by = Some(*by);
            }
            DocumentEvent::DocumentReviewed { .. } => self.is_reviewed = true,
            DocumentEvent::DocumentReleased { .. } => self.is_released = true,
            DocumentEvent::DocumentEnteredInError { .. } => self.status = EnteredInError,
            DocumentEvent::DocumentContentErased { .. } => {
                self.status = Erased;
                self.upload = None;
            }
        }
        Some(self)
    }
}
