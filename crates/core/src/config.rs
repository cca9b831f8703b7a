//! What a node is told at its birth.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::boundary::Quorum;
use crate::flaw::Flaw;
use crate::id::{NodeId, StoreId};
use crate::membership::{Cluster, Contact, HLL_PRECISION_DEFAULT, Rules, Share};
use crate::replica::HintTotal;
use crate::ring::Ring;
use crate::version::Policy;

/// A node's settings. Limits are named with their unit; past one the answer is a typed `Overloaded`.
#[derive(Clone, Debug)]
pub struct Config {
    /// This node.
    pub node: NodeId,
    /// How others reach it.
    pub contact: Contact,
    /// Those that found the cluster, all with the same settings. A node that is none of them is a newcomer, and asks
    /// them to let it in.
    pub founders: Vec<NodeId>,
    /// The ring that the cluster was founded with. What it has become since is in the cluster's state.
    pub ring: Ring,
    /// The founders' weights and zones; weight 1 and no zone for those not named.
    pub shares: BTreeMap<NodeId, Share>,
    /// N: homes of a key.
    pub n: u8,
    /// R when neither a get nor its bucket names one.
    pub r: Quorum,
    /// W when neither a put nor its bucket names one.
    pub w: Quorum,
    /// How concurrent versions are treated where the bucket does not say.
    pub policy: Policy,
    /// How long a client request may take when it names no timeout.
    pub request_timeout: Duration,
    /// How long a replica may stay silent before another node stands in for it.
    pub replica_timeout: Duration,
    /// How long a coordinator may take to accept a forwarded put before the next one is asked.
    pub forward_timeout: Duration,
    /// A peer that left so many requests in a row unanswered is suspected.
    pub suspect_after: u32,
    /// How often this node probes one other member for all (SWIM's protocol period).
    pub swim_interval: Duration,
    /// How often a suspected peer is pinged.
    pub probe_interval: Duration,
    /// How often hints are looked for and delivered.
    pub hint_interval: Duration,
    /// Hints in flight to one home.
    pub hint_batch_max: u32,
    /// How much may be kept for one other home, in bytes of values (a tombstone or an empty value counts as one byte).
    /// Beyond it hints are refused, and the home is left to anti-entropy.
    pub hint_bytes_max: u64,
    /// How often this node compares one partition with one other home of it.
    pub anti_entropy_interval: Duration,
    /// How often this node tells another one what it knows of the cluster.
    pub gossip_interval: Duration,
    /// How long a node that starts on a disk that it knows waits for a peer before it takes part.
    pub start_wait: Duration,
    /// How often this node looks for data that belongs elsewhere.
    pub handoff_interval: Duration,
    /// Records in flight to their homes.
    pub handoff_batch_max: u32,
    /// How long a tombstone must have been everywhere, and everywhere again after as long, before it is reaped. Longer
    /// than any request runs and any message is under way. `None`: tombstones are kept.
    pub reap_after: Option<Duration>,
    /// Background work yields when the 99th percentile of what foreground requests wait for at a replica exceeds
    /// this; it must be above a round trip. `None`: background work is not held back.
    pub background_latency_target: Option<Duration>,
    /// The trailing time over which that percentile is taken. A sixtieth of it passes between two decisions.
    pub background_window: Duration,
    /// Background work that is always allowed, in records per second: hints drain however bad the day is.
    pub background_rate_min: u32,
    /// The most background work that is ever done, in records per second.
    pub background_rate_max: u32,
    /// A version's past is cut down to so many entries when it is written (the paper: "say 10").
    pub past_entries_max: u32,
    /// Client requests that this node coordinates or forwards at once.
    pub requests_max: u32,
    /// Storage requests in flight.
    pub storage_inflight_max: u32,
    /// Finished requests remembered, so that a repeated one is answered without being done again.
    pub request_memory_max: u32,
    /// A museum piece: one named bug, planted. Only the simulator sets it.
    pub flaw: Option<Flaw>,
}

impl Config {
    /// Riak's defaults where it has them: N = 3, quorums of a majority, siblings kept.
    pub fn new(node: NodeId, ring: Ring) -> Self {
        Self {
            node,
            founders: ring.members().to_vec(),
            ring,
            n: 3,
            r: Quorum::Majority,
            w: Quorum::Majority,
            policy: Policy::KeepSiblings,
            request_timeout: Duration::from_secs(5),
            replica_timeout: Duration::from_millis(250),
            forward_timeout: Duration::from_millis(250),
            suspect_after: 3,
            swim_interval: Duration::from_secs(1),
            probe_interval: Duration::from_millis(500),
            hint_interval: Duration::from_secs(1),
            hint_batch_max: 64,
            hint_bytes_max: 1 << 30,
            anti_entropy_interval: Duration::from_secs(1),
            contact: Contact::default(),
            shares: BTreeMap::new(),
            gossip_interval: Duration::from_secs(1),
            start_wait: Duration::from_secs(1),
            handoff_interval: Duration::from_secs(1),
            handoff_batch_max: 64,
            reap_after: Some(Duration::from_secs(10)),
            background_latency_target: Some(Duration::from_millis(50)),
            background_window: Duration::from_secs(60),
            background_rate_min: 100,
            background_rate_max: 10_000,
            past_entries_max: 10,
            requests_max: 10_000,
            storage_inflight_max: 50_000,
            request_memory_max: 4_096,
            flaw: None,
        }
    }

