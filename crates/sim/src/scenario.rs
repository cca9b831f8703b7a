//! Scenario files: a cluster, a network, a workload, faults, and what must come of it, in TOML.

mod faults;
mod load;
mod text;
mod units;
mod visits;
mod workload;

use std::collections::BTreeMap;

use cartwheel_core::flaw::Flaw;
use serde::{Deserialize, Serialize};

use crate::latency::Latency;
use crate::report::Counter;

pub use faults::{Fault, FaultKind, NemesisSpec, TypeStep};
pub use load::ScenarioError;
pub use units::{Probability, QuorumSpec, Span, TargetSpec};
pub use visits::{CrashSpec, Deed, RequestSpec, VisitSpec};
pub use workload::{ArrivalSpec, KindSpec, Mix, PopularitySpec, TypeSpec, WorkloadSpec};

/// One scenario file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name, as the file's.
    pub name: String,
    /// What it shows, for people.
    pub about: String,
    /// The seed of all randomness, unless the command line names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How long clients and faults go on.
    pub duration: Span,
    /// How long the healed cluster may take to converge.
    pub settle: Span,
    /// The nodes.
    pub cluster: ClusterSpec,
    /// The links between them.
    #[serde(default)]
    pub network: NetworkSpec,
    /// Their disks.
    #[serde(default)]
    pub disk: DiskSpec,
    /// Their clocks.
    #[serde(default)]
    pub clock: ClockSpec,
    /// The clients.
    pub workload: WorkloadSpec,
    /// What the clients do, visit by visit, instead of what `workload` would draw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub visit: Vec<VisitSpec>,
    /// Faults at set times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<Fault>,
    /// Faults at random times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nemesis: Option<NemesisSpec>,
    /// Somebody lists all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<ListingSpec>,
    /// What must come of it.
    #[serde(default)]
    pub expect: ExpectSpec,
    /// The museum piece that this scenario shows: green without it, red with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub museum: Option<MuseumSpec>,
    /// A museum piece planted in every node; set by `--flaw` only.
    #[serde(skip)]
    pub flaw: Option<Flaw>,
}

impl Scenario {
    /// Whether an old copy of a disk may be put back.
    pub fn may_restore_disks(&self) -> bool {
        let is_restore = |fault: &Fault| matches!(fault, Fault::RestoreDisk { .. });
        self.fault.iter().any(is_restore) || self.nemesis.is_some_and(|nemesis| nemesis.restore_disk > 0)
    }
}

/// The nodes, and the settings of their cores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSpec {
    /// How many, named n1, n2, ...
    pub nodes: u32,
    /// Q: a power of two.
    #[serde(default = "ClusterSpec::default_partitions")]
    pub partitions: u32,
    /// N.
    #[serde(default = "ClusterSpec::default_n")]
    pub n: u8,
    /// R.
    #[serde(default)]
    pub r: QuorumSpec,
    /// W.
    #[serde(default)]
    pub w: QuorumSpec,
    /// Keep the version with the latest clock instead of siblings. Loses acknowledged writes.
    #[serde(default)]
    pub last_write_wins: bool,
    /// How long a client request may take.
    #[serde(default = "ClusterSpec::default_request_timeout")]
    pub request_timeout: Span,
    /// How long a replica may stay silent before another node stands in for it; also how long a coordinator may
    /// take to accept a forwarded put.
    #[serde(default = "ClusterSpec::default_replica_timeout")]
    pub replica_timeout: Span,
    /// A peer that left so many requests in a row unanswered is suspected.
    #[serde(default = "ClusterSpec::default_suspect_after")]
    pub suspect_after: u32,
    /// How often hints are looked for and delivered, and suspected peers pinged.
    #[serde(default = "ClusterSpec::default_hint_interval")]
    pub hint_interval: Span,
    /// A version's past is cut down to so many entries when it is written.
    #[serde(default = "ClusterSpec::default_past_entries_max")]
    pub past_entries_max: u32,
    /// How much a node keeps for one other, in bytes of values.
    #[serde(default = "ClusterSpec::default_hint_bytes_max")]
    pub hint_bytes_max: u64,
    /// Nodes beside the founders, named after them, that operators can start and let in.
    #[serde(default)]
    pub spares: u32,
    /// How often each node probes another one for all: SWIM's protocol period.
    #[serde(default = "ClusterSpec::default_swim_interval")]
    pub swim_interval: Span,
    /// How often each node tells another one what it knows of the cluster. Also how long a node that starts on a disk
    /// that it knows waits for a peer.
    #[serde(default = "ClusterSpec::default_gossip_interval")]
    pub gossip_interval: Span,
    /// How long a tombstone must have been everywhere, twice, before it is reaped; 0: tombstones are kept.
    #[serde(default = "ClusterSpec::default_reap_after")]
    pub reap_after: Span,
    /// How often each node compares one partition with one other home of it.
    #[serde(default = "ClusterSpec::default_anti_entropy_interval")]
    pub anti_entropy_interval: Span,
    /// Background work yields when the 99th percentile of what foreground requests wait for at a replica is above
    /// this; `off`: it never yields.
    #[serde(default)]
    pub background_latency_target: TargetSpec,
    /// The trailing time over which that percentile is taken.
    #[serde(default = "ClusterSpec::default_background_window")]
    pub background_window: Span,
    /// Background work that is always allowed, in records per second.
    #[serde(default = "ClusterSpec::default_background_rate_min")]
    pub background_rate_min: u32,
    /// The most background work that is ever done, in records per second.
    #[serde(default = "ClusterSpec::default_background_rate_max")]
    pub background_rate_max: u32,
}

