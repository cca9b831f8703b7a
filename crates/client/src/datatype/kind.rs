//! What tells the data types apart.

use std::collections::BTreeSet;
use std::fmt::Debug;

use bytes::Bytes;
use cartwheel_riak::pb::message::{DtOp, DtType, DtValue, GSetOp, HllOp};

use super::map::{MapOps, MapValue};
use super::ops::{CounterOps, ElementOps, SetOps};

mod sealed {
    pub trait Sealed {}
}

/// One of the data types. They are all here: nobody else can make one.
pub trait Kind: sealed::Sealed {
    /// What is shown of it.
    type Value: Clone + Debug + Send + Sync;
    /// What is to be done with it.
    type Ops: Clone + Debug + Default + Send + Sync;
    #[doc(hidden)]
    const TYPE: DtType;
    #[doc(hidden)]
    const SHOWN_BY_RIAK: bool = true;
    #[doc(hidden)]
    fn value(value: DtValue) -> Self::Value;
    /// `None`: nothing is to be done.
    #[doc(hidden)]
    fn op(ops: &Self::Ops) -> Option<DtOp>;
    /// Whether something is removed, which takes a context.
    #[doc(hidden)]
    fn removes(_: &Self::Ops) -> bool {
        false
    }
    /// Whether doing it twice is doing more.
    #[doc(hidden)]
    fn adds_up(_: &Self::Ops) -> bool {
        false
    }
}

/// [`Counter`](super::Counter)s.
#[derive(Clone, Copy, Debug)]
pub enum CounterKind {}
/// [`Set`](super::Set)s.
#[derive(Clone, Copy, Debug)]
pub enum SetKind {}
/// [`Map`](super::Map)s.
#[derive(Clone, Copy, Debug)]
pub enum MapKind {}
/// [`GSet`](super::GSet)s.
#[derive(Clone, Copy, Debug)]
pub enum GSetKind {}
/// [`Hll`](super::Hll)s.
#[derive(Clone, Copy, Debug)]
pub enum HllKind {}

impl sealed::Sealed for CounterKind {}
impl sealed::Sealed for SetKind {}
impl sealed::Sealed for MapKind {}
impl sealed::Sealed for GSetKind {}
impl sealed::Sealed for HllKind {}

impl Kind for CounterKind {
    type Value = i64;
    type Ops = CounterOps;
    const TYPE: DtType = DtType::Counter;

    fn value(value: DtValue) -> i64 {
        value.counter_value.unwrap_or_default()
    }

    fn op(ops: &CounterOps) -> Option<DtOp> {
        ops.op().map(|op| DtOp { counter_op: Some(op), ..DtOp::default() })
    }

    fn adds_up(_: &CounterOps) -> bool {
        true
    }
}

impl Kind for SetKind {
    type Value = BTreeSet<Bytes>;
    type Ops = SetOps;
    const TYPE: DtType = DtType::Set;

    fn value(value: DtValue) -> BTreeSet<Bytes> {
        value.set_value.into_iter().collect()
    }

    fn op(ops: &SetOps) -> Option<DtOp> {
        ops.op().map(|op| DtOp { set_op: Some(op), ..DtOp::default() })
    }

    fn removes(ops: &SetOps) -> bool {
        ops.removes()
    }
}

impl Kind for MapKind {
    type Value = MapValue;
    type Ops = MapOps;
    const TYPE: DtType = DtType::Map;

    fn value(value: DtValue) -> MapValue {
        MapValue::of(value.map_value)
    }

    fn op(ops: &MapOps) -> Option<DtOp> {
        ops.op().map(|op| DtOp { map_op: Some(op), ..DtOp::default() })
    }

    fn removes(ops: &MapOps) -> bool {
        ops.removes()
    }

    fn adds_up(ops: &MapOps) -> bool {
        ops.adds_up()
    }
}

impl Kind for GSetKind {
    type Value = BTreeSet<Bytes>;
    type Ops = ElementOps;
    const TYPE: DtType = DtType::Gset;
    const SHOWN_BY_RIAK: bool = false;

    fn value(value: DtValue) -> BTreeSet<Bytes> {
        value.gset_value.into_iter().collect()
    }

    fn op(ops: &ElementOps) -> Option<DtOp> {
        let op = GSetOp { adds: ops.adds.iter().cloned().collect() };
        (!op.adds.is_empty()).then(|| DtOp { gset_op: Some(op), ..DtOp::default() })
    }
}

impl Kind for HllKind {
    type Value = u64;
    type Ops = ElementOps;
    const TYPE: DtType = DtType::Hll;

    fn value(value: DtValue) -> u64 {
        value.hll_value.unwrap_or_default()
    }

    fn op(ops: &ElementOps) -> Option<DtOp> {
        let op = HllOp { adds: ops.adds.iter().cloned().collect() };
        (!op.adds.is_empty()).then(|| DtOp { hll_op: Some(op), ..DtOp::default() })
    }
}
