//! Documents of patients' records: what was announced, whether its content is there, what became of it.

use chrono::{DateTime, Utc};
use events::{
    DocumentEvent, DocumentId, DomainEvent, PatientId, Recorded, UserId,
    document::{DocumentKind, DocumentStatus, Owner, UploadFailure},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.document_1`: one row per document.
pub struct Documents;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentRow {
    pub id: DocumentId,
    /// Under whose record it was registered.
    pub patient_id: PatientId,
    pub kind: DocumentKind,
    pub status: DocumentStatus,
    pub title: Option<String>,
    pub description: Option<String>,
    /// What the content belongs to.
    pub owner: Owner,
    pub media_type: String,
    /// Of the content, in bytes.
    pub size: i64,
    /// Of the content, in hexadecimal digits.
    pub sha256: Option<String>,
    pub registered_by: Option<UserId>,
    pub registered_at: DateTime<Utc>,
    /// Until when the content is waited for.
    pub upload_until: DateTime<Utc>,
    /// Under which the content is found.
    pub upload: Option<Uuid>,
    pub uploaded_at: Option<DateTime<Utc>>,
    /// Why the content never came.
    pub failure: Option<UploadFailure>,
    pub superseded_by: Option<DocumentId>,
    pub superseded_reason: Option<String>,
    pub reviews: Vec<Review>,
    pub released_at: Option<DateTime<Utc>>,
    pub released_by: Option<UserId>,
    pub entered_in_error_at: Option<DateTime<Utc>>,
    pub error_reason: Option<String>,
    pub version: i64,
    pub position: i64,
}

/// Somebody who answers for the patient's care has read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Review {
    pub by: Option<UserId>,
    pub at: DateTime<Utc>,
    pub remark: Option<String>,
}

impl Projection for Documents {
    const NAME: &'static str = "document";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.document_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = DocumentRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Document(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<DocumentRow>, _: &Uuid, event: &Recorded) -> Option<DocumentRow> {
        let DomainEvent::Document(change) = &event.event else { return row };
        let mut row = match row {
            Some(row) => row,
            None => announced(change, event)?,
        };
        row.take(change, event);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn announced(change: &DocumentEvent, event: &Recorded) -> Option<DocumentRow> {
    let DocumentEvent::DocumentRegistered { patient, kind, owner, media_type, size, by, upload_until, sealed, .. } =
        change
    else {
        return None;
    };
    let text = sealed.open();
    Some(DocumentRow {
        id: DocumentId(event.stream.id),
        patient_id: *patient,
        kind: *kind,
        status: DocumentStatus::Registered,
        title: text.map(|text| text.title.clone()),
        description: text.and_then(|text| text.description.clone()),
        owner: *owner,
        media_type: media_type.clone(),
        size: *size,
        sha256: text.map(|text| text.sha256.clone()),
        registered_by: *by,
        registered_at: event.occurred_at,
        upload_until: *upload_until,
        upload: None,
        uploaded_at: None,
        failure: None,
        superseded_by: None,
        superseded_reason: None,
        reviews: Vec::new(),
        released_at: None,
        released_by: None,
        entered_in_error_at: None,
        error_reason: None,
        version: event.version,
        position: event.position,
    })
}

impl DocumentRow {
    fn take(&mut self, change: &DocumentEvent, event: &Recorded) {
        let (at, by) = (event.occurred_at, event.actor.user);
        match change {
            DocumentEvent::DocumentRegistered { .. } => {}
            DocumentEvent::DocumentUploaded { upload, .. } => {
                self.status = DocumentStatus::Current;
                (self.upload, self.uploaded_at) = (Some(*upload), Some(at));
            }
            DocumentEvent::DocumentUploadFailed { failure, .. } => {
                self.status = DocumentStatus::Failed;
                self.failure = Some(*failure);
            }
            DocumentEvent::DocumentClassified { kind, sealed, .. } => {
                self.kind = *kind;
                let changed = sealed.open();
                self.title = changed.and_then(|text| text.title.clone()).or(self.title.take());
                self.description = changed.and_then(|text| text.description.clone()).or(self.description.take());
            }
            DocumentEvent::DocumentSuperseded { by, sealed, .. } => {
                self.status = DocumentStatus::Superseded;
                self.superseded_by = Some(*by);
                self.superseded_reason = sealed.open().and_then(|why| why.remark.clone());
            }
            DocumentEvent::DocumentReviewed { sealed, .. } => {
                let remark = sealed.open().and_then(|said| said.remark.clone());
                self.reviews.push(Review { by, at, remark });
            }
            DocumentEvent::DocumentReleased { .. } => (self.released_at, self.released_by) = (Some(at), by),
            DocumentEvent::DocumentEnteredInError { sealed, .. } => {
                self.status = DocumentStatus::EnteredInError;
                self.entered_in_error_at = Some(at);
                self.error_reason = sealed.open().and_then(|why| why.remark.clone());
            }
            DocumentEvent::DocumentContentErased { .. } => {
                self.status = DocumentStatus::Erased;
                self.upload = None;
            }
        }
    }

    /// Whether there is a content to be seen.
    pub fn has_content(&self) -> bool {
        self.upload.is_some()
    }
}

#[cfg(test)]
mod tests {
    use events::{Sealed, document::DocumentTitle};

    use super::*;
    use crate::sample::History;

    #[test]
    fn a_document_shows_what_it_is_called_now_and_that_its_content_is_there() {
        let mut history = History::new();
        let patient = history.registered("Asha");
        let document = history.announced(patient, 700, "Discharge summary");
        let announced = history.row::<Documents>(document.0).unwrap();
        assert_eq!((announced.status, announced.has_content()), (DocumentStatus::Registered, false));
        let (kind, upload) = (DocumentKind::Clinical, Uuid::from_u128(5));
        history.document(document, DocumentEvent::DocumentUploaded { patient, kind, size: 700, upload });
        let (was, kind) = (kind, DocumentKind::Referral);
        let sealed = Sealed::Open(DocumentTitle { title: Some("A letter".to_owned()), description: None });
        history.document(document, DocumentEvent::DocumentClassified { patient, was, kind, sealed });
        let row = history.row::<Documents>(document.0).unwrap();
        assert_eq!((row.status, row.kind, row.version), (DocumentStatus::Current, kind, 3));
        assert_eq!((row.title.as_deref(), row.upload, row.size), (Some("A letter"), Some(upload), 700));
        let row = history.erased().row::<Documents>(document.0).unwrap();
        assert_eq!((row.title, row.sha256, row.status), (None, None, DocumentStatus::Current));
    }
}
