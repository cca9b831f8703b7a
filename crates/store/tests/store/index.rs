//! The index says exactly what the records say: the law is [`Scan::of`], a pure function of everything that is stored.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::coverage::{Entry, Found, Query, Scan, Span};
use cartwheel_core::membership::Bucket;
use cartwheel_core::replica::Update;
use cartwheel_core::ring::Partition;
use cartwheel_core::storage::{StorageCompletion, StorageOp};
use cartwheel_core::version::Siblings;
use cartwheel_store::{Identity, Indexing, OpenError, Opened, Store};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use tempfile::TempDir;

use crate::support::{PARTITIONS, Running, delete, identity, put, put_owed};

/// `field=term` words, separated by blanks, are a value's entries.
fn words(value: &Bytes) -> Vec<(Bytes, Bytes)> {
    let text = String::from_utf8_lossy(value).into_owned();
    let entries = text.split(' ').filter_map(|word| word.split_once('='));
    entries.map(|(field, term)| (field.to_owned().into(), term.to_owned().into())).collect()
}

fn indexing(version: u32) -> Indexing {
    Indexing { version, indexer: words }
}

fn open_with(dir: &Path, indexing: Indexing) -> Opened {
    let identity: Identity = identity();
    loop {
        match Store::open_indexed(dir, &identity, indexing) {
            // Another test forks: until its child executes another program, that holds our lock, too.
            Err(OpenError::InUse { .. }) => std::thread::yield_now(),
            opened => return opened.expect("our own directory"),
        }
    }
}

fn start(dir: &Path) -> Running {
    Running::start(open_with(dir, indexing(1)))
}

fn typed(bucket: &str, key: &str) -> Key {
    Key::typed(b"t", bucket.as_bytes(), key.as_bytes())
}

fn bucket(name: &str) -> Bucket {
    Bucket { bucket_type: b"t".to_vec(), name: name.into() }
}

fn span(from: &str, to: Option<&str>) -> Span {
    Span { from: Bytes::copy_from_slice(from.as_bytes()), to: to.map(|to| to.to_owned().into()) }
}

fn queries() -> Vec<Query> {
    let index = |name: &str, from: &str, to: Option<&str>| Query::Index {
        bucket: bucket(name),
        field: "f".into(),
        span: span(from, to),
    };
    let keys =
        |name: &str, from: &str, to: Option<&str>| Query::Keys { bucket: bucket(name), span: span(from, to) };
    vec![
        Query::Buckets { bucket_type: "t".into() },
        Query::Buckets { bucket_type: "default".into() },
        keys("b", "", None),
        keys("b", "3", Some("7")),
        keys("b\0", "", None),
        keys("nothing", "", None),
        index("b", "", None),
        index("b", "1", Some("1")),
        index("b", "1", Some("2")),
        index("b\0", "2", None),
    ]
}

fn ask(store: &Running, scan: Scan) -> Found {
    match store.ask(StorageOp::Scan { scan: Box::new(scan) }) {
        StorageCompletion::Found { result, .. } => result.expect("readable"),
        other => panic!("unexpected {other:?}"),
    }
}

/// All pages.
fn listed(store: &Running, query: &Query, partitions: &[Partition], limit: u32) -> Vec<Entry> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let scan = Scan { query: query.clone(), partitions: partitions.into(), after, limit };
        let Found { entries, next } = ask(store, scan);
        assert!(entries.len() <= limit as usize);
        all.extend(entries);
        after = next;
        if after.is_none() {
            return all;
        }
    }
}

fn expected(records: &BTreeMap<Key, Siblings>, query: &Query, partitions: &[Partition]) -> Vec<Entry> {
    let scan = Scan { query: query.clone(), partitions: partitions.into(), after: None, limit: 1_000 };
    let found = scan.of(records.iter(), PARTITIONS, words);
    assert_eq!(found.next, None, "few enough");
    found.entries
}

fn judge(store: &Running, records: &BTreeMap<Key, Siblings>) {
    let all: Vec<Partition> = (0..PARTITIONS).map(Partition).collect();
    for partitions in [&all[..], &all[2..5], &all[7..]] {
        for query in queries() {
            for limit in [1, 3, 1_000] {
                let wanted = expected(records, &query, partitions);
                let got = listed(store, &query, partitions, limit);
                assert_eq!(got, wanted, "{query:?} of {partitions:?} by {limit}");
            }
        }
    }
}

/// Writes, overwrites, siblings, deletes and drops: as many buckets and keys as it takes for names to begin like others.
fn churn(store: &Running, records: &mut BTreeMap<Key, Siblings>, from: u64, steps: u64) {
    let buckets = ["b", "b\0", "bb", "c"];
    for step in from..from + steps {
        let luck = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let key = typed(buckets[(luck % 4) as usize], &(luck / 4 % 9).to_string());
        let held = records.get(&key).cloned().unwrap_or_default();
        let update = match luck / 64 % 6 {
            0 => delete(step, &held, None),
            1 => Update::Drop { held: held.digest() },
            2 => put_owed(step, "f=1 g=1", Some(cartwheel_core::id::NodeId(9))),
            _ => put(step, &format!("f={} f={} g=2 plain", luck % 3, luck / 7 % 30)),
        };
        if let Ok(change) = store.apply(&key, update.clone()).expect("applied") {
            records.insert(
                key,
                if let Update::Drop { .. } = update { Siblings::default() } else { change.siblings },
            );
        }
    }
}

