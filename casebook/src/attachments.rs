//! Where the bytes of documents are kept, and what an installation takes.

use ::attachments::{Accepted, Attachments, BYTES_MAX, Location, MEDIA_TYPES};
use anyhow::{Context, Result};
use chrono::TimeDelta;
use clap::Args;

use crate::data_dir::DataDir;

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
