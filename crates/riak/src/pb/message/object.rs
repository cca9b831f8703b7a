//! Messages about one key.

use bytes::Bytes;
use prost::Message;

/// A named value.
pub type RpbPair = crate::content::Pair;

/// A pointer to another key.
pub type RpbLink = crate::content::Link;

/// Read a key.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbGetReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// The key.
    #[prost(bytes = "bytes", required, tag = "2")]
    pub key: Bytes,
    /// How many replicas must answer.
    #[prost(uint32, optional, tag = "3")]
    pub r: Option<u32>,
    /// How many homes must be among them.
    #[prost(uint32, optional, tag = "4")]
    pub pr: Option<u32>,
    /// Whether a majority that has nothing is enough to say so.
    #[prost(bool, optional, tag = "5")]
    pub basic_quorum: Option<bool>,
    /// Whether having nothing is an answer.
    #[prost(bool, optional, tag = "6")]
    pub notfound_ok: Option<bool>,
    /// What the client has already, by its vclock.
    #[prost(bytes = "bytes", optional, tag = "7")]
    pub if_modified: Option<Bytes>,
    /// Everything but the values.
    #[prost(bool, optional, tag = "8")]
    pub head: Option<bool>,
    /// The vclock even of what is deleted.
    #[prost(bool, optional, tag = "9")]
    pub deletedvclock: Option<bool>,
    /// How long to try, in milliseconds.
    #[prost(uint32, optional, tag = "10")]
    pub timeout: Option<u32>,
    /// Whether other nodes may stand in for homes.
    #[prost(bool, optional, tag = "11")]
    pub sloppy_quorum: Option<bool>,
    /// How many nodes are the key's homes.
    #[prost(uint32, optional, tag = "12")]
    pub n_val: Option<u32>,
    /// The bucket's type.
    #[prost(bytes = "bytes", optional, tag = "13")]
    pub bucket_type: Option<Bytes>,
    /// How many distinct nodes must have answered.
    #[prost(uint32, optional, tag = "14")]
    pub node_confirms: Option<u32>,
}

/// What is there; nothing at all where nothing is.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbGetResp {
    /// Its versions.
    #[prost(message, repeated, tag = "1")]
    pub content: Vec<RpbContent>,
    /// What a client has seen that is shown this.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub vclock: Option<Bytes>,
    /// The client has it already.
    #[prost(bool, optional, tag = "3")]
    pub unchanged: Option<bool>,
}

/// Write a key.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbPutReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// The key; without one the server makes it.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub key: Option<Bytes>,
    /// What the client has seen.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub vclock: Option<Bytes>,
    /// What it writes.
    #[prost(message, required, tag = "4")]
    pub content: RpbContent,
    /// How many replicas must hold it.
    #[prost(uint32, optional, tag = "5")]
    pub w: Option<u32>,
    /// How many must hold it durably.
    #[prost(uint32, optional, tag = "6")]
    pub dw: Option<u32>,
    /// Show what is there then.
    #[prost(bool, optional, tag = "7")]
    pub return_body: Option<bool>,
    /// How many homes must be among them.
    #[prost(uint32, optional, tag = "8")]
    pub pw: Option<u32>,
    /// Only over what the client has seen.
    #[prost(bool, optional, tag = "9")]
    pub if_not_modified: Option<bool>,
    /// Only where nothing is.
    #[prost(bool, optional, tag = "10")]
    pub if_none_match: Option<bool>,
    /// Show what is there then, but not the values.
    #[prost(bool, optional, tag = "11")]
    pub return_head: Option<bool>,
    /// How long to try, in milliseconds.
    #[prost(uint32, optional, tag = "12")]
    pub timeout: Option<u32>,
    /// As if the server had written it itself.
    #[prost(bool, optional, tag = "13")]
    pub asis: Option<bool>,
    /// Whether other nodes may stand in for homes.
    #[prost(bool, optional, tag = "14")]
    pub sloppy_quorum: Option<bool>,
    /// How many nodes are the key's homes.
    #[prost(uint32, optional, tag = "15")]
    pub n_val: Option<u32>,
    /// The bucket's type.
    #[prost(bytes = "bytes", optional, tag = "16")]
    pub bucket_type: Option<Bytes>,
    /// How many distinct nodes must hold it.
    #[prost(uint32, optional, tag = "17")]
    pub node_confirms: Option<u32>,
    /// The client's own name for the request: see [`request_id`](crate::pb::request_id). Not of Riak, which ignores it.
    #[prost(bytes = "bytes", optional, tag = "1000")]
    pub request_id: Option<Bytes>,
}

