//! The storage engine: five keyspaces of one fjall database.
//!
//! - `records`: disk key (token, bucket type, bucket, key) -> sealed record. A partition is one range.
//! - `hints`: home node, 8 big-endian bytes, then disk key -> nothing. An index of `record.owed`, changed in the same
//!   batch as the record, so that it is exact after any crash.
//! - `tombstones`: disk key -> nothing. An index of the records that hold nothing but tombstones and are owed to nobody,
//!   changed in the same batch, too.
//! - `index`: bucket type, bucket, index, term, key -> nothing ([`cartwheel_wire::IndexKey`]). The keys of each bucket, and
//!   the index entries of their values, changed in the same batch, too.
//! - `meta`: whose data this is, and how many commits were made.
//!
//! Few keyspaces on purpose: each has its own tree, memory and files.

mod index;
mod scan;
mod tombstones;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cartwheel_core::Key;
use cartwheel_core::anti_entropy::{Leaf, TreeHash, TreeNode};
use cartwheel_core::id::{NodeId, StoreId};
use cartwheel_core::replica::Record;
use cartwheel_core::ring::{Partition, Token};
use cartwheel_core::storage::StorageError;
use cartwheel_core::version::Siblings;
use cartwheel_wire::{decode_key, encode_key, key_fits};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};

use crate::error::OpenError;
use crate::fault::Faults;
use crate::identity::Identity;
use crate::lock::DirectoryLock;
use crate::record::unseal;
use crate::room::Room;
use crate::state_file::{TEMPORARY, sync_directory};
use crate::trees::{Replaced, Trees};

pub use index::{Indexing, MARKER as INDEX_MARKER};
pub use scan::Holding;
pub use tombstones::INDEXED as TOMBSTONES_INDEXED;

/// Block cache, in bytes.
const CACHE_BYTES: u64 = 64 << 20;
/// Memory of one keyspace's unflushed writes, in bytes; a few such may exist while flushing.
const MEMTABLE_BYTES: u64 = 32 << 20;
/// All journals together, in bytes. What is in them is read again at the next start.
const JOURNAL_BYTES_MAX: u64 = 256 << 20;
/// Flushes and compactions. Two, so that a long compaction does not hold up a flush, which would stall writers.
const WORKER_THREADS: usize = 2;

const CLUSTER: &str = "cluster";
const NODE: &str = "node";
const STORE: &str = "store";
const COMMITS: &str = "commits";

pub struct Engine {
    records: Keyspace,
    hints: Keyspace,
    tombstones: Keyspace,
    index: Keyspace,
    indexing: Indexing,
    meta: Keyspace,
    db: Database,
    path: PathBuf,
    commits: AtomicU64,
    fenced: AtomicBool,
    damaged: AtomicBool,
    /// Planted when the threads are started.
    trees: OnceLock<Trees>,
    faults: Faults,
    room: Room,
    /// Last, so that the directory is released after the database has let go of it.
    _lock: DirectoryLock,
}

/// What there is in an engine, by name.
pub const KEYSPACES: [&str; 5] = ["records", "hints", "tombstones", "index", "meta"];

/// Of disk keys.
type DiskRange = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// One record of a batch: what it was and what it becomes.
pub struct RecordChange<'a> {
    pub key: &'a Key,
    pub disk_key: &'a [u8],
    pub before: Option<&'a Record>,
    /// What it was cannot be read.
    pub is_damaged: bool,
    pub now: Option<&'a Record>,
    /// `now`, sealed.
    pub sealed: Option<Vec<u8>>,
}

/// Where the engine's data is within the data directory `dir`.
pub fn directory(dir: &Path) -> PathBuf {
    dir.join("engine")
}

/// Whether there is engine data in `dir`. An engine directory that lost its version marker is neither: fjall would
/// take it for new and write over what is left.
pub fn exists(dir: &Path) -> Result<bool, OpenError> {
    let path = directory(dir);
    let mut entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(OpenError::io("list", path)(error)),
    };
    if path.join("version").exists() {
        return Ok(true);
    }
    if entries.next().is_none() {
        return Ok(false);
    }
    let reason = "it has no version marker; restore it, or remove it to start as a new store".into();
    Err(OpenError::Damaged { path, reason })
}

/// Creates an empty engine, whole or not at all: fjall cannot open what a crash left of its own creation.
pub fn create(dir: &Path, identity: &Identity, store: StoreId) -> Result<(), OpenError> {
    let path = directory(dir);
    let temporary = dir.join(format!("engine{TEMPORARY}"));
    if temporary.exists() {
        fs::remove_dir_all(&temporary).map_err(OpenError::io("remove", &temporary))?;
    }
    initialize(&temporary, identity, store).map_err(OpenError::engine(&temporary))?;
    fs::rename(&temporary, &path).map_err(OpenError::io("create", &path))?;
    sync_directory(dir).map_err(OpenError::io("sync", dir))
}

