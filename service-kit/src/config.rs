//! What every process is told by its environment or command line.

use std::{convert::Infallible, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::client::TrustedProxies;

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection is replaced after so long, so that none keeps a plan or memory for ever.
const CONNECTION_LIFE_MAX: Duration = Duration::from_secs(30 * 60);

/// Where things are. Without a database or NATS address the program starts its own. Each may stand before or after
/// a command.
#[derive(Clone, Debug, Args)]
pub struct CommonConfig {
    /// Address to serve on.
    #[arg(long, global = true, env = "CASEBOOK_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// A second address for /healthz, /readyz and /metrics alone; they are then not served on the first.
    #[arg(long, global = true, env = "CASEBOOK_PROBE_LISTEN")]
    pub probe_listen: Option<SocketAddr>,
    /// Folder for keys, attachments and a private database.
    #[arg(long, global = true, env = "CASEBOOK_DATA_DIR", default_value = ".casebook")]
    pub data_dir: PathBuf,
    /// Folder outside the database, and outside what its owner may rewrite, for what proves the ledgers and for the
    /// list of erasures; by default anchors in the data folder.
    #[arg(long, global = true, env = "CASEBOOK_ANCHORS")]
    anchors: Option<PathBuf>,
    /// Reverse proxies whose X-Forwarded-For is believed: addresses or networks, by commas.
    #[arg(long, global = true, env = "CASEBOOK_TRUSTED_PROXIES", default_value = "")]
    pub trusted_proxies: TrustedProxies,
    /// The keys that sign access tokens; by default signing-key.pem in the data folder.
    #[arg(long, global = true, env = "CASEBOOK_SIGNING_KEY_FILE")]
    signing_key_file: Option<PathBuf>,
    /// nats://host:port of an existing server.
    #[arg(long, global = true, env = "NATS_URL", hide_env_values = true, value_parser = secret)]
    pub nats_url: Option<SecretString>,
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub log: LogConfig,
}

#[derive(Clone, Debug, Args)]
pub struct DatabaseConfig {
    /// postgres://user:password@host/database of an existing server.
    #[arg(id = "database_url", long = "database-url", global = true, env = "DATABASE_URL", hide_env_values = true, value_parser = secret)]
    pub url: Option<SecretString>,
    /// Connections that a service keeps at most.
    #[arg(id = "database_connections", long = "database-connections", global = true, env = "CASEBOOK_DATABASE_CONNECTIONS",
          default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub connections: u32,
}

#[derive(Clone, Debug, Args)]
pub struct LogConfig {
    /// What is logged: info, or a filter such as info,command_api=debug.
    // sqlx repeats what the server notices in every migration, at INFO.
    #[arg(id = "log", long = "log", global = true, env = "CASEBOOK_LOG", default_value = "info,sqlx=warn")]
    pub filter: String,
    /// How a line of the log is written: text for people, or a JSON object.
    #[arg(id = "log_format", long = "log-format", global = true, env = "CASEBOOK_LOG_FORMAT", default_value = "text")]
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.into())
}

impl CommonConfig {
    pub fn anchors(&self) -> PathBuf {
        self.anchors.clone().unwrap_or_else(|| self.data_dir.join("anchors"))
    }

    pub fn signing_key_file(&self) -> PathBuf {
        self.signing_key_file.clone().unwrap_or_else(|| self.data_dir.join("signing-key.pem"))
    }
}

impl DatabaseConfig {
    /// A pool on a server; connects when first used. `name` is what the server shows for its connections.
    pub fn pool(&self, url: &SecretString, name: &str) -> Result<PgPool, sqlx::Error> {
        let options: PgConnectOptions = url.expose_secret().parse()?;
        Ok(PgPoolOptions::new()
            .max_connections(self.connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .max_lifetime(CONNECTION_LIFE_MAX)
            .connect_lazy_with(options.application_name(name)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        common: CommonConfig,
    }

    fn parse(arguments: &[&str]) -> Result<CommonConfig, clap::Error> {
        let all = std::iter::once("casebook").chain(arguments.iter().copied());
        Program::try_parse_from(all).map(|program| program.common)
    }

    #[test]
    fn everything_has_a_default() {
        let config = parse(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.signing_key_file(), PathBuf::from(".casebook/signing-key.pem"));
        assert_eq!((config.database.connections, config.log.format), (16, LogFormat::Text));
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = parse(&["--database-url", "postgres://u:hush@h/d", "--nats-url", "nats://u:hush@h"]).unwrap();
        assert!(!format!("{config:?}").contains("hush"));
        assert_eq!(config.nats_url.unwrap().expose_secret(), "nats://u:hush@h");
    }

    #[test]
    fn what_is_not_valid_is_refused() {
        for wrong in [["--listen", "here"], ["--database-connections", "0"], ["--trusted-proxies", "x"]] {
            assert!(parse(&wrong).is_err(), "{wrong:?}");
        }
    }
}
