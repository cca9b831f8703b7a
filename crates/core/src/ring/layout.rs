//! An assignment of all partitions to owners, with the walks that follow from it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::preference::{self, PreferenceList};
use super::token::Partition;
use crate::id::NodeId;

pub(super) struct Layout {
    owners: Vec<NodeId>,
    /// For each partition, the distinct owners met on the walk from it, at most
    /// [`PREFERENCE_LIST_MAX`](super::PREFERENCE_LIST_MAX).
    walks: Vec<Arc<[NodeId]>>,
}

impl Layout {
    pub fn new(owners: Vec<NodeId>) -> Self {
        let walks = preference::walks(&owners);
        Self { owners, walks }
    }

    pub fn owners(&self) -> &[NodeId] {
        &self.owners
    }

    pub fn preference_list(&self, partition: Partition, n: u8) -> PreferenceList {
        PreferenceList::new(Arc::clone(&self.walks[partition.index()]), n)
    }
}
