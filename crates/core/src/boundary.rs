//! The one door in and the one door out: [`Input`], [`Output`], and the caller's [`Outbox`].

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::coverage::{CoverageReply, CoverageRequest};
use crate::datatype::{Op, Refusal};
use crate::id::{CallId, NodeId, RequestId};
use crate::key::Key;
use crate::membership::{Bucket, Change, Contact, MemberStatus, Opaque, Plan, PlanError, Props};
use crate::message::Message;
use crate::ring::{Partition, Phase, RingVersion};
use crate::storage::{StorageCompletion, StorageRequest};
use crate::version::{Context, Dot, Policy, Siblings, Value};

/// Everything that can happen to a node. The list of `(now, node, input)` is the trace: it replays bit for bit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// A client asks.
    Client(ClientRequest),
    /// A peer says something.
    Peer {
        /// Who, as authenticated by the driver.
        from: NodeId,
        /// What.
        message: Message,
    },
    /// The store answers.
    Storage(StorageCompletion),
    /// The time named by [`Node::next_timeout`](crate::Node::next_timeout) has come.
    Timeout,
    /// An operator asks.
    Admin(AdminRequest),
    /// A client asks about many keys.
    Coverage(CoverageRequest),
}

/// Everything a node can want done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Answer a client.
    Reply(ClientReply),
    /// Answer an operator.
    AdminReply(AdminReply),
    /// This is how `node` is reached from now on.
    Contact {
        /// The node.
        node: NodeId,
        /// Its name and address, as it says itself.
        contact: Contact,
    },
    /// Say something to a peer. Best effort: it may be lost.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: Message,
    },
    /// Ask the store.
    Storage(StorageRequest),
    /// Something an operator or a test wants to know.
    Event(Event),
    /// Put the store aside and start this node again on an empty one: what is here is an old copy, as peers have seen a
    /// later boot of it. It may hold what has been deleted, and reaped everywhere, since it was made. From here on the
    /// node does nothing any more. Whatever was acknowledged is held by the other homes, as when a disk is lost.
    StartOver {
        /// The boot that peers have seen.
        seen: u64,
        /// The boot that this is.
        number: u64,
    },
    /// A part of a listing, or why there is none.
    Coverage(CoverageReply),
}

/// Where [`Node::handle`](crate::Node::handle) puts its outputs; owned by the caller, drained by it, reused.
#[derive(Debug, Default)]
pub struct Outbox(Vec<Output>);

impl Outbox {
    /// An empty one.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes the outputs, in order; keeps the room they took.
    pub fn drain(&mut self) -> impl Iterator<Item = Output> + '_ {
        self.0.drain(..)
    }

    /// The outputs, in order.
    pub fn outputs(&self) -> &[Output] {
        &self.0
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.0.push(output);
    }
}

/// What a client asks of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientRequest {
    /// The driver's name for the call.
    pub call: CallId,
    /// The client's name for the request; the same when it retries.
    pub request: RequestId,
    /// The key.
    pub key: Key,
    /// What to do with it.
    pub op: ClientOp,
    /// How long to try. `None`: [`Config::request_timeout`](crate::Config).
    pub timeout: Option<Duration>,
}

/// What a client wants done with a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientOp {
    /// Read it.
    Get(ReadOptions),
    /// Write it, or delete it with [`Value::Tombstone`].
    Put {
        /// What the client had been shown.
        context: Context,
        /// What it writes.
        value: Value,
        /// When it counts as written.
        options: WriteOptions,
    },
    /// Change a data type, or make one. It is changed as the coordinator of the put holds it: nobody has to read it
    /// before.
    Update {
        /// What to change.
        op: Op,
        /// What the client had been shown: it removes nothing else, and what of it has not arrived where the change is
        /// made is removed when it does. `None`: what is found there is removed.
        context: Option<Context>,
        /// When it counts as written.
        options: WriteOptions,
    },
}

/// What an operator asks of a node. Any node will do: what it comes to is gossiped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AdminRequest {
    /// The driver's name for the call.
    pub call: CallId,
    /// What to do.
    pub op: AdminOp,
}

