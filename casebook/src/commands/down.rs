//! `casebook down`.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use service_kit::{config::CommonConfig, lifecycle::SHUTDOWN_TIMEOUT};

use crate::{data_dir::DataDir, instance, say::say};

/// What the servers may take to end after the tasks have.
const SERVERS_WITHIN: Duration = Duration::from_secs(60);

/// Stop the `casebook up` that serves the data folder, and wait until it has stopped
#[derive(Args)]
pub struct Down {}

impl Down {
    pub async fn run(self, config: &CommonConfig) -> Result<()> {
        let stopped = instance::stop(&DataDir::at(&config.data_dir), SHUTDOWN_TIMEOUT + SERVERS_WITHIN).await?;
        say(if stopped { "Casebook has stopped." } else { "Casebook does not run." })?;
        Ok(())
    }
}
