//! `casebook audit`.

mod verify_erasure;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::Config;

/// Check what Casebook keeps
#[derive(Args)]
pub struct Audit {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    VerifyErasure(verify_erasure::VerifyErasure),
}

impl Audit {
    pub async fn run(self, config: &Config) -> Result<()> {
        match self.action {
            Action::VerifyErasure(command) => command.run(config).await,
        }
    }
}
