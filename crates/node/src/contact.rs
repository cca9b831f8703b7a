//! How a node is reached, as text: what nodes tell each other of themselves. The core passes it on unread.

use cartwheel_core::membership::Contact;

use crate::endpoint::Endpoint;

/// Where a node is reached: `peer=10.0.0.1:8099,http=10.0.0.1:8098,https=10.0.0.1:8443`. Fields of later releases are passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub peer: Endpoint,
    pub http: Option<Endpoint>,
    pub https: Option<Endpoint>,
}

impl Addresses {
    /// `None`: not even where it listens to peers.
    pub fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| -> Option<Endpoint> {
            let mut fields = text.split(',');
            fields
                .find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
                .and_then(|it| it.parse().ok())
        };
        Some(Self { peer: field("peer")?, http: field("http"), https: field("https") })
    }

    pub fn text(&self) -> String {
        let http = self.http.as_ref().map(|http| format!(",http={http}")).unwrap_or_default();
        let https = self.https.as_ref().map(|https| format!(",https={https}")).unwrap_or_default();
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
        let endpoint = |text: &str| text.parse::<Endpoint>().expect("an address");
        for http in [None, Some(endpoint("n1.example.org:8098"))] {
            let https = http.as_ref().map(|_| endpoint("127.0.0.1:8443"));
            let addresses = Addresses { peer: endpoint("[::1]:8099"), http, https };
            assert_eq!(Addresses::parse(&addresses.text()), Some(addresses.clone()));
            assert_eq!(Addresses::parse(&format!("tls=yes,{},x", addresses.text())), Some(addresses));
        }
        for text in ["", "127.0.0.1:8099", "http=127.0.0.1:8098", "peer=somewhere"] {
            assert_eq!(Addresses::parse(text), None, "{text:?}");
        }
    }
}
