//! Messages about secondary indexes.

use bytes::Bytes;
use prost::{Enumeration, Message};

use super::object::{RpbGetResp, RpbPair};

/// Which keys have an index entry?
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbIndexReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// The index: a name ending in `_bin` or `_int`, `$key` or `$bucket`.
    #[prost(bytes = "bytes", required, tag = "2")]
    pub index: Bytes,
    /// One value, or a range of them.
    #[prost(enumeration = "IndexQueryType", required, tag = "3")]
    pub qtype: i32,
    /// The one value.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub key: Option<Bytes>,
    /// The smallest value.
    #[prost(bytes = "bytes", optional, tag = "5")]
    pub range_min: Option<Bytes>,
    /// The largest value.
    #[prost(bytes = "bytes", optional, tag = "6")]
    pub range_max: Option<Bytes>,
    /// With their values.
    #[prost(bool, optional, tag = "7")]
    pub return_terms: Option<bool>,
    /// As they are found, rather than all at once.
    #[prost(bool, optional, tag = "8")]
    pub stream: Option<bool>,
    /// No more than so many.
    #[prost(uint32, optional, tag = "9")]
    pub max_results: Option<u32>,
    /// From where an earlier answer ended.
    #[prost(bytes = "bytes", optional, tag = "10")]
    pub continuation: Option<Bytes>,
    /// How long to try, in milliseconds.
    #[prost(uint32, optional, tag = "11")]
    pub timeout: Option<u32>,
    /// The bucket's type.
    #[prost(bytes = "bytes", optional, tag = "12")]
    pub bucket_type: Option<Bytes>,
    /// Only values that match.
    #[prost(bytes = "bytes", optional, tag = "13")]
    pub term_regex: Option<Bytes>,
    /// In order, even without a limit.
    #[prost(bool, optional, tag = "14")]
    pub pagination_sort: Option<bool>,
    /// Only a part of the whole, as a coverage plan names it.
    #[prost(bytes = "bytes", optional, tag = "15")]
    pub cover_context: Option<Bytes>,
    /// With the objects.
    #[prost(bool, optional, tag = "16")]
    pub return_body: Option<bool>,
}

/// One value, or a range of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum IndexQueryType {
    /// One value.
    Eq = 0,
    /// All between two.
    Range = 1,
}

/// Some of them.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbIndexResp {
    /// The keys.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub keys: Vec<Bytes>,
    /// Values and keys, where values were asked for.
    #[prost(message, repeated, tag = "2")]
    pub results: Vec<RpbPair>,
    /// From where to go on.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub continuation: Option<Bytes>,
    /// That was all. Said only in streams.
    #[prost(bool, optional, tag = "4")]
    pub done: Option<bool>,
}

/// A key and what is there.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbIndexObject {
    /// The key.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub key: Bytes,
    /// What is there.
    #[prost(message, required, tag = "2")]
    pub object: RpbGetResp,
}

/// Some of what an index query that wants objects finds.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbIndexBodyResp {
    /// Keys and objects.
    #[prost(message, repeated, tag = "1")]
    pub objects: Vec<RpbIndexObject>,
    /// From where to go on.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub continuation: Option<Bytes>,
    /// That was all.
    #[prost(bool, optional, tag = "3")]
    pub done: Option<bool>,
}
