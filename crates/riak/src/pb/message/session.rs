//! Messages about the connection itself, and of what is only refused.

use bytes::Bytes;
use prost::Message;

/// Something went wrong. Clients read the text.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbErrorResp {
    /// What.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub errmsg: Bytes,
    /// Always 0.
    #[prost(uint32, required, tag = "2")]
    pub errcode: u32,
}

/// Who answers.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbGetServerInfoResp {
    /// The node's name.
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub node: Option<Bytes>,
    /// The release of Riak whose protocol it speaks; clients decide by it what they ask for.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub server_version: Option<Bytes>,
}

/// A client's id, which means nothing any more.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbGetClientIdResp {
    /// The id.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub client_id: Bytes,
}

/// A client's id, to be told again when it asks.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbSetClientIdReq {
    /// The id.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub client_id: Bytes,
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbAuthReq {
    /// The user's name.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub user: Bytes,
    /// Its password; empty where a certificate says who it is.
    #[prost(bytes = "bytes", required, tag = "2")]
    pub password: Bytes,
}

/// A job of map and reduce phases.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbMapRedReq {
    /// The job.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub request: Bytes,
    /// How it is written down.
    #[prost(bytes = "bytes", required, tag = "2")]
    pub content_type: Bytes,
}

/// Some of what a job gives.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbMapRedResp {
    /// The phase that gave it.
    #[prost(uint32, optional, tag = "1")]
    pub phase: Option<u32>,
    /// What it gave.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub response: Option<Bytes>,
    /// That was all.
    #[prost(bool, optional, tag = "3")]
    pub done: Option<bool>,
}
