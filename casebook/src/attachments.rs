//! Where the bytes of documents are kept, what an installation takes, and the sweep after uploads that never came.

use std::{convert::Infallible, time::Duration};

use ::attachments::{Accepted, Attachments, BYTES_MAX, Location, MEDIA_TYPES};
use anyhow::{Context, Result};
use chrono::TimeDelta;
use clap::Args;
use command_api::execute::{Call, Executor};
use domain::{Document, document::FailUpload};
use events::{Actor, ClinicId, DocumentId, PatientId, document::UploadFailure};
use sqlx::{PgPool, Row};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::data_dir::DataDir;

const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// Of one look.
const SWEPT_MAX: i64 = 1_000;
/// The name of the command on the events of a sweep.
const NAME: &str = "SweepUploads";

#[derive(Clone, Debug, Args)]
pub struct AttachmentConfig {
    /// Where the bytes of documents are kept: a folder, or s3://bucket/prefix with the endpoint and the credentials of
    /// the environment (AWS_ENDPOINT, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY); by default attachments in
    /// the data folder.
    #[arg(id = "attachments", long = "attachments", global = true, env = "CASEBOOK_ATTACHMENTS")]
    location: Option<Location>,
    /// Bytes that the content of one document may have.
    #[arg(long, global = true, env = "CASEBOOK_ATTACHMENT_BYTES_MAX", default_value_t = BYTES_MAX,
          value_parser = clap::value_parser!(u64).range(1..))]
    attachment_bytes_max: u64,
    /// Media types that the content of a document may have, by commas.
    #[arg(long, global = true, env = "CASEBOOK_ATTACHMENT_TYPES", value_delimiter = ',',
          default_value = MEDIA_TYPES)]
    attachment_types: Vec<String>,
    /// Seconds for which room is kept for a content that was announced.
    #[arg(long, global = true, env = "CASEBOOK_UPLOAD_SECONDS", default_value_t = 3_600,
          value_parser = clap::value_parser!(u32).range(1..=86_400))]
    upload_seconds: u32,
}

impl AttachmentConfig {
    /// # Errors
    /// The folder cannot be made, or the environment does not say enough about S3.
    pub fn open(&self, data_dir: &DataDir) -> Result<Attachments> {
        let location = self.location.clone().unwrap_or_else(|| Location::Folder(data_dir.attachments()));
        let media_types = self.attachment_types.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        let within = TimeDelta::seconds(self.upload_seconds.into());
        let accepted = Accepted { bytes_max: self.attachment_bytes_max, media_types, within };
        Attachments::open(&location, accepted).with_context(|| format!("opening the attachments {location}"))
    }
}

/// Gives back the room of what was announced and has not come in time, and takes away what is left of it. Any process
/// may sweep, and several at once: whether it has come is decided by the log.
pub struct Sweeper {
    executor: Executor,
    attachments: Attachments,
    /// Sees the documents of all clinics.
    pool: PgPool,
}

/// A document that was announced.
struct Awaited {
    clinic: ClinicId,
    patient: PatientId,
    document: DocumentId,
}

impl Sweeper {
    pub fn new(executor: Executor, attachments: Attachments, pool: PgPool) -> Self {
        Self { executor, attachments, pool }
    }

    /// Until it is told to stop.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Infallible> {
        let mut tick = tokio::time::interval(SWEEP_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut has_tidied = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = tick.tick() => {}
            }
            if !has_tidied {
                has_tidied = said(self.tidy().await);
            }
            said(self.sweep().await);
        }
    }

    /// What is waited for no longer. How many were given up.
    pub async fn sweep(&self) -> Result<usize> {
        let late = "SELECT clinic_id, patient_id, id FROM read.document_1
             WHERE status = 'registered' AND upload_until <= now() ORDER BY upload_until LIMIT $1";
        let mut given_up = 0;
        for awaited in self.look(late).await? {
            given_up += usize::from(self.give_up(&awaited).await?);
        }
        Ok(given_up)
    }

    /// A process that died between saying that an upload has failed and taking its bytes away has left them.
    pub async fn tidy(&self) -> Result<()> {
        let failed = "SELECT clinic_id, patient_id, id FROM read.document_1
             WHERE status = 'failed' AND upload_until > now() - interval '2 days' ORDER BY upload_until LIMIT $1";
        for Awaited { clinic, patient, document } in self.look(failed).await? {
            self.attachments.take_document(clinic, patient, document).await?;
        }
        Ok(())
    }

    /// The log says whether it is late; the read model has only told where to look.
    async fn give_up(&self, awaited: &Awaited) -> Result<bool> {
        let Awaited { clinic, patient, document } = *awaited;
        let command = FailUpload { failure: UploadFailure::Abandoned }.into();
        let call = Call::<Document> { actor: Actor::system(), ..Call::new(clinic, document.into(), NAME, command) };
        let done = self.executor.execute(call).await.with_context(|| format!("giving up the upload of {document}"))?;
        if done.events.is_empty() {
            return Ok(false);
        }
        self.attachments.take_document(clinic, patient, document).await?;
        tracing::info!(%clinic, %document, "an upload never came, and its room is given back");
        Ok(true)
    }

    async fn look(&self, sql: &'static str) -> Result<Vec<Awaited>> {
        let rows = sqlx::query(sql).bind(SWEPT_MAX).fetch_all(&self.pool).await.context("looking for uploads")?;
        let of_row = |row: &sqlx::postgres::PgRow| {
            Ok(Awaited {
                clinic: ClinicId(row.try_get("clinic_id")?),
                patient: PatientId(row.try_get("patient_id")?),
                document: DocumentId(row.try_get("id")?),
            })
        };
        Ok(rows.iter().map(of_row).collect::<sqlx::Result<_>>()?)
    }
}

/// Whether it went well.
fn said<T>(outcome: Result<T>) -> bool {
    if let Err(error) = &outcome {
        tracing::warn!(error = format!("{error:#}"), "uploads that never came cannot be given up now");
    }
    outcome.is_ok()
}
