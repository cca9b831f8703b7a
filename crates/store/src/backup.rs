//! A copy of a store that is in use: itself a data directory, as a crash at that moment would have left it, but for what
//! was not yet synced.
//!
//! Records and indexes come from one snapshot of the engine and go into an engine of their own, so that the copy is of one
//! moment, whole and compact. The files beside the engine are copied first: a boot file never claims more commits than the
//! engine that is found with it.
//!
//! A backup gives way before writes do: it ends while there is still more room on its disk than the store keeps free, and
//! takes with it what it had copied.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use fjall::{PersistMode, Readable};
use thiserror::Error;

use crate::engine::{self, Engine, KEYSPACES};
use crate::room;
use crate::state_file::sync_directory;

/// A copy that is being made.
const PARTIAL: &str = ".partial";
/// The files of a data directory beside its engine; the last one may be missing.
const FILES: [&str; 3] = ["identity", "boot", "cluster"];
/// A commit of the copy has so many bytes, or one record.
const COMMIT_BYTES: usize = 1 << 20;
/// Room for so many times what the store keeps free is left: the copy's engine writes more than it was just given, when
/// it compacts, and the node's writes must not be refused for the sake of a copy.
const RESERVES: u64 = 2;

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backup {
    /// Keys.
    pub records: u64,
    /// Bytes of their records, and of the indexes.
    pub bytes: u64,
}

/// Why there is no copy. What had been copied is removed again.
#[derive(Debug, Error)]
pub enum BackupError {
    /// There is something in its place.
    #[error("{} is there already", path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// A name for copies that are being made, and that are removed when the next one is.
    #[error("{} ends in {PARTIAL}, as backups that are not complete do", path.display())]
    Name {
        /// The place.
        path: PathBuf,
    },
    /// Its disk would be nearly full.
    #[error("cannot copy to {}: less than {free_min} bytes would be left free on its disk", path.display())]
    NoRoom {
        /// Where to.
        path: PathBuf,
        /// So many bytes are left free.
        free_min: u64,
    },
    /// The store is closed, or has failed.
    #[error("the store is closed, or has failed")]
    Closed,
    /// The operating system refused.
    #[error("cannot copy to {}: {source}", path.display())]
    Io {
        /// Where to.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The engine, or that of the copy, refused.
    #[error("cannot copy to {}: {source}", path.display())]
    Engine {
        /// Where to.
        path: PathBuf,
        /// Why not.
        source: Box<fjall::Error>,
    },
}

/// Why the engine was not copied.
enum Failed {
    NoRoom(u64),
    Engine(fjall::Error),
}

impl From<fjall::Error> for Failed {
    fn from(error: fjall::Error) -> Self {
        Self::Engine(error)
    }
}

impl Engine {
    /// Copies everything to `to`, where nothing may be yet, and which must not end in [`PARTIAL`].
    pub fn back_up(&self, to: &Path) -> Result<Backup, BackupError> {
        if self.is_fenced() {
            return Err(BackupError::Closed);
        }
        if to.as_os_str().as_encoded_bytes().ends_with(PARTIAL.as_bytes()) {
            return Err(BackupError::Name { path: to.to_owned() });
        }
        if to.exists() {
            return Err(BackupError::Exists { path: to.to_owned() });
        }
        let mut partial = to.as_os_str().to_owned();
        partial.push(PARTIAL);
        let partial = PathBuf::from(partial);
        let copied = self.copy_by_way_of(&partial, to);
        if copied.is_err()
            && let Err(error) = fs::remove_dir_all(&partial)
            && error.kind() != io::ErrorKind::NotFound
        {
            let path = partial.display();
            tracing::warn!(%path, %error, "what there is of a backup that failed could not be removed");
        }
        copied
    }

    fn copy_by_way_of(&self, partial: &Path, to: &Path) -> Result<Backup, BackupError> {
        let io = |source| BackupError::Io { path: to.to_owned(), source };
        if partial.exists() {
            fs::remove_dir_all(partial).map_err(io)?;
        }
        fs::create_dir_all(partial).map_err(io)?;
        self.copy_files(partial).map_err(io)?;
        let copied = self.copy_keyspaces(&engine::directory(partial)).map_err(|failed| match failed {
            Failed::NoRoom(free_min) => BackupError::NoRoom { path: to.to_owned(), free_min },
            Failed::Engine(source) => BackupError::Engine { path: to.to_owned(), source: Box::new(source) },
        })?;
        sync_directory(partial).map_err(io)?;
        fs::rename(partial, to).map_err(io)?;
        if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_directory(parent).map_err(io)?;
        }
        Ok(copied)
    }

    fn copy_files(&self, to: &Path) -> io::Result<()> {
        let from = self.path().parent().unwrap_or(Path::new(""));
        for name in FILES {
            match fs::copy(from.join(name), to.join(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && name == "cluster" => {}
                Err(error) => return Err(error),
                Ok(_) => fs::File::open(to.join(name))?.sync_all()?,
            }
        }
        Ok(())
    }

    fn copy_keyspaces(&self, to: &Path) -> Result<Backup, Failed> {
        let snapshot = self.snapshot();
        let copy = engine::database(to)?;
        let mut copied = Backup::default();
        for name in KEYSPACES {
            let (from, into) = (self.keyspace(name), engine::keyspace(&copy, name)?);
            let (mut batch, mut size) = (copy.batch(), 0);
            for entry in snapshot.iter(from) {
                let (key, value) = entry.into_inner()?;
                copied.records += u64::from(name == "records");
                copied.bytes += (key.len() + value.len()) as u64;
                size += key.len() + value.len();
                batch.insert(&into, key, value);
                if size >= COMMIT_BYTES {
                    self.must_leave_room(to)?;
                    std::mem::replace(&mut batch, copy.batch()).commit()?;
                    size = 0;
                }
            }
            self.must_leave_room(to)?;
            batch.commit()?;
        }
        copy.persist(PersistMode::SyncAll)?;
        Ok(copied)
    }

    fn must_leave_room(&self, to: &Path) -> Result<(), Failed> {
        let free_min = self.room().reserve().saturating_mul(RESERVES);
        if room::has_less_than(free_min, to) { Err(Failed::NoRoom(free_min)) } else { Ok(()) }
    }
}
