use bytes::Bytes;
use cartwheel_core::coverage::ENTRIES_PER_PAGE_MAX;

use super::{Nothing, Repeated};

#[derive(Clone, PartialEq, prost::Message)]
pub struct Coverage {
    #[prost(fixed64, tag = "1")]
    pub op: u64,
    #[prost(oneof = "CoverageBody", tags = "2, 3, 4, 5, 6")]
    pub body: Option<CoverageBody>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum CoverageBody {
    #[prost(message, tag = "2")]
    Ask(Ask),
    #[prost(message, tag = "3")]
    Found(Found),
    #[prost(message, tag = "4")]
    NotHere(Partitions),
    #[prost(message, tag = "5")]
    Overloaded(Nothing),
    #[prost(message, tag = "6")]
    StorageFailed(Nothing),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Ask {
    #[prost(uint32, tag = "1")]
    pub n: u32,
    #[prost(message, optional, tag = "2")]
    pub query: Option<Query>,
    #[prost(message, optional, tag = "3")]
    pub partitions: Option<Partitions>,
    #[prost(message, optional, tag = "4")]
    pub after: Option<Entry>,
    #[prost(uint32, tag = "5")]
    pub limit: u32,
}

/// In order, as differences: the first one, then how many lie between two.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Partitions {
    #[prost(bytes = "bytes", tag = "1")]
    pub varints: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Query {
    #[prost(oneof = "QueryKind", tags = "1, 2, 3")]
    pub kind: Option<QueryKind>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum QueryKind {
    /// A bucket type.
    #[prost(bytes = "bytes", tag = "1")]
    Buckets(Bytes),
    #[prost(message, tag = "2")]
    Keys(Keys),
    #[prost(message, tag = "3")]
    Index(Index),
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Keys {
    #[prost(bytes = "bytes", tag = "1")]
    pub bucket_type: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub bucket: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    pub from: Bytes,
    /// Absent: there is no end.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub to: Option<Bytes>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Index {
    /// The bucket, and which terms.
    #[prost(message, optional, tag = "1")]
    pub terms: Option<Keys>,
    #[prost(bytes = "bytes", tag = "2")]
    pub field: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Entry {
    #[prost(bytes = "bytes", tag = "1")]
    pub term: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub key: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Found {
    #[prost(message, optional, tag = "1")]
    pub entries: Option<Repeated<Entry, ENTRIES_PER_PAGE_MAX>>,
    #[prost(message, optional, tag = "2")]
    pub next: Option<Entry>,
}

/// What a client asks about many keys.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Request {
    #[prost(uint64, tag = "1")]
    pub call: u64,
    #[prost(oneof = "Op", tags = "2, 3, 4")]
    pub op: Option<Op>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Op {
    #[prost(message, tag = "2")]
    Begin(Box<Begin>),
    #[prost(message, tag = "3")]
    Next(Nothing),
    #[prost(message, tag = "4")]
    Cancel(Nothing),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Begin {
    #[prost(message, optional, tag = "1")]
    pub query: Option<Query>,
    #[prost(message, optional, tag = "2")]
    pub after: Option<Entry>,
    #[prost(uint32, optional, tag = "3")]
    pub limit: Option<u32>,
    #[prost(uint64, optional, tag = "4")]
    pub timeout_ns: Option<u64>,
}
