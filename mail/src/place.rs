//! Where mails go: into a folder, or to an SMTP server.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::{Host, Url};

const SUBMISSION_PORT: u16 = 587;
const SUBMISSIONS_PORT: u16 = 465;

/// `/var/spool/casebook`, `smtp://user:password@mail.example.org:587` or `smtps://…`.
#[derive(Clone, Debug)]
pub enum Place {
    /// One `.eml` file each.
    Folder(PathBuf),
    Smtp {
        tls: Tls,
        host: String,
        port: u16,
        login: Option<(String, SecretString)>,
    },
}

/// How the way to an SMTP server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte (`smtps`).
    Always,
    /// By STARTTLS, without which nothing is said (`smtp`).
    Upgraded,
    /// Not at all: the server is on this machine.
    Loopback,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("mails go to a folder, or to smtp://user:password@host:port or smtps://user:password@host:port")]
pub struct WrongPlace;

impl FromStr for Place {
    type Err = WrongPlace;

    fn from_str(text: &str) -> Result<Self, WrongPlace> {
        match text.split_once("://") {
            Some(("smtp" | "smtps", _)) => smtp(&Url::parse(text).map_err(|_| WrongPlace)?),
            Some(_) => Err(WrongPlace),
            None if text.trim().is_empty() => Err(WrongPlace),
            None => Ok(Self::Folder(text.into())),
        }
    }
}

fn smtp(url: &Url) -> Result<Place, WrongPlace> {
    let host = url.host().ok_or(WrongPlace)?;
    let (tls, usual) = match url.scheme() {
        "smtps" => (Tls::Always, SUBMISSIONS_PORT),
        _ if is_loopback(&host) => (Tls::Loopback, SUBMISSION_PORT),
        _ => (Tls::Upgraded, SUBMISSION_PORT),
    };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| WrongPlace);
    let login = match (url.username(), url.password()) {
        ("", None) => None,
        (user, password) => Some((decoded(user)?, SecretString::from(decoded(password.unwrap_or_default())?))),
    };
    let host = match host {
        Host::Ipv6(address) => address.to_string(),
        other => other.to_string(),
    };
    Ok(Place::Smtp { tls, host, port: url.port().unwrap_or(usual), login })
}

/// `smtp` is no scheme whose hosts are parsed: an address is a name there.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Without the login.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Smtp { tls: Tls::Always, host, port, .. } => write!(f, "smtps://{host}:{port}"),
            Self::Smtp { host, port, .. } => write!(f, "smtp://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn tls(text: &str) -> (Tls, u16) {
        match text.parse().unwrap() {
            Place::Smtp { tls, port, .. } => (tls, port),
            Place::Folder(path) => panic!("{path:?} is a folder"),
        }
    }

    #[test]
    fn the_way_is_protected_unless_it_ends_on_this_machine() {
        assert_eq!(tls("smtps://mail.example.org"), (Tls::Always, 465));
        assert_eq!(tls("smtp://mail.example.org"), (Tls::Upgraded, 587));
        assert_eq!(tls("smtp://10.0.0.1:25"), (Tls::Upgraded, 25));
        for local in ["smtp://localhost:2525", "smtp://127.0.0.1:2525", "smtp://[::1]:2525"] {
            assert_eq!(tls(local), (Tls::Loopback, 2525), "{local}");
        }
    }

    #[test]
    fn a_password_is_decoded_and_never_shown() {
        let place: Place = "smtp://asha:hu%40sh@mail.example.org".parse().unwrap();
        assert!(!format!("{place:?} {place}").contains("hu@sh") && !format!("{place}").contains("asha"));
        let Place::Smtp { login: Some((user, password)), .. } = place else { panic!("it has a login") };
        assert_eq!((user.as_str(), password.expose_secret()), ("asha", "hu@sh"));
    }

    #[test]
    fn what_is_neither_is_refused_without_being_shown() {
        for wrong in ["", "http://u:hush@h", "smtp://", "smtps://u:hush@:x"] {
            assert!(!wrong.parse::<Place>().unwrap_err().to_string().contains("hush"), "{wrong}");
        }
        assert!(matches!("mails/out".parse(), Ok(Place::Folder(_))));
    }
}
