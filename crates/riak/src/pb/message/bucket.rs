//! Messages about buckets and their types: what is in them, and their properties.

use bytes::Bytes;
use prost::{Enumeration, Message};

/// Which buckets are there?
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbListBucketsReq {
    /// How long to try, in milliseconds.
    #[prost(uint32, optional, tag = "1")]
    pub timeout: Option<u32>,
    /// As they are found, rather than all at once.
    #[prost(bool, optional, tag = "2")]
    pub stream: Option<bool>,
    /// Their type.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub bucket_type: Option<Bytes>,
}

/// Some of them.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbListBucketsResp {
    /// Their names.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub buckets: Vec<Bytes>,
    /// That was all. Said only in streams.
    #[prost(bool, optional, tag = "2")]
    pub done: Option<bool>,
}

/// Which keys are in a bucket?
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbListKeysReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// How long to try, in milliseconds.
    #[prost(uint32, optional, tag = "2")]
    pub timeout: Option<u32>,
    /// The bucket's type.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub bucket_type: Option<Bytes>,
}

/// Some of them. Always a stream.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbListKeysResp {
    /// The keys.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub keys: Vec<Bytes>,
    /// That was all.
    #[prost(bool, optional, tag = "2")]
    pub done: Option<bool>,
}

/// Which properties has a bucket?
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbGetBucketReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// Its type.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub bucket_type: Option<Bytes>,
}

/// Those of a bucket, or of a bucket type.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbGetBucketResp {
    /// They.
    #[prost(message, required, tag = "1")]
    pub props: RpbBucketProps,
}

/// Set properties of a bucket.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbSetBucketReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// Those that are there are set.
    #[prost(message, required, tag = "2")]
    pub props: RpbBucketProps,
    /// The bucket's type.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub bucket_type: Option<Bytes>,
}

/// Give a bucket the defaults again.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbResetBucketReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// Its type.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub bucket_type: Option<Bytes>,
}

/// Which properties has a bucket type?
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbGetBucketTypeReq {
    /// The type.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket_type: Bytes,
}

/// Set properties of a bucket type.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbSetBucketTypeReq {
    /// The type.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket_type: Bytes,
    /// Those that are there are set.
    #[prost(message, required, tag = "2")]
    pub props: RpbBucketProps,
}

/// An Erlang function.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbModFun {
    /// Its module.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub module: Bytes,
    /// Its name.
    #[prost(bytes = "bytes", required, tag = "2")]
    pub function: Bytes,
}

/// What is done with each write: one of the two.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbCommitHook {
    /// An Erlang function.
    #[prost(message, optional, tag = "1")]
    pub modfun: Option<RpbModFun>,
    /// A JavaScript function.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub name: Option<Bytes>,
}

/// Properties. What is not there is not spoken of.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbBucketProps {
    /// How many homes a key has.
    #[prost(uint32, optional, tag = "1")]
    pub n_val: Option<u32>,
    /// Whether siblings are kept.
    #[prost(bool, optional, tag = "2")]
    pub allow_mult: Option<bool>,
    /// Whether the latest clock wins.
    #[prost(bool, optional, tag = "3")]
    pub last_write_wins: Option<bool>,
    /// Hooks before a write.
    #[prost(message, repeated, tag = "4")]
    pub precommit: Vec<RpbCommitHook>,
    /// Whether `precommit` is to be looked at: an empty list is not there on the wire.
    #[prost(bool, optional, tag = "5")]
    pub has_precommit: Option<bool>,
    /// Hooks after a write.
    #[prost(message, repeated, tag = "6")]
    pub postcommit: Vec<RpbCommitHook>,
    /// Whether `postcommit` is to be looked at.
    #[prost(bool, optional, tag = "7")]
    pub has_postcommit: Option<bool>,
    /// How keys are hashed.
    #[prost(message, optional, tag = "8")]
    pub chash_keyfun: Option<RpbModFun>,
    /// How links are found in values.
    #[prost(message, optional, tag = "9")]
    pub linkfun: Option<RpbModFun>,
    /// Entries of a vclock that are older, in seconds, may be cut off.
    #[prost(uint32, optional, tag = "10")]
    pub old_vclock: Option<u32>,
    /// Entries that are younger, in seconds, may not.
    #[prost(uint32, optional, tag = "11")]
    pub young_vclock: Option<u32>,
    /// A vclock with more entries is cut down.
    #[prost(uint32, optional, tag = "12")]
    pub big_vclock: Option<u32>,
    /// But not below so many entries.
    #[prost(uint32, optional, tag = "13")]
    pub small_vclock: Option<u32>,
    /// PR, where a request names none.
    #[prost(uint32, optional, tag = "14")]
    pub pr: Option<u32>,
    /// R likewise.
    #[prost(uint32, optional, tag = "15")]
    pub r: Option<u32>,
    /// W likewise.
    #[prost(uint32, optional, tag = "16")]
    pub w: Option<u32>,
    /// PW likewise.
    #[prost(uint32, optional, tag = "17")]
    pub pw: Option<u32>,
    /// DW likewise.
    #[prost(uint32, optional, tag = "18")]
    pub dw: Option<u32>,
    /// RW of deletes likewise.
    #[prost(uint32, optional, tag = "19")]
    pub rw: Option<u32>,
    /// Whether a majority that has nothing is enough to say so.
    #[prost(bool, optional, tag = "20")]
    pub basic_quorum: Option<bool>,
    /// Whether having nothing is an answer.
    #[prost(bool, optional, tag = "21")]
    pub notfound_ok: Option<bool>,
    /// Which of several stores.
    #[prost(bytes = "bytes", optional, tag = "22")]
    pub backend: Option<Bytes>,
    /// Whether values are put into the old search index.
    #[prost(bool, optional, tag = "23")]
    pub search: Option<bool>,
    /// What is copied to other clusters.
    #[prost(enumeration = "ReplMode", optional, tag = "24")]
    pub repl: Option<i32>,
    /// The search index.
    #[prost(bytes = "bytes", optional, tag = "25")]
    pub search_index: Option<Bytes>,
    /// The data type of the values.
    #[prost(bytes = "bytes", optional, tag = "26")]
    pub datatype: Option<Bytes>,
    /// Whether writes are strongly consistent.
    #[prost(bool, optional, tag = "27")]
    pub consistent: Option<bool>,
    /// Whether keys are written once.
    #[prost(bool, optional, tag = "28")]
    pub write_once: Option<bool>,
    /// How precise HyperLogLogs are.
    #[prost(uint32, optional, tag = "29")]
    pub hll_precision: Option<u32>,
}

/// What is copied to other clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum ReplMode {
    /// Nothing.
    False = 0,
    /// Writes as they come.
    Realtime = 1,
    /// Everything now and then.
    Fullsync = 2,
    /// Both.
    True = 3,
}
