//! Documents that were announced and have not come in time: gives their room back, and takes away what is left of them.

use std::sync::atomic::{AtomicBool, Ordering};

use ::attachments::Attachments;
use anyhow::Result;
use chrono::{DateTime, Utc};
use command_api::execute::Executor;
use domain::{Document, document::FailUpload};
use events::{ClinicId, DocumentId, PatientId, document::UploadFailure};
use futures::future::{BoxFuture, FutureExt};
use sqlx::{PgPool, Row};

use super::{Item, Job, Outcome, call, find, give};

const DUE: &str = "SELECT clinic_id, id FROM read.document_1
    WHERE status = 'registered' AND upload_until <= $1 ORDER BY upload_until LIMIT $2";
const FAILED: &str = "SELECT clinic_id, patient_id, id FROM read.document_1
    WHERE status = 'failed' AND upload_until > now() - interval '2 days' ORDER BY upload_until LIMIT $1";
/// Of one look.
const TIDIED_MAX: i64 = 1_000;

pub struct AbandonedUploads {
    executor: Executor,
    attachments: Attachments,
    /// Sees the documents of all clinics.
    pool: PgPool,
    has_tidied: AtomicBool,
}

impl AbandonedUploads {
    pub fn new(executor: Executor, attachments: Attachments, pool: PgPool) -> Self {
        Self { executor, attachments, pool, has_tidied: AtomicBool::new(false) }
    }

    /// Who died, or could not reach the bytes, between saying that an upload has failed and taking them away has left
    /// them: whoever comes after looks once.
    async fn tidy(&self) -> Result<()> {
        if self.has_tidied.load(Ordering::Relaxed) {
            return Ok(());
        }
        for row in sqlx::query(FAILED).bind(TIDIED_MAX).fetch_all(&self.pool).await? {
            let (clinic, patient) = (ClinicId(row.try_get("clinic_id")?), PatientId(row.try_get("patient_id")?));
            self.attachments.take_document(clinic, patient, DocumentId(row.try_get("id")?)).await?;
        }
        self.has_tidied.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn give_up(&self, item: Item) -> Result<Outcome> {
        let command = FailUpload { failure: UploadFailure::Abandoned };
        let outcome = give(&self.executor, call::<Document>(item, "SweepUploads", command)).await?;
        let Outcome::Done(recorded) = &outcome else { return Ok(outcome) };
        for patient in recorded.iter().filter_map(|recorded| recorded.patient) {
            let taken = self.attachments.take_document(item.clinic, patient, DocumentId(item.id)).await;
            taken.inspect_err(|_| self.has_tidied.store(false, Ordering::Relaxed))?;
        }
        Ok(outcome)
    }
}

impl Job for AbandonedUploads {
    fn name(&self) -> &'static str {
        "uploads"
    }

    fn due(&self, now: DateTime<Utc>, limit: i64) -> BoxFuture<'_, Result<Vec<Item>>> {
        async move {
            self.tidy().await?;
            find(&self.pool, DUE, now, limit).await
        }
        .boxed()
    }

    fn carry_out(&self, item: Item) -> BoxFuture<'_, Result<Outcome>> {
        self.give_up(item).boxed()
    }
}