/// What an operator wants done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AdminOp {
    /// Prepare a change of one node.
    Stage {
        /// The node.
        node: NodeId,
        /// The change.
        change: Change,
    },
    /// Forget what is prepared.
    Clear,
    /// Show what committing would do.
    Plan,
    /// Make what is prepared so.
    Commit {
        /// The plan that the operator was shown: another one is not committed. `None`: whatever is prepared.
        shown: Option<Plan>,
    },
    /// Set properties of a bucket; those that are not named stay.
    SetProps {
        /// The bucket.
        bucket: Bucket,
        /// Its properties.
        props: Props,
    },
    /// Give a bucket the nodes' defaults again.
    ResetProps {
        /// The bucket.
        bucket: Bucket,
    },
    /// Create a bucket type.
    CreateType {
        /// Its name.
        name: Vec<u8>,
        /// Its properties.
        props: Props,
    },
    /// Let clients find a bucket type, for ever.
    ActivateType {
        /// Its name.
        name: Vec<u8>,
    },
    /// Set properties of an active bucket type; those that are not named stay.
    SetTypeProps {
        /// Its name.
        name: Vec<u8>,
        /// Its properties.
        props: Props,
    },
    /// Change what all nodes keep for their drivers, all or nothing.
    SetMetadata {
        /// Entries by name; `None` removes one.
        changes: Vec<(Vec<u8>, Option<Opaque>)>,
    },
}

/// The answer to an operator.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AdminReply {
    /// The call.
    pub call: CallId,
    /// What is planned now, or was committed; `None`: nothing is prepared. Of properties, bucket types and what is kept for
    /// drivers `None`: they are in force here, and kept on this node's disk.
    pub result: Result<Option<Plan>, PlanError>,
}

/// When a get is answered. The names are Riak's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReadOptions {
    /// How many replicas must answer.
    pub r: Quorum,
    /// How many homes must be among them; `None`: what the bucket says; a count of 0: none.
    pub pr: Option<Quorum>,
    /// How many distinct nodes must be among them; `None`: what the bucket says. Every answer here is a distinct
    /// node's, so this is one more R.
    pub node_confirms: Option<u8>,
    /// Whether "not found" from a home is an answer that counts toward R; `None`: what the bucket says.
    pub notfound_ok: Option<bool>,
    /// With `notfound_ok` off: a majority of homes that have nothing is enough to say "not found"; `None`: what the
    /// bucket says.
    pub basic_quorum: Option<bool>,
    /// Whether nodes that stand in for homes are asked.
    pub sloppy: bool,
    /// How many nodes are the key's homes; `None`: what the bucket says. At most that many.
    pub n: Option<u8>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            r: Quorum::Default,
            pr: None,
            node_confirms: None,
            notfound_ok: None,
            basic_quorum: None,
            sloppy: true,
            n: None,
        }
    }
}

/// When a put is answered. The names are Riak's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WriteOptions {
    /// How many replicas must hold it.
    pub w: Quorum,
    /// How many homes must be among them; `None`: what the bucket says; a count of 0: none.
    pub pw: Option<Quorum>,
    /// How many must hold it durably; `None`: what the bucket says; a count of 0: none. Every acknowledgement here is of
    /// a durable copy, so this is one more W.
    pub dw: Option<Quorum>,
    /// How many distinct nodes must be among them: one more W, too; `None`: what the bucket says.
    pub node_confirms: Option<u8>,
    /// Whether nodes may stand in for homes. Without them a put needs W homes, and leaves no hint elsewhere than at
    /// its coordinator.
    pub sloppy: bool,
    /// How many nodes are the key's homes; `None`: what the bucket says. At most that many.
    pub n: Option<u8>,
    /// Write only if the key is read to be so. **Not atomic**: a get with the default R comes before the put, and
    /// two clients whose gets come before either put both write.
    pub condition: Option<Condition>,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            w: Quorum::Default,
            pw: None,
            dw: None,
            node_confirms: None,
            sloppy: true,
            n: None,
            condition: None,
        }
    }
}

/// What a put may demand of the state before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Riak's `if_none_match`: there is nothing.
    NoneMatch,
    /// Riak's `if_not_modified`: it is exactly what a client with this context was shown.
    NotModified(Context),
}

/// Why a condition does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unfit {
    /// There is something.
    Found,
    /// There is nothing.
    NotFound,
    /// There is something else.
    Modified,
}

/// The quorums that a request can miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuorumKind {
    /// Answers to a get.
    R,
    /// Answers of homes to a get.
    Pr,
    /// Copies of a put.
    W,
    /// Copies of a put at homes.
    Pw,
}

