use bytes::Bytes;

use super::datatype::DataType;
use super::{Nothing, Repeated};
use crate::limits::{SIBLINGS_MAX, VECTOR_ENTRIES_MAX};

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Dot {
    #[prost(fixed64, tag = "1")]
    pub node: u64,
    #[prost(fixed64, tag = "2")]
    pub store: u64,
    #[prost(uint64, tag = "3")]
    pub boot: u64,
    #[prost(uint64, tag = "4")]
    pub mint: u64,
    #[prost(uint64, tag = "5")]
    pub counter: u64,
}

pub type Vector = Repeated<Dot, VECTOR_ENTRIES_MAX>;
pub type Siblings = Repeated<Version, SIBLINGS_MAX>;

#[derive(Clone, PartialEq, prost::Message)]
pub struct Version {
    #[prost(message, optional, tag = "1")]
    pub dot: Option<Dot>,
    #[prost(message, optional, tag = "2")]
    pub past: Option<Vector>,
    #[prost(fixed64, tag = "3")]
    pub request_high: u64,
    #[prost(fixed64, tag = "4")]
    pub request_low: u64,
    #[prost(uint64, tag = "5")]
    pub written_at: u64,
    #[prost(oneof = "Value", tags = "6, 7, 8")]
    pub value: Option<Value>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Value {
    #[prost(bytes = "bytes", tag = "6")]
    Data(Bytes),
    #[prost(message, tag = "7")]
    Tombstone(Nothing),
    #[prost(message, tag = "8")]
    DataType(DataType),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Record {
    #[prost(message, optional, tag = "1")]
    pub siblings: Option<Siblings>,
    #[prost(message, optional, tag = "2")]
    pub kept: Option<Dot>,
    #[prost(fixed64, repeated, tag = "3")]
    pub owed: Vec<u64>,
}
