//! `casebook status`.

use anyhow::Result;
use clap::Args;
use service_kit::config::CommonConfig;

use crate::{data_dir::DataDir, instance, say::say};

/// Say what runs
#[derive(Args)]
pub struct Status {}

impl Status {
    pub async fn run(self, config: &CommonConfig) -> Result<()> {
        match instance::running(&DataDir::at(&config.data_dir))? {
            Some(pid) => say(&format!("Casebook runs on {} (process {pid}).", config.data_dir.display()))?,
            None => say("Casebook does not run.")?,
        }
        Ok(())
    }
}
