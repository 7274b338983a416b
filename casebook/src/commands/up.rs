//! `casebook up`: everything in one process, with servers of its own where none are given.

use anyhow::Result;
use clap::Args;
use service_kit::{lifecycle::Lifecycle, tokens::SigningKeys};
use tokio_util::sync::CancellationToken;

use super::setup::prepare;
use crate::{
    Config,
    api::Api,
    data_dir::DataDir,
    erasure::ErasureList,
    http::{Listeners, metrics},
    instance::Instance,
    platform,
    say::say,
    servers::Servers,
    system::System,
};

/// Start everything: PostgreSQL and nats-server (unless DATABASE_URL and NATS_URL name existing ones), and all services
#[derive(Args)]
pub struct Up {}

impl Up {
    pub async fn run(self, config: &Config) -> Result<()> {
        let common = &config.common;
        let data_dir = DataDir::make(&common.data_dir)?;
        let _instance = Instance::claim(&data_dir)?;
        // Before anything slow: a port that is taken is the commonest mistake.
        let listeners = Listeners::bind(common).await?;
        let servers = Servers::start(common).await?;
        let lifecycle = Lifecycle::new();
        let started = start(config, &servers, &lifecycle, listeners).await;
        let served = keep_servers(servers, &lifecycle, started).await;
        say("Casebook has stopped.")?;
        served
    }
}

/// Everything that runs on the two servers.
async fn start(config: &Config, servers: &Servers, lifecycle: &Lifecycle, listeners: Listeners) -> Result<()> {
    prepare(config, servers.database_url()).await?;
    let master_key = config.keys.master_key(&DataDir::at(&config.common.data_dir))?;
    let attachments = config.attachments.open(&DataDir::at(&config.common.data_dir))?;
    let outgoing = config.mail.open(&DataDir::at(&config.common.data_dir))?;
    let (database, nats) = (servers.database_url(), &servers.nats_url);
    let system = System::connect("casebook", database, nats, master_key, attachments, lifecycle).await?;
    let system = system.with_checkpoints(config).with_fonts(config.fonts.open()?);
    let keys = SigningKeys::open(&config.common.signing_key_file())?;
    let commands = system.commands(&keys);
    if let Some(first) = platform::first_administrator(&commands.executor).await? {
        first.greet()?;
    }
    let metrics = metrics(lifecycle)?;
    system.schedule(&commands.executor, config.schedule.every());
    system.send_mails(&commands.executor, outgoing);
    system.relay();
    system.sign();
    system.project();
    system.erase(ErasureList::beside(&config.common.anchors()));
    let api = Api::new().everything(commands, system.queries(&keys), &keys);
    let probes = system.health().routes().merge(metrics.routes());
    let address = listeners.serve(&config.common, lifecycle, Some(api), probes)?;
    say(&format!("Casebook is ready on http://{address}"))?;
    Ok(())
}

/// Runs until the process is told to stop or a task fails, and ends the servers after everything that uses them.
async fn keep_servers(servers: Servers, lifecycle: &Lifecycle, started: Result<()>) -> Result<()> {
    let unused = CancellationToken::new();
    let keeper = tokio::spawn({
        let (lifecycle, unused) = (lifecycle.clone(), unused.clone());
        async move {
            let kept = servers.keep(unused).await;
            lifecycle.stop();
            kept
        }
    });
    let served = match started {
        Ok(()) => lifecycle.clone().run().await.map_err(Into::into),
        Err(error) => Err(error),
    };
    unused.cancel();
    let kept = keeper.await?;
    served.and(kept)
}
