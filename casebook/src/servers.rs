//! PostgreSQL and NATS: the existing ones that the configuration names, or private ones.

use std::time::Duration;

use anyhow::Result;
use local_servers::{LocalNats, LocalPostgres, NatsOptions, PostgresOptions};
use secrecy::SecretString;
use service_kit::{config::CommonConfig, tokens::OpaqueSecret};
use tokio_util::sync::CancellationToken;

use crate::data_dir::DataDir;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The database, for a command that needs no more.
pub struct Database {
    pub url: SecretString,
    private: Option<LocalPostgres>,
}

impl Database {
    /// Where the database is, without starting one: the one of the configuration, or that which `casebook up` runs.
    pub fn running(config: &CommonConfig) -> Option<SecretString> {
        let private = || LocalPostgres::url_of_running(&DataDir::at(&config.data_dir).postgres());
        config.database.url.clone().or_else(|| private().map(Into::into))
    }

    /// The one that runs; else the private one, started.
    pub async fn reach(config: &CommonConfig) -> Result<Self> {
        match Self::running(config) {
            Some(url) => Ok(Self { url, private: None }),
            None => Self::start(config).await,
        }
    }

    async fn start(config: &CommonConfig) -> Result<Self> {
        if let Some(url) = config.database.url.clone() {
            return Ok(Self { url, private: None });
        }
        let data_dir = DataDir::make(&config.data_dir)?;
        let server = LocalPostgres::start(PostgresOptions::new(data_dir.postgres())).await?;
        Ok(Self { url: server.url().into(), private: Some(server) })
    }

    /// Ends the server if it is ours.
    pub async fn close(self) -> Result<()> {
        match self.private {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }
}

/// Both servers, for a process that serves everything.
pub struct Servers {
    database: Database,
    pub nats_url: SecretString,
    private_nats: Option<LocalNats>,
}

impl Servers {
    pub async fn start(config: &CommonConfig) -> Result<Self> {
        let (database, (nats_url, private_nats)) = tokio::try_join!(Database::start(config), start_nats(config))?;
        Ok(Self { database, nats_url, private_nats })
    }

    pub fn database_url(&self) -> &SecretString {
        &self.database.url
    }

    /// Watches the private servers until `stop`, and starts one that has ended again; then ends them.
    pub async fn keep(mut self, stop: CancellationToken) -> Result<()> {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return self.close().await,
                _ = tick.tick() => self.revive().await?,
            }
        }
    }

    async fn revive(&mut self) -> Result<()> {
        if let Some(server) = &mut self.database.private
            && server.has_ended()?
        {
            tracing::error!("PostgreSQL has ended by itself; starting it again");
            server.restart().await?;
        }
        if let Some(server) = &mut self.private_nats
            && server.has_ended()?
        {
            tracing::error!("nats-server has ended by itself; starting it again");
            server.restart().await?;
        }
        Ok(())
    }

    async fn close(self) -> Result<()> {
        let nats = match self.private_nats {
            Some(server) => server.stop().await,
            None => Ok(()),
        };
        self.database.close().await.and(nats)
    }
}

async fn start_nats(config: &CommonConfig) -> Result<(SecretString, Option<LocalNats>)> {
    if let Some(url) = config.nats_url.clone() {
        return Ok((url, None));
    }
    let store_dir = DataDir::make(&config.data_dir)?.nats();
    let password = Some(OpaqueSecret::generate().expose().to_owned());
    let server = LocalNats::start(NatsOptions { password, ..NatsOptions::new(store_dir) }).await?;
    Ok((server.url().into(), Some(server)))
}