impl ClusterSpec {
    /// So many nodes, and everything else as it is where a file does not say.
    pub fn of(nodes: u32) -> Self {
        toml::from_str(&format!("nodes = {nodes}")).expect("everything else has a default")
    }

    fn default_partitions() -> u32 {
        64
    }
    fn default_n() -> u8 {
        3
    }
    fn default_request_timeout() -> Span {
        Span::from_ms(1_000)
    }
    fn default_replica_timeout() -> Span {
        Span::from_ms(100)
    }
    fn default_suspect_after() -> u32 {
        3
    }
    fn default_hint_bytes_max() -> u64 {
        1 << 30
    }
    fn default_past_entries_max() -> u32 {
        10
    }
    fn default_anti_entropy_interval() -> Span {
        Span::from_ms(100)
    }
    fn default_swim_interval() -> Span {
        Span::from_ms(1_000)
    }
    fn default_gossip_interval() -> Span {
        Span::from_ms(500)
    }
    fn default_reap_after() -> Span {
        Span::from_ms(2_500)
    }
    fn default_background_window() -> Span {
        Span::from_ms(60_000)
    }
    fn default_background_rate_min() -> u32 {
        100
    }
    fn default_background_rate_max() -> u32 {
        10_000
    }
    fn default_hint_interval() -> Span {
        Span::from_ms(500)
    }
}

/// Somebody lists the keys of each bucket, then the buckets, at one node after the other; and once more of each when
/// the cluster has converged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingSpec {
    /// How often, while clients and faults go on.
    pub every: Span,
}

/// All links between nodes, and between clients and nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// One way.
    #[serde(default = "NetworkSpec::default_latency")]
    pub latency: Latency,
    /// A message between nodes gets lost.
    #[serde(default)]
    pub loss: Probability,
    /// A message between nodes arrives twice.
    #[serde(default)]
    pub duplication: Probability,
    /// A message between nodes is held back, so that later ones overtake it.
    #[serde(default)]
    pub reordering: Probability,
    /// By how much.
    #[serde(default = "NetworkSpec::default_reordering_delay")]
    pub reordering_delay: Latency,
    /// What a link between nodes carries in one direction, in KiB per second: messages queue for it, the larger ones for
    /// longer. 0: without limit.
    #[serde(default)]
    pub bandwidth_kib: u64,
}

impl NetworkSpec {
    fn default_latency() -> Latency {
        Latency::LogNormal { median: Span::from_us(500), sigma: 0.5 }
    }
    fn default_reordering_delay() -> Latency {
        Latency::Exponential { min: Span::default(), mean: Span::from_ms(20) }
    }
}

impl Default for NetworkSpec {
    fn default() -> Self {
        Self {
            latency: Self::default_latency(),
            loss: Probability::default(),
            duplication: Probability::default(),
            reordering: Probability::default(),
            reordering_delay: Self::default_reordering_delay(),
            bandwidth_kib: 0,
        }
    }
}

/// How long disks take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiskSpec {
    /// Reading one record.
    pub read: Latency,
    /// Applying one update; updates queue.
    pub write: Latency,
    /// One sync, which covers every update applied before it began.
    pub sync: Latency,
    /// The disk is one device: reads, updates, syncs, scans and listings wait in one line and are served one by one.
    pub device: Option<DeviceSpec>,
}

/// What else takes a device's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceSpec {
    /// Each record that a scan for hints or a listing of keys finds, beyond one read to get there.
    pub scanned: Span,
    /// Each KiB of values read or written.
    pub kib: Span,
}

impl Default for DiskSpec {
    fn default() -> Self {
        Self {
            read: Latency::Exponential { min: Span::from_us(20), mean: Span::from_us(80) },
            write: Latency::Fixed { value: Span::from_us(10) },
            sync: Latency::LogNormal { median: Span::from_ms(2), sigma: 0.5 },
            device: None,
        }
    }
}

/// How wrong clocks are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockSpec {
    /// Each wall clock is ahead or behind by up to this.
    pub offset_max: Span,
    /// Each clock runs fast or slow by up to so many millionths.
    pub drift_max_ppm: u32,
    /// Wall clocks move on in steps of this, so that different moments bear the same time; 0: as fine as they can, in
    /// microseconds.
    pub tick: Span,
}

impl Scenario {
    /// Whether some bucket is ever one that forgets writes which nobody had seen. What rests on remembering them is not
    /// promised then, in any bucket: an oracle keeps one account for all.
    pub(crate) fn forgets(&self) -> bool {
        let forgets = |fault: &Fault| match fault {
            Fault::SetProps { allow_mult, last_write_wins, .. } => {
                *last_write_wins == Some(true) || *allow_mult == Some(false)
            }
            _ => false,
        };
        self.cluster.last_write_wins || self.fault.iter().any(forgets)
    }
}

/// A museum piece, and who sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MuseumSpec {
    /// Its name.
    pub flaw: String,
    /// The oracles that must find it, all of them.
    pub oracles: Vec<String>,
}

/// What must come of it. Whatever is not said here is not required, except that nothing is lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectSpec {
    /// At least so many acknowledged writes are lost: for studies of what loses them.
    pub lost_writes_min: u64,
    /// At most so many acknowledged writes are lost. Default: none, unless `lost_writes_min` asks for some.
    pub lost_writes_max: Option<u64>,
    /// At most so many keys differ between replicas at the end.
    pub diverged_keys_max: u64,
    /// At least this part of requests succeeds.
    pub availability_min: Probability,
    /// What must have happened, at least so often: a green run that never stored a hint proves nothing about hints.
    pub happened: BTreeMap<Counter, u64>,
}
