//! Where somebody is called: an address, or a name that is looked up at each call.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `10.0.0.1:8099`, `[::1]:8099`, or `n1.example.org:8099`. Names are for machines whose addresses change, such as containers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Host {
    Address(IpAddr),
    Name(String),
}

/// Longest name of a host.
const NAME_BYTES_MAX: usize = 253;

impl Endpoint {
    /// Its address, unless it has a name.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.host {
            Host::Address(ip) => Some(ip),
            Host::Name(_) => None,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same host at another port.
    #[must_use]
    pub fn at(&self, port: u16) -> Self {
        Self { host: self.host.clone(), port }
    }

    /// What is looked up: host and port.
    pub fn to_call(&self) -> (String, u16) {
        let host = match &self.host {
            Host::Address(ip) => ip.to_string(),
            Host::Name(name) => name.clone(),
        };
        (host, self.port)
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self { host: Host::Address(address.ip()), port: address.port() }
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(address.into());
        }
        let wrong = || {
            format!("{text:?} is nowhere; allowed is HOST:PORT, such as 10.0.0.1:8099 or n1.example.org:8099")
        };
        let (name, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
        let is_label = |label: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            !label.is_empty() && label.len() < 64 && label.bytes().all(is_plain) && !label.starts_with('-')
        };
        // Digits and dots only: a slip in an address, not a name.
        let is_address = name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_name =
            name.len() <= NAME_BYTES_MAX && name.strip_suffix('.').unwrap_or(name).split('.').all(is_label);
        if is_name && !is_address {
            Ok(Self { host: Host::Name(name.to_owned()), port })
        } else {
            Err(wrong())
        }
    }
}

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_read_as_they_are_written() {
        for text in
            ["10.0.0.1:8099", "[::1]:8099", "n1:8099", "cartwheel-0.cartwheel-peers:1", "a.b.c.:65535"]
        {
            assert_eq!(text.parse::<Endpoint>().map(|it| it.to_string()), Ok(text.to_owned()));
        }
        for text in [
            "",
            "n1",
            "n1:",
            ":8099",
            "n1:0",
            "n1:70000",
            "1.2.3:8099",
            "a..b:1",
            "-a:1",
            "a b:1",
            "::1:8099",
            "http://a:1",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_known_and_a_name_is_to_be_looked_up() {
        let endpoint = |text: &str| text.parse::<Endpoint>().expect("an endpoint");
        assert_eq!(endpoint("[::1]:7").to_call(), ("::1".to_owned(), 7));
        assert_eq!(endpoint("n1:7").to_call(), ("n1".to_owned(), 7));
        assert_eq!((endpoint("n1:7").ip(), endpoint("n1:7").at(8).to_string()), (None, "n1:8".to_owned()));
    }
}
