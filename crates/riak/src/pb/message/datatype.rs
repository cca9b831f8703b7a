//! Messages about data types, and about counters of the old kind.

use bytes::Bytes;
use prost::{Enumeration, Message};

/// Change a counter of the old kind.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbCounterUpdateReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// The key.
    #[prost(bytes = "bytes", required, tag = "2")]
    pub key: Bytes,
    /// What is added.
    #[prost(sint64, required, tag = "3")]
    pub amount: i64,
    /// How many replicas must hold it.
    #[prost(uint32, optional, tag = "4")]
    pub w: Option<u32>,
    /// How many must hold it durably.
    #[prost(uint32, optional, tag = "5")]
    pub dw: Option<u32>,
    /// How many homes must be among them.
    #[prost(uint32, optional, tag = "6")]
    pub pw: Option<u32>,
    /// Show the value then.
    #[prost(bool, optional, tag = "7")]
    pub returnvalue: Option<bool>,
    /// How many distinct nodes must hold it.
    #[prost(uint32, optional, tag = "8")]
    pub node_confirms: Option<u32>,
    /// The client's own name for the request: see [`request_id`](crate::pb::request_id). Not of Riak, which ignores it.
    #[prost(bytes = "bytes", optional, tag = "1000")]
    pub request_id: Option<Bytes>,
}

/// It is changed.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbCounterUpdateResp {
    /// The value, if the client asked for it.
    #[prost(sint64, optional, tag = "1")]
    pub value: Option<i64>,
}

/// Read a counter of the old kind.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbCounterGetReq {
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
    /// How many distinct nodes must have answered.
    #[prost(uint32, optional, tag = "7")]
    pub node_confirms: Option<u32>,
}

/// Its value; none where there is no counter.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RpbCounterGetResp {
    /// The value.
    #[prost(sint64, optional, tag = "1")]
    pub value: Option<i64>,
}

/// Which type a value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum DtType {
    /// A counter.
    Counter = 1,
    /// A set.
    Set = 2,
    /// A map.
    Map = 3,
    /// A HyperLogLog.
    Hll = 4,
    /// A set that only grows.
    Gset = 5,
}

/// Which type a field of a map has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum MapFieldType {
    /// A counter.
    Counter = 1,
    /// A set.
    Set = 2,
    /// A register.
    Register = 3,
    /// A flag.
    Flag = 4,
    /// A map.
    Map = 5,
}

/// A field of a map: two fields of one name and two types are two fields.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MapField {
    /// Its name.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub name: Bytes,
    /// Its type.
    #[prost(enumeration = "MapFieldType", required, tag = "2")]
    pub field_type: i32,
}

/// A field of a map with its value: the one that its type says.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MapEntry {
    /// The field.
    #[prost(message, required, tag = "1")]
    pub field: MapField,
    /// A counter's.
    #[prost(sint64, optional, tag = "2")]
    pub counter_value: Option<i64>,
    /// A set's.
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub set_value: Vec<Bytes>,
    /// A register's.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub register_value: Option<Bytes>,
    /// A flag's.
    #[prost(bool, optional, tag = "5")]
    pub flag_value: Option<bool>,
    /// A map's.
    #[prost(message, repeated, tag = "6")]
    pub map_value: Vec<MapEntry>,
}

/// Read a data type.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DtFetchReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// The key.
    #[prost(bytes = "bytes", required, tag = "2")]
    pub key: Bytes,
    /// The bucket's type.
    #[prost(bytes = "bytes", required, tag = "3")]
    pub bucket_type: Bytes,
    /// How many replicas must answer.
    #[prost(uint32, optional, tag = "4")]
    pub r: Option<u32>,
    /// How many homes must be among them.
    #[prost(uint32, optional, tag = "5")]
    pub pr: Option<u32>,
    /// Whether a majority that has nothing is enough to say so.
    #[prost(bool, optional, tag = "6")]
    pub basic_quorum: Option<bool>,
    /// Whether having nothing is an answer.
    #[prost(bool, optional, tag = "7")]
    pub notfound_ok: Option<bool>,
    /// How long to try, in milliseconds.
    #[prost(uint32, optional, tag = "8")]
    pub timeout: Option<u32>,
    /// Whether other nodes may stand in for homes.
    #[prost(bool, optional, tag = "9")]
    pub sloppy_quorum: Option<bool>,
    /// How many nodes are the key's homes.
    #[prost(uint32, optional, tag = "10")]
    pub n_val: Option<u32>,
    /// Show the context, too; true where it is not said.
    #[prost(bool, optional, tag = "11")]
    pub include_context: Option<bool>,
    /// How many distinct nodes must have answered.
    #[prost(uint32, optional, tag = "12")]
    pub node_confirms: Option<u32>,
}

/// What is there.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DtFetchResp {
    /// What a client has seen that is shown this. Counters, HyperLogLogs and sets that only grow need none.
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub context: Option<Bytes>,
    /// Its type.
    #[prost(enumeration = "DtType", required, tag = "2")]
    pub data_type: i32,
    /// Its value; none where nothing is.
    #[prost(message, optional, tag = "3")]
    pub value: Option<DtValue>,
}

