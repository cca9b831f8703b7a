//! Messages about where data is.

use bytes::Bytes;
use prost::Message;

/// Which nodes keep a key?
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbGetBucketKeyPreflistReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// The key.
    #[prost(bytes = "bytes", required, tag = "2")]
    pub key: Bytes,
    /// The bucket's type.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub bucket_type: Option<Bytes>,
}

/// They, the first one first.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbGetBucketKeyPreflistResp {
    /// Partitions and their nodes.
    #[prost(message, repeated, tag = "1")]
    pub preflist: Vec<RpbBucketKeyPreflistItem>,
}

/// One of the nodes that keep a key.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbBucketKeyPreflistItem {
    /// The number of the partition.
    #[prost(int64, required, tag = "1")]
    pub partition: i64,
    /// The node.
    #[prost(bytes = "bytes", required, tag = "2")]
    pub node: Bytes,
    /// Whether it is a home, rather than one that stands in for one.
    #[prost(bool, required, tag = "3")]
    pub primary: bool,
}

/// How can a query over everything be split?
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbCoverageReq {
    /// The bucket's type.
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub bucket_type: Option<Bytes>,
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "2")]
    pub bucket: Bytes,
    /// Into how many parts at least.
    #[prost(uint32, optional, tag = "3")]
    pub min_partitions: Option<u32>,
    /// The part to be given to another node.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub replace_cover: Option<Bytes>,
    /// Parts that could not be had.
    #[prost(bytes = "bytes", repeated, tag = "5")]
    pub unavailable_cover: Vec<Bytes>,
}

/// Like that.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbCoverageResp {
    /// The parts.
    #[prost(message, repeated, tag = "1")]
    pub entries: Vec<RpbCoverageEntry>,
}

/// One part, and who is to be asked for it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbCoverageEntry {
    /// The node's address.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub ip: Bytes,
    /// Its port.
    #[prost(uint32, required, tag = "2")]
    pub port: u32,
    /// The part, for people.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub keyspace_desc: Option<Bytes>,
    /// The part, for the node.
    #[prost(bytes = "bytes", required, tag = "4")]
    pub cover_context: Bytes,
}