/// It is written.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbPutResp {
    /// The versions that are there, if the client asked for them.
    #[prost(message, repeated, tag = "1")]
    pub content: Vec<RpbContent>,
    /// What a client has seen that is shown this.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub vclock: Option<Bytes>,
    /// The key that the server made.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub key: Option<Bytes>,
}

/// One version.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbContent {
    /// Its bytes.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub value: Bytes,
    /// Their media type.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub content_type: Option<Bytes>,
    /// The media type's charset.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub charset: Option<Bytes>,
    /// `gzip` and the like.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub content_encoding: Option<Bytes>,
    /// The version's short name.
    #[prost(bytes = "bytes", optional, tag = "5")]
    pub vtag: Option<Bytes>,
    /// Pointers to other keys.
    #[prost(message, repeated, tag = "6")]
    pub links: Vec<RpbLink>,
    /// When it was written, in seconds since 1970.
    #[prost(uint32, optional, tag = "7")]
    pub last_mod: Option<u32>,
    /// And microseconds beyond that.
    #[prost(uint32, optional, tag = "8")]
    pub last_mod_usecs: Option<u32>,
    /// The writer's own fields.
    #[prost(message, repeated, tag = "9")]
    pub usermeta: Vec<RpbPair>,
    /// Secondary index entries.
    #[prost(message, repeated, tag = "10")]
    pub indexes: Vec<RpbPair>,
    /// It is a tombstone.
    #[prost(bool, optional, tag = "11")]
    pub deleted: Option<bool>,
}

/// Delete a key.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbDelReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// The key.
    #[prost(bytes = "bytes", required, tag = "2")]
    pub key: Bytes,
    /// R and W, where they are not given.
    #[prost(uint32, optional, tag = "3")]
    pub rw: Option<u32>,
    /// What the client has seen.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub vclock: Option<Bytes>,
    /// How many replicas must answer the read before.
    #[prost(uint32, optional, tag = "5")]
    pub r: Option<u32>,
    /// How many must hold the tombstone.
    #[prost(uint32, optional, tag = "6")]
    pub w: Option<u32>,
    /// How many homes must answer the read.
    #[prost(uint32, optional, tag = "7")]
    pub pr: Option<u32>,
    /// How many homes must hold the tombstone.
    #[prost(uint32, optional, tag = "8")]
    pub pw: Option<u32>,
    /// How many must hold it durably.
    #[prost(uint32, optional, tag = "9")]
    pub dw: Option<u32>,
    /// How long to try, in milliseconds.
    #[prost(uint32, optional, tag = "10")]
    pub timeout: Option<u32>,
    /// Whether other nodes may stand in for homes.
    #[prost(bool, optional, tag = "11")]
    pub sloppy_quorum: Option<bool>,
    /// How many nodes are the key's homes.
    #[prost(uint32, optional, tag = "12")]
    pub n_val: Option<u32>,
    /// The bucket's type.
    #[prost(bytes = "bytes", optional, tag = "13")]
    pub bucket_type: Option<Bytes>,
    /// The client's own name for the request: see [`request_id`](crate::pb::request_id). Not of Riak, which ignores it.
    #[prost(bytes = "bytes", optional, tag = "1000")]
    pub request_id: Option<Bytes>,
}
