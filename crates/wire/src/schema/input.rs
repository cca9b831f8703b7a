use bytes::Bytes;

use super::cluster::{Entry, StagedChange, WrittenProps};
use super::datatype::{Mutation, Refusal};
use super::message::{Envelope, NamedKey, PutValue};
use super::version::{Dot, Siblings, Vector};
use super::{Key, Nothing};

/// What happens to a node. Read only by who trusts the file that it was kept in: lists have no limits of their own.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Input {
    #[prost(oneof = "InputKind", tags = "1, 2, 3, 4, 5, 6")]
    pub kind: Option<InputKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum InputKind {
    #[prost(message, tag = "1")]
    Client(ClientRequest),
    #[prost(message, tag = "2")]
    Peer(Peer),
    #[prost(message, tag = "3")]
    Storage(Completion),
    #[prost(message, tag = "4")]
    Timeout(Nothing),
    #[prost(message, tag = "5")]
    Admin(AdminRequest),
    #[prost(message, tag = "6")]
    Coverage(super::coverage::Request),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ClientRequest {
    #[prost(uint64, tag = "1")]
    pub call: u64,
    #[prost(fixed64, tag = "2")]
    pub request_high: u64,
    #[prost(fixed64, tag = "3")]
    pub request_low: u64,
    #[prost(message, optional, tag = "4")]
    pub key: Option<Key>,
    #[prost(uint64, optional, tag = "5")]
    pub timeout_ns: Option<u64>,
    #[prost(oneof = "ClientOp", tags = "6, 7, 8")]
    pub op: Option<ClientOp>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ClientOp {
    #[prost(message, tag = "6")]
    Get(ReadOptions),
    #[prost(message, tag = "7")]
    Put(Put),
    #[prost(message, tag = "8")]
    Update(Update),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Update {
    #[prost(message, optional, tag = "1")]
    pub mutation: Option<Mutation>,
    /// Without context and value.
    #[prost(message, optional, tag = "2")]
    pub options: Option<Put>,
}

/// Quorums are Riak's numbers: a count, or one of the highest for a word.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ReadOptions {
    #[prost(uint32, tag = "1")]
    pub r: u32,
    #[prost(uint32, optional, tag = "2")]
    pub pr: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    pub node_confirms: Option<u32>,
    #[prost(bool, optional, tag = "4")]
    pub notfound_ok: Option<bool>,
    #[prost(bool, optional, tag = "5")]
    pub basic_quorum: Option<bool>,
    /// Nobody stands in for a home.
    #[prost(bool, tag = "6")]
    pub strict: bool,
    #[prost(uint32, optional, tag = "7")]
    pub n: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Put {
    #[prost(message, optional, tag = "1")]
    pub context: Option<Vector>,
    #[prost(uint32, tag = "2")]
    pub w: u32,
    #[prost(uint32, optional, tag = "3")]
    pub pw: Option<u32>,
    #[prost(uint32, optional, tag = "4")]
    pub dw: Option<u32>,
    #[prost(uint32, optional, tag = "5")]
    pub node_confirms: Option<u32>,
    /// Nobody stands in for a home.
    #[prost(bool, tag = "6")]
    pub strict: bool,
    #[prost(uint32, optional, tag = "7")]
    pub n: Option<u32>,
    #[prost(oneof = "PutValue", tags = "8, 9, 12, 13")]
    pub value: Option<PutValue>,
    #[prost(message, optional, tag = "10")]
    pub condition: Option<Condition>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Condition {
    #[prost(oneof = "ConditionKind", tags = "1, 2")]
    pub kind: Option<ConditionKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ConditionKind {
    #[prost(message, tag = "1")]
    NoneMatch(Nothing),
    #[prost(message, tag = "2")]
    NotModified(Vector),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Peer {
    #[prost(fixed64, tag = "1")]
    pub from: u64,
    #[prost(message, optional, tag = "2")]
    pub message: Option<Envelope>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Completion {
    /// The watermark, where everything up to it is durable; 0 where a sync failed.
    #[prost(uint64, tag = "1")]
    pub ticket: u64,
    #[prost(oneof = "Completed", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16")]
    pub completed: Option<Completed>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Completed {
    #[prost(message, tag = "2")]
    Read(Siblings),
    #[prost(message, tag = "3")]
    Applied(Applied),
    /// Why an update was not applied: a code.
    #[prost(uint32, tag = "4")]
    Refused(u32),
    #[prost(message, tag = "5")]
    Hints(Records),
    #[prost(message, tag = "6")]
    TreeHashes(TreeHashes),
    #[prost(message, tag = "7")]
    LeafKeys(LeafKeys),
    #[prost(message, tag = "8")]
    Page(Page),
    #[prost(message, tag = "9")]
    Names(Names),
    #[prost(message, tag = "10")]
    Saved(Nothing),
    #[prost(message, tag = "11")]
    Occupied(Partitions),
    #[prost(message, tag = "12")]
    Synced(Nothing),
    #[prost(message, tag = "13")]
    SyncFailed(Nothing),
    #[prost(message, tag = "14")]
    Failed(Failed),
    #[prost(message, tag = "15")]
    NotChanged(Refusal),
    #[prost(message, tag = "16")]
    Found(super::coverage::Found),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Applied {
    #[prost(message, optional, tag = "1")]
    pub siblings: Option<Siblings>,
    #[prost(message, optional, tag = "2")]
    pub dot: Option<Dot>,
    #[prost(fixed64, repeated, packed = "false", tag = "3")]
    pub newly_owed: Vec<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct KeyedRecord {
    #[prost(message, optional, tag = "1")]
    pub key: Option<Key>,
    #[prost(message, optional, tag = "2")]
    pub siblings: Option<Siblings>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Records {
    #[prost(message, repeated, tag = "1")]
    pub records: Vec<KeyedRecord>,
}

/// High and low halves in turn.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct TreeHashes {
    #[prost(fixed64, repeated, tag = "1")]
    pub halves: Vec<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct LeafKeys {
    #[prost(message, repeated, tag = "1")]
    pub keys: Vec<NamedKey>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Page {
    #[prost(message, repeated, tag = "1")]
    pub records: Vec<KeyedRecord>,
    #[prost(message, optional, tag = "2")]
    pub next: Option<Key>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Name {
    #[prost(fixed64, optional, tag = "1")]
    pub digest_high: Option<u64>,
    #[prost(fixed64, optional, tag = "2")]
    pub digest_low: Option<u64>,
    #[prost(bool, tag = "3")]
    pub is_owed: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Names {
    #[prost(message, repeated, tag = "1")]
    pub names: Vec<Name>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Partitions {
    #[prost(uint32, repeated, tag = "1")]
    pub partitions: Vec<u32>,
}

/// What could not be done, and why: codes.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Failed {
    #[prost(uint32, tag = "1")]
    pub kind: u32,
    #[prost(uint32, tag = "2")]
    pub error: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminRequest {
    #[prost(uint64, tag = "1")]
    pub call: u64,
    #[prost(oneof = "AdminOp", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11")]
    pub op: Option<AdminOp>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum AdminOp {
    #[prost(message, tag = "2")]
    Stage(StagedChange),
    #[prost(message, tag = "3")]
    Clear(Nothing),
    #[prost(message, tag = "4")]
    Plan(Nothing),
    #[prost(message, tag = "5")]
    Commit(Commit),
    #[prost(message, tag = "6")]
    SetProps(WrittenProps),
    #[prost(message, tag = "7")]
    ResetProps(Bucket),
    /// A bucket type's name is where a bucket's would be.
    #[prost(message, tag = "8")]
    CreateType(WrittenProps),
    #[prost(bytes = "bytes", tag = "9")]
    ActivateType(Bytes),
    #[prost(message, tag = "10")]
    SetTypeProps(WrittenProps),
    #[prost(message, tag = "11")]
    SetMetadata(Entries),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Entries {
    #[prost(message, repeated, tag = "1")]
    pub changes: Vec<Entry>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Commit {
    #[prost(message, optional, tag = "1")]
    pub shown: Option<Plan>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Plan {
    #[prost(message, repeated, tag = "1")]
    pub changes: Vec<StagedChange>,
    #[prost(fixed64, repeated, tag = "2")]
    pub before: Vec<u64>,
    #[prost(fixed64, repeated, tag = "3")]
    pub after: Vec<u64>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Bucket {
    #[prost(bytes = "bytes", tag = "1")]
    pub bucket_type: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub name: Bytes,
}
