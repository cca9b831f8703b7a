//! Data types. A dot in a value is two numbers: the place of its actor in the value's clock, from 0, and its counter.

use bytes::Bytes;

use super::version::Vector;
use super::{Nothing, Repeated};
use crate::limits::{DEFERRED_CONTEXTS_MAX, DEFERRED_REMOVALS_MAX, ELEMENTS_MAX, VECTOR_ENTRIES_MAX};

#[derive(Clone, PartialEq, prost::Message)]
pub struct DataType {
    #[prost(message, optional, tag = "1")]
    pub clock: Option<Vector>,
    #[prost(oneof = "State", tags = "2, 3, 4, 5, 6")]
    pub state: Option<State>,
    #[prost(message, optional, tag = "7")]
    pub deferred: Option<Deferred>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum State {
    #[prost(message, tag = "2")]
    Counter(Counter),
    #[prost(message, tag = "3")]
    Set(Elements),
    #[prost(message, tag = "4")]
    Map(Map),
    #[prost(message, tag = "5")]
    Hll(Hll),
    /// Without dots.
    #[prost(message, tag = "6")]
    GSet(Elements),
}

pub type Counter = Repeated<Count, VECTOR_ENTRIES_MAX>;
pub type Elements = Repeated<Element, ELEMENTS_MAX>;
pub type Map = Repeated<Entry, ELEMENTS_MAX>;
pub type Deferred = Repeated<Waiting, DEFERRED_CONTEXTS_MAX>;
pub type Removals = Repeated<Removal, DEFERRED_REMOVALS_MAX>;

#[derive(Clone, PartialEq, prost::Message)]
pub struct Count {
    /// The actor's place in the clock.
    #[prost(uint32, tag = "1")]
    pub actor: u32,
    #[prost(uint64, tag = "2")]
    pub counter: u64,
    #[prost(uint64, tag = "3")]
    pub increments_high: u64,
    #[prost(uint64, tag = "4")]
    pub increments_low: u64,
    #[prost(uint64, tag = "5")]
    pub decrements_high: u64,
    #[prost(uint64, tag = "6")]
    pub decrements_low: u64,
    /// The latest requests, the oldest first,
    #[prost(fixed64, repeated, tag = "7")]
    pub requests: Vec<u64>,
    /// and what each added.
    #[prost(sint64, repeated, tag = "8")]
    pub amounts: Vec<i64>,
}

/// An element of a set, or a value assigned to a register (under one dot).
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Element {
    #[prost(bytes = "bytes", tag = "1")]
    pub value: Bytes,
    #[prost(uint64, repeated, tag = "2")]
    pub dots: Vec<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Entry {
    #[prost(bytes = "bytes", tag = "1")]
    pub name: Bytes,
    #[prost(uint64, repeated, tag = "2")]
    pub presence: Vec<u64>,
    #[prost(oneof = "FieldValue", tags = "3, 4, 5, 6, 7")]
    pub value: Option<FieldValue>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum FieldValue {
    #[prost(message, tag = "3")]
    Counter(Counter),
    #[prost(message, tag = "4")]
    Register(Elements),
    #[prost(message, tag = "5")]
    Map(Map),
    #[prost(message, tag = "6")]
    Flag(Dots),
    #[prost(message, tag = "7")]
    Set(Elements),
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Dots {
    #[prost(uint64, repeated, tag = "1")]
    pub dots: Vec<u64>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Hll {
    #[prost(uint32, tag = "1")]
    pub precision: u32,
    /// Either all registers, a byte each,
    #[prost(bytes = "vec", tag = "2")]
    pub dense: Vec<u8>,
    /// or those that are not 0, in order, three bytes each: the place, the low byte first, and the register.
    #[prost(bytes = "vec", tag = "3")]
    pub sparse: Vec<u8>,
}

/// Removes of one client, that wait for what it had been shown.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Waiting {
    #[prost(message, optional, tag = "1")]
    pub seen: Option<Vector>,
    #[prost(message, optional, tag = "2")]
    pub removals: Option<Removals>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Removal {
    #[prost(message, repeated, tag = "1")]
    pub path: Vec<Field>,
    #[prost(oneof = "Removed", tags = "2, 3, 4")]
    pub removed: Option<Removed>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum Removed {
    #[prost(message, tag = "2")]
    Field(Nothing),
    #[prost(bytes = "bytes", tag = "3")]
    Element(Bytes),
    #[prost(message, tag = "4")]
    Flag(Nothing),
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Field {
    #[prost(bytes = "bytes", tag = "1")]
    pub name: Bytes,
    /// A code.
    #[prost(uint32, tag = "2")]
    pub kind: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Mutation {
    /// Absent: what is found is removed.
    #[prost(message, optional, tag = "1")]
    pub context: Option<Vector>,
    #[prost(oneof = "Op", tags = "2, 3, 4, 5, 6")]
    pub op: Option<Op>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Op {
    #[prost(sint64, tag = "2")]
    Counter(i64),
    #[prost(message, tag = "3")]
    Set(SetOp),
    #[prost(message, tag = "4")]
    Map(MapOp),
    #[prost(message, tag = "5")]
    Hll(HllOp),
    #[prost(message, tag = "6")]
    GSet(SetOp),
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SetOp {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub adds: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub removes: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HllOp {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub adds: Vec<Bytes>,
    #[prost(uint32, tag = "2")]
    pub precision: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct MapOp {
    #[prost(message, repeated, tag = "1")]
    pub removes: Vec<Field>,
    #[prost(message, repeated, tag = "2")]
    pub updates: Vec<FieldUpdate>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct FieldUpdate {
    #[prost(bytes = "bytes", tag = "1")]
    pub name: Bytes,
    #[prost(oneof = "FieldOp", tags = "2, 3, 4, 5, 6")]
    pub op: Option<FieldOp>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum FieldOp {
    #[prost(sint64, tag = "2")]
    Counter(i64),
    #[prost(bytes = "bytes", tag = "3")]
    Register(Bytes),
    #[prost(message, tag = "4")]
    Map(MapOp),
    /// Whether to turn it on.
    #[prost(bool, tag = "5")]
    Flag(bool),
    #[prost(message, tag = "6")]
    Set(SetOp),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Refusal {
    #[prost(oneof = "RefusalKind", tags = "1, 2, 3, 4")]
    pub kind: Option<RefusalKind>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum RefusalKind {
    #[prost(bytes = "bytes", tag = "1")]
    NoElement(Bytes),
    #[prost(message, tag = "2")]
    NoField(Field),
    /// The bound.
    #[prost(uint64, tag = "3")]
    TooDeep(u64),
    /// The bound.
    #[prost(uint64, tag = "4")]
    TooManyDeferred(u64),
}