fn initialize(path: &Path, identity: &Identity, store: StoreId) -> fjall::Result<()> {
    let db = database(path)?;
    let [.., meta] = keyspaces(&db)?;
    meta.insert(CLUSTER, identity.cluster.as_bytes())?;
    meta.insert(NODE, identity.node.as_bytes())?;
    meta.insert(STORE, store.0.to_be_bytes())?;
    meta.insert(COMMITS, 0_u64.to_be_bytes())?;
    meta.insert(tombstones::INDEXED, [])?;
    db.persist(PersistMode::SyncAll)
}

pub fn database(path: &Path) -> fjall::Result<Database> {
    Database::builder(path)
        .cache_size(CACHE_BYTES)
        .max_journaling_size(JOURNAL_BYTES_MAX)
        .worker_threads(WORKER_THREADS)
        .open()
}

pub fn keyspace(db: &Database, name: &str) -> fjall::Result<Keyspace> {
    db.keyspace(name, || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES))
}

/// All [`KEYSPACES`], made where they are missing.
pub fn keyspaces(db: &Database) -> fjall::Result<[Keyspace; 5]> {
    let [records, hints, tombstones, index, meta] = KEYSPACES;
    let of = |name| keyspace(db, name);
    Ok([of(records)?, of(hints)?, of(tombstones)?, of(index)?, of(meta)?])
}

/// A keyspace that is gone must not be taken for an empty one.
fn existing(db: &Database, name: &str) -> fjall::Result<Keyspace> {
    if db.keyspace_exists(name) { keyspace(db, name) } else { Err(fjall::Error::Unrecoverable) }
}

impl Engine {
    /// Opens the engine that [`create`] made in `dir`.
    pub fn open(dir: &Path, lock: DirectoryLock, indexing: Indexing) -> Result<Self, OpenError> {
        let path = directory(dir);
        let mut engine =
            Self::open_database(path.clone(), lock, indexing).map_err(OpenError::engine(&path))?;
        let commits = engine.meta_number(COMMITS)?;
        engine.commits = AtomicU64::new(commits);
        Ok(engine)
    }

    /// Opens an engine to read of it what can be read.
    pub fn open_damaged(dir: &Path, lock: DirectoryLock) -> Result<Self, OpenError> {
        let path = directory(dir);
        let nothing = Indexing::default();
        Self::open_database(path.clone(), lock, nothing).map_err(OpenError::engine(&path))
    }

    fn open_database(path: PathBuf, lock: DirectoryLock, indexing: Indexing) -> fjall::Result<Self> {
        let db = database(&path)?;
        // What a crash left in the page cache is about to be built upon.
        db.persist(PersistMode::SyncAll)?;
        Ok(Self {
            records: existing(&db, "records")?,
            hints: existing(&db, "hints")?,
            // Older releases had none; what it says follows from the records.
            tombstones: keyspace(&db, "tombstones")?,
            index: keyspace(&db, "index")?,
            indexing,
            meta: existing(&db, "meta")?,
            db,
            room: Room::new(path.clone()),
            path,
            commits: AtomicU64::new(0),
            fenced: AtomicBool::new(false),
            damaged: AtomicBool::new(false),
            trees: OnceLock::new(),
            faults: Faults::default(),
            _lock: lock,
        })
    }

    /// Whose data it holds, by its own account.
    pub fn identity(&self) -> Result<(Identity, StoreId), OpenError> {
        let text = |name| self.meta(name).map(|value| String::from_utf8_lossy(&value).into_owned());
        let identity = Identity { cluster: text(CLUSTER)?, node: text(NODE)? };
        Ok((identity, StoreId(self.meta_number(STORE)?)))
    }

    /// Makes its data that of another store, durably.
    pub fn adopt(&self, store: StoreId) -> Result<(), OpenError> {
        let adopt = || {
            self.meta.insert(STORE, store.0.to_be_bytes())?;
            self.db.persist(PersistMode::SyncAll)
        };
        adopt().map_err(OpenError::engine(&self.path))
    }

    fn meta(&self, name: &'static str) -> Result<fjall::Slice, OpenError> {
        let value = self.meta.get(name).map_err(OpenError::engine(&self.path))?;
        value.ok_or_else(|| self.damaged(format!("its meta keyspace has no {name}")))
    }

