//! `casebook admin`.

use anyhow::Result;
use clap::{Args, Subcommand};
use command_api::execute::Executor;
use secrecy::SecretString;

use crate::{Config, data_dir::DataDir, platform, servers::Database, system::open_store};

/// Help the platform's administrator who cannot log in
#[derive(Args)]
pub struct Admin {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show a new one-time activation for the platform's first administrator
    Reset,
}

impl Admin {
    pub async fn run(self, config: &Config) -> Result<()> {
        let Action::Reset = self.action;
        // Nothing is started for a folder in which nothing was ever set up.
        config.keys.master_key(&DataDir::at(&config.common.data_dir))?;
        let database = Database::reach(&config.common).await?;
        let outcome = reset(config, &database.url).await;
        database.close().await?;
        outcome
    }
}

async fn reset(config: &Config, url: &SecretString) -> Result<()> {
    let executor = Executor::new(open_store(config, url, "casebook-admin")?);
    platform::reset_administrator(&executor).await?.greet()
}
