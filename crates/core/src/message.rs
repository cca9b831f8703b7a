//! What nodes say to each other. Nested by conversation.

use crate::anti_entropy::{Leaf, TreeHash, TreeNode};
use crate::boundary::{Answer, ClientError};
use crate::coordinator::quorum::Needs;
use crate::id::{NodeId, OpId, RequestId};
use crate::key::Key;
use crate::ring::Partition;
use crate::storage::StorageError;
use crate::version::{Context, Digest, Siblings, Value};
use alloc::vec::Vec;
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
        value: Value,
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

/// Probing a peer that did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LivenessMessage {
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}
