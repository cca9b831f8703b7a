//! The hash trees of what is stored, one for each partition that anything is held of.
//!
//! They are kept in memory, built from the records at each start and changed with each commit, so no crash can come
//! between a tree and its data. That costs one scan of all records at a start, before the first request. A partition
//! that cannot be scanned (a damaged block of the engine hides everything behind it) gets no tree: better no answer
//! about it than a wrong one, and the rest of the node works.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cartwheel_core::Key;
use cartwheel_core::anti_entropy::{MerkleTree, TreeHash, TreeNode};
use cartwheel_core::ring::Partition;
use cartwheel_core::version::Siblings;

pub struct Trees {
    partitions: u32,
    trees: Mutex<BTreeMap<Partition, MerkleTree>>,
    /// Partitions that could not be scanned.
    unreadable: BTreeSet<Partition>,
}

/// One key's versions, before and after a commit.
pub struct Replaced {
    pub key: Key,
    pub before: Siblings,
    pub now: Siblings,
}

impl Trees {
    /// Empty trees of a ring of `partitions`.
    pub fn new(partitions: u32) -> Self {
        Self { partitions, trees: Mutex::default(), unreadable: BTreeSet::new() }
    }

    /// `partition` could not be scanned: there is no tree of it.
    pub fn give_up(&mut self, partition: Partition) {
        self.unreadable.insert(partition);
    }

    /// Whether there is a tree of `partition`, be it empty.
    pub fn knows(&self, partition: Partition) -> bool {
        partition.0 < self.partitions && !self.unreadable.contains(&partition)
    }

    pub fn partitions(&self) -> u32 {
        self.partitions
    }

    pub fn replace(&self, changes: impl IntoIterator<Item = Replaced>) {
        let mut trees = self.lock();
        for Replaced { key, before, now } in changes {
            let tree = trees.entry(key.token().partition(self.partitions)).or_default();
            tree.replace(&key, &before, &now, self.partitions);
        }
    }

    /// Forgets everything about `partition`.
    pub fn clear(&self, partition: Partition) {
        self.lock().remove(&partition);
    }

    pub fn hashes(&self, partition: Partition, nodes: &[TreeNode]) -> Vec<TreeHash> {
        let trees = self.lock();
        let hash =
            |node: &TreeNode| trees.get(&partition).map_or(TreeHash::default(), |tree| tree.hash(*node));
        nodes.iter().map(hash).collect()
    }

    /// A thread that panicked here has fenced the store; what the trees say then is asked by nobody.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Partition, MerkleTree>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
