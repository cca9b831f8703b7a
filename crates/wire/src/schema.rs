//! The protobuf messages, as prost structs. Field numbers are frozen.
//!
//! Random 64-bit names are `fixed64` (a varint of one takes ten bytes), counts are `uint64`.

pub mod birth;
pub mod cluster;
pub mod coverage;
pub mod datatype;
pub mod input;
pub mod message;
mod repeated;
pub mod version;

pub use repeated::Repeated;

/// A choice that carries nothing.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Nothing {}

/// A key. The token is not sent: the receiver hashes for itself.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Key {
    /// Absent: the default type.
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub bucket_type: Option<bytes::Bytes>,
    #[prost(bytes = "bytes", tag = "2")]
    pub bucket: bytes::Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    pub key: bytes::Bytes,
}
