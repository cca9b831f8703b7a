//! TLS: between peers, who prove their names to each other, and for clients. All that knows of certificates is here.
//!
//! The rest of the node sees a [`Stream`], whatever is beneath it, and a [`Proof`] of who is at its other end.

mod caller;
mod clients;
mod expiry;
mod files;
mod peers;
mod proof;
mod stream;
mod trouble;

pub use caller::CallerTls;
pub use expiry::CertificateReport;
pub use proof::is_provable;
pub use stream::{Duplex, Stream};

pub(crate) use clients::ClientSide;
pub(crate) use peers::PeerSide;
pub(crate) use proof::Proof;
pub(crate) use trouble::what_happened;

/// Both sides of this node, for its report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Certificates {
    pub peers: PeerSide,
    pub clients: ClientSide,
}

impl Certificates {
    pub fn report(&self) -> Vec<CertificateReport> {
        self.peers.report().into_iter().chain(self.clients.report()).collect()
    }
}

#[cfg(test)]
mod tests;