#[test]
fn the_index_says_what_the_records_say_whatever_happened_to_them() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let mut records = BTreeMap::new();
    for round in 0..4 {
        churn(&store, &mut records, 1 + round * 100, 100);
        judge(&store, &records);
    }
    drop(store);
    judge(&start(dir.path()), &records);
}

fn keyspaces(dir: &Path) -> (Database, Keyspace, Keyspace) {
    let db = Database::builder(dir.join("engine")).open().expect("the engine's directory");
    let keyspace = |name| db.keyspace(name, KeyspaceCreateOptions::default).expect("a keyspace");
    let (meta, index) = (keyspace("meta"), keyspace("index"));
    (db, meta, index)
}

#[test]
fn a_directory_of_a_release_without_the_index_gets_it() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let mut records = BTreeMap::new();
    churn(&store, &mut records, 1, 100);
    store.close();
    let (db, meta, index) = keyspaces(dir.path());
    meta.remove("index").expect("removed");
    db.delete_keyspace(index).expect("deleted");
    db.persist(PersistMode::SyncAll).expect("synced");
    drop((meta, db));
    let store = start(dir.path());
    judge(&store, &records);
    churn(&store, &mut records, 101, 50);
    judge(&store, &records);
}

#[test]
fn what_a_release_wrote_that_knew_of_no_index_is_indexed() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let mut records = BTreeMap::new();
    churn(&store, &mut records, 1, 50);
    let (_, meta, index) = {
        store.close();
        keyspaces(dir.path())
    };
    // As it was 50 commits ago.
    let marker = meta.get("index").expect("readable").expect("there");
    let entries: Vec<_> = index.iter().map(|entry| entry.key().expect("readable")).collect();
    drop((meta, index));
    let store = start(dir.path());
    churn(&store, &mut records, 51, 50);
    store.close();
    let (db, meta, index) = keyspaces(dir.path());
    index.clear().expect("cleared");
    entries.into_iter().for_each(|entry| index.insert(entry, []).expect("inserted"));
    meta.insert("index", marker).expect("inserted");
    db.persist(PersistMode::SyncAll).expect("synced");
    drop((meta, index, db));
    judge(&start(dir.path()), &records);
}

#[test]
fn another_indexer_indexes_anew() {
    let dir = TempDir::new().expect("a directory");
    let store = Running::start(open_with(dir.path(), Indexing::default()));
    let mut records = BTreeMap::new();
    churn(&store, &mut records, 1, 100);
    let all: Vec<Partition> = (0..PARTITIONS).map(Partition).collect();
    let query = &queries()[6];
    assert_eq!(listed(&store, query, &all, 10), [], "nobody told what values mean");
    assert_ne!(listed(&store, &queries()[2], &all, 10), [], "keys are listed all the same");
    store.close();
    judge(&start(dir.path()), &records);
}

#[test]
fn a_record_that_was_mended_has_the_entries_that_it_has_now_and_no_others() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let key = typed("b", "1");
    let mut records = BTreeMap::new();
    store.apply(&key, put(1, "f=1 f=2")).unwrap().unwrap();
    let other = store.apply(&typed("b", "2"), put(2, "f=1")).unwrap().unwrap().siblings;
    store.close();
    {
        let db = Database::builder(dir.path().join("engine")).open().expect("the engine's directory");
        let stored = db.keyspace("records", KeyspaceCreateOptions::default).expect("a keyspace");
        let disk_key = cartwheel_wire::encode_key(&key);
        let mut sealed = stored.get(&disk_key).expect("readable").expect("there").to_vec();
        *sealed.last_mut().expect("not empty") ^= 1;
        stored.insert(&disk_key[..], sealed).expect("inserted");
        db.persist(PersistMode::SyncAll).expect("synced");
    }
    let store = start(dir.path());
    assert!(store.read(&key).is_err());
    let elsewhere = TempDir::new().expect("a directory");
    let copy = start(elsewhere.path()).apply(&key, put(3, "f=2 f=3")).unwrap().unwrap().siblings;
    let mend =
        Update::Salvage { siblings: copy.clone(), policy: cartwheel_core::version::Policy::KeepSiblings };
    store.apply(&key, mend).unwrap().unwrap();
    records.extend([(key, copy), (typed("b", "2"), other)]);
    judge(&store, &records);
}

#[test]
fn looking_for_few_partitions_among_many_keys_takes_several_pages() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let mut records = BTreeMap::new();
    for number in 0..2_000_u64 {
        let key = typed("b", &format!("{number:05}"));
        let change = store.apply(&key, put(1 + number, "f=1")).unwrap().unwrap();
        records.insert(key, change.siblings);
    }
    for partition in (0..PARTITIONS).map(Partition) {
        for query in queries() {
            assert_eq!(listed(&store, &query, &[partition], 100), expected(&records, &query, &[partition]));
        }
    }
}
