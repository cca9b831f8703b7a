use bytes::Bytes;

use super::cluster::{Ring, Share};

/// A node's settings. Times are in nanoseconds.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Config {
    #[prost(fixed64, tag = "1")]
    pub node: u64,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub address: String,
    #[prost(fixed64, repeated, tag = "4")]
    pub founders: Vec<u64>,
    #[prost(message, optional, tag = "5")]
    pub ring: Option<Ring>,
    #[prost(message, repeated, tag = "6")]
    pub shares: Vec<NodeShare>,
    #[prost(uint32, tag = "7")]
    pub n: u32,
    /// Riak's number, as `w` is.
    #[prost(uint32, tag = "8")]
    pub r: u32,
    #[prost(uint32, tag = "9")]
    pub w: u32,
    /// A code.
    #[prost(uint32, tag = "10")]
    pub policy: u32,
    #[prost(uint64, tag = "11")]
    pub request_timeout: u64,
    #[prost(uint64, tag = "12")]
    pub replica_timeout: u64,
    #[prost(uint64, tag = "13")]
    pub forward_timeout: u64,
    #[prost(uint32, tag = "14")]
    pub suspect_after: u32,
    #[prost(uint64, tag = "15")]
    pub swim_interval: u64,
    #[prost(uint64, tag = "16")]
    pub probe_interval: u64,
    #[prost(uint64, tag = "17")]
    pub hint_interval: u64,
    #[prost(uint32, tag = "18")]
    pub hint_batch_max: u32,
    #[prost(uint64, tag = "19")]
    pub hint_bytes_max: u64,
    #[prost(uint64, tag = "20")]
    pub anti_entropy_interval: u64,
    #[prost(uint64, tag = "21")]
    pub gossip_interval: u64,
    #[prost(uint64, tag = "22")]
    pub start_wait: u64,
    #[prost(uint64, tag = "23")]
    pub handoff_interval: u64,
    #[prost(uint32, tag = "24")]
    pub handoff_batch_max: u32,
    #[prost(uint64, optional, tag = "25")]
    pub reap_after: Option<u64>,
    #[prost(uint64, optional, tag = "26")]
    pub background_latency_target: Option<u64>,
    #[prost(uint64, tag = "27")]
    pub background_window: u64,
    #[prost(uint32, tag = "28")]
    pub background_rate_min: u32,
    #[prost(uint32, tag = "29")]
    pub background_rate_max: u32,
    #[prost(uint32, tag = "30")]
    pub past_entries_max: u32,
    #[prost(uint32, tag = "31")]
    pub requests_max: u32,
    #[prost(uint32, tag = "32")]
    pub storage_inflight_max: u32,
    #[prost(uint32, tag = "33")]
    pub request_memory_max: u32,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct NodeShare {
    #[prost(fixed64, tag = "1")]
    pub node: u64,
    #[prost(message, optional, tag = "2")]
    pub share: Option<Share>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Boot {
    #[prost(fixed64, tag = "1")]
    pub store: u64,
    #[prost(uint64, tag = "2")]
    pub number: u64,
    #[prost(uint64, tag = "3")]
    pub continuous_since: u64,
    #[prost(message, repeated, tag = "4")]
    pub owed: Vec<HintTotal>,
    #[prost(message, optional, tag = "5")]
    pub cluster: Option<super::cluster::Cluster>,
    /// 32 bytes.
    #[prost(bytes = "bytes", tag = "6")]
    pub seed: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct HintTotal {
    #[prost(fixed64, tag = "1")]
    pub home: u64,
    #[prost(uint64, tag = "2")]
    pub keys: u64,
    #[prost(uint64, tag = "3")]
    pub bytes: u64,
}
