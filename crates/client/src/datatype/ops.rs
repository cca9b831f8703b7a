//! What is to be done with a value.

use std::collections::BTreeSet;

use bytes::Bytes;
use cartwheel_riak::pb::message::{CounterOp, SetOp};

/// With a counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterOps {
    by: i64,
}

/// With a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetOps {
    adds: BTreeSet<Bytes>,
    removes: BTreeSet<Bytes>,
}

/// With a set that only grows, or a HyperLogLog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElementOps {
    pub(super) adds: BTreeSet<Bytes>,
}

/// With a register of a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterOps {
    pub(super) value: Option<Bytes>,
}

/// With a flag of a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagOps {
    pub(super) on: Option<bool>,
}

impl CounterOps {
    /// Adds `by`, which may be negative. What does not fit into 64 bits is cut off.
    pub fn increment(&mut self, by: i64) -> &mut Self {
        self.by = self.by.saturating_add(by);
        self
    }

    pub(super) fn op(&self) -> Option<CounterOp> {
        (self.by != 0).then_some(CounterOp { increment: Some(self.by) })
    }
}

impl SetOps {
    /// Puts an element in.
    pub fn add(&mut self, element: impl Into<Bytes>) -> &mut Self {
        let element = element.into();
        self.removes.remove(&element);
        self.adds.insert(element);
        self
    }

    /// Takes an element out.
    pub fn remove(&mut self, element: impl Into<Bytes>) -> &mut Self {
        let element = element.into();
        self.adds.remove(&element);
        self.removes.insert(element);
        self
    }

    pub(super) fn op(&self) -> Option<SetOp> {
        let op = SetOp {
            adds: self.adds.iter().cloned().collect(),
            removes: self.removes.iter().cloned().collect(),
        };
        (op != SetOp::default()).then_some(op)
    }

    pub(super) fn removes(&self) -> bool {
        !self.removes.is_empty()
    }
}

impl ElementOps {
    /// Puts an element in.
    pub fn add(&mut self, element: impl Into<Bytes>) -> &mut Self {
        self.adds.insert(element.into());
        self
    }
}

impl RegisterOps {
    /// The register holds `value` from now on. Of two assignments that cross, the one with the later clock stays.
    pub fn assign(&mut self, value: impl Into<Bytes>) -> &mut Self {
        self.value = Some(value.into());
        self
    }
}

impl FlagOps {
    /// The flag is on. Of two that cross, this one wins.
    pub fn enable(&mut self) -> &mut Self {
        self.on = Some(true);
        self
    }

    /// The flag is off.
    pub fn disable(&mut self) -> &mut Self {
        self.on = Some(false);
        self
    }
}
