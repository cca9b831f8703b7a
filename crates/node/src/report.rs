//! What `GET /cartwheel/status` shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use cartwheel_core::BackgroundStatus;
use cartwheel_store::Holding;

use crate::counters::Counters;
use crate::flight::FlightReport;
use crate::peer::Peer;
use crate::strangers::StrangersReport;
use crate::tls::CertificateReport;

/// A node's account of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Who it is.
    #[serde(flatten)]
    pub about: About,
    /// Whether it takes client requests.
    pub serves: bool,
    /// How it stands in the cluster; `unknown` where nobody has told it yet.
    pub member: String,
    /// The state of the ring that it goes by.
    pub ring: String,
    /// Whether members and ring are as they will stay, as far as it knows.
    pub membership_idle: bool,
    /// Client requests being coordinated or forwarded.
    pub requests_running: usize,
    /// Storage requests in flight.
    pub storage_in_flight: usize,
    /// Names of the peers for which others stand in.
    pub suspected: Vec<String>,
    /// Names of the members that all members together hold to be dead.
    pub down: Vec<String>,
    /// Whether no hint is known to wait for delivery. A node that has just started does not know yet, and says no.
    pub hints_idle: bool,
    /// What is kept for other nodes, on the disk of this one.
    pub hints: Vec<HintReport>,
    /// Whether no comparison with another home is under way, and nothing is to be fetched.
    pub anti_entropy_idle: bool,
    /// Keys that comparisons led by this node found to differ, since the start.
    pub keys_repaired: u64,
    /// Comparisons still to be made to fetch what it should hold and does not.
    pub fetches: usize,
    /// Partitions that it does not hold again, after its disk was lost.
    pub recovering: usize,
    /// Partitions that may hold something that belongs elsewhere.
    pub handoff_open: usize,
    /// Records given to their homes and dropped here, since the start.
    pub records_given: u64,
    /// Tombstones that it reaped, since the start.
    pub reaped: u64,
    /// How much background work is allowed; nothing where it is not held back.
    pub background: Option<BackgroundReport>,
    /// What happened since the start.
    pub counters: Counters,
    /// How the flight recorder does; nothing where it is off.
    pub flight: Option<FlightReport>,
    /// Connections to peers.
    pub peers: Vec<PeerReport>,
    /// How long this node's certificates are good; none without TLS.
    #[serde(default)]
    pub certificates: Vec<CertificateReport>,
    /// Who was turned away since the start.
    #[serde(default)]
    pub strangers: StrangersReport,
}

/// How much background work (hints, anti-entropy, handoff, reaping) is allowed beside what clients ask for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct BackgroundReport {
    /// Records per second.
    pub rate: u32,
    /// The 99th percentile of what client requests waited for at a replica, in microseconds; 0 where there were none.
    pub foreground_p99_us: u64,
    /// How many accesses that is taken from.
    pub accesses: u64,
}

impl BackgroundReport {
    pub(crate) fn of(status: BackgroundStatus) -> Self {
        let foreground_p99_us = u64::try_from(status.p99.as_micros()).unwrap_or(u64::MAX);
        Self { rate: status.rate, foreground_p99_us, accesses: status.accesses }
    }
}

/// What does not change while a node runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HintReport {
    /// Its name.
    pub home: String,
    /// Keys owed to it.
    pub keys: u64,
    /// Bytes of their values, as of when each hint was stored.
    pub bytes: u64,
}

/// The outgoing connection to one peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeerReport {
    /// Its name.
    pub name: String,
    /// Messages waiting.
    pub queued: usize,
    /// Messages dropped, because too many waited or one was too large.
    pub dropped: u64,
    /// The same by what they were about: `replica`, `forward`, `liveness`, `swim`, `handoff`, `anti_entropy`, `gossip`,
    /// `reap`. Background work goes first when too many wait.
    #[serde(default)]
    pub dropped_by_kind: BTreeMap<String, u64>,
    /// How often a connection was made.
    pub connects: u64,
}

impl PeerReport {
    pub(crate) fn of(peer: &Peer) -> Self {
        let dropped = peer.dropped();
        Self {
            name: peer.name.clone(),
            queued: peer.queued(),
            dropped: dropped.values().sum(),
            dropped_by_kind: dropped.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect(),
            connects: peer.connects.value(),
        }
    }
}

/// What an operator wants copied.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupRequest {
    /// What the copy is called.
    pub name: String,
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReport {
    /// Where it is, on the node's machine.
    pub path: String,
    /// Keys.
    pub records: u64,
    /// Bytes of their records.
    pub bytes: u64,
}

/// What is stored of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionReport {
    /// The partition.
    pub partition: u32,
    /// Keys.
    pub records: u64,
    /// Those of them that have nothing but tombstones.
    pub tombstones: u64,
    /// Those of them that are owed to another node.
    pub owed: u64,
    /// Bytes of all values.
    pub bytes: u64,
    /// The root of its hash tree, in hexadecimal: equal on nodes that hold the same versions of the same keys. Nothing where the
    /// partition could not be read whole.
    pub root: Option<String>,
}

impl PartitionReport {
    /// Of all partitions that anything is stored of.
    pub(crate) fn all(holdings: &[Holding]) -> Vec<Self> {
        let report = |(partition, holding): (u32, &Holding)| {
            let Holding { records, tombstones, owed, bytes, root } = *holding;
            let root = root.map(|root| format!("{:032x}", root.0));
            Self { partition, records, tombstones, owed, bytes, root }
        };
        (0..).zip(holdings).filter(|(_, holding)| holding.records > 0).map(report).collect()
    }
}

/// One of the nodes that keep a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keeper {
    /// The partition that it keeps the key in.
    pub partition: u32,
    /// Its name.
    pub node: String,
    /// Whether it is a home, rather than one that stands in.
    pub is_home: bool,
}
