use alloc::sync::Arc;
use alloc::vec::Vec;

use super::PREFERENCE_LIST_MAX;
use crate::id::NodeId;

/// The nodes to contact for a key, all distinct: its homes, which keep it, then the fallbacks that stand in for a
/// home that does not answer, in the order in which they do (the paper's section 4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreferenceList {
    nodes: Arc<[NodeId]>,
    homes: usize,
}

impl PreferenceList {
    pub(super) fn new(nodes: Arc<[NodeId]>, n: u8) -> Self {
        let homes = nodes.len().min(usize::from(n));
        Self { nodes, homes }
    }

    /// The N nodes that keep the key (all nodes, where there are fewer than N).
    pub fn homes(&self) -> &[NodeId] {
        &self.nodes[..self.homes]
    }

    /// The nodes that stand in, in order.
    pub fn fallbacks(&self) -> &[NodeId] {
        &self.nodes[self.homes..]
    }

    /// Homes, then fallbacks.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }
}

/// The distinct owners met when walking the ring from partition `from`: a node that owns several of the
/// partitions passed is met once.
pub(super) fn walk(owners: &[NodeId], from: usize) -> Vec<NodeId> {
    let mut met = Vec::new();
    for &owner in owners[from..].iter().chain(&owners[..from]) {
        if met.len() == PREFERENCE_LIST_MAX {
            break;
        }
        if !met.contains(&owner) {
            met.push(owner);
        }
    }
    met
}
