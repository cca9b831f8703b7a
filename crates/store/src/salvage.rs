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
use crate::engine::{self, Engine, INDEX_MARKER, KEYSPACES};
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
fn copy(damaged: &Engine, to: &Path) -> fjall::Result<(u64, u64)> {
    let fresh = engine::database(to)?;
    let snapshot = damaged.snapshot();
    let (mut records, mut gaps) = (0, 0);
    for name in KEYSPACES {
        let into = engine::keyspace(&fresh, name)?;
        if name == "index" {
            // Built anew of the records that are left, when the engine is opened.
            continue;
        }
        let mut commit = Commit { fresh: &fresh, into, batch: fresh.batch(), bytes: 0, entries: 0 };
        let from = damaged.keyspace(name);
        let mut next = Some(Vec::new());
        while let Some(begin) = next {
            let end = read_on(&snapshot, from, begin, &mut commit)?;
            gaps += u64::from(end.is_some());
            next = end.and_then(|last| beyond(&snapshot, from, &last));
        }
        records += if name == "records" { commit.entries } else { 0 };
        commit.batch.commit()?;
    }
    engine::keyspace(&fresh, "meta")?.remove(INDEX_MARKER)?;
    fresh.persist(PersistMode::SyncAll)?;
    Ok((records, gaps))
}

/// What goes into the new engine.
struct Commit<'a> {
    fresh: &'a fjall::Database,
    into: Keyspace,
    batch: OwnedWriteBatch,
    bytes: usize,
    entries: u64,
}

impl Commit<'_> {
    fn insert(&mut self, key: &[u8], value: &[u8]) -> fjall::Result<()> {
        self.batch.insert(&self.into, key, value);
        self.entries += 1;
        self.bytes += key.len() + value.len();
        if self.bytes >= COMMIT_BYTES {
            self.bytes = 0;
            std::mem::replace(&mut self.batch, self.fresh.batch()).commit()?;
        }
        Ok(())
    }
}

/// Copies from `begin` on, until something cannot be read: then the last key before it.
fn read_on(
    snapshot: &Snapshot,
    from: &Keyspace,
    begin: Vec<u8>,
    commit: &mut Commit<'_>,
) -> fjall::Result<Option<Vec<u8>>> {
    let mut last = begin.clone();
    for entry in snapshot.range(from, (Bound::Included(begin), Bound::<Vec<u8>>::Unbounded)) {
        let Ok((key, value)) = entry.into_inner() else { return Ok(Some(last)) };
        commit.insert(&key, &value)?;
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
