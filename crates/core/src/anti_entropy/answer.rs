//! The side of an exchange that is asked.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::exchange::{LEAVES_PER_STEP, NODES_PER_STEP};
use super::tree::{Leaf, TreeHash, TreeNode};
use crate::cx::Cx;
use crate::desk::Waiter;
use crate::id::{NodeId, OpId};
use crate::key::Key;
use crate::message::{AntiEntropyMessage, Message};
use crate::ring::Partition;
use crate::storage::{StorageError, StorageOp};
use crate::version::Digest;

/// The side that is asked: all that it needs is in the question.
#[derive(Debug)]
pub(crate) struct Answers;

impl Answers {
    /// Which of these nodes differ here?
    pub fn on_compare(
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        partition: Partition,
        theirs: Vec<(TreeNode, TreeHash)>,
    ) {
        if cx.storage_has_room() && Self::is_ours(cx, partition) && theirs.len() <= NODES_PER_STEP {
            cx.background_done(1);
            let nodes = theirs.iter().map(|(node, _)| *node).collect();
            cx.storage(StorageOp::TreeHashes { partition, nodes }, Waiter::AnswerHashes { from, op, theirs });
        }
    }

    /// Our hashes of those nodes.
    pub fn on_hashes(
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        theirs: &[(TreeNode, TreeHash)],
        result: Result<Vec<TreeHash>, StorageError>,
    ) {
        let Ok(ours) = result else { return };
        let differing = theirs.iter().zip(ours).filter(|((_, theirs), ours)| theirs != ours);
        let nodes = differing.map(|((node, _), _)| *node).collect();
        cx.send(from, Message::AntiEntropy(AntiEntropyMessage::Differ { op, nodes }));
    }

    /// Which of these keys, and which others of these leaves, are held otherwise here?
    pub fn on_keys(
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        partition: Partition,
        leaves: Vec<Leaf>,
        theirs: Vec<(Key, Digest)>,
    ) {
        if cx.storage_has_room() && Self::is_ours(cx, partition) && leaves.len() <= LEAVES_PER_STEP {
            cx.background_done(leaves.len());
            cx.storage(StorageOp::LeafKeys { partition, leaves }, Waiter::AnswerKeys { from, op, theirs });
        }
    }

    /// Our keys of those leaves.
    pub fn on_leaf_keys(
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        theirs: Vec<(Key, Digest)>,
        result: Result<Vec<(Key, Digest)>, StorageError>,
    ) {
        let Ok(ours) = result else { return };
        cx.background_done(ours.len());
        let keys = differing(theirs, ours);
        cx.send(from, Message::AntiEntropy(AntiEntropyMessage::KeysDiffer { op, keys }));
    }

    fn is_ours(cx: &Cx, partition: Partition) -> bool {
        let ring = &cx.env.cluster.ring;
        partition.0 < ring.partitions() && ring.is_home_of(cx.me(), partition, cx.env.config.n)
    }
}

/// The keys that only one side holds, or that both hold with different versions. Pure.
fn differing(theirs: Vec<(Key, Digest)>, ours: Vec<(Key, Digest)>) -> Vec<Key> {
    let mut open: BTreeMap<Key, Digest> = theirs.into_iter().collect();
    let mut found = Vec::new();
    for (key, digest) in ours {
        if open.remove(&key) != Some(digest) {
            found.push(key);
        }
    }
    found.extend(open.into_keys());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_one_side_lacks_or_holds_otherwise_differ() {
        let held = |name: &str, digest| (Key::new(b"b", name.as_bytes()), Digest(digest));
        let theirs = alloc::vec![held("same", 1), held("other", 2), held("theirs", 3)];
        let ours = alloc::vec![held("same", 1), held("other", 4), held("ours", 5)];
        let mut found: Vec<&[u8]> = Vec::new();
        let keys = differing(theirs, ours);
        found.extend(keys.iter().map(Key::key));
        found.sort_unstable();
        assert_eq!(found, [&b"other"[..], b"ours", b"theirs"]);
    }
}
