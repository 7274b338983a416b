//! The one program that people run, as a library: tests start the same system as people do.

pub mod api;
pub mod attachments;
pub mod bus;
pub mod catalogue;
pub mod checkpoint_key;
pub mod commands;
pub mod data_dir;
pub mod demo;
pub mod erasure;
pub mod fonts;
mod http;
pub mod import;
pub mod instance;
pub mod keys;
pub mod mail;
pub mod platform;
mod progress;
mod say;
pub mod schedule;
pub mod servers;
pub mod system;

use anyhow::Context;
use clap::{Args, Parser};
use service_kit::config::CommonConfig;

use crate::{
    attachments::AttachmentConfig, fonts::FontConfig, keys::KeyConfig, mail::MailConfig, schedule::ScheduleConfig,
};

/// Brings the log and the read models to what this program expects; as the owner of the database.
pub async fn migrate(owner: &sqlx::PgPool) -> anyhow::Result<()> {
    event_store::migrate(owner).await.context("migrating the log")?;
    projector::migrate(owner).await.context("migrating the read models")
}

/// Casebook: the backend of many clinics at once.
#[derive(Parser)]
#[command(version)]
pub struct Casebook {
    #[command(flatten)]
    pub config: Config,
    #[command(subcommand)]
    pub command: commands::Command,
}

/// What every command is told by its environment or by options.
#[derive(Clone, Debug, Args)]
pub struct Config {
    #[command(flatten)]
    pub common: CommonConfig,
    #[command(flatten)]
    pub keys: KeyConfig,
    #[command(flatten)]
    pub attachments: AttachmentConfig,
    #[command(flatten)]
    pub schedule: ScheduleConfig,
    #[command(flatten)]
    pub fonts: FontConfig,
    #[command(flatten)]
    pub mail: MailConfig,
}
