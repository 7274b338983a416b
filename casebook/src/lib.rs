//! The one program that people run, as a library: tests start the same system as people do.

pub mod bus;
pub mod commands;
pub mod data_dir;
pub mod instance;
mod say;
pub mod servers;

use clap::Parser;
use service_kit::config::CommonConfig;

/// Casebook: the backend of many clinics at once.
#[derive(Parser)]
#[command(version)]
pub struct Casebook {
    #[command(flatten)]
    pub config: CommonConfig,
    #[command(subcommand)]
    pub command: commands::Command,
}
