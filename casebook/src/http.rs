//! Where a process listens: for its API, and for probes.

use std::{convert::Infallible, net::SocketAddr};

use anyhow::{Context, Result};
use axum::Router;
use service_kit::{
    config::CommonConfig,
    layers::{self, HttpSettings},
    lifecycle::Lifecycle,
    metrics::Metrics,
};
use tokio::net::TcpListener;

/// Bound before anything slow is done: a port that is taken is the commonest mistake.
pub struct Listeners {
    main: TcpListener,
    probes: Option<TcpListener>,
}

impl Listeners {
    pub async fn bind(config: &CommonConfig) -> Result<Self> {
        let probes = match config.probe_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self { main: bind(config.listen).await?, probes })
    }

    /// Of a process without an API: one address, for probes alone.
    pub async fn for_probes(config: &CommonConfig) -> Result<Self> {
        Ok(Self { main: bind(config.probe_listen.unwrap_or(config.listen)).await?, probes: None })
    }

    /// Serves the API, if there is one, and the probes: beside it, or on their own address. Says the main address.
    pub fn serve(
        self,
        config: &CommonConfig,
        lifecycle: &Lifecycle,
        api: Option<Router>,
        probes: Router,
    ) -> Result<SocketAddr> {
        let address = self.main.local_addr()?;
        let settings = HttpSettings {
            trusted_proxies: config.trusted_proxies.clone(),
            long_routes: long_routes(),
            ..HttpSettings::default()
        };
        let api = api.unwrap_or_default();
        let main = match self.probes {
            None => api.merge(probes),
            Some(listener) => {
                lifecycle.serve("probes", listener, layers::apply(probes, settings.clone()));
                api
            }
        };
        lifecycle.serve("http", self.main, layers::apply(main, settings));
        Ok(address)
    }
}

/// What takes longer than other answers.
pub fn long_routes() -> Vec<&'static str> {
    let uploads = [command_api::routes::LONG_ROUTE];
    query_api::routes::export::LONG_ROUTES.iter().copied().chain(uploads).collect()
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
}

/// The measurements of this process, kept up until it stops. Installed before anything counts.
pub fn metrics(lifecycle: &Lifecycle) -> Result<Metrics> {
    let metrics = Metrics::install()?;
    let (kept, stop) = (metrics.clone(), lifecycle.stopping());
    lifecycle.spawn("metrics", async move {
        kept.upkeep(stop).await;
        Ok::<_, Infallible>(())
    });
    Ok(metrics)
}