    fn meta_number(&self, name: &'static str) -> Result<u64, OpenError> {
        let value = self.meta(name)?;
        let bytes = value[..].try_into().map_err(|_| self.damaged(format!("its {name} is not a number")))?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn damaged(&self, reason: String) -> OpenError {
        OpenError::Damaged { path: self.path.clone(), reason }
    }

    /// Where its data is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many commits were ever made.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// Switches for tests.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// One moment of everything.
    pub fn snapshot(&self) -> fjall::Snapshot {
        self.db.snapshot()
    }

    /// One of [`KEYSPACES`].
    pub fn keyspace(&self, name: &str) -> &Keyspace {
        match name {
            "records" => &self.records,
            "hints" => &self.hints,
            "tombstones" => &self.tombstones,
            "index" => &self.index,
            _ => &self.meta,
        }
    }

    /// Room on its disk.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// Refuses everything from now on.
    pub fn fence(&self) {
        self.fenced.store(true, Ordering::SeqCst);
    }

    /// What a read comes to that failed. A block that is not what was written is no matter of one key: everything is refused
    /// from now on, until a new engine was made of what can be read ([`salvage`](crate::salvage)).
    fn read_failed(&self, error: &fjall::Error) -> StorageError {
        tracing::error!(%error, "the storage engine cannot read");
        if is_damage(error) {
            self.damaged.store(true, Ordering::SeqCst);
            self.fence();
        }
        StorageError::Failed
    }

    /// Whether something on the disk was found that is not what was written.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::SeqCst)
    }

    /// Whether everything is refused.
    pub fn is_fenced(&self) -> bool {
        self.fenced.load(Ordering::SeqCst)
    }

    /// The record of `key`, as of the last commit.
    pub fn read(&self, key: &Key) -> Result<Option<Record>, StorageError> {
        if self.is_fenced() {
            return Err(StorageError::Failed);
        }
        if !key_fits(key) {
            tracing::error!(bytes = key.key().len(), "refused a key that is too long to store");
            return Err(StorageError::Failed);
        }
        let disk_key = encode_key(key);
        let sealed = self.records.get(&disk_key).map_err(|error| self.read_failed(&error))?;
        sealed.map(|sealed| unseal_or_log(key, &disk_key, &sealed)).transpose()
    }

