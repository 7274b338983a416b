//! `casebook up`: everything in one process, with servers of its own where none are given.

use std::convert::Infallible;

use anyhow::{Context, Result};
use axum::Router;
use clap::Args;
use service_kit::{
    layers::{self, HttpSettings},
    lifecycle::{Health, Lifecycle},
    metrics::Metrics,
    tokens::SigningKeys,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::setup::prepare;
use crate::{
    Config, api,
    data_dir::DataDir,
    instance::Instance,
    platform::{self, FirstAdministrator},
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
        let listener =
            TcpListener::bind(common.listen).await.with_context(|| format!("listening on {}", common.listen))?;
        let servers = Servers::start(common).await?;
        let lifecycle = Lifecycle::new();
        let started = start(config, &servers, &lifecycle, listener).await;
        let served = keep_servers(servers, &lifecycle, started).await;
        say("Casebook has stopped.")?;
        served
    }
}

/// Everything that runs on the two servers.
async fn start(config: &Config, servers: &Servers, lifecycle: &Lifecycle, listener: TcpListener) -> Result<()> {
    prepare(config, servers.database_url()).await?;
    let master_key = config.keys.master_key(&DataDir::at(&config.common.data_dir))?;
    let system = System::connect("casebook", servers.database_url(), &servers.nats_url, master_key, lifecycle).await?;
    let config = &config.common;
    let keys = SigningKeys::open(&config.signing_key_file())?;
    let commands = system.commands(&keys);
    greet(platform::first_administrator(&commands).await?)?;
    system.relay();
    system.project();
    let api = api::everything(commands, system.queries(&keys), &keys);
    let metrics = Metrics::install()?;
    let health =
        Health::new(lifecycle.stopping()).database(config.database.pool(servers.database_url(), "casebook-health")?);
    let probes: Router = health.routes().merge(metrics.routes());
    let settings = HttpSettings { trusted_proxies: config.trusted_proxies.clone(), ..HttpSettings::default() };
    let (metrics, stop) = (metrics.clone(), lifecycle.stopping());
    lifecycle.spawn("metrics", async move {
        metrics.upkeep(stop).await;
        Ok::<_, Infallible>(())
    });
    let address = listener.local_addr()?;
    lifecycle.serve("http", listener, layers::apply(api.merge(probes), settings));
    say(&format!("Casebook is ready on http://{address}"))?;
    Ok(())
}

/// Shows the first platform administrator's secret, once.
fn greet(first: Option<FirstAdministrator>) -> Result<()> {
    let Some(FirstAdministrator { username, activation }) = first else { return Ok(()) };
    say(&format!(
        "The platform's first administrator is `{username}`. This activation is shown once and is good for 72 hours:\n\
         {activation}\n\
         Set the password: POST /api/v1/auth/activate {{\"username\", \"activation\", \"password\"}}"
    ))?;
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
