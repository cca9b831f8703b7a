//! The hash trees equal what is stored, whatever happened.

use cartwheel_core::Key;
use cartwheel_core::anti_entropy::{Leaf, MerkleTree, TreeHash, TreeNode};
use cartwheel_core::id::NodeId;
use cartwheel_core::replica::{Settled, Update};
use cartwheel_core::ring::Partition;
use cartwheel_core::storage::{StorageCompletion, StorageOp};
use cartwheel_core::version::{Digest, Siblings};
use tempfile::TempDir;

use crate::support::{PARTITIONS, Running, key, put, put_owed, start};

const HOME: NodeId = NodeId(9);

impl Running {
    fn root(&self, partition: Partition) -> TreeHash {
        self.submit(StorageOp::TreeHashes { partition, nodes: vec![TreeNode::ROOT] });
        match self.receive().as_slice() {
            [StorageCompletion::TreeHashes { result: Ok(hashes), .. }] => hashes[0],
            other => panic!("unexpected {other:?}"),
        }
    }

    pub fn roots(&self) -> Vec<TreeHash> {
        (0..PARTITIONS).map(|partition| self.root(Partition(partition))).collect()
    }

    fn leaf(&self, partition: Partition, leaf: Leaf) -> Vec<(Key, Digest)> {
        self.submit(StorageOp::LeafKeys { partition, leaves: vec![leaf] });
        match self.receive().as_slice() {
            [StorageCompletion::LeafKeys { result: Ok(keys), .. }] => keys.clone(),
            other => panic!("unexpected {other:?}"),
        }
    }

    /// The roots of trees built from what reads show.
    fn expected(&self, keys: &[Key]) -> Vec<TreeHash> {
        let mut trees = vec![MerkleTree::default(); PARTITIONS as usize];
        for key in keys {
            let held = self.read(key).expect("readable");
            let tree = &mut trees[key.token().partition(PARTITIONS).index()];
            tree.replace(key, &Siblings::default(), &held, PARTITIONS);
        }
        trees.iter().map(|tree| tree.hash(TreeNode::ROOT)).collect()
    }
}

fn keys() -> Vec<Key> {
    (0..50).map(|n| key(&n.to_string())).collect()
}

fn filled(dir: &TempDir) -> Running {
    let store = start(dir.path());
    for (n, key) in (0..).zip(keys()) {
        store.apply(&key, put(2 * n, "milk")).unwrap().unwrap();
        store.apply(&key, put(2 * n + 1, "bread")).unwrap().unwrap();
    }
    store
}

#[test]
fn trees_follow_what_is_stored_and_survive_a_crash() {
    let dir = TempDir::new().expect("a directory");
    let store = filled(&dir);
    let roots = store.roots();
    assert_eq!(roots, store.expected(&keys()));
    assert!(roots.iter().any(|root| *root != TreeHash::default()));
    drop(store);
    let store = start(dir.path());
    assert_eq!(store.roots(), roots, "built again from the records");
}

#[test]
fn a_record_that_is_dropped_leaves_its_tree() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let empty = store.roots();
    let change = store.apply(&key("alice"), put_owed(1, "milk", Some(HOME))).unwrap().unwrap();
    assert_ne!(store.roots(), empty);
    let delivered = change.siblings.digest();
    let settle = Update::Settle { home: HOME, delivered, settled: Settled::DropRecord };
    store.apply(&key("alice"), settle).unwrap().unwrap();
    assert_eq!(store.roots(), empty);
}

#[test]
fn the_first_and_the_last_leaf_of_the_ring_are_scanned() {
    let dir = TempDir::new().expect("a directory");
    let ends = [key("266333"), key("114156")];
    let places =
        ends.each_ref().map(|key| (key.token().partition(PARTITIONS), Leaf::of(key.token(), PARTITIONS)));
    assert_eq!(places, [(Partition(0), Leaf(0)), (Partition(PARTITIONS - 1), Leaf(u16::MAX))]);
    let store = start(dir.path());
    ends.iter().zip(1..).for_each(|(key, n)| drop(store.apply(key, put(n, "milk")).unwrap().unwrap()));
    drop(store);
    let store = start(dir.path());
    assert_eq!(store.roots(), store.expected(&ends));
    for (key, (partition, leaf)) in ends.iter().zip(places) {
        assert_eq!(store.leaf(partition, leaf)[0].0, *key);
    }
}

#[test]
fn a_partition_that_the_ring_does_not_have_has_no_tree() {
    let dir = TempDir::new().expect("a directory");
    let store = filled(&dir);
    let partition = Partition(PARTITIONS);
    store.submit(StorageOp::TreeHashes { partition, nodes: vec![TreeNode::ROOT] });
    assert!(matches!(store.receive()[0], StorageCompletion::TreeHashes { result: Err(_), .. }));
    store.submit(StorageOp::LeafKeys { partition, leaves: vec![Leaf(0)] });
    assert!(matches!(store.receive()[0], StorageCompletion::LeafKeys { result: Err(_), .. }));
}

#[test]
fn a_leaf_lists_its_keys_and_no_others() {
    let dir = TempDir::new().expect("a directory");
    let store = filled(&dir);
    for key in keys() {
        let (partition, leaf) = (key.token().partition(PARTITIONS), Leaf::of(key.token(), PARTITIONS));
        let mut same: Vec<(Key, Digest)> = keys()
            .into_iter()
            .filter(|other| {
                other.token().partition(PARTITIONS) == partition
                    && Leaf::of(other.token(), PARTITIONS) == leaf
            })
            .map(|other| {
                let digest = store.read(&other).expect("readable").digest();
                (other, digest)
            })
            .collect();
        same.sort();
        assert_eq!(store.leaf(partition, leaf), same);
    }
}
