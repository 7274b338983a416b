//! `casebook audit`.

mod export;
mod ledgers;
mod verify_erasure;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::Config;

/// Check what Casebook keeps: that no ledger was altered, and that nothing of the erased is left
#[derive(Args)]
pub struct Audit {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Export(export::Export),
    VerifyErasure(verify_erasure::VerifyErasure),
    #[command(flatten)]
    Ledgers(ledgers::Ledgers),
}

impl Audit {
    pub async fn run(self, config: &Config) -> Result<()> {
        match self.action {
            Action::Export(command) => command.run(config).await,
            Action::VerifyErasure(command) => command.run(config).await,
            Action::Ledgers(command) => command.run(config).await,
        }
    }
}
