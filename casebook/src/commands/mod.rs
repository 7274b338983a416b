//! One file per command.

mod contracts;

use clap::{Parser, Subcommand};

/// Casebook: the backend of many clinics at once.
#[derive(Parser)]
#[command(version)]
pub struct Casebook {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Contracts(contracts::Contracts),
}

impl Casebook {
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Contracts(command) => command.run(),
        }
    }
}
