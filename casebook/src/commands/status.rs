//! `casebook status`.

use anyhow::{Context, Result};
use clap::Args;
use event_store::DbRole;
use projector::{ProjectionStatus, Replaying, replaying, status};
use secrecy::{ExposeSecret, SecretString};
use service_kit::config::CommonConfig;

use crate::{data_dir::DataDir, instance, say::say, servers::Database};

/// Of the longest name of a read model, so that what is said of them stands below each other.
const NAME_WIDTH: usize = 18;

/// Say what runs, and how far the read models are
#[derive(Args)]
pub struct Status {}

impl Status {
    pub async fn run(self, config: &CommonConfig) -> Result<()> {
        match instance::running(&DataDir::at(&config.data_dir))? {
            Some(pid) => say(&format!("Casebook runs on {} (process {pid}).", config.data_dir.display()))?,
            None => say("Casebook does not run.")?,
        }
        match Database::running(config) {
            Some(url) => say_read_models(&url).await,
            None => Ok(()),
        }
    }
}

async fn say_read_models(url: &SecretString) -> Result<()> {
    let pool = DbRole::Projector.pool(url.expose_secret().parse()?, 1);
    for model in status(&pool).await.context("asking how the read models stand")? {
        say(&line(&model))?;
        for parked in &model.parked {
            say(&format!("  parked: {}", super::parked::line(parked)))?;
        }
    }
    for Replaying { clinic, id, position, events, .. } in replaying(&pool).await.context("asking for the replays")? {
        say(&format!("replay {id} of clinic {clinic}: {events} of {position} events"))?;
    }
    Ok(())
}

/// `patient_1           12 events of 3 clinics behind, since 2026-03-14 09:00:00 UTC`
fn line(model: &ProjectionStatus) -> String {
    let rebuilding = if model.rebuilding.is_empty() { "" } else { ", being rebuilt" };
    let standing = match model.behind_since {
        Some(since) => format!(
            "{} events of {} clinics behind, since {}",
            model.behind,
            model.clinics_behind,
            since.format("%F %T UTC")
        ),
        None => "up to date".to_owned(),
    };
    format!("{:<NAME_WIDTH$}  {standing}{rebuilding}", model.projection)
}
