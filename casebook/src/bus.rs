//! The connection to NATS.

use std::str::FromStr;

use anyhow::{Context, Result};
use async_nats::{Client, ConnectOptions, ServerAddr};
use secrecy::{ExposeSecret, SecretString};

/// Connects to `nats://user:password@host:port`; user and password may be absent. A server that cannot be reached is
/// tried again in the background: nothing but latency depends on it.
pub async fn connect(url: &SecretString, name: &str) -> Result<Client> {
    // The address itself may hold a password: it must not get into an error.
    let address = ServerAddr::from_str(url.expose_secret()).ok().context("NATS_URL is not nats://host:port")?;
    let options = ConnectOptions::new().name(name).retry_on_initial_connect();
    let options = match (address.username(), address.password()) {
        (Some(user), Some(password)) => options.user_and_password(user.to_owned(), password.to_owned()),
        _ => options,
    };
    Ok(options.connect(address).await?)
}

#[cfg(test)]
mod tests {
    use local_servers::{LocalNats, NatsOptions};

    use super::*;

    #[tokio::test]
    async fn it_logs_in_with_what_the_url_holds() {
        let folder = tempfile::tempdir().unwrap();
        let password = Some("s3cret".to_owned());
        let options = NatsOptions { password, ..NatsOptions::new(folder.path().join("nats")) };
        let server = LocalNats::start(options).await.unwrap();
        let client = connect(&server.url().into(), "test").await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(client.connection_state(), async_nats::connection::State::Connected);
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_without_being_shown() {
        let error = connect(&"nats://u:hush@:x".into(), "test").await.unwrap_err();
        assert!(!format!("{error:?}").contains("hush"));
    }
}
