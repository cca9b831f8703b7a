//! What is left of an engine with blocks that are not what was written: everything that can be read goes into a new one.
//!
//! A block that fails its checksum hides all keys in it, and stands in the way of every compaction. What was in it is not
//! known, so the store must not pass for the one that it was: it goes on as a new one, which fetches from the other homes
//! whatever it should hold. What it owes to others is kept as far as it can be read. The damaged engine is kept, too, for
//! whoever wants to look at it.

use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use fjall::{Keyspace, OwnedWriteBatch, PersistMode, Readable, Snapshot};

use crate::boot::BootFile;
use crate::engine::{self, Engine, INDEX_MARKER, TOMBSTONES_INDEXED};
use crate::error::OpenError;
use crate::identity::Identity;
use crate::lock::DirectoryLock;
use crate::state_file::{TEMPORARY, sync_directory};

/// A commit of the new engine has so many bytes, or one entry.
const COMMIT_BYTES: usize = 1 << 20;
/// Keys are told apart by so many of their first bytes when it is looked for the end of what cannot be read.
const PREFIX_BYTES: usize = 16;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvaged {
    /// Keys whose records could be read.
    pub records: u64,
    /// Stretches of keys that could not.
    pub gaps: u64,
    /// Where the damaged engine is now.
    pub kept_as: PathBuf,
}

/// Makes a new engine in the data directory `dir` of what can be read of its engine; nobody has it open.
///
/// # Errors
///
/// The directory is not this node's or is in use, the engine cannot even be opened, or the disk refused: then the damaged
/// engine is in its place.
pub(crate) fn salvage(dir: &Path, identity: &Identity) -> Result<Salvaged, OpenError> {
    let lock = DirectoryLock::acquire(dir)?;
    if let Some((found, _)) = Identity::read(dir)? {
        identity.expect(&found, &Identity::path(dir))?;
    }
    let damaged = Engine::open_damaged(dir, lock)?;
    let fresh = dir.join(format!("engine{TEMPORARY}"));
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(OpenError::io("remove", &fresh))?;
    }
    let (records, gaps) = copy(&damaged, &fresh).map_err(OpenError::engine(&fresh))?;
    // From here on the next start takes it for a store that lost data, wherever a crash comes in between.
    BootFile::remove(dir)?;
    drop(damaged);
    let kept_as = (1_u32..).map(|number| dir.join(format!("engine.damaged-{number}")));
    let kept_as = kept_as.into_iter().find(|path| !path.exists()).unwrap_or_default();
    let place = engine::directory(dir);
    fs::rename(&place, &kept_as).map_err(OpenError::io("rename", &place))?;
    fs::rename(&fresh, &place).map_err(OpenError::io("rename", &fresh))?;
    sync_directory(dir).map_err(OpenError::io("sync", dir))?;
    Ok(Salvaged { records, gaps, kept_as })
}

/// How many records could be read, and how many gaps there are.
///
/// What follows from the records is not copied but made of them: an index with a gap would hide records that were read,
/// and what they owe would never be delivered. The hints are written here; the other indexes are built when the engine is
/// opened, for want of their markers.
fn copy(damaged: &Engine, to: &Path) -> fjall::Result<(u64, u64)> {
    let fresh = engine::database(to)?;
    let snapshot = damaged.snapshot();
    let [records, hints, _, _, meta] = engine::keyspaces(&fresh)?;
    let mut commit = Commit { fresh: &fresh, batch: fresh.batch(), bytes: 0 };
    let mut copied = 0;
    let mut gaps = copy_keyspace(&snapshot, damaged.keyspace("records"), |disk_key, sealed| {
        copied += 1;
        for hint in engine::hints_of(disk_key, sealed) {
            commit.insert(&hints, &hint, &[])?;
        }
        commit.insert(&records, disk_key, sealed)
    })?;
    gaps += copy_keyspace(&snapshot, damaged.keyspace("meta"), |name, value| match name {
        _ if name == INDEX_MARKER.as_bytes() || name == TOMBSTONES_INDEXED.as_bytes() => Ok(()),
        _ => commit.insert(&meta, name, value),
    })?;
    commit.batch.commit()?;
    fresh.persist(PersistMode::SyncAll)?;
    Ok((copied, gaps))
}

/// What goes into the new engine.
struct Commit<'a> {
    fresh: &'a fjall::Database,
    batch: OwnedWriteBatch,
    bytes: usize,
}

impl Commit<'_> {
    fn insert(&mut self, into: &Keyspace, key: &[u8], value: &[u8]) -> fjall::Result<()> {
        self.batch.insert(into, key, value);
        self.bytes += key.len() + value.len();
        if self.bytes >= COMMIT_BYTES {
            self.bytes = 0;
            std::mem::replace(&mut self.batch, self.fresh.batch()).commit()?;
        }
        Ok(())
    }
}

/// Shows `take` every entry that can be read. How many gaps there are.
fn copy_keyspace(
    snapshot: &Snapshot,
    from: &Keyspace,
    mut take: impl FnMut(&[u8], &[u8]) -> fjall::Result<()>,
) -> fjall::Result<u64> {
    let (mut gaps, mut next) = (0, Some(Vec::new()));
    while let Some(begin) = next {
        let end = read_on(snapshot, from, begin, &mut take)?;
        gaps += u64::from(end.is_some());
        next = end.and_then(|last| beyond(snapshot, from, &last));
    }
    Ok(gaps)
}

/// Reads from `begin` on, until something cannot be read: then the last key before it.
fn read_on(
    snapshot: &Snapshot,
    from: &Keyspace,
    begin: Vec<u8>,
    take: &mut impl FnMut(&[u8], &[u8]) -> fjall::Result<()>,
) -> fjall::Result<Option<Vec<u8>>> {
    let mut last = begin.clone();
    for entry in snapshot.range(from, (Bound::Included(begin), Bound::<Vec<u8>>::Unbounded)) {
        let Ok((key, value)) = entry.into_inner() else { return Ok(Some(last)) };
        take(&key, &value)?;
        last = key.to_vec();
    }
    Ok(None)
}

/// The first place behind `last` from which can be read again: looked for by halving what is left of all keys. Nothing, if
/// there is none.
fn beyond(snapshot: &Snapshot, from: &Keyspace, last: &[u8]) -> Option<Vec<u8>> {
    let reads = |begin: u128| {
        let begin = begin.to_be_bytes().to_vec();
        let mut rest = snapshot.range(from, (Bound::Included(begin), Bound::<Vec<u8>>::Unbounded));
        rest.next().is_none_or(|entry| entry.into_inner().is_ok())
    };
    let mut prefix = [0; PREFIX_BYTES];
    let known = last.len().min(PREFIX_BYTES);
    prefix[..known].copy_from_slice(&last[..known]);
    let (mut bad, mut good) = (u128::from_be_bytes(prefix), u128::MAX);
    if bad == good || !reads(good) {
        return None;
    }
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if reads(middle) { good = middle } else { bad = middle }
    }
    Some(good.to_be_bytes().to_vec())
}

impl BootFile {
    /// Removes the file from the data directory `dir`, durably: what is there is not the store that it counted for.
    fn remove(dir: &Path) -> Result<(), OpenError> {
        let path = Self::path(dir);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(OpenError::io("remove", path)(error))
            }
            _ => sync_directory(dir).map_err(OpenError::io("sync", dir)),
        }
    }
}
