//! The tombstone index says exactly which records hold nothing but tombstones and are owed to nobody.

use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::replica::{Settled, Update};
use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use tempfile::TempDir;

use crate::support::{Running, delete, key, put, start};

const HOME: NodeId = NodeId(9);

/// Writes `key` and deletes it again.
fn bury(store: &Running, key: &Key, request: u64, owed: Option<NodeId>) {
    let seen = store.apply(key, put(request, "milk")).unwrap().unwrap().siblings;
    store.apply(key, delete(request + 1, &seen, owed)).unwrap().unwrap();
}

#[test]
fn tombstones_are_found_and_nothing_else() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let mut graves: Vec<Key> = (0..10).map(|n| key(&n.to_string())).collect();
    for (n, grave) in (0..).zip(&graves) {
        bury(&store, grave, 1 + 2 * n, None);
    }
    graves.sort();
    store.apply(&key("alive"), put(100, "milk")).unwrap().unwrap();
    assert_eq!(store.tombstones(), graves);

    // A write that had not seen the delete.
    store.apply(&graves[0], put(101, "bread")).unwrap().unwrap();
    assert_eq!(store.tombstones(), graves[1..]);
    let held = store.read(&graves[1]).expect("readable").digest();
    store.apply(&graves[1], Update::Drop { held }).unwrap().unwrap();
    assert_eq!(store.tombstones(), graves[2..]);
    drop(store);
    assert_eq!(start(dir.path()).tombstones(), graves[2..], "exact after a crash");
}

#[test]
fn a_tombstone_that_is_owed_waits_until_it_is_not() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    bury(&store, &key("alice"), 1, Some(HOME));
    assert_eq!(store.tombstones(), []);
    let delivered = store.read(&key("alice")).expect("readable").digest();
    let settle = Update::Settle { home: HOME, delivered, settled: Settled::KeepRecord };
    store.apply(&key("alice"), settle).unwrap().unwrap();
    assert_eq!(store.tombstones(), [key("alice")]);
    store.apply(&key("alice"), Update::Owe { home: HOME }).unwrap().unwrap();
    assert_eq!(store.tombstones(), []);
}

#[test]
fn a_directory_of_a_release_without_the_index_gets_it() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    bury(&store, &key("alice"), 1, None);
    bury(&store, &key("bob"), 3, Some(HOME));
    store.apply(&key("carol"), put(5, "milk")).unwrap().unwrap();
    store.close();

    let db = Database::builder(dir.path().join("engine")).open().expect("the engine's directory");
    let meta = db.keyspace("meta", KeyspaceCreateOptions::default).expect("a keyspace");
    meta.remove("tombstones_indexed").expect("removed");
    let index = db.keyspace("tombstones", KeyspaceCreateOptions::default).expect("a keyspace");
    db.delete_keyspace(index).expect("deleted");
    db.persist(PersistMode::SyncAll).expect("synced");
    drop((meta, db));

    assert_eq!(start(dir.path()).tombstones(), [key("alice")]);
    assert_eq!(start(dir.path()).tombstones(), [key("alice")], "built once, kept up since");
}
