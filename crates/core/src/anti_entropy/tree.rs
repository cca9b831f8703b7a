//! The hash tree of one partition: 16 children a node, four levels below the root, 65,536 leaves.
//!
//! A leaf is an equal range of the partition's tokens, and its hash is the XOR of the hashes of the keys in it; a
//! node's hash is the XOR of its leaves. So a change of one key changes one word, whatever the order of changes, and
//! an empty tree takes no room. Only the leaves are kept: an inner hash is asked for once per exchange and computed
//! from them then.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::hash::Hash128;
use crate::key::Key;
use crate::ring::{Partition, Token};
use crate::version::Siblings;

/// Children of an inner node.
const FAN_OUT: u32 = 16;
/// Levels below the root; nodes of this level are leaves.
const DEPTH: u8 = 4;

/// The hash of a subtree, 0 for an empty one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TreeHash(pub u128);

/// A leaf, counted from 0 in token order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(pub u16);

/// A node of the tree: its level (0 is the root) and its place in that level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeNode {
    level: u8,
    index: u16,
}

impl TreeNode {
    /// The root.
    pub const ROOT: Self = Self { level: 0, index: 0 };

    /// A node by its place; `None` where the tree has no such node.
    pub fn new(level: u8, index: u16) -> Option<Self> {
        let exists = level <= DEPTH && u32::from(index) < FAN_OUT.pow(u32::from(level));
        exists.then_some(Self { level, index })
    }

    /// Its level; 0 is the root's.
    pub fn level(self) -> u8 {
        self.level
    }

    /// Its place in its level, counted from 0.
    pub fn index(self) -> u16 {
        self.index
    }

    /// The leaf that it is, unless it is an inner node.
    pub fn leaf(self) -> Option<Leaf> {
        (self.level == DEPTH).then_some(Leaf(self.index))
    }

    /// Its children, in order; a leaf has none.
    pub fn children(self) -> impl Iterator<Item = Self> {
        let children = if self.level == DEPTH { 0 } else { FAN_OUT as u16 };
        (0..children)
            .map(move |child| Self { level: self.level + 1, index: self.index * FAN_OUT as u16 + child })
    }

    /// The leaves below it.
    fn leaves(self) -> core::ops::RangeInclusive<u16> {
        let width = FAN_OUT.pow(u32::from(DEPTH - self.level));
        let first = u32::from(self.index) * width;
        first as u16..=(first + width - 1) as u16
    }
}

impl Leaf {
    /// The leaf that `token` falls into, in a ring of `partitions` partitions.
    pub fn of(token: Token, partitions: u32) -> Self {
        let within = token.0 << partitions.trailing_zeros();
        Self((within >> 48) as u16)
    }

    /// The tokens that fall into it, in `partition` of `partitions`: first and last.
    pub fn tokens(self, partition: Partition, partitions: u32) -> (Token, Token) {
        let bits = partitions.trailing_zeros();
        let first = if bits == 0 { 0 } else { u64::from(partition.0) << (64 - bits) };
        let first = first | (u64::from(self.0) << 48) >> bits;
        let width = (1_u64 << 48) >> bits;
        (Token(first), Token(first + (width - 1)))
    }
}

/// The hash tree of what a node holds of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MerkleTree {
    leaves: BTreeMap<u16, u128>,
}

impl MerkleTree {
    /// `key` had the versions `before` and has `after`.
    pub fn replace(&mut self, key: &Key, before: &Siblings, after: &Siblings, partitions: u32) {
        let change = item(key, before) ^ item(key, after);
        if change == 0 {
            return;
        }
        let Leaf(leaf) = Leaf::of(key.token(), partitions);
        let hash = self.leaves.entry(leaf).or_default();
        *hash ^= change;
        if *hash == 0 {
            self.leaves.remove(&leaf);
        }
    }

    /// The hash of everything below `node`.
    pub fn hash(&self, node: TreeNode) -> TreeHash {
        TreeHash(self.leaves.range(node.leaves()).fold(0, |hash, (_, leaf)| hash ^ leaf))
    }

    /// The hashes of `node`'s children, in order.
    pub fn child_hashes(&self, node: TreeNode) -> Vec<TreeHash> {
        node.children().map(|child| self.hash(child)).collect()
    }
}

