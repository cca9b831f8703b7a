use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cartwheel_core::id::{NodeId, StoreId};
use cartwheel_core::membership::Cluster;
use cartwheel_core::replica::HintTotal;
use cartwheel_core::storage::StorageCompletion;

use crate::boot::BootFile;
use crate::cluster_file;
use crate::engine::{self, Engine, Indexing};
use crate::error::{BeginError, OpenError};
use crate::fault::Faults;
use crate::handle::StoreHandle;
use crate::identity::Identity;
use crate::lock::{DirectoryLock, LOCK_FILE};
use crate::salvage::{Salvaged, salvage};
use crate::state_file::TEMPORARY;
use crate::worker::Worker;

/// The way to a data directory.
#[derive(Debug)]
pub enum Store {}

/// A data directory that this process holds and whose boot number has been raised, durably.
pub struct Opened {
    /// The life of the data directory.
    pub store: StoreId,
    /// How often it has been opened, from 1.
    pub number: u64,
    /// The oldest boot since which every stop was clean; `number` itself after a crash.
    pub continuous_since: u64,
    /// What is owed to other nodes.
    pub owed: Vec<(NodeId, HintTotal)>,
    /// The cluster's state that was saved last; `None` on a new disk, and on one that lost something.
    pub cluster: Option<Cluster>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) boot: BootFile,
    pub(crate) dir: PathBuf,
}

impl Store {
    /// Opens the data directory `dir` of `identity`, or makes it one if it is missing or empty.
    ///
    /// A directory that lost data (its engine, its boot file, commits that were durable) is opened under a new store
    /// id with a warning: the node must not take it for the store that it was.
    ///
    /// # Errors
    ///
    /// Whatever is not this node's, not readable by this release, damaged, or in use: see [`OpenError`]. Nothing
    /// was changed then, except that a missing directory may have been created.
    pub fn open(dir: &Path, identity: &Identity) -> Result<Opened, OpenError> {
        Self::open_indexed(dir, identity, Indexing::default())
    }

    /// The same, with secondary indexes. What is stored is indexed anew when it was by another indexer, or by none.
    ///
    /// # Errors
    ///
    /// As of [`open`](Self::open).
    pub fn open_indexed(dir: &Path, identity: &Identity, indexing: Indexing) -> Result<Opened, OpenError> {
        identity.validate()?;
        prepare(dir)?;
        let lock = DirectoryLock::acquire(dir)?;
        let known = Identity::read(dir)?;
        if let Some((found, _)) = &known {
            identity.expect(found, &Identity::path(dir))?;
        }
        let boot = BootFile::read(dir)?;
        let (engine, store) = match known {
            Some((_, store)) if engine::exists(dir)? => reopen(dir, identity, (lock, indexing), store, boot)?,
            known => create(dir, identity, (lock, indexing), known.is_some())?,
        };
        let boot = BootFile::raise(boot, store, engine.commits());
        boot.write(dir)?;
        let BootFile { number, continuous_since, .. } = boot;
        tracing::info!(dir = %dir.display(), store = store.0, number, continuous_since, "opened the data directory");
        let unreadable = |_| match engine.is_damaged() {
            true => OpenError::Blocks { path: engine.path().to_owned() },
            false => OpenError::Damaged {
                path: engine.path().to_owned(),
                reason: "its hints cannot be read".into(),
            },
        };
        let owed = engine.hint_totals().map_err(unreadable)?;
        let cluster = cluster_file::read(dir)?;
        engine.complete_tombstones();
        engine.complete_index()?;
        let engine = Arc::new(engine);
        Ok(Opened { store, number, continuous_since, owed, cluster, engine, boot, dir: dir.to_owned() })
    }

    /// Makes a new engine in the data directory `dir` of what can be read of its damaged one
    /// ([`OpenError::Blocks`], [`BeginError::Damaged`]), which nobody has open. The next [`open`](Self::open) takes it for a
    /// store that lost data.
    ///
    /// # Errors
    ///
    /// The damaged engine cannot be opened, or the disk refused; the engine is in its place then.
    pub fn salvage(dir: &Path, identity: &Identity) -> Result<Salvaged, OpenError> {
        salvage(dir, identity)
    }

    /// Renames the data directory `dir`, which nobody has open, so that the next start begins with an empty one.
    /// Its new name.
    ///
    /// # Errors
    ///
    /// It cannot be renamed; it is where it was then.
    pub fn set_aside(dir: &Path) -> io::Result<PathBuf> {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let aside = (1_u32..).map(|number| dir.with_file_name(format!("{name}.old-{number}")));
        let aside = aside.into_iter().find(|aside| !aside.exists()).unwrap_or_default();
        fs::rename(dir, &aside)?;
        if let Some(parent) = aside.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::File::open(parent)?.sync_all()?;
        }
        Ok(aside)
    }
}

