//! The one program that people run.

mod commands;

use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    commands::Casebook::parse().run().await
}