    /// What holds for a bucket without properties. Riak's defaults, except that DW is none: every acknowledgement is of
    /// a durable copy, so that W says it all.
    pub fn rules(&self) -> Rules {
        Rules {
            n: self.n,
            r: self.r,
            w: self.w,
            pr: Quorum::Count(0),
            pw: Quorum::Count(0),
            dw: Quorum::Count(0),
            node_confirms: 0,
            notfound_ok: true,
            basic_quorum: false,
            policy: self.policy,
            datatype: None,
            hll_precision: HLL_PRECISION_DEFAULT,
            write_once: false,
        }
    }

    /// Refuses settings that make no sense together.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let nodes = self.founders.len();
        // A newcomer need not name all members.
        let founds = self.founders.contains(&self.node);
        if self.n == 0 || (founds && usize::from(self.n) > nodes) {
            return Err(ConfigError::Replicas { n: self.n, nodes });
        }
        for (name, quorum) in [("r", self.r), ("w", self.w)] {
            if quorum.resolve(Quorum::Majority, self.n).is_err() {
                return Err(ConfigError::Quorum { name, quorum, n: self.n });
            }
        }
        let positive = [
            ("request_timeout", !self.request_timeout.is_zero()),
            ("replica_timeout", !self.replica_timeout.is_zero()),
            ("forward_timeout", !self.forward_timeout.is_zero()),
            ("swim_interval", self.swim_interval >= Duration::from_millis(10)),
            ("probe_interval", !self.probe_interval.is_zero()),
            ("hint_interval", !self.hint_interval.is_zero()),
            ("anti_entropy_interval", !self.anti_entropy_interval.is_zero()),
            ("gossip_interval", !self.gossip_interval.is_zero()),
            ("handoff_interval", !self.handoff_interval.is_zero()),
            ("handoff_batch_max", self.handoff_batch_max > 0),
            ("background_latency_target", self.background_latency_target.is_none_or(|span| !span.is_zero())),
            ("background_window", !self.background_window.is_zero()),
            ("background_rate_min", self.background_rate_min > 0),
            ("suspect_after", self.suspect_after > 0),
            ("hint_batch_max", self.hint_batch_max > 0),
            ("requests_max", self.requests_max > 0),
            ("hint_bytes_max", self.hint_bytes_max > 0),
            ("storage_inflight_max", self.storage_inflight_max > 0),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, holds)| !holds) {
            return Err(ConfigError::Zero { name });
        }
        let (min, max) = (self.background_rate_min, self.background_rate_max);
        if min > max { Err(ConfigError::BackgroundRates { min, max }) } else { Ok(()) }
    }
}

/// Settings that make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// N must be within 1..=nodes.
    Replicas {
        /// What was asked for.
        n: u8,
        /// How many nodes there are.
        nodes: usize,
    },
    /// A default quorum must be within 1..=N.
    Quorum {
        /// `r` or `w`.
        name: &'static str,
        /// What was asked for.
        quorum: Quorum,
        /// N.
        n: u8,
    },
    /// The least background work must not exceed the most.
    BackgroundRates {
        /// `background_rate_min`.
        min: u32,
        /// `background_rate_max`.
        max: u32,
    },
    /// A setting that must be positive.
    Zero {
        /// Its name.
        name: &'static str,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replicas { n, nodes } => {
                write!(f, "n = {n}: allowed are 1..={nodes} (the number of nodes)")
            }
            Self::Quorum { name, quorum, n } => {
                write!(f, "{name} = {quorum:?}: allowed are 1..={n} (n), one, quorum, all")
            }
            Self::BackgroundRates { min, max } => {
                write!(f, "background_rate_min = {min}: allowed are 1..={max} (background_rate_max)")
            }
            Self::Zero { name } => write!(f, "{name} must be positive"),
        }
    }
}

impl core::error::Error for ConfigError {}

/// What the driver knows of this start of this store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The life of the data directory.
    pub store: StoreId,
    /// How often the store has been opened; raised and synced before the node is made.
    pub number: u64,
    /// The oldest boot since which every stop was clean: `number` itself after an unclean stop.
    pub continuous_since: u64,
    /// What the store owes to others, by its own count at this start.
    pub owed: Vec<(NodeId, HintTotal)>,
    /// The cluster's state that was kept last; `None` on a new disk.
    pub cluster: Option<Arc<Cluster>>,
    /// The seed of everything random in this boot.
    pub seed: [u8; 32],
}