impl Opened {
    /// Builds the hash trees for a ring of `partitions`, and starts the threads. They call `completions` with what is
    /// done, from several threads, and wait for it: it should only pass them on, into an unbounded queue.
    ///
    /// # Errors
    ///
    /// The operating system refused a thread, or what is on the disk is not what was written.
    pub fn start(
        self,
        partitions: u32,
        completions: impl Fn(Vec<StorageCompletion>) + Send + Sync + 'static,
    ) -> Result<StoreHandle, BeginError> {
        self.engine.plant_trees(partitions);
        if self.engine.is_damaged() {
            return Err(BeginError::Damaged);
        }
        StoreHandle::start(self, Arc::new(completions)).map_err(BeginError::Threads)
    }

    /// So many bytes of the disk are left free: with less, whatever would write is refused ([`StorageError::Failed`]), has changed
    /// nothing, and may be tried again. 0, the default: the engine is left to find out.
    ///
    /// [`StorageError::Failed`]: cartwheel_core::storage::StorageError::Failed
    pub fn keep_free(&self, bytes: u64) {
        self.engine.room().keep_free(bytes);
    }

    /// The same without threads, for a machine that has none: the caller runs the workers, one step after another of
    /// each, at the latest when `wake` is called. It is called within [`StoreHandle::submit`], and should only pass that on.
    ///
    /// # Errors
    ///
    /// The engine is damaged.
    pub fn start_stepped(
        self,
        partitions: u32,
        completions: impl Fn(Vec<StorageCompletion>) + Send + Sync + 'static,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<(StoreHandle, Vec<Worker>), BeginError> {
        self.engine.plant_trees(partitions);
        if self.engine.is_damaged() {
            return Err(BeginError::Damaged);
        }
        Ok(StoreHandle::start_stepped(self, Arc::new(completions), Box::new(wake)))
    }

    /// I/O errors that a test can switch on.
    #[doc(hidden)]
    pub fn faults(&self) -> Faults {
        self.engine.faults().clone()
    }
}

/// Sees to it that `dir` is a directory, empty or with an identity, before anything is put into it.
fn prepare(dir: &Path) -> Result<(), OpenError> {
    if dir.exists() && !dir.is_dir() {
        return Err(OpenError::NotADirectory { path: dir.to_owned() });
    }
    fs::create_dir_all(dir).map_err(OpenError::io("create", dir))?;
    if Identity::path(dir).exists() {
        return Ok(());
    }
    for entry in fs::read_dir(dir).map_err(OpenError::io("list", dir))? {
        let name = entry.map_err(OpenError::io("list", dir))?.file_name().to_string_lossy().into_owned();
        // What a crash within the first open leaves behind.
        if name != LOCK_FILE && name != format!("identity{TEMPORARY}") {
            return Err(OpenError::Foreign { path: dir.to_owned(), found: name });
        }
    }
    Ok(())
}

/// The identity first: what has one is ours, however far the rest came.
fn create(
    dir: &Path,
    identity: &Identity,
    (lock, indexing): (DirectoryLock, Indexing),
    was_ours: bool,
) -> Result<(Engine, StoreId), OpenError> {
    let store = mint()?;
    // A store that lost its data must not pass for one that knows the cluster: it has to fetch what it lost.
    cluster_file::remove(dir)?;
    if was_ours {
        warn(dir, store, "its engine data is gone");
    }
    identity.write(dir, store)?;
    engine::create(dir, identity, store)?;
    Ok((Engine::open(dir, lock, indexing)?, store))
}

/// Opens the engine and finds out whether it still is the `store` that the identity file names.
fn reopen(
    dir: &Path,
    identity: &Identity,
    (lock, indexing): (DirectoryLock, Indexing),
    store: StoreId,
    boot: Option<BootFile>,
) -> Result<(Engine, StoreId), OpenError> {
    let engine = Engine::open(dir, lock, indexing)?;
    let (owner, of_engine) = engine.identity()?;
    identity.expect(&owner, engine.path())?;
    let Some(loss) = loss(store, of_engine, engine.commits(), boot) else { return Ok((engine, store)) };
    let store = mint()?;
    warn(dir, store, loss);
    cluster_file::remove(dir)?;
    adopt(dir, identity, &engine, store)?;
    Ok((engine, store))
}

/// Makes the data that of another store, but for the boot file. In this order: a crash in between leaves ids that
/// differ, which the next start takes for a loss again.
fn adopt(dir: &Path, identity: &Identity, engine: &Engine, store: StoreId) -> Result<(), OpenError> {
    engine.adopt(store)?;
    identity.write(dir, store)
}

/// What shows that the directory is not as the store left it.
fn loss(store: StoreId, of_engine: StoreId, commits: u64, boot: Option<BootFile>) -> Option<&'static str> {
    let Some(boot) = boot else { return Some("its boot file is gone") };
    if store != of_engine {
        return Some("its engine data is another store's");
    }
    if store != boot.store {
        return Some("its boot file is another store's");
    }
    (commits < boot.commits).then_some("its engine lost commits that were durable")
}

fn warn(dir: &Path, store: StoreId, loss: &'static str) {
    let dir = dir.display();
    tracing::warn!(%dir, store = store.0, loss, "the data directory lost data; it goes on as a new store");
}

fn mint() -> Result<StoreId, OpenError> {
    Ok(StoreId(getrandom::u64()?))
}
