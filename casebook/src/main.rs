//! The one program that people run; see `casebook help`.

use casebook::{Casebook, commands};
use clap::Parser;

/// Rows are made by one thread and dropped by another: with the system's allocator, threads wait for each other
/// there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another cryptography provider is installed"))?;
    let casebook = Casebook::parse();
    service_kit::telemetry::init(&casebook.config.common.log)?;
    commands::run(casebook).await
}