/// How many distinct nodes must have answered, as Riak spells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quorum {
    /// What the bucket says, or else what the node is configured with.
    #[default]
    Default,
    /// One.
    One,
    /// A majority of N.
    Majority,
    /// All N.
    All,
    /// So many.
    Count(u8),
}

/// The answer to one call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientReply {
    /// The call.
    pub call: CallId,
    /// What became of it.
    pub result: Result<Answer, ClientError>,
}

/// Success.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// A get: the merged state (none, or tombstones only: not found; their context still counts). A put: the
    /// state that the write left at its coordinator. Of a bucket that shows one value, the one that it shows.
    pub siblings: Siblings,
    /// What a client has seen that is shown this, where that is more than `siblings` say: the versions that are not
    /// shown are in it too, so that the next write replaces them.
    pub seen: Option<Context>,
    /// The write's dot, for a put.
    pub dot: Option<Dot>,
    /// The distinct nodes whose answers met the quorum, in the order they arrived.
    pub by: Vec<NodeId>,
}

impl Answer {
    /// What a client of a bucket under `policy` is told of `state`.
    pub fn new(state: &Siblings, policy: Policy, dot: Option<Dot>, by: Vec<NodeId>) -> Self {
        let siblings = state.shown(policy);
        let is_all = siblings.versions().len() == state.versions().len();
        Self { siblings, seen: if is_all { None } else { Some(state.context()) }, dot, by }
    }

    /// The context to write with after having seen this.
    pub fn context(&self) -> Context {
        self.seen.clone().unwrap_or_else(|| self.siblings.context())
    }
}

/// Failure. Each says what became of the data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientError {
    /// The request makes no sense here; nothing was done.
    Invalid(Invalid),
    /// Too many requests in flight at this node; nothing was done.
    Overloaded {
        /// The bound that was reached.
        limit: u32,
    },
    /// The time was up. A put may have been kept by `got` nodes, and more may follow.
    Timeout {
        /// Distinct nodes needed.
        needed: u8,
        /// Distinct nodes that answered.
        got: u8,
    },
    /// Every node that could be asked has answered, too many with an error. A put may have been kept by `got` nodes.
    QuorumUnmet {
        /// Which quorum.
        quorum: QuorumKind,
        /// Distinct nodes needed.
        needed: u8,
        /// Distinct nodes that answered without error.
        got: u8,
    },
    /// The put's condition does not hold; nothing was written.
    Unfit(Unfit),
    /// This node is not a member of the cluster (yet, or any more); nothing was done.
    NotAMember,
    /// The coordinator's own store failed. A put was not kept here and was sent to nobody.
    StorageFailed,
    /// This node knows no active bucket type of the key's name (yet); nothing was done.
    NoType,
    /// The data type does not take the operation; nothing was changed.
    Refused(Refusal),
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Invalid {
    /// A quorum of zero, or above N.
    Quorum {
        /// What was asked for.
        asked: u8,
        /// N, the largest that makes sense.
        n: u8,
    },
    /// An N of zero, or above the configured one.
    Replicas {
        /// What was asked for.
        asked: u8,
        /// The configured N.
        n: u8,
    },
    /// A change of a data type, in a bucket that does not keep siblings: one of two concurrent changes would be lost.
    OneValue,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(Invalid::Quorum { asked, n }) => {
                write!(f, "quorum {asked} is not within 1..={n}; nothing was done")
            }
            Self::Invalid(Invalid::Replicas { asked, n }) => {
                write!(f, "n {asked} is not within 1..={n}; nothing was done")
            }
            Self::Invalid(Invalid::OneValue) => {
                write!(f, "data types need a bucket that keeps siblings; nothing was done")
            }
            Self::Overloaded { limit } => {
                write!(f, "overloaded: {limit} requests in flight; nothing was done")
            }
            Self::Timeout { needed, got } => write!(f, "timeout: {got} of {needed} replicas answered"),
            Self::QuorumUnmet { quorum, needed, got } => {
                write!(f, "{quorum:?} unmet: {got} of {needed} replicas answered without error")
            }
            Self::Unfit(unfit) => write!(f, "condition unmet: {unfit:?}; nothing was written"),
            Self::NotAMember => write!(f, "this node is not a member of the cluster; nothing was done"),
            Self::StorageFailed => write!(f, "the coordinator's store failed"),
            Self::NoType => write!(f, "there is no such active bucket type; nothing was done"),
            Self::Refused(refusal) => write!(f, "{refusal}; nothing was changed"),
        }
    }
}

