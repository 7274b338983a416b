//! `casebook serve`: one of the services, in a process of its own.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use service_kit::{lifecycle::Lifecycle, tokens::SigningKeys};

use super::setup::try_master_key;
use crate::{
    Config,
    api::Api,
    data_dir::DataDir,
    erasure::ErasureList,
    http::{Listeners, metrics},
    say::say,
    system::System,
};

/// Start one service on the servers that DATABASE_URL and NATS_URL name; `casebook setup` has made what it needs
#[derive(Args)]
pub struct Serve {
    service: Service,
}

#[derive(Clone, Copy, ValueEnum)]
enum Service {
    /// Takes commands, publishes what is appended, and does what falls due.
    CommandApi,
    /// Carries events into the read models.
    Projector,
    /// Answers queries, and documents the whole API.
    QueryApi,
}

impl Serve {
    pub async fn run(self, config: &Config) -> Result<()> {
        let lifecycle = Lifecycle::new();
        let listeners = self.service.listeners(config).await?;
        let system = self.service.connect(config, &lifecycle).await?;
        let metrics = metrics(&lifecycle)?;
        let keys = SigningKeys::open(&config.common.signing_key_file())?;
        let api = match self.service {
            Service::CommandApi => {
                system.relay();
                system.sign();
                let commands = system.commands(&keys);
                system.schedule(&commands.executor, config.schedule.every());
                system.send_mails(&commands.executor, config.mail.open(&DataDir::at(&config.common.data_dir))?);
                Some(Api::new().commands(commands))
            }
            Service::QueryApi => Some(Api::new().queries(system.queries(&keys), &keys)),
            Service::Projector => {
                system.project();
                system.erase(ErasureList::beside(&config.common.anchors()));
                None
            }
        };
        let health = match self.service {
            Service::Projector => system.projector_health(),
            Service::CommandApi | Service::QueryApi => system.health(),
        };
        let address = listeners.serve(&config.common, &lifecycle, api, health.routes().merge(metrics.routes()))?;
        let name = self.service.name();
        say(&format!("{name} is ready on http://{address}"))?;
        lifecycle.run().await?;
        Ok(say(&format!("{name} has stopped."))?)
    }
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::CommandApi => "casebook-command-api",
            Self::Projector => "casebook-projector",
            Self::QueryApi => "casebook-query-api",
        }
    }

    async fn listeners(self, config: &Config) -> Result<Listeners> {
        match self {
            Self::Projector => Listeners::for_probes(&config.common).await,
            Self::CommandApi | Self::QueryApi => Listeners::bind(&config.common).await,
        }
    }

    async fn connect(self, config: &Config, lifecycle: &Lifecycle) -> Result<System> {
        const ON_SERVERS: &str = "needs DATABASE_URL and NATS_URL; `casebook up` starts servers of its own";
        let database = config.common.database.url.as_ref().context(ON_SERVERS)?;
        let nats = config.common.nats_url.as_ref().context(ON_SERVERS)?;
        let data_dir = DataDir::at(&config.common.data_dir);
        let master_key = || config.keys.master_key(&data_dir);
        try_master_key(master_key()?, database).await?;
        let attachments = config.attachments.open(&data_dir)?;
        let system = System::connect(self.name(), database, nats, master_key()?, attachments, lifecycle).await?;
        Ok(system.with_checkpoints(config).with_fonts(config.fonts.open()?))
    }
}
