use bytes::Bytes;
use cartwheel_core::anti_entropy::NODES_PER_STEP;
use cartwheel_core::replica::REAP_BATCH_MAX;

use super::coverage::Coverage;
use super::datatype::{DataType, Mutation, Refusal};
use super::version::{Dot, Siblings, Vector};
use super::{Key, Nothing, Repeated};
use crate::limits::{KEYS_DIFFERING_MAX, KEYS_PER_STEP_MAX};

#[derive(Clone, PartialEq, prost::Message)]
pub struct Envelope {
    #[prost(oneof = "Conversation", tags = "1, 2, 3, 4, 5, 6, 7, 8")]
    pub conversation: Option<Conversation>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Conversation {
    #[prost(message, tag = "1")]
    Replica(Replica),
    #[prost(message, tag = "2")]
    Forward(Forward),
    #[prost(message, tag = "3")]
    Liveness(Liveness),
    #[prost(message, tag = "4")]
    AntiEntropy(AntiEntropy),
    #[prost(message, tag = "5")]
    Membership(Membership),
    #[prost(message, tag = "6")]
    Reap(Reap),
    /// In an encoding of its own.
    #[prost(bytes = "bytes", tag = "7")]
    Swim(Bytes),
    #[prost(message, tag = "8")]
    Coverage(Coverage),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Replica {
    #[prost(fixed64, tag = "1")]
    pub op: u64,
    #[prost(oneof = "ReplicaBody", tags = "2, 3, 4, 5, 6")]
    pub body: Option<ReplicaBody>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ReplicaBody {
    #[prost(message, tag = "2")]
    Read(Key),
    #[prost(message, tag = "3")]
    ReadReply(ReadReply),
    #[prost(message, tag = "4")]
    Write(Write),
    #[prost(message, tag = "5")]
    WriteReply(WriteReply),
    #[prost(message, tag = "6")]
    Confirm(NamedKey),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ReadReply {
    #[prost(oneof = "ReadResult", tags = "1, 2")]
    pub result: Option<ReadResult>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ReadResult {
    #[prost(message, tag = "1")]
    Siblings(Siblings),
    /// A replica error code.
    #[prost(uint32, tag = "2")]
    Error(u32),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Write {
    #[prost(message, optional, tag = "1")]
    pub key: Option<Key>,
    #[prost(message, optional, tag = "2")]
    pub siblings: Option<Siblings>,
    #[prost(fixed64, optional, tag = "3")]
    pub owed: Option<u64>,
    #[prost(uint64, tag = "4")]
    pub fence: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct WriteReply {
    #[prost(oneof = "WriteResult", tags = "1, 2, 3")]
    pub result: Option<WriteResult>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum WriteResult {
    #[prost(message, tag = "1")]
    Held(Nothing),
    /// A replica error code.
    #[prost(uint32, tag = "2")]
    Error(u32),
    /// The fence that the write was sent before.
    #[prost(uint64, tag = "3")]
    Fenced(u64),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Forward {
    #[prost(fixed64, tag = "1")]
    pub op: u64,
    #[prost(oneof = "ForwardBody", tags = "2, 3, 4")]
    pub body: Option<ForwardBody>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ForwardBody {
    #[prost(message, tag = "2")]
    Request(Request),
    #[prost(message, tag = "3")]
    Accepted(Nothing),
    #[prost(message, tag = "4")]
    Reply(Reply),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Request {
    #[prost(fixed64, tag = "1")]
    pub request_high: u64,
    #[prost(fixed64, tag = "2")]
    pub request_low: u64,
    #[prost(message, optional, tag = "3")]
    pub key: Option<Key>,
    #[prost(uint64, tag = "4")]
    pub time_left_ns: u64,
    #[prost(message, optional, tag = "5")]
    pub context: Option<Vector>,
    /// Distinct nodes that must hold it.
    #[prost(uint32, tag = "6")]
    pub w: u32,
    #[prost(uint32, tag = "7")]
    pub n: u32,
    /// Homes among those nodes.
    #[prost(uint32, tag = "10")]
    pub pw: u32,
    /// Nobody stands in for a home.
    #[prost(bool, tag = "11")]
    pub strict: bool,
    #[prost(oneof = "PutValue", tags = "8, 9, 12, 13")]
    pub value: Option<PutValue>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum PutValue {
    #[prost(bytes = "bytes", tag = "8")]
    Data(Bytes),
    #[prost(message, tag = "9")]
    Tombstone(Nothing),
    #[prost(message, tag = "12")]
    DataType(DataType),
    /// What is there is changed.
    #[prost(message, tag = "13")]
    Changed(Mutation),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Reply {
    #[prost(oneof = "ReplyResult", tags = "1, 2")]
    pub result: Option<ReplyResult>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ReplyResult {
    #[prost(message, tag = "1")]
    Answer(Answer),
    #[prost(message, tag = "2")]
    Error(ClientError),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Answer {
    #[prost(message, optional, tag = "1")]
    pub siblings: Option<Siblings>,
    #[prost(message, optional, tag = "2")]
    pub dot: Option<Dot>,
    #[prost(fixed64, repeated, tag = "3")]
    pub by: Vec<u64>,
    /// Absent: what the siblings say.
    #[prost(message, optional, tag = "4")]
    pub seen: Option<Vector>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ClientError {
    #[prost(oneof = "ClientErrorKind", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11")]
    pub kind: Option<ClientErrorKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ClientErrorKind {
    #[prost(message, tag = "1")]
    InvalidQuorum(Invalid),
    #[prost(message, tag = "2")]
    InvalidReplicas(Invalid),
    /// The limit.
    #[prost(uint32, tag = "3")]
    Overloaded(u32),
    #[prost(message, tag = "4")]
    Timeout(Tally),
    #[prost(message, tag = "5")]
    QuorumUnmet(Unmet),
    #[prost(message, tag = "6")]
    StorageFailed(Nothing),
    /// Why a condition does not hold: a code.
    #[prost(uint32, tag = "7")]
    Unfit(u32),
    #[prost(message, tag = "8")]
    NotAMember(Nothing),
    #[prost(message, tag = "9")]
    NoType(Nothing),
    #[prost(message, tag = "10")]
    OneValue(Nothing),
    /// A data type does not take the operation.
    #[prost(message, tag = "11")]
    Refused(Refusal),
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Unmet {
    #[prost(uint32, tag = "1")]
    pub needed: u32,
    #[prost(uint32, tag = "2")]
    pub got: u32,
    /// Which quorum: a code.
    #[prost(uint32, tag = "3")]
    pub quorum: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Invalid {
    #[prost(uint32, tag = "1")]
    pub asked: u32,
    #[prost(uint32, tag = "2")]
    pub n: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Tally {
    #[prost(uint32, tag = "1")]
    pub needed: u32,
    #[prost(uint32, tag = "2")]
    pub got: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Liveness {
    #[prost(oneof = "LivenessBody", tags = "1, 2")]
    pub body: Option<LivenessBody>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum LivenessBody {
    #[prost(message, tag = "1")]
    Ping(Nothing),
    #[prost(message, tag = "2")]
    Pong(Nothing),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AntiEntropy {
    #[prost(fixed64, tag = "1")]
    pub op: u64,
    #[prost(oneof = "AntiEntropyBody", tags = "2, 3, 4, 5")]
    pub body: Option<AntiEntropyBody>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum AntiEntropyBody {
    #[prost(message, tag = "2")]
    Compare(Compare),
    #[prost(message, tag = "3")]
    Differ(Repeated<TreeNode, NODES_PER_STEP>),
    #[prost(message, tag = "4")]
    Keys(Keys),
    #[prost(message, tag = "5")]
    KeysDiffer(Repeated<Key, KEYS_DIFFERING_MAX>),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Compare {
    #[prost(uint32, tag = "1")]
    pub partition: u32,
    #[prost(message, optional, tag = "2")]
    pub nodes: Option<Repeated<HashedNode, NODES_PER_STEP>>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct TreeNode {
    #[prost(uint32, tag = "1")]
    pub level: u32,
    #[prost(uint32, tag = "2")]
    pub index: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct HashedNode {
    #[prost(message, optional, tag = "1")]
    pub node: Option<TreeNode>,
    #[prost(fixed64, tag = "2")]
    pub hash_high: u64,
    #[prost(fixed64, tag = "3")]
    pub hash_low: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Keys {
    #[prost(uint32, tag = "1")]
    pub partition: u32,
    #[prost(uint32, repeated, tag = "2")]
    pub leaves: Vec<u32>,
    #[prost(message, optional, tag = "3")]
    pub keys: Option<Repeated<NamedKey, KEYS_PER_STEP_MAX>>,
}

/// A key with the name of its versions.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NamedKey {
    #[prost(message, optional, tag = "1")]
    pub key: Option<Key>,
    #[prost(fixed64, tag = "2")]
    pub digest_high: u64,
    #[prost(fixed64, tag = "3")]
    pub digest_low: u64,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Membership {
    #[prost(oneof = "MembershipBody", tags = "1, 2")]
    pub body: Option<MembershipBody>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum MembershipBody {
    #[prost(message, tag = "1")]
    Digest(ClusterDigest),
    #[prost(message, tag = "2")]
    State(State),
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ClusterDigest {
    #[prost(fixed64, tag = "1")]
    pub high: u64,
    #[prost(fixed64, tag = "2")]
    pub low: u64,
    #[prost(bool, tag = "3")]
    pub ready: bool,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct State {
    /// A `Cluster`, as bytes: its length is checked before it is decoded.
    #[prost(bytes = "bytes", tag = "1")]
    pub cluster: Bytes,
    #[prost(bool, tag = "2")]
    pub ready: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Reap {
    /// 0 where nothing is answered.
    #[prost(fixed64, tag = "1")]
    pub op: u64,
    #[prost(oneof = "ReapBody", tags = "2, 3, 4")]
    pub body: Option<ReapBody>,
    #[prost(uint64, tag = "5")]
    pub fence: u64,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ReapBody {
    #[prost(message, tag = "2")]
    Ask(Repeated<NamedKey, REAP_BATCH_MAX>),
    #[prost(message, tag = "3")]
    Agree(Repeated<Key, REAP_BATCH_MAX>),
    #[prost(message, tag = "4")]
    Drop(Repeated<NamedKey, REAP_BATCH_MAX>),
}
