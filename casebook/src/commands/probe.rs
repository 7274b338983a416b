//! `casebook probe`.

use anyhow::{Context, Result, ensure};
use clap::Args;
use service_kit::config::CommonConfig;

/// Ask the process of this configuration whether it can do its work, for the health checks of containers
#[derive(Args)]
pub struct Probe {}

impl Probe {
    pub async fn run(self, config: &CommonConfig) -> Result<()> {
        let address = config.probe_listen.unwrap_or(config.listen);
        let answer = reqwest::get(format!("http://{address}/readyz")).await.context("nobody answers")?;
        let (status, report) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "not ready: {report}");
        Ok(())
    }
}
