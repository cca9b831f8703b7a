//! How a node is reached, as text: what nodes tell each other of themselves. The core passes it on unread.

use std::net::SocketAddr;

use cartwheel_core::membership::Contact;

/// Where a node is reached: `peer=10.0.0.1:8099,http=10.0.0.1:8098,https=10.0.0.1:8443`. Fields of later releases are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub peer: SocketAddr,
    pub http: Option<SocketAddr>,
    pub https: Option<SocketAddr>,
}

impl Addresses {
    /// `None`: not even where it listens to peers.
    pub fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = text.split(',');
            fields
                .find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
                .and_then(|it| it.parse().ok())
        };
        Some(Self { peer: field("peer")?, http: field("http"), https: field("https") })
    }

    pub fn text(&self) -> String {
        let http = self.http.map(|http| format!(",http={http}")).unwrap_or_default();
        let https = self.https.map(|https| format!(",https={https}")).unwrap_or_default();
        format!("peer={}{http}{https}", self.peer)
    }

    pub fn contact(&self, name: &str) -> Contact {
        Contact { name: name.to_owned(), address: self.text() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_newer_is_passed_over() {
        let peer = "[::1]:8099".parse().expect("an address");
        for http in [None, Some("127.0.0.1:8098".parse().expect("an address"))] {
            let https = http.map(|_| "127.0.0.1:8443".parse().expect("an address"));
            let addresses = Addresses { peer, http, https };
            assert_eq!(Addresses::parse(&addresses.text()), Some(addresses));
            assert_eq!(Addresses::parse(&format!("tls=yes,{},x", addresses.text())), Some(addresses));
        }
        for text in ["", "127.0.0.1:8099", "http=127.0.0.1:8098", "peer=somewhere"] {
            assert_eq!(Addresses::parse(text), None, "{text:?}");
        }
    }
}
