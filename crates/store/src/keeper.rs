//! What is kept beside the records: the cluster's state, and whose data this is. Its own thread, because each of these
//! waits for the disk, while commits and scans go on.

use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use cartwheel_core::id::StoreId;
use cartwheel_core::storage::{StorageCompletion, StorageError, StorageOp, StorageRequest};

use crate::boot::BootFile;
use crate::cluster_file;
use crate::engine::Engine;
use crate::error::OpenError;
use crate::handle::Completions;
use crate::identity::Identity;
use crate::open::adopt;

/// The data directory of a running store, beside its engine.
#[derive(Clone)]
pub struct Keeper {
    pub dir: PathBuf,
    pub identity: Identity,
    /// The boot file as it is on the disk. Adopting another store changes it.
    pub boot: Arc<Mutex<BootFile>>,
}

impl Keeper {
    /// The boot file as it is on the disk.
    pub fn boot(&self) -> BootFile {
        *self.boot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out `requests` until the queue ends.
    pub fn run(&self, engine: &Engine, completions: &Completions, requests: &Receiver<StorageRequest>) {
        while let Ok(StorageRequest { ticket, op }) = requests.recv() {
            let result =
                if engine.is_fenced() { Err(StorageError::Failed) } else { self.carry_out(engine, op) };
            completions(vec![StorageCompletion::Saved { ticket, result }]);
        }
    }

    fn carry_out(&self, engine: &Engine, op: StorageOp) -> Result<(), StorageError> {
        match op {
            StorageOp::SaveCluster { cluster } => cluster_file::write(&self.dir, &cluster)
                .inspect_err(|error| tracing::error!(%error, "the cluster's state cannot be kept")),
            StorageOp::Adopt { store } => self
                .adopt(engine, store)
                .inspect_err(|error| tracing::error!(%error, "the store cannot go on under another id"))
                .map_err(std::io::Error::other),
            // Those are other threads'.
            _ => return Err(StorageError::Failed),
        }
        .map_err(|_| StorageError::Failed)
    }

    /// The boot number stays: it goes on counting for the new store. Nothing of the old one is continued.
    fn adopt(&self, engine: &Engine, store: StoreId) -> Result<(), OpenError> {
        adopt(&self.dir, &self.identity, engine, store)?;
        let mut boot = self.boot.lock().unwrap_or_else(PoisonError::into_inner);
        let adopted = BootFile { store, continuous_since: boot.number, commits: engine.commits(), ..*boot };
        adopted.write(&self.dir)?;
        *boot = adopted;
        Ok(())
    }
}
