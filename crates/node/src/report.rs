//! What `GET /cartwheel/status` shows.

use serde::Serialize;

use crate::counters::Counters;
use crate::peer::Peer;

/// A node's account of itself.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Who it is.
    #[serde(flatten)]
    pub about: About,
    /// Client requests being coordinated or forwarded.
    pub requests_running: usize,
    /// Storage requests in flight.
    pub storage_in_flight: usize,
    /// Names of the peers for which others stand in.
    pub suspected: Vec<String>,
    /// Whether no hint is known to wait for delivery. A node that has just started does not know yet, and says no.
    pub hints_idle: bool,
    /// What is kept for other nodes, on the disk of this one.
    pub hints: Vec<HintReport>,
    /// What happened since the start.
    pub counters: Counters,
    /// Connections to peers.
    pub peers: Vec<PeerReport>,
}

/// What does not change while a node runs.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// The cluster's name.
    pub cluster: String,
    /// The node's name.
    pub node: String,
    /// Where it is on the ring, in hexadecimal.
    pub node_id: String,
    /// The life of its data directory, in hexadecimal.
    pub store: String,
    /// How often that was opened.
    pub boot: u64,
    /// The oldest boot since which every stop was clean.
    pub continuous_since: u64,
}

/// What is kept for one other node.
#[derive(Clone, Debug, Serialize)]
pub struct HintReport {
    /// Its name.
    pub home: String,
    /// Keys owed to it.
    pub keys: u64,
    /// Bytes of their values, as of when each hint was stored.
    pub bytes: u64,
}

/// The outgoing connection to one peer.
#[derive(Clone, Debug, Serialize)]
pub struct PeerReport {
    /// Its name.
    pub name: String,
    /// Messages waiting.
    pub queued: usize,
    /// Messages dropped, because too many waited or one was too large.
    pub dropped: u64,
    /// How often a connection was made.
    pub connects: u64,
}

impl PeerReport {
    pub(crate) fn of(peer: &Peer) -> Self {
        Self {
            name: peer.name.clone(),
            queued: peer.queued(),
            dropped: peer.dropped.value(),
            connects: peer.connects.value(),
        }
    }
}
