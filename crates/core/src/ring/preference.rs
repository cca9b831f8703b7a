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

/// For each partition, the distinct owners met when walking the ring from it: a node that owns several of the
/// partitions passed is met once.
///
/// Backwards, because each walk is the next one with its own owner in front: whatever ring another node describes,
/// this takes time in proportion to its partitions.
pub(super) fn walks(owners: &[NodeId]) -> Vec<Arc<[NodeId]>> {
    let mut met: Vec<NodeId> = Vec::new();
    let mut walks = Vec::with_capacity(owners.len());
    // The first lap finds out what the walk from partition 0 meets.
    for lap in 0..2 {
        for owner in owners.iter().rev() {
            met.retain(|other| other != owner);
            met.insert(0, *owner);
            met.truncate(PREFERENCE_LIST_MAX);
            if lap == 1 {
                walks.push(Arc::from(&met[..]));
            }
        }
    }
    walks.reverse();
    walks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(owners: &[NodeId], from: usize) -> Vec<NodeId> {
        let mut met = Vec::new();
        for owner in owners[from..].iter().chain(&owners[..from]) {
            if met.len() < PREFERENCE_LIST_MAX && !met.contains(owner) {
                met.push(*owner);
            }
        }
        met
    }

    quickcheck::quickcheck! {
        fn every_walk_meets_the_owners_in_the_order_of_the_ring(owners: Vec<u64>, few: u64) -> bool {
            let owners: Vec<NodeId> = owners.into_iter().map(|owner| NodeId(owner % few.clamp(1, 60))).collect();
            let all = walks(&owners);
            all.len() == owners.len() && all.iter().enumerate().all(|(from, met)| **met == walk(&owners, from))
        }
    }
}
