//! Names of things: nodes, stores, operations, requests.

use core::fmt;

/// A node's place in the ring. It survives restarts and even the loss of its disk; what it has on that disk is
/// told apart by [`StoreId`].
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

impl NodeId {
    /// The identity of a node that an operator knows by `name`. Frozen: xxh3-64 of the UTF-8 bytes.
    pub fn from_name(name: &str) -> Self {
        Self(xxhash_rust::xxh3::xxh3_64(name.as_bytes()))
    }
}

impl fmt::Display for NodeId {
    /// Simulated nodes have small numbers and print as `n3`; nodes named by an operator print in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1 << 20 { write!(f, "n{}", self.0) } else { write!(f, "{:016x}", self.0) }
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One life of one data directory: minted at random when a store is created, so that a wiped or replaced disk is
/// never mistaken for the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId(pub u64);

/// An operation that a node runs for somebody, unique among all operations of all its boots (the sequence starts
/// at a random number), so that a late answer to an earlier life is never taken for an answer to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u64);

/// The driver's name for one client call; the reply carries it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// The client's name for one logical request. A retry keeps it: one request makes at most one dot at a coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u128);