/// A value: the one that its type says.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DtValue {
    /// A counter's.
    #[prost(sint64, optional, tag = "1")]
    pub counter_value: Option<i64>,
    /// A set's.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub set_value: Vec<Bytes>,
    /// A map's.
    #[prost(message, repeated, tag = "3")]
    pub map_value: Vec<MapEntry>,
    /// A HyperLogLog's.
    #[prost(uint64, optional, tag = "4")]
    pub hll_value: Option<u64>,
    /// Of a set that only grows.
    #[prost(bytes = "bytes", repeated, tag = "5")]
    pub gset_value: Vec<Bytes>,
}

/// Change a data type.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DtUpdateReq {
    /// The bucket.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub bucket: Bytes,
    /// The key; without one the server makes it.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub key: Option<Bytes>,
    /// The bucket's type.
    #[prost(bytes = "bytes", required, tag = "3")]
    pub bucket_type: Bytes,
    /// What the client has seen.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub context: Option<Bytes>,
    /// The change.
    #[prost(message, required, tag = "5")]
    pub op: DtOp,
    /// How many replicas must hold it.
    #[prost(uint32, optional, tag = "6")]
    pub w: Option<u32>,
    /// How many must hold it durably.
    #[prost(uint32, optional, tag = "7")]
    pub dw: Option<u32>,
    /// How many homes must be among them.
    #[prost(uint32, optional, tag = "8")]
    pub pw: Option<u32>,
    /// Show what is there then; false where it is not said.
    #[prost(bool, optional, tag = "9")]
    pub return_body: Option<bool>,
    /// How long to try, in milliseconds.
    #[prost(uint32, optional, tag = "10")]
    pub timeout: Option<u32>,
    /// Whether other nodes may stand in for homes.
    #[prost(bool, optional, tag = "11")]
    pub sloppy_quorum: Option<bool>,
    /// How many nodes are the key's homes.
    #[prost(uint32, optional, tag = "12")]
    pub n_val: Option<u32>,
    /// Show the context, too; true where it is not said.
    #[prost(bool, optional, tag = "13")]
    pub include_context: Option<bool>,
    /// How many distinct nodes must hold it.
    #[prost(uint32, optional, tag = "14")]
    pub node_confirms: Option<u32>,
    /// The client's own name for the request: see [`request_id`](crate::pb::request_id). Not of Riak, which ignores it.
    #[prost(bytes = "bytes", optional, tag = "1000")]
    pub request_id: Option<Bytes>,
}

/// A change: the one that is there.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DtOp {
    /// Of a counter.
    #[prost(message, optional, tag = "1")]
    pub counter_op: Option<CounterOp>,
    /// Of a set.
    #[prost(message, optional, tag = "2")]
    pub set_op: Option<SetOp>,
    /// Of a map.
    #[prost(message, optional, tag = "3")]
    pub map_op: Option<MapOp>,
    /// Of a HyperLogLog.
    #[prost(message, optional, tag = "4")]
    pub hll_op: Option<HllOp>,
    /// Of a set that only grows.
    #[prost(message, optional, tag = "5")]
    pub gset_op: Option<GSetOp>,
}

/// A change of a counter.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CounterOp {
    /// What is added; 1 where it is not said.
    #[prost(sint64, optional, tag = "1")]
    pub increment: Option<i64>,
}

/// A change of a set.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SetOp {
    /// What is put in.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub adds: Vec<Bytes>,
    /// What is taken out.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub removes: Vec<Bytes>,
}

/// A change of a set that only grows.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct GSetOp {
    /// What is put in.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub adds: Vec<Bytes>,
}

/// A change of a HyperLogLog.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct HllOp {
    /// What is counted.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub adds: Vec<Bytes>,
}

/// A change of a map.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MapOp {
    /// Fields that are taken out.
    #[prost(message, repeated, tag = "1")]
    pub removes: Vec<MapField>,
    /// Fields that are changed.
    #[prost(message, repeated, tag = "2")]
    pub updates: Vec<MapUpdate>,
}

/// A change of a field: the one that its type says.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MapUpdate {
    /// The field.
    #[prost(message, required, tag = "1")]
    pub field: MapField,
    /// Of a counter.
    #[prost(message, optional, tag = "2")]
    pub counter_op: Option<CounterOp>,
    /// Of a set.
    #[prost(message, optional, tag = "3")]
    pub set_op: Option<SetOp>,
    /// What a register holds from now on.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub register_op: Option<Bytes>,
    /// Of a flag.
    #[prost(enumeration = "FlagOp", optional, tag = "5")]
    pub flag_op: Option<i32>,
    /// Of a map.
    #[prost(message, optional, tag = "6")]
    pub map_op: Option<MapOp>,
}

/// A change of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum FlagOp {
    /// It is on.
    Enable = 1,
    /// It is off.
    Disable = 2,
}

/// It is changed.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DtUpdateResp {
    /// The key that the server made.
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub key: Option<Bytes>,
    /// What a client has seen that is shown this.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub context: Option<Bytes>,
    /// A counter's value.
    #[prost(sint64, optional, tag = "3")]
    pub counter_value: Option<i64>,
    /// A set's.
    #[prost(bytes = "bytes", repeated, tag = "4")]
    pub set_value: Vec<Bytes>,
    /// A map's.
    #[prost(message, repeated, tag = "5")]
    pub map_value: Vec<MapEntry>,
    /// A HyperLogLog's.
    #[prost(uint64, optional, tag = "6")]
    pub hll_value: Option<u64>,
    /// Of a set that only grows.
    #[prost(bytes = "bytes", repeated, tag = "7")]
    pub gset_value: Vec<Bytes>,
}
