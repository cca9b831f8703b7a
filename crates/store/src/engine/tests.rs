//! What a damaged file does, close to the engine.

use std::fs;
use std::path::PathBuf;

use cartwheel_core::id::RequestId;
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Actor, Dot, Value, Version, VersionVector};
use tempfile::TempDir;

use super::*;
use crate::backup::BackupError;
use crate::error::BeginError;
use crate::open::Store;
use crate::record::seal;
use crate::salvage::Salvaged;

const PARTITIONS: u32 = 8;
const KEYS: u64 = 4_000;

/// To whom the odd ones of [`owed_or_dead`] are owed.
const HOME: NodeId = NodeId(9);

fn key(n: u64) -> Key {
    Key::new(b"carts", n.to_string().as_bytes())
}

fn record(n: u64) -> Record {
    let actor = Actor { node: NodeId(1), store: StoreId(1), boot: 1, mint: n };
    // Bytes that do not compress, so that the records spread over many blocks.
    let value =
        (0..64_u64).flat_map(|word| (n * 64 + word).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    let siblings = Siblings::from_versions(vec![Version {
        dot: Dot { actor, counter: 1 },
        past: VersionVector::EMPTY,
        request: RequestId(n.into()),
        written_at: WallTime(0),
        value: Value::Data(value.collect::<Vec<u8>>().into()),
    }]);
    Record { siblings, ..Record::default() }
}

/// Every other one is a tombstone, and the others are owed to [`HOME`].
fn owed_or_dead(n: u64) -> Record {
    let mut record = record(n);
    if n % 2 == 1 {
        record.owed = vec![HOME];
        return record;
    }
    let mut versions = record.siblings.versions().to_vec();
    versions[0].value = Value::Tombstone;
    Record { siblings: Siblings::from_versions(versions), ..record }
}

fn fill(engine: &Engine, record: impl Fn(u64) -> Record) {
    for n in 0..KEYS {
        let (key, now) = (key(n), record(n));
        let disk_key = encode_key(&key);
        let sealed = Some(seal(&disk_key, &now).expect("small"));
        let change = RecordChange {
            key: &key,
            disk_key: &disk_key,
            before: None,
            is_damaged: false,
            now: Some(&now),
            sealed,
        };
        engine.commit([change].into_iter()).expect("committed");
    }
    for keyspace in KEYSPACES {
        engine.keyspace(keyspace).rotate_memtable_and_wait().expect("flushed");
    }
    engine.sync().expect("synced");
}

fn largest_file(dir: PathBuf) -> Option<(u64, PathBuf)> {
    let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    let size = |path: PathBuf| Some((path.metadata().expect("metadata").len(), path));
    entries.filter_map(|path| if path.is_dir() { largest_file(path) } else { size(path) }).max()
}

fn identity() -> Identity {
    Identity { cluster: "shop".into(), node: "alpha".into() }
}

/// A directory with [`KEYS`] records, whose largest table of `keyspace` has a bit flipped at each of these places, in
/// hundredths of its length; and whose data it was.
fn damaged(record: impl Fn(u64) -> Record, keyspace: &str, places: &[u64]) -> (TempDir, StoreId) {
    let dir = TempDir::new().expect("a directory");
    let opened = Store::open(dir.path(), &identity()).expect("a fresh directory");
    fill(&opened.engine, record);
    let (store, files) = (opened.store, opened.engine.keyspace(keyspace).path().to_owned());
    drop(opened);
    let (size, table) = largest_file(files).expect("a table");
    let mut bytes = fs::read(&table).expect("readable");
    for place in places {
        bytes[usize::try_from(size * place / 100).expect("small")] ^= 1;
    }
    fs::write(&table, bytes).expect("written");
    (dir, store)
}

/// How many of the keys are there, as they were written.
fn there(engine: &Engine) -> u64 {
    let is_there = |n: &u64| {
        let held = engine.read(&key(*n)).expect("readable");
        held.is_some_and(|held| held == record(*n))
    };
    (0..KEYS).filter(is_there).count() as u64
}

#[test]
fn damaged_blocks_are_found_at_the_start_and_cost_what_was_in_them_and_nothing_else() {
    for places in [&[33][..], &[5, 50, 51, 90]] {
        let (dir, store) = damaged(record, "records", places);
        let opened = Store::open(dir.path(), &identity()).expect("a block within a table is not looked at");
        let begun = opened.start(PARTITIONS, |_| ());
        assert!(matches!(begun, Err(BeginError::Damaged)), "a store that would hide keys is not put to work");
        drop(begun);

        let Salvaged { records, gaps, kept_as } = Store::salvage(dir.path(), &identity()).expect("salvaged");
        assert!((1..=places.len() as u64).contains(&gaps), "{gaps} gaps of {} places", places.len());
        // A block of the engine has a few records; neighbours may go with it.
        let lost = KEYS - records;
        assert!((1..=40 * places.len() as u64).contains(&lost), "{lost} records are lost");
        assert!(kept_as.is_dir());

        let opened = Store::open(dir.path(), &identity()).expect("whole again");
        assert_ne!(opened.store, store, "it must not pass for the store that it was");
        assert!(opened.cluster.is_none(), "it asks the others");
        assert_eq!(there(&opened.engine), records, "what could be read is as it was");
        assert!(opened.start(PARTITIONS, |_| ()).is_ok());
    }
}

/// An index with a gap would hide records that are there: nobody would be given what he is owed, and tombstones would stay.
#[test]
fn a_damaged_index_is_made_anew_of_the_records() {
    for keyspace in ["hints", "tombstones"] {
        let (dir, _) = damaged(owed_or_dead, keyspace, &[33]);
        let Salvaged { records, gaps, .. } = Store::salvage(dir.path(), &identity()).expect("salvaged");
        assert_eq!(records, KEYS);

        let opened = Store::open(dir.path(), &identity()).expect("whole again");
        let engine = &opened.engine;
        let sorted = |odd: u64| {
            let mut keys: Vec<Key> = (0..KEYS).filter(|n| n % 2 == odd).map(key).collect();
            keys.sort();
            keys
        };
        let owed = engine.scan_hints(HOME, None, u32::MAX).expect("readable");
        assert!(owed.into_iter().map(|(key, _)| key).eq(sorted(1)), "{keyspace}");
        let totals: u64 = opened.owed.iter().map(|(_, total)| total.keys).sum();
        assert_eq!(totals, KEYS / 2, "{keyspace}");
        let dead = engine.scan_tombstones(None, u32::MAX).expect("readable").records;
        assert!(dead.into_iter().map(|(key, _)| key).eq(sorted(0)), "{keyspace}");
        assert_eq!(gaps, 0, "what was in {keyspace} is all there");
    }
}

#[test]
fn a_damaged_block_that_is_read_fences_the_store() {
    let (dir, _) = damaged(record, "records", &[33]);
    let opened = Store::open(dir.path(), &identity()).expect("a block within a table is not looked at");
    let engine = &opened.engine;
    let found = (0..KEYS).find(|n| engine.read(&key(*n)).is_err());
    assert!(found.is_some() && engine.is_damaged() && engine.is_fenced());
}

/// What is in `dir`, by name.
fn names(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).expect("a directory");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_backup_leaves_more_room_than_writes_need_and_nothing_behind_when_it_fails() {
    let (dir, backups) = (TempDir::new().expect("a directory"), TempDir::new().expect("a directory"));
    let opened = Store::open(dir.path(), &identity()).expect("a fresh directory");
    let to = backups.path().join("monday");
    opened.keep_free(u64::MAX);
    let refused = opened.engine.back_up(&to);
    assert!(matches!(refused, Err(BackupError::NoRoom { free_min: u64::MAX, .. })), "{refused:?}");
    assert_eq!(names(&backups), [""; 0]);
    opened.keep_free(1);
    opened.engine.back_up(&to).expect("there is room");
    assert_eq!(names(&backups), ["monday"]);
}

#[test]
fn a_backup_of_what_cannot_be_read_leaves_nothing_behind() {
    let (dir, _) = damaged(record, "records", &[33]);
    let backups = TempDir::new().expect("a directory");
    let opened = Store::open(dir.path(), &identity()).expect("a block within a table is not looked at");
    let refused = opened.engine.back_up(&backups.path().join("monday"));
    assert!(matches!(refused, Err(BackupError::Engine { .. })), "{refused:?}");
    assert_eq!(names(&backups), [""; 0]);
}

#[test]
fn no_backup_has_the_name_of_one_that_is_being_made() {
    let (dir, backups) = (TempDir::new().expect("a directory"), TempDir::new().expect("a directory"));
    let opened = Store::open(dir.path(), &identity()).expect("a fresh directory");
    // Made, it would be in the way of the next backup `monday`, which would remove it.
    let refused = opened.engine.back_up(&backups.path().join("monday.partial"));
    assert!(matches!(refused, Err(BackupError::Name { .. })), "{refused:?}");
    assert_eq!(names(&backups), [""; 0]);
    opened.engine.back_up(&backups.path().join("partial")).expect("another name");
}
