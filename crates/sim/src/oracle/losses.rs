//! Where copies went that nodes do not answer for: faults destroyed them, or they were handed to a home.

use std::collections::BTreeMap;

use cartwheel_core::Key;
use cartwheel_core::id::NodeId;

use crate::lookup::Lookup;

/// What is gone, and since when.
#[derive(Debug, Default)]
pub struct Losses {
    keys: Lookup<(NodeId, Key), u64>,
    disks: BTreeMap<NodeId, u64>,
    handed_over: Lookup<(NodeId, Key), u64>,
}

impl Losses {
    /// `key` vanished from the disk of `node`.
    pub fn key_lost(&mut self, at_ns: u64, node: NodeId, key: &Key) {
        self.keys.insert((node, key.clone()), at_ns);
    }

    /// `node` has a new disk.
    pub fn disk_lost(&mut self, at_ns: u64, node: NodeId) {
        self.disks.insert(node, at_ns);
    }

    /// `node` dropped its copy of `key`, which it had kept for others.
    pub fn handed_over(&mut self, at_ns: u64, node: NodeId, key: &Key) {
        self.handed_over.insert((node, key.clone()), at_ns);
    }

    /// Whether a fault destroyed `node`'s copy of `key` at `since_ns` or later.
    pub fn is_lost_since(&self, since_ns: u64, node: NodeId, key: &Key) -> bool {
        let later = |at: Option<&u64>| at.is_some_and(|at| *at >= since_ns);
        later(self.disks.get(&node)) || later(self.keys.get(&(node, key.clone())))
    }

    /// Whether `node` dropped its copy of `key` at `since_ns` or later because its homes hold it.
    pub fn is_handed_over_since(&self, since_ns: u64, node: NodeId, key: &Key) -> bool {
        self.handed_over.get(&(node, key.clone())).is_some_and(|at| *at >= since_ns)
    }
}
