//! Pages of a partition: what belongs elsewhere is found, whatever partition it is of.

use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::replica::Update;
use cartwheel_core::ring::Partition;
use cartwheel_core::storage::{Name, StorageCompletion, StorageError, StorageOp};
use tempfile::TempDir;

use crate::support::{PARTITIONS, Running, key, put, put_owed, start};

const HOME: NodeId = NodeId(9);

fn keys(count: u64) -> Vec<Key> {
    (0..count).map(|n| key(&n.to_string())).collect()
}

fn filled(dir: &TempDir, value: &str) -> Running {
    let store = start(dir.path());
    for (n, key) in (1..).zip(keys(40)) {
        store.apply(&key, put(n, value)).unwrap().unwrap();
    }
    store
}

fn scan(partition: u32) -> impl Fn(Option<Key>, u32) -> StorageOp {
    move |after, limit| StorageOp::ScanPartition { partition: Partition(partition), after, limit }
}

#[test]
fn the_pages_of_all_partitions_are_everything_in_key_order() {
    let dir = TempDir::new().expect("a directory");
    let store = filled(&dir, "milk");
    let mut all = Vec::new();
    for partition in 0..PARTITIONS {
        let (keys, pages) = store.paged(3, scan(partition));
        assert!(keys.iter().all(|key| key.token().partition(PARTITIONS) == Partition(partition)));
        assert_eq!(pages, keys.len().div_ceil(3).max(1), "no page for nothing");
        all.extend(keys);
    }
    let mut expected = keys(40);
    expected.sort();
    assert_eq!(all, expected);
}

#[test]
fn the_partitions_that_hold_anything_are_listed() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let occupied = || {
        store.submit(StorageOp::Occupied);
        match &store.receive()[..] {
            [StorageCompletion::Occupied { result, .. }] => result.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(occupied(), Ok(vec![]));
    let mut expected: Vec<Partition> = Vec::new();
    for (n, key) in (1..).zip(keys(5)) {
        store.apply(&key, put(n, "milk")).unwrap().unwrap();
        expected.push(key.token().partition(PARTITIONS));
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(occupied().as_ref(), Ok(&expected));
    }
    assert!(expected.len() > 1, "the keys are spread");
}

#[test]
fn a_page_is_bounded_in_bytes_and_has_at_least_one_record() {
    let dir = TempDir::new().expect("a directory");
    let store = filled(&dir, &"x".repeat(700 << 10));
    for partition in 0..PARTITIONS {
        let page = store.page(scan(partition)(None, 100));
        assert!((1..=2).contains(&page.records.len()), "{} of 700 KiB", page.records.len());
    }
    drop(store);
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let large = key("large");
    store.apply(&large, put(1, &"x".repeat(3 << 20))).unwrap().unwrap();
    let page = store.page(scan(large.token().partition(PARTITIONS).0)(None, 100));
    assert_eq!((page.records.len(), page.next), (1, None));
}

#[test]
fn what_somebody_is_owed_is_in_no_page() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let owed = key("owed");
    store.apply(&owed, put_owed(1, "milk", Some(HOME))).unwrap().unwrap();
    let partition = owed.token().partition(PARTITIONS).0;
    assert_eq!(store.paged(10, scan(partition)), (vec![], 1));
    store.apply(&owed, Update::Redirect { home: HOME, to: vec![] }).unwrap().unwrap();
    assert_eq!(store.paged(10, scan(partition)).0, [owed]);
}

#[test]
fn a_record_that_all_homes_hold_is_dropped_durably() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let stray = key("stray");
    let held = store.apply(&stray, put(1, "milk")).unwrap().unwrap().siblings.digest();
    store.apply(&stray, Update::Drop { held }).unwrap().unwrap();
    drop(store);
    let store = start(dir.path());
    assert_eq!(store.paged(10, scan(stray.token().partition(PARTITIONS).0)).0, []);
}

#[test]
fn a_partition_that_the_ring_does_not_have_is_an_error() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let answer = store.ask(scan(PARTITIONS)(None, 1));
    assert!(
        matches!(answer, StorageCompletion::Page { result: Err(StorageError::Failed), .. }),
        "{answer:?}"
    );
}

#[test]
fn names_say_what_is_held_and_whether_it_is_owed() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let held = store.apply(&key("held"), put(1, "milk")).unwrap().unwrap().siblings.digest();
    let owed = store.apply(&key("owed"), put_owed(2, "milk", Some(HOME))).unwrap().unwrap().siblings.digest();
    let keys = vec![key("owed"), key("nothing"), key("held")];
    let StorageCompletion::Names { result, .. } = store.ask(StorageOp::Names { keys }) else {
        panic!("no names")
    };
    let name = |digest, is_owed| Name { digest, is_owed };
    assert_eq!(result, Ok(vec![name(Some(owed), true), name(None, false), name(Some(held), false)]));
}

#[test]
fn holdings_count_what_is_held_of_each_partition() {
    let dir = TempDir::new().expect("a directory");
    let store = filled(&dir, "milk");
    store.apply(&key("owed"), put_owed(99, "milk", Some(HOME))).unwrap().unwrap();
    let handle = store.into_handle();
    let inspector = handle.inspector();
    let holdings = inspector.holdings().expect("readable");
    assert_eq!(holdings.len(), PARTITIONS as usize);
    assert_eq!(
        holdings.iter().map(|it| (it.records, it.owed, it.bytes)).fold((0, 0, 0), |a, b| (
            a.0 + b.0,
            a.1 + b.1,
            a.2 + b.2
        )),
        (41, 1, 164)
    );
    handle.close().expect("a clean stop");
    assert_eq!(inspector.holdings(), Err(StorageError::Failed), "it keeps the store from nothing");
}
