//! What is kept beside the records: the cluster's state; and what becomes of a directory that is not what it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cartwheel_core::id::NodeId;
use cartwheel_core::membership::Cluster;
use cartwheel_core::ring::Ring;
use cartwheel_core::storage::{StorageError, StorageOp};
use cartwheel_store::{OpenError, Opened, Store};
use tempfile::TempDir;

use crate::support::{PARTITIONS, Running, identity, key, open, put, start};

pub fn cluster(members: u64) -> Cluster {
    let members: Vec<NodeId> = (1..=members).map(NodeId).collect();
    let ring = Ring::new(&members, PARTITIONS, 3).expect("a ring");
    Cluster::founded(&members, ring, 3, &[].into())
}

pub fn save(cluster: Cluster) -> StorageOp {
    StorageOp::SaveCluster { cluster: Arc::new(cluster) }
}

fn file(dir: &Path) -> PathBuf {
    dir.join("cluster")
}

#[test]
fn the_last_state_that_was_saved_is_there_at_the_next_start() {
    let dir = TempDir::new().expect("a directory");
    assert_eq!(open(dir.path()).cluster, None);
    let store = start(dir.path());
    store.keep(save(cluster(3))).expect("kept");
    store.keep(save(cluster(4))).expect("kept");
    drop(store);
    assert_eq!(open(dir.path()).cluster, Some(cluster(4)));
}

#[test]
fn a_damaged_state_is_as_if_there_were_none_and_the_node_starts() {
    let dir = TempDir::new().expect("a directory");
    start(dir.path()).keep(save(cluster(3))).expect("kept");
    let good = fs::read(file(dir.path())).expect("a file");
    for bit in (0..good.len() * 8).step_by(7).filter(|bit| bit / 8 > 0) {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        fs::write(file(dir.path()), bad).expect("written");
        assert_eq!(open(dir.path()).cluster, None, "bit {bit}");
    }
    for len in [0, 1, 4, good.len() - 1] {
        fs::write(file(dir.path()), &good[..len]).expect("written");
        assert_eq!(open(dir.path()).cluster, None, "cut to {len} bytes");
    }
    let store = start(dir.path());
    store.keep(save(cluster(5))).expect("kept");
    drop(store);
    assert_eq!(open(dir.path()).cluster, Some(cluster(5)));
}

#[test]
fn a_state_of_a_later_release_is_not_written_over() {
    let dir = TempDir::new().expect("a directory");
    start(dir.path()).keep(save(cluster(3))).expect("kept");
    fs::write(file(dir.path()), b"\x02whatever").expect("written");
    let refused = Store::open(dir.path(), &identity()).map(|_| ());
    assert!(matches!(refused, Err(OpenError::NewerFormat { found: 2, known: 1, .. })), "{refused:?}");
}

#[test]
fn a_store_that_failed_keeps_nothing_more() {
    let dir = TempDir::new().expect("a directory");
    let opened = open(dir.path());
    let faults = opened.faults();
    let store = Running::start(opened);
    store.keep(save(cluster(3))).expect("kept");
    faults.fail_syncs();
    store.submit(StorageOp::Apply { key: key("alice"), update: put(1, "milk") });
    // Applied, and the failure of its sync.
    store.receive();
    store.receive();
    assert_eq!(store.keep(save(cluster(4))), Err(StorageError::Failed));
    drop(store);
    assert_eq!(open(dir.path()).cluster, Some(cluster(3)));
}

/// It would pass for a store that knows everything since.
#[test]
fn a_store_that_lost_its_data_does_not_know_the_cluster_either() {
    for loses in ["engine", "boot"] {
        let dir = TempDir::new().expect("a directory");
        start(dir.path()).keep(save(cluster(3))).expect("kept");
        let path = dir.path().join(loses);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("removed");
        assert_eq!(open(dir.path()).cluster, None, "{loses}");
        assert_eq!(open(dir.path()).cluster, None, "{loses}, and it stays so");
    }
}

/// As after a crash between the steps in which a store becomes another one, or when files are mixed up.
#[test]
fn a_directory_of_two_stores_is_neither() {
    for name in ["identity", "boot"] {
        let (one, other) = (TempDir::new().expect("a directory"), TempDir::new().expect("a directory"));
        let known = [&one, &other].map(|dir| {
            start(dir.path()).close();
            let opened = open(dir.path());
            opened.store
        });
        fs::copy(other.path().join(name), one.path().join(name)).expect("copied");
        let reborn = open(one.path()).store;
        assert!(!known.contains(&reborn), "{name}");
        assert_eq!(open(one.path()).store, reborn, "and stays what it has become");
    }
}

#[test]
fn what_is_set_aside_is_kept_and_the_next_start_is_a_first_one() {
    let parent = TempDir::new().expect("a directory");
    let dir = parent.path().join("data");
    let mut stores = Vec::new();
    for number in 1..=2 {
        let store = start(&dir);
        assert!(!store.read(&key("alice")).expect("readable").is_found());
        store.apply(&key("alice"), put(1, "milk")).unwrap().unwrap();
        store.close();
        let aside = Store::set_aside(&dir).expect("renamed");
        assert_eq!(aside, parent.path().join(format!("data.old-{number}")));
        let old = open(&aside);
        stores.push(old.store);
        assert_eq!((old.number, open_again(old, &aside)), (2, true));
    }
    stores.dedup();
    assert_eq!(stores.len(), 2, "each is a store of its own");
}

fn open_again(opened: Opened, dir: &Path) -> bool {
    drop(opened);
    Running::start(open(dir)).read(&key("alice")).expect("readable").is_found()
}
