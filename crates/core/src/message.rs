//! What nodes say to each other. Nested by conversation.

use crate::anti_entropy::{Leaf, TreeHash, TreeNode};
use crate::boundary::{Answer, ClientError};
use crate::coordinator::quorum::Needs;
use crate::coverage::CoverageMessage;
use crate::id::{NodeId, OpId, RequestId};
use crate::key::Key;
use crate::membership::{Cluster, ClusterDigest};
use crate::replica::Written;
use crate::ring::Partition;
use crate::storage::StorageError;
use crate::version::{Context, Digest, Siblings};
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;
use core::time::Duration;

/// A message between two nodes. Any may be lost, repeated, delayed or overtaken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// A coordinator and a replica.
    Replica(ReplicaMessage),
    /// A node outside the preference list and the coordinator that it asks.
    Forward(ForwardMessage),
    /// Are you there?
    Liveness(LivenessMessage),
    /// Two homes comparing what they hold.
    AntiEntropy(AntiEntropyMessage),
    /// Coming to agree on members and ring.
    Membership(MembershipMessage),
    /// Getting rid of tombstones.
    Reap(ReapMessage),
    /// Failure detection, in an encoding of its own: at most 1,400 bytes.
    Swim(Bytes),
    /// A node that lists what all hold, and those that it asks.
    Coverage(CoverageMessage),
}

/// Between a coordinator and a replica. `op` is the coordinator's and is echoed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReplicaMessage {
    /// Give me what you hold.
    Read {
        /// The coordinator's operation.
        op: OpId,
        /// The key.
        key: Key,
    },
    /// What I hold (no versions: nothing).
    ReadReply {
        /// The coordinator's operation.
        op: OpId,
        /// The versions held.
        result: Result<Siblings, ReplicaError>,
    },
    /// Hold this state, durably.
    Write {
        /// The coordinator's operation.
        op: OpId,
        /// The key.
        key: Key,
        /// The whole resulting state, never the raw write: reordering cannot hide an earlier dot.
        siblings: Siblings,
        /// The home node that the receiver stands in for, if any: the receiver stores a hint.
        owed: Option<NodeId>,
        /// The sender's [fence](crate::membership::Cluster::fence) when it sent this: one below the receiver's own is
        /// not accepted.
        fence: u64,
    },
    /// Do you hold exactly this state, durably? Answered by `WriteReply`.
    Confirm {
        /// The asker's operation.
        op: OpId,
        /// The key.
        key: Key,
        /// The state.
        digest: Digest,
    },
    /// I hold it, durably.
    WriteReply {
        /// The coordinator's operation.
        op: OpId,
        /// Whether it is held.
        result: Result<(), ReplicaError>,
    },
}

/// Why a replica could not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplicaError {
    /// Too much in flight; ask later or elsewhere.
    Overloaded,
    /// Its disk was lost, and it does not hold again what it should: that it has nothing means nothing.
    Recovering,
    /// It holds something else than was asked for.
    Differs,
    /// The write was sent before this fence: what it says may be older than what has been reaped. Send it again, if it
    /// is still to be said.
    Fenced(u64),
    /// Its store failed.
    Storage(StorageError),
}

/// Between a node that got a client's put and the coordinator it chose. `op` is the forwarder's and is echoed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ForwardMessage {
    /// Coordinate this for me.
    Request {
        /// The forwarder's operation.
        op: OpId,
        /// The client's request: the same however often it is forwarded.
        request: RequestId,
        /// The key.
        key: Key,
        /// What the client had been shown.
        context: Context,
        /// What it writes.
        value: Written,
        /// When it counts as written.
        needs: Needs,
        /// How long the forwarder's client still waits.
        time_left: Duration,
    },
    /// I am at it.
    Accepted {
        /// The forwarder's operation.
        op: OpId,
    },
    /// It is done.
    Reply {
        /// The forwarder's operation.
        op: OpId,
        /// What to tell the client.
        result: Result<Answer, ClientError>,
    },
}

/// Between the homes of a partition. `op` is the leader's and is echoed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AntiEntropyMessage {
    /// My hashes of these nodes of the partition's tree: which differ from yours?
    Compare {
        /// The leader's exchange.
        op: OpId,
        /// The partition.
        partition: Partition,
        /// At most [`NODES_PER_STEP`](crate::anti_entropy::NODES_PER_STEP), with the leader's hashes.
        nodes: Vec<(TreeNode, TreeHash)>,
    },
    /// These differ.
    Differ {
        /// The leader's exchange.
        op: OpId,
        /// Those of the nodes asked for.
        nodes: Vec<TreeNode>,
    },
    /// All the keys that I hold in these leaves: which of yours differ?
    Keys {
        /// The leader's exchange.
        op: OpId,
        /// The partition.
        partition: Partition,
        /// At most [`LEAVES_PER_STEP`](crate::anti_entropy::LEAVES_PER_STEP).
        leaves: Vec<Leaf>,
        /// Names of what the leader holds.
        keys: Vec<(Key, Digest)>,
    },
    /// These differ, or only one of us holds them.
    KeysDiffer {
        /// The leader's exchange.
        op: OpId,
        /// The keys.
        keys: Vec<Key>,
    },
}

/// Between any two nodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MembershipMessage {
    /// This is what my state is called. Tell me yours if it is called otherwise.
    Digest {
        /// The name of the state.
        digest: ClusterDigest,
        /// Whether the sender takes part.
        ready: bool,
    },
    /// This is my state.
    State {
        /// All of it.
        cluster: Arc<Cluster>,
        /// Whether the sender takes part.
        ready: bool,
    },
}

/// Between the first home of a key that was deleted and every other member. `op` is the first home's and is echoed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReapMessage {
    /// Do you hold of each of these keys exactly the tombstone named, or nothing if you are not a home?
    Ask {
        /// The asker's operation.
        op: OpId,
        /// The keys, each with the only state that may be anywhere.
        keys: Vec<(Key, Digest)>,
        /// Agree only behind this fence: kept on the disk, so that nothing sent before it will be accepted.
        fence: u64,
    },
    /// Of these I do, and have nothing of them under way.
    Agree {
        /// The asker's operation.
        op: OpId,
        /// Some of the keys asked about.
        keys: Vec<Key>,
        /// The sender's fence: whatever it sent about these keys before, it sent behind none that is higher.
        fence: u64,
    },
    /// Drop these tombstones, if they are still all that you hold.
    Drop {
        /// The keys.
        keys: Vec<(Key, Digest)>,
    },
}

/// Probing a peer that did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LivenessMessage {
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}