/// The hash of a key with its versions; 0 for a key without any, which is as if it were not there.
fn item(key: &Key, siblings: &Siblings) -> u128 {
    if siblings.is_empty() {
        return 0;
    }
    let mut hash = Hash128::default();
    for part in [key.bucket_type(), key.bucket(), key.key()] {
        hash.add(&(part.len() as u64).to_le_bytes());
        hash.add(part);
    }
    hash.add(&siblings.digest().0.to_le_bytes());
    hash.value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{NodeId, RequestId, StoreId};
    use crate::time::WallTime;
    use crate::version::{Actor, Dot, Value, Version, VersionVector};
    use alloc::collections::BTreeSet;
    use alloc::format;
    use quickcheck::quickcheck;

    const PARTITIONS: u32 = 8;

    fn siblings(counter: u64) -> Siblings {
        if counter == 0 {
            return Siblings::default();
        }
        let actor = Actor { node: NodeId(1), store: StoreId(1), boot: 1, mint: 1 };
        Siblings::from_versions(alloc::vec![Version {
            dot: Dot { actor, counter },
            past: VersionVector::EMPTY,
            request: RequestId(1),
            written_at: WallTime(0),
            value: Value::Tombstone,
        }])
    }

    fn key(name: u32) -> Key {
        Key::new(b"b", format!("{name}").as_bytes())
    }

    /// What an exchange does: the hashes that one side sends, and the leaves that differ.
    fn compare(ours: &MerkleTree, theirs: &MerkleTree) -> (usize, BTreeSet<u16>) {
        let (mut sent, mut differing) = (1, BTreeSet::new());
        let mut open: Vec<TreeNode> = Vec::new();
        if ours.hash(TreeNode::ROOT) != theirs.hash(TreeNode::ROOT) {
            open.push(TreeNode::ROOT);
        }
        while let Some(node) = open.pop() {
            if let Some(Leaf(leaf)) = node.leaf() {
                differing.insert(leaf);
                continue;
            }
            let (a, b) = (ours.child_hashes(node), theirs.child_hashes(node));
            sent += a.len();
            open.extend(
                node.children().zip(a.iter().zip(&b)).filter(|(_, (a, b))| a != b).map(|(child, _)| child),
            );
        }
        (sent, differing)
    }

    quickcheck! {
        /// However it came about, a tree is a function of what is held.
        fn a_tree_depends_on_the_content_only(changes: Vec<(u8, u8)>) -> bool {
            let mut held: BTreeMap<u8, u64> = BTreeMap::new();
            let mut tree = MerkleTree::default();
            for (name, counter) in changes {
                let before = held.insert(name, u64::from(counter)).unwrap_or(0);
                tree.replace(&key(name.into()), &siblings(before), &siblings(counter.into()), PARTITIONS);
            }
            let mut built = MerkleTree::default();
            for (name, counter) in held {
                built.replace(&key(name.into()), &Siblings::default(), &siblings(counter), PARTITIONS);
            }
            tree == built
        }

        fn a_leaf_has_the_tokens_that_fall_into_it(token: u64, bits: u8) -> bool {
            let partitions = 1 << (bits % 17);
            let (leaf, partition) = (Leaf::of(Token(token), partitions), Token(token).partition(partitions));
            let (first, last) = leaf.tokens(partition, partitions);
            let at = |token: Token| (Leaf::of(token, partitions), token.partition(partitions));
            (first..=last).contains(&Token(token)) && at(first) == (leaf, partition) && at(last) == (leaf, partition)
        }

        /// Exactly the leaves of the keys that differ are found.
        fn a_comparison_finds_what_differs(common: Vec<u8>, differing: BTreeSet<u8>) -> bool {
            let mut ours = MerkleTree::default();
            for name in common.iter().copied().filter(|name| !differing.contains(name)).collect::<BTreeSet<_>>() {
                ours.replace(&key(name.into()), &Siblings::default(), &siblings(1), PARTITIONS);
            }
            let mut theirs = ours.clone();
            for &name in &differing {
                theirs.replace(&key(name.into()), &Siblings::default(), &siblings(2), PARTITIONS);
            }
            let leaves = differing.iter().map(|&name| Leaf::of(key(name.into()).token(), PARTITIONS).0).collect();
            compare(&ours, &theirs).1 == leaves
        }
    }

    /// 1 + b + sum of b * b^i * (1 - (1 - b^-i)^k) for b = 16, d = 4 and k = 100 is 3,180.
    #[test]
    fn the_cost_of_a_comparison_is_what_theory_says() {
        let mut ours = MerkleTree::default();
        for name in 0..1_000_000 {
            ours.replace(&key(name), &Siblings::default(), &siblings(1), 1);
        }
        let mut theirs = ours.clone();
        let (mut sent, rounds) = (0, 10);
        for round in 0..rounds {
            let changed = || (0..100_u32).map(|i| key(round * 1_000 + i));
            changed().for_each(|key| theirs.replace(&key, &siblings(1), &siblings(2), 1));
            sent += compare(&ours, &theirs).0;
            changed().for_each(|key| theirs.replace(&key, &siblings(2), &siblings(1), 1));
        }
        let mean = sent / rounds as usize;
        assert!((3_117..=3_243).contains(&mean), "{mean} is not within 2 % of 3180");
        assert_eq!(compare(&ours, &theirs), (1, BTreeSet::new()), "equal trees exchange their roots only");
    }

    #[test]
    fn nodes_that_do_not_exist_are_refused() {
        assert_eq!(TreeNode::new(0, 1), None);
        assert_eq!(TreeNode::new(5, 0), None);
        assert_eq!(TreeNode::new(4, 65_535).unwrap().leaf(), Some(Leaf(65_535)));
        assert_eq!(TreeNode::ROOT.leaves(), 0..=65_535);
    }
}
