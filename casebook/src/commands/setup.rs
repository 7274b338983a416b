//! `casebook setup`.

use anyhow::Result;
use clap::Args;
use secrecy::SecretString;
use service_kit::{config::CommonConfig, tokens::SigningKeys};

use super::migrate::migrate;
use crate::{data_dir::DataDir, say::say, servers::Database};

/// Make what the services need before they start, where it is absent: tables and keys
#[derive(Args)]
pub struct Setup {}

impl Setup {
    pub async fn run(self, config: &CommonConfig) -> Result<()> {
        DataDir::make(&config.data_dir)?;
        let database = Database::reach(config).await?;
        let outcome = prepare(config, &database.url).await;
        database.close().await?;
        outcome?;
        Ok(say("Casebook is set up.")?)
    }
}

/// What every start needs; at once when it is there.
pub async fn prepare(config: &CommonConfig, url: &SecretString) -> Result<()> {
    migrate(config, url).await?;
    SigningKeys::open(&config.signing_key_file())?;
    Ok(())
}
