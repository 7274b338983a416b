//! Mails to an SMTP server.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{Error, authentication::Credentials, extension::ClientId},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::{
    letter::Letter,
    place::{Tls, WrongPlace},
    post::Undelivered,
};

/// Of a command of the protocol.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);
/// Of a whole mail.
const MAIL_TIMEOUT: Duration = Duration::from_secs(60);
/// Replies that speak of the configuration, not of the mail: it is tried again once somebody has mended that.
const NOT_THE_MAILS_FAULT: [u16; 8] = [500, 502, 503, 521, 530, 534, 535, 538];

#[derive(Clone)]
pub struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

impl Smtp {
    pub(crate) fn at(
        tls: Tls,
        host: &str,
        port: u16,
        login: Option<&(String, SecretString)>,
    ) -> Result<Self, WrongPlace> {
        type Transport = AsyncSmtpTransport<Tokio1Executor>;
        let builder = match tls {
            Tls::Always => Transport::relay(host),
            Tls::Upgraded => Transport::starttls_relay(host),
            Tls::Loopback => Ok(Transport::builder_dangerous(host)),
        };
        let mut builder = builder.map_err(|_| WrongPlace)?.port(port).timeout(Some(COMMAND_TIMEOUT));
        // The name of this machine is nobody's business.
        builder = builder.hello_name(ClientId::Domain("casebook".to_owned()));
        if let Some((user, password)) = login {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self(builder.build()))
    }

    pub(crate) async fn send(&self, letter: &Letter) -> Result<(), Undelivered> {
        match timeout(MAIL_TIMEOUT, self.0.send_raw(letter.envelope(), &letter.bytes())).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(undelivered(&error)),
            Err(_) => Err(Undelivered::for_now("timeout")),
        }
    }
}

fn undelivered(error: &Error) -> Undelivered {
    let reply = error.status().map(u16::from);
    match reply {
        Some(reply) if NOT_THE_MAILS_FAULT.contains(&reply) => Undelivered::for_now("server-refuses-us"),
        Some(_) if error.is_permanent() => Undelivered::for_good("refused"),
        Some(_) => Undelivered::for_now("refused-for-now"),
        None if error.is_tls() => Undelivered::for_now("tls-failed"),
        None if error.is_timeout() => Undelivered::for_now("timeout"),
        None => Undelivered::for_now("unreachable"),
    }
}
