use bytes::Bytes;

use super::{Nothing, Repeated};
use cartwheel_core::membership::OTHERS_MAX;

use crate::limits::{BUCKETS_MAX, MEMBERS_MAX, METADATA_MAX, STORES_MAX, TYPES_MAX};

/// Both gossiped and kept on the disk.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Cluster {
    #[prost(message, optional, tag = "1")]
    pub members: Option<Repeated<Member, MEMBERS_MAX>>,
    #[prost(message, optional, tag = "2")]
    pub ring: Option<Ring>,
    #[prost(message, optional, tag = "3")]
    pub staged: Option<Staged>,
    #[prost(uint32, tag = "4")]
    pub n: u32,
    #[prost(fixed64, optional, tag = "5")]
    pub founding: Option<u64>,
    #[prost(uint64, tag = "6")]
    pub fence: u64,
    /// Absent while there are none, as in states that were written before there could be any.
    #[prost(message, optional, tag = "7")]
    pub props: Option<Repeated<WrittenProps, BUCKETS_MAX>>,
    /// Absent while there are none, as the next one.
    #[prost(message, optional, tag = "8")]
    pub types: Option<Repeated<WrittenType, TYPES_MAX>>,
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<Repeated<Entry, METADATA_MAX>>,
}

/// A bucket type.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WrittenType {
    /// Its name is where a bucket's would be.
    #[prost(message, optional, tag = "1")]
    pub props: Option<WrittenProps>,
    #[prost(bool, tag = "2")]
    pub is_active: bool,
}

/// What is kept for drivers under one name.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Entry {
    #[prost(bytes = "bytes", tag = "1")]
    pub name: Bytes,
    #[prost(uint64, tag = "2")]
    pub count: u64,
    #[prost(fixed64, tag = "3")]
    pub by: u64,
    /// Absent: it was removed.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub value: Option<Bytes>,
}

/// A property that means nothing to us.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Other {
    #[prost(bytes = "bytes", tag = "1")]
    pub name: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

/// What was set for one bucket. Quorums are Riak's numbers: a count, or one of the highest for a word.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WrittenProps {
    /// Absent: the default type.
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub bucket_type: Option<Bytes>,
    #[prost(bytes = "bytes", tag = "2")]
    pub bucket: Bytes,
    #[prost(uint64, tag = "3")]
    pub count: u64,
    #[prost(fixed64, tag = "4")]
    pub by: u64,
    #[prost(uint32, optional, tag = "5")]
    pub n_val: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    pub r: Option<u32>,
    #[prost(uint32, optional, tag = "7")]
    pub w: Option<u32>,
    #[prost(uint32, optional, tag = "8")]
    pub pr: Option<u32>,
    #[prost(uint32, optional, tag = "9")]
    pub pw: Option<u32>,
    #[prost(uint32, optional, tag = "10")]
    pub dw: Option<u32>,
    #[prost(uint32, optional, tag = "11")]
    pub node_confirms: Option<u32>,
    #[prost(bool, optional, tag = "12")]
    pub notfound_ok: Option<bool>,
    #[prost(bool, optional, tag = "13")]
    pub basic_quorum: Option<bool>,
    #[prost(bool, optional, tag = "14")]
    pub allow_mult: Option<bool>,
    #[prost(bool, optional, tag = "15")]
    pub last_write_wins: Option<bool>,
    /// A code.
    #[prost(uint32, optional, tag = "16")]
    pub datatype: Option<u32>,
    #[prost(uint32, optional, tag = "17")]
    pub hll_precision: Option<u32>,
    #[prost(bool, optional, tag = "18")]
    pub write_once: Option<bool>,
    /// Absent while there are none.
    #[prost(message, optional, tag = "19")]
    pub others: Option<Repeated<Other, OTHERS_MAX>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Member {
    #[prost(fixed64, tag = "1")]
    pub node: u64,
    /// A code.
    #[prost(uint32, tag = "2")]
    pub status: u32,
    #[prost(message, optional, tag = "3")]
    pub contact: Option<Contact>,
    #[prost(message, optional, tag = "4")]
    pub share: Option<WrittenShare>,
    #[prost(message, optional, tag = "5")]
    pub progress: Option<Progress>,
    #[prost(message, optional, tag = "6")]
    pub boots: Option<Repeated<Boot, STORES_MAX>>,
    #[prost(message, optional, tag = "7")]
    pub lost: Option<Lost>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Lost {
    #[prost(uint64, tag = "1")]
    pub count: u64,
    #[prost(fixed64, tag = "2")]
    pub by: u64,
    #[prost(bool, tag = "3")]
    pub is_lost: bool,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Contact {
    #[prost(uint64, tag = "1")]
    pub count: u64,
    #[prost(fixed64, tag = "2")]
    pub by: u64,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(string, tag = "4")]
    pub address: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct WrittenShare {
    #[prost(uint64, tag = "1")]
    pub count: u64,
    #[prost(fixed64, tag = "2")]
    pub by: u64,
    #[prost(message, optional, tag = "3")]
    pub share: Option<Share>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Share {
    #[prost(uint32, tag = "1")]
    pub weight: u32,
    #[prost(string, tag = "2")]
    pub zone: String,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct RingVersion {
    #[prost(uint64, tag = "1")]
    pub epoch: u64,
    #[prost(fixed64, tag = "2")]
    pub fingerprint: u64,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Progress {
    #[prost(message, optional, tag = "1")]
    pub seen: Option<RingVersion>,
    #[prost(uint32, repeated, tag = "2")]
    pub received: Vec<u32>,
}

/// The latest boot of one store.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Boot {
    #[prost(fixed64, tag = "1")]
    pub store: u64,
    #[prost(uint64, tag = "2")]
    pub number: u64,
    #[prost(fixed64, repeated, tag = "3")]
    pub lives: Vec<u64>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Ring {
    #[prost(uint64, tag = "1")]
    pub epoch: u64,
    /// The nodes that own something, now or next. Owners are given by their places in this list, from 0: a ring of
    /// many partitions has few of them.
    #[prost(fixed64, repeated, tag = "2")]
    pub nodes: Vec<u64>,
    #[prost(uint32, repeated, tag = "3")]
    pub owners: Vec<u32>,
    #[prost(message, optional, tag = "4")]
    pub next: Option<NextOwners>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct NextOwners {
    /// A code.
    #[prost(uint32, tag = "1")]
    pub phase: u32,
    #[prost(uint32, repeated, tag = "2")]
    pub owners: Vec<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Staged {
    #[prost(uint64, tag = "1")]
    pub count: u64,
    #[prost(fixed64, tag = "2")]
    pub by: u64,
    #[prost(message, optional, tag = "3")]
    pub changes: Option<Repeated<StagedChange, MEMBERS_MAX>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct StagedChange {
    #[prost(fixed64, tag = "1")]
    pub node: u64,
    #[prost(oneof = "Change", tags = "2, 3, 4, 5, 6")]
    pub change: Option<Change>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum Change {
    #[prost(message, tag = "2")]
    Join(Share),
    #[prost(message, tag = "3")]
    Reshare(Share),
    #[prost(message, tag = "4")]
    Leave(Nothing),
    #[prost(message, tag = "5")]
    Replace(Replace),
    #[prost(message, tag = "6")]
    Remove(Nothing),
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Replace {
    #[prost(fixed64, tag = "1")]
    pub with: u64,
    /// A code.
    #[prost(uint32, tag = "2")]
    pub departure: u32,
}
