//! Media that change what was written: found out, and never written over.

use std::path::Path;

use cartwheel_core::id::NodeId;
use cartwheel_core::storage::StorageError;
use cartwheel_core::version::Policy;
use cartwheel_core::{Key, replica::Update};
use cartwheel_wire::encode_key;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use tempfile::TempDir;

use crate::support::{key, put, put_owed, start, values};

const HOME: NodeId = NodeId(9);

/// Reaches past the store into its engine.
fn tamper(dir: &Path, with: impl FnOnce(&Keyspace)) {
    let db = Database::builder(dir.join("engine")).open().expect("the engine's directory");
    let records = db.keyspace("records", KeyspaceCreateOptions::default).expect("a keyspace");
    with(&records);
    db.persist(PersistMode::SyncAll).expect("synced");
}

fn stored(records: &Keyspace, key: &Key) -> Vec<u8> {
    records.get(encode_key(key)).expect("readable").expect("stored").to_vec()
}

/// A directory with two carts, alice's owed to [`HOME`] like bob's.
fn two_carts() -> TempDir {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    store.apply(&key("alice"), put_owed(1, "milk", Some(HOME))).expect("stored").expect("applied");
    store.apply(&key("bob"), put_owed(2, "bread", Some(HOME))).expect("stored").expect("applied");
    store.close();
    dir
}

#[test]
fn a_corrupt_record_reads_as_corrupt_and_is_not_written_over() {
    let dir = two_carts();
    let mut garbage = Vec::new();
    tamper(dir.path(), |records| {
        garbage = stored(records, &key("alice"));
        let last = garbage.len() - 1;
        garbage[last] ^= 0x10;
        records.insert(&encode_key(&key("alice"))[..], &garbage[..]).expect("written");
    });
    let store = start(dir.path());
    assert_eq!(store.read(&key("alice")), Err(StorageError::Corrupt));
    let siblings = store.read(&key("bob")).expect("untouched");
    let merge = Update::Merge { siblings, owed: None, policy: Policy::KeepSiblings };
    assert_eq!(store.apply(&key("alice"), merge), Err(StorageError::Corrupt));
    assert_eq!(store.apply(&key("alice"), put(3, "eggs")), Err(StorageError::Corrupt));
    assert_eq!(store.keys_owed_to(HOME), [key("bob")], "the other hint is still delivered");
    store.close();
    tamper(dir.path(), |records| assert_eq!(stored(records, &key("alice")), garbage));
}

#[test]
fn a_corrupt_record_is_replaced_by_what_the_other_homes_hold_and_by_nothing_else() {
    for found in [None, Some("eggs")] {
        let dir = two_carts();
        tamper(dir.path(), |records| {
            let mut garbage = stored(records, &key("alice"));
            garbage[20] ^= 0x01;
            records.insert(&encode_key(&key("alice"))[..], &garbage[..]).expect("written");
        });
        let store = start(dir.path());
        let siblings = found.map(|value| {
            let elsewhere = start(TempDir::new().expect("a directory").path());
            elsewhere.apply(&key("alice"), put(7, value)).expect("stored").expect("applied").siblings
        });
        let update = Update::Salvage { siblings: siblings.unwrap_or_default(), policy: Policy::KeepSiblings };
        store.apply(&key("alice"), update).expect("stored").expect("applied");
        let held = store.read(&key("alice")).expect("readable again");
        assert_eq!(values(&held), found.into_iter().collect::<Vec<_>>());
        assert_eq!(store.keys_owed_to(HOME), [key("bob")], "its hint went with it");
        let planted = store.roots();
        store.close();
        assert_eq!(start(dir.path()).roots(), planted, "the tree is that of what is stored");
    }
}

#[test]
fn a_record_under_the_wrong_key_is_found_out() {
    let dir = two_carts();
    tamper(dir.path(), |records| {
        let bobs = stored(records, &key("bob"));
        records.insert(&encode_key(&key("alice"))[..], bobs).expect("written");
    });
    let store = start(dir.path());
    assert_eq!(store.read(&key("alice")), Err(StorageError::Corrupt));
    assert_eq!(values(&store.read(&key("bob")).expect("untouched")), ["bread"]);
}
