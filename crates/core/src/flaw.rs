//! The museum: real bugs of Dynamo-family systems, each one named deviation at the very line that prevents it.
//!
//! A run-time value that only the simulator sets; the shipped node has no way to name one.

use core::fmt;
use core::str::FromStr;

/// One planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// A coordinator whose copy of a key is gone restarts the key's count under the same actor; peers drop the
    /// new write as already seen (basho/riak_kv#679).
    AmnesiaReusesActor,
    /// What fallbacks hold of a key is not looked at before its tombstone is reaped (riak_kv#679, PR 1094).
    ReapIgnoresFallbacks,
    /// Members that are away are not asked before a tombstone is reaped (Riak's kv679_tombstone2).
    ReapWithHomeDown,
    /// A tombstone is reaped once W nodes agree (riak_kv#311, #1777).
    ReapOnQuorum,
    /// A node that hands a record over takes itself for the home, and drops it (Riak's advisory on 2.1.0).
    HandoffToSelf,
    /// Hints for a node that lost the range, or left, are discarded (scylladb#19835, #24980; CASSANDRA-5128).
    HintsBoundToNode,
    /// Hints are not looked for after a restart (riak_core#154).
    FallbackAsleepAfterRestart,
    /// An actor is named after the clock, to the second: stores made in the same second count under one (riak_kv
    /// PR 1027).
    ActorFromClock,
    /// A store that forgot a key takes its own entry in a copy that it receives for the count that it may go on from, and
    /// issues later dots again (riak_kv PR 1643).
    ReceiveKeepsIncarnation,
    /// A write whose client has not seen all that its coordinator holds cannot say which siblings it has seen, and so
    /// replaces none: clients that take turns multiply them (Riak before 2.0; riak_kv PR 746).
    VectorsWithoutDots,
    /// A replica prunes the pasts of what it receives; copies become incomparable, and repair never ends (riak_kv PR 26,
    /// 283, 1864).
    PruneOnReceive,
    /// Of two versions of the same moment last-write-wins keeps the one that came first (riak_kv PR 100;
    /// CASSANDRA-14592).
    TieByArrival,
    /// Repair, or what a hint brings, is fit for a home that holds nothing, whatever the fence: but it may have deleted and
    /// reaped what is brought to it (Dynomite 9a62b59; Weaviate #4945).
    RepairTreatsMissingAsStale,
    /// The hint that a coordinator keeps beside its own copy, for a home that nobody else stands in for, counts as
    /// another replica (riak_kv PR 1663).
    WCountsPartitions,
    /// Of properties of a bucket that were set equally late on two sides each node keeps its own, and gossip never ends
    /// (riak_core#855).
    MetadataTiePrefersLocal,
    /// The boot that a node is known by among the members is named after the clock: one that starts on a clock that was
    /// put back is taken for an earlier self (CASSANDRA-8113, CASSANDRA-10969; scylladb#3331).
    IncarnationFromClock,
    /// When partitions are shared out, the last ones are no neighbours of the first ones (riak_core PR 913, 970).
    ClaimIgnoresWrap,
    /// While ownership moves, a home sends the client's put on to the new home, which issues a dot of its own
    /// (riak_kv#1046).
    ForwardRawPut,
    /// A put that is given to another coordinator, because the first one has not said that it is at it, gets another id
    /// (riak_kv#1188).
    RetryNewCoordinator,
    /// A home that answers that it cannot say counts towards R (COUCHDB-3271).
    ErrorsAreVotes,
}

impl Flaw {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::AmnesiaReusesActor,
        Self::ReapIgnoresFallbacks,
        Self::ReapWithHomeDown,
        Self::ReapOnQuorum,
        Self::HandoffToSelf,
        Self::HintsBoundToNode,
        Self::FallbackAsleepAfterRestart,
        Self::ActorFromClock,
        Self::ReceiveKeepsIncarnation,
        Self::VectorsWithoutDots,
        Self::PruneOnReceive,
        Self::TieByArrival,
        Self::RepairTreatsMissingAsStale,
        Self::WCountsPartitions,
        Self::MetadataTiePrefersLocal,
        Self::IncarnationFromClock,
        Self::ClaimIgnoresWrap,
        Self::ForwardRawPut,
        Self::RetryNewCoordinator,
        Self::ErrorsAreVotes,
    ];

    /// The name on the command line and in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AmnesiaReusesActor => "amnesia-reuses-actor",
            Self::ReapIgnoresFallbacks => "reap-ignores-fallbacks",
            Self::ReapWithHomeDown => "reap-with-home-down",
            Self::ReapOnQuorum => "reap-on-quorum",
            Self::HandoffToSelf => "handoff-to-self",
            Self::HintsBoundToNode => "hints-bound-to-node",
            Self::FallbackAsleepAfterRestart => "fallback-asleep-after-restart",
            Self::ActorFromClock => "actor-from-clock",
            Self::ReceiveKeepsIncarnation => "receive-keeps-incarnation",
            Self::VectorsWithoutDots => "vectors-without-dots",
            Self::PruneOnReceive => "prune-on-receive",
            Self::TieByArrival => "tie-by-arrival",
            Self::RepairTreatsMissingAsStale => "repair-treats-missing-as-stale",
            Self::WCountsPartitions => "w-counts-partitions",
            Self::MetadataTiePrefersLocal => "metadata-tie-prefers-local",
            Self::IncarnationFromClock => "incarnation-from-clock",
            Self::ClaimIgnoresWrap => "claim-ignores-wrap",
            Self::ForwardRawPut => "forward-raw-put",
            Self::RetryNewCoordinator => "retry-new-coordinator",
            Self::ErrorsAreVotes => "errors-are-votes",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No flaw has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFlaw;

impl FromStr for Flaw {
    type Err = UnknownFlaw;
    fn from_str(name: &str) -> Result<Self, UnknownFlaw> {
        Self::ALL.iter().copied().find(|flaw| flaw.name() == name).ok_or(UnknownFlaw)
    }
}