impl core::error::Error for ClientError {}

/// What an operator or a test wants to know. Drivers turn events into logs and metrics; the core logs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A put's quorum was met with the help of a node that stands in for a home.
    SloppyWrite {
        /// The key.
        key: Key,
    },
    /// This node now owes `key` to `home`; durable.
    HintStored {
        /// The node it is owed to.
        home: NodeId,
        /// The key.
        key: Key,
    },
    /// This node keeps as much for `home` as it may; anti-entropy will have to bring it `key`.
    HintRefused {
        /// The node it would have been owed to.
        home: NodeId,
        /// The key.
        key: Key,
    },
    /// `home` durably holds what this node owed it; the hint is deleted.
    HintDelivered {
        /// The node it was owed to.
        home: NodeId,
        /// The key.
        key: Key,
    },
    /// What this node owed to `home` it owes to the homes that the key has now.
    HintRedirected {
        /// The node it was owed to.
        home: NodeId,
        /// The key.
        key: Key,
    },
    /// A read found concurrent versions.
    SiblingsRead {
        /// The key.
        key: Key,
        /// How many.
        count: u32,
    },
    /// A read found a replica behind and sent it what it lacked.
    ReadRepair {
        /// The key.
        key: Key,
        /// The replica.
        node: NodeId,
    },
    /// Two homes held a key differently; each is being given what the other holds.
    AntiEntropyRepair {
        /// The key.
        key: Key,
        /// The other home.
        peer: NodeId,
    },
    /// A put was forwarded to a coordinator of the key's preference list.
    Forwarded {
        /// The key.
        key: Key,
        /// The coordinator.
        to: NodeId,
    },
    /// A request was answered from the memory of an earlier one with the same id.
    RequestRepeated {
        /// The request.
        request: RequestId,
    },
    /// `node` left requests unanswered; others stand in for it.
    Suspected {
        /// The silent node.
        node: NodeId,
    },
    /// `node` was heard again.
    Alive {
        /// The node.
        node: NodeId,
    },
    /// The foreground suffers: background work is held back from now on, at first to this rate.
    BackgroundThrottled {
        /// Records per second.
        rate: u32,
        /// The 99th percentile of the foreground that was too much.
        p99: Duration,
    },
    /// Background work may go at its full rate again.
    BackgroundRecovered,
    /// The store failed; what was being done with it was answered with an error.
    StorageFailed,
    /// How a member stands has changed.
    MemberChanged {
        /// The member.
        node: NodeId,
        /// How it stands.
        status: MemberStatus,
    },
    /// Another state of the ring is in force here.
    RingChanged {
        /// Its name.
        version: RingVersion,
        /// How far a change of owners has come.
        phase: Option<Phase>,
    },
    /// Two operators committed without knowing of each other. This node had followed one, and now follows the other;
    /// what the loser wanted shows in the members' status, and can be committed again.
    RingSuperseded {
        /// What was in force here.
        lost: RingVersion,
        /// What is in force everywhere.
        by: RingVersion,
    },
    /// A partition that this node is a new home of is here, durably.
    PartitionReceived {
        /// The partition.
        partition: Partition,
    },
    /// All homes of a key hold durably what this node held without being one: it is dropped here.
    HandedOver {
        /// The key.
        key: Key,
    },
    /// A wiped or outdated home holds again what the other homes of a partition hold.
    PartitionRecovered {
        /// The partition.
        partition: Partition,
    },
    /// A node of a cluster that was founded otherwise spoke up; it is not listened to.
    Foreign {
        /// The node.
        node: NodeId,
    },
    /// Concurrent writes of a bucket are decided by clocks from now on: **acknowledged writes will be lost**.
    LastWriteWins {
        /// The bucket.
        bucket: Bucket,
    },
    /// A tombstone is gone: all homes held it, and nobody anything older.
    Reaped {
        /// The key.
        key: Key,
    },
    /// What is stored of a key fails its checksum. The other homes are asked for theirs.
    RecordDamaged {
        /// The key.
        key: Key,
    },
    /// It was made anew of what the other homes hold.
    RecordMended {
        /// The key.
        key: Key,
    },
    /// What all nodes keep for their drivers is not what it was.
    MetadataChanged,
}
