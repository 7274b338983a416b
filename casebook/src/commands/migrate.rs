//! `casebook migrate`.

use anyhow::Result;
use clap::Args;
use secrecy::SecretString;
use service_kit::config::CommonConfig;

use crate::{say::say, servers::Database};

/// Bring the tables of the database to what this program expects
#[derive(Args)]
pub struct Migrate {}

impl Migrate {
    pub async fn run(self, config: &CommonConfig) -> Result<()> {
        let database = Database::reach(config).await?;
        let outcome = migrate(config, &database.url).await;
        database.close().await?;
        outcome?;
        Ok(say("The database is up to date.")?)
    }
}

/// As the owner of the database: who may make schemas and roles.
pub async fn migrate(config: &CommonConfig, url: &SecretString) -> Result<()> {
    let owner = config.database.pool(url, "casebook-migrate")?;
    crate::migrate(&owner).await?;
    owner.close().await;
    Ok(())
}
