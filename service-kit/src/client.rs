//! From where a request came.

use std::{net::IpAddr, str::FromStr};

use events::Client;
use http::{HeaderMap, header::USER_AGENT};
use ipnet::IpNet;

/// As `events::Client` says.
const AGENT_CHARS_MAX: usize = 200;
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The reverse proxies whose word about a client's address is taken: addresses or networks, by commas.
/// `127.0.0.1, 10.0.0.0/8`; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("trusted proxies are addresses or networks separated by commas, such as 127.0.0.1,10.0.0.0/8")]
pub struct TrustedProxiesError;

impl FromStr for TrustedProxies {
    type Err = TrustedProxiesError;

    fn from_str(text: &str) -> Result<Self, TrustedProxiesError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| network(part).ok_or(TrustedProxiesError)).collect::<Result<_, _>>().map(Self)
    }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

impl TrustedProxies {
    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// `X-Forwarded-For` is read from its end, for as long as who wrote the entry is trusted; its beginning is
    /// whatever a client cares to send.
    pub fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Client {
        Client { address: peer.map(|peer| self.origin(peer.to_canonical(), headers)), agent: agent(headers) }
    }

    fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut address = peer;
        for hop in forwarded(headers).into_iter().rev() {
            if !self.trust(address) {
                break;
            }
            match hop.parse::<IpAddr>() {
                Ok(hop) => address = hop.to_canonical(),
                Err(_) => break,
            }
        }
        address
    }
}

fn forwarded(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).collect()
}

/// Cut, and without control characters, since it ends up in the log.
fn agent(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(USER_AGENT)?.to_str().ok()?;
    Some(agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        let headers = HeaderMap::from_iter(
            forwarded.iter().map(|value| (FORWARDED_FOR.parse().unwrap(), value.parse().unwrap())),
        );
        let proxies: TrustedProxies = trusted.parse().unwrap();
        proxies.client(Some(peer.parse().unwrap()), &headers).address.unwrap().to_string()
    }

    #[test]
    fn nobody_is_believed_unless_trusted() {
        assert_eq!(origin("", "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(origin("10.0.0.0/8", "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn the_last_untrusted_hop_is_the_client() {
        assert_eq!(origin("10.0.0.0/8", "10.0.0.2", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(origin("10.0.0.0/8", "10.0.0.2", &["1.1.1.1, 198.51.100.1, 10.0.0.7"]), "198.51.100.1");
        assert_eq!(origin("10.0.0.0/8", "10.0.0.2", &["1.1.1.1", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(origin("127.0.0.1", "::ffff:127.0.0.1", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn an_entry_that_is_no_address_ends_the_walk() {
        assert_eq!(origin("10.0.0.0/8", "10.0.0.2", &["198.51.100.1, unknown"]), "10.0.0.2");
        assert_eq!(origin("10.0.0.0/8", "10.0.0.2", &[]), "10.0.0.2");
    }

    #[test]
    fn an_agent_is_cut() {
        let headers = HeaderMap::from_iter([(USER_AGENT, "x".repeat(500).parse().unwrap())]);
        assert_eq!(TrustedProxies::default().client(None, &headers).agent.unwrap().len(), AGENT_CHARS_MAX);
    }

    #[test]
    fn a_list_with_a_mistake_is_refused() {
        assert_eq!("10.0.0.0/8,proxy".parse::<TrustedProxies>(), Err(TrustedProxiesError));
    }
}