    /// Commits `changes` as one: visible when this returns, durable after the next [`sync`](Self::sync).
    pub fn commit<'a>(&self, changes: impl Iterator<Item = RecordChange<'a>>) -> Result<(), fjall::Error> {
        let mut batch = self.db.batch();
        let (mut replaced, mut unknown) = (Vec::new(), Vec::new());
        for RecordChange { key, disk_key, before, is_damaged, now, sealed } in changes {
            if is_damaged {
                unknown.push(key.token());
                self.unindex_hints(&mut batch, disk_key)?;
                self.unindex_entries(&mut batch, key)?;
            }
            let siblings = |record: Option<&Record>| record.map(|it| it.siblings.clone()).unwrap_or_default();
            replaced.push(Replaced { key: key.clone(), before: siblings(before), now: siblings(now) });
            match sealed {
                Some(sealed) => batch.insert(&self.records, disk_key, sealed),
                None => batch.remove(&self.records, disk_key),
            }
            self.index_tombstone(&mut batch, disk_key, before, now);
            self.index_entries(&mut batch, key, before, now);
            let owed = |record: Option<&'a Record>| record.map_or(&[][..], |record| &record.owed);
            let (before, now) = (owed(before), owed(now));
            for &home in before.iter().filter(|home| !now.contains(home)) {
                batch.remove(&self.hints, hint_key(home, disk_key));
            }
            for &home in now.iter().filter(|home| !before.contains(home)) {
                batch.insert(&self.hints, hint_key(home, disk_key), []);
            }
        }
        let commits = self.commits() + 1;
        batch.insert(&self.meta, COMMITS, commits.to_be_bytes());
        batch.insert(&self.meta, INDEX_MARKER, self.indexing.marker(commits));
        self.faults.commit()?;
        batch.commit()?;
        self.commits.store(commits, Ordering::SeqCst);
        if let Some(trees) = self.trees.get() {
            trees.replace(replaced);
            self.replant(trees, &unknown);
        }
        Ok(())
    }

    /// The hints of a record that cannot be read: whom it was owed to is in the index alone.
    fn unindex_hints(&self, batch: &mut fjall::OwnedWriteBatch, disk_key: &[u8]) -> Result<(), fjall::Error> {
        let everything = (Bound::<Vec<u8>>::Unbounded, Bound::Unbounded);
        for entry in self.db.snapshot().range(&self.hints, everything) {
            let hint = entry.key()?;
            if hint.get(8..) == Some(disk_key) {
                batch.remove(&self.hints, hint);
            }
        }
        Ok(())
    }

    /// Builds anew the trees of the partitions of these tokens: what they knew of a record that cannot be read any more
    /// cannot be taken out.
    fn replant(&self, trees: &Trees, tokens: &[Token]) {
        let partitions: BTreeSet<Partition> =
            tokens.iter().map(|token| token.partition(trees.partitions())).collect();
        for partition in partitions.into_iter().filter(|partition| trees.knows(*partition)) {
            trees.clear(partition);
            if let Err(error) = self.plant_tree(trees, partition) {
                tracing::error!(partition = partition.0, ?error, "a tree could not be built anew");
            }
        }
    }

    /// Builds the hash trees of everything stored, for a ring of `partitions`. A record that cannot be read is as if
    /// it were not there, so that peers offer theirs.
    pub fn plant_trees(&self, partitions: u32) {
        let mut trees = Trees::new(partitions);
        for partition in (0..partitions).map(Partition) {
            if self.plant_tree(&trees, partition).is_err() {
                tracing::error!(
                    partition = partition.0,
                    "a partition cannot be scanned; no anti-entropy for it"
                );
                trees.give_up(partition);
            }
        }
        // A second start of the same opened directory does not happen: `start` consumes it.
        let _planted = self.trees.set(trees);
    }

    fn plant_tree(&self, trees: &Trees, partition: Partition) -> Result<(), StorageError> {
        let partitions = trees.partitions();
        let ((first, _), (_, last)) =
            (Leaf(0).tokens(partition, partitions), Leaf(u16::MAX).tokens(partition, partitions));
        let snapshot = self.db.snapshot();
        for entry in snapshot.range(&self.records, token_range(first, last)) {
            let (disk_key, sealed) = entry.into_inner().map_err(|error| self.read_failed(&error))?;
            let stored = stored(&disk_key, &sealed);
            trees.replace(stored.map(|(key, record)| Replaced {
                key,
                before: Siblings::default(),
                now: record.siblings,
            }));
        }
        Ok(())
    }

    /// The hashes of `nodes` of `partition`'s tree.
    pub fn tree_hashes(
        &self,
        partition: Partition,
        nodes: &[TreeNode],
    ) -> Result<Vec<TreeHash>, StorageError> {
        Ok(self.trees_of(partition)?.hashes(partition, nodes))
    }

    fn trees_of(&self, partition: Partition) -> Result<&Trees, StorageError> {
        let trees = self.trees.get().filter(|trees| !self.is_fenced() && trees.knows(partition));
        trees.ok_or(StorageError::Failed)
    }

    /// Makes every commit so far durable.
    pub fn sync(&self) -> Result<(), fjall::Error> {
        self.faults.sync()?;
        self.db.persist(PersistMode::SyncAll)
    }
}

/// The disk keys of the tokens from `first` to `last`.
fn token_range(Token(first): Token, Token(last): Token) -> DiskRange {
    let bytes = |token: u64| token.to_be_bytes().to_vec();
    let end = last.checked_add(1).map_or(Bound::Unbounded, |end| Bound::Excluded(bytes(end)));
    (Bound::Included(bytes(first)), end)
}

/// A record with its key; `None`, loudly, for one that cannot be read: it is as if it were not there.
fn stored(disk_key: &[u8], sealed: &[u8]) -> Option<(Key, Record)> {
    let key = decode_key(disk_key)
        .inspect_err(|error| tracing::error!(%error, "skipped an unreadable key"))
        .ok()?;
    let record = unseal_or_log(&key, disk_key, sealed).ok()?;
    Some((key, record))
}

fn unseal_or_log(key: &Key, disk_key: &[u8], sealed: &[u8]) -> Result<Record, StorageError> {
    unseal(disk_key, sealed).map_err(|damage| {
        tracing::error!(%key, %damage, "a stored record is corrupt");
        StorageError::Corrupt
    })
}

/// Whether what is on the disk is not what was written, rather than that the disk did not answer.
fn is_damage(error: &fjall::Error) -> bool {
    matches!(error, fjall::Error::Storage(error) if !matches!(error, fjall::LsmError::Io(_)))
}

fn hint_key(home: NodeId, disk_key: &[u8]) -> Vec<u8> {
    [&home.0.to_be_bytes()[..], disk_key].concat()
}

/// What the index of hints says of a record; nothing of one that cannot be read, which can be delivered to nobody.
pub fn hints_of(disk_key: &[u8], sealed: &[u8]) -> Vec<Vec<u8>> {
    let owed = stored(disk_key, sealed).map(|(_, record)| record.owed).unwrap_or_default();
    owed.into_iter().map(|home| hint_key(home, disk_key)).collect()
}

#[cfg(test)]
mod tests;
