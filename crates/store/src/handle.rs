use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use cartwheel_core::storage::{StorageCompletion, StorageError, StorageOp, StorageRequest, Ticket};

use crate::backup::{Backup, BackupError};
use crate::boot::{BootFile, Stop};
use crate::committer::{Apply, Committer};
use crate::engine::{Engine, Holding};
use crate::error::CloseError;
use crate::open::Opened;
use crate::worker::{Job, Work, Worker};

/// Takes what the threads have done.
pub type Completions = Arc<dyn Fn(Vec<StorageCompletion>) + Send + Sync>;

/// Told that something was queued, or that the queues have ended.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// Who does what is queued.
enum Crew {
    Threads(Vec<JoinHandle<()>>),
    /// Workers that others run step by step, and how they are told to.
    Stepped(Vec<Worker>, Wake),
}

/// A running store.
///
/// Five workers, each on a thread of its own unless the caller runs them: the committer; one for reads; one for what background work asks (scans, hash trees), which may be long
/// and must not delay reads; one for listings, for which clients wait, and which may be long, too; one for what is kept beside the records.
/// [`close`](Self::close) is the clean stop. Dropping the handle refuses what is still queued and waits for the
/// threads, but leaves no marker: the next start counts as one after a crash.
pub struct StoreHandle {
    queues: Option<Queues>,
    crew: Crew,
    completions: Completions,
    engine: Arc<Engine>,
    boot: BootFile,
    dir: PathBuf,
}

/// Looks into a running store from outside the core. It keeps the store from nothing: once that is closed there is
/// nothing to see.
#[derive(Clone)]
pub struct Inspector(Weak<Engine>);

impl Inspector {
    /// What is held of each partition, in order. Reads everything, and blocks for as long.
    ///
    /// # Errors
    ///
    /// The store is closed, has failed, or cannot be read.
    pub fn holdings(&self) -> Result<Vec<Holding>, StorageError> {
        self.0.upgrade().ok_or(StorageError::Failed)?.holdings()
    }

    /// Copies the whole store, as of now, to the directory `to`, where nothing may be yet and whose name does not end in
    /// `.partial`; blocks for as long. The copy is a data directory, of a store that has crashed now.
    ///
    /// # Errors
    ///
    /// See [`BackupError`].
    pub fn back_up(&self, to: &Path) -> Result<Backup, BackupError> {
        self.0.upgrade().ok_or(BackupError::Closed)?.back_up(to)
    }
}

struct Queues {
    updates: Sender<Apply>,
    reads: Sender<StorageRequest>,
    scans: Sender<StorageRequest>,
    listings: Sender<StorageRequest>,
    kept: Sender<StorageRequest>,
}

impl StoreHandle {
    /// A store whose workers are threads.
    pub(crate) fn start(opened: Opened, completions: Completions) -> io::Result<Self> {
        let (mut handle, works) = Self::idle(opened, completions);
        for work in works {
            let thread = thread::Builder::new().name(work.name.into()).spawn(move || work.run())?;
            // A handle from the first thread on: if the second cannot be started, dropping it ends the first.
            if let Crew::Threads(threads) = &mut handle.crew {
                threads.push(thread);
            }
        }
        Ok(handle)
    }

    /// A store whose workers the caller runs, whenever `wake` is called.
    pub(crate) fn start_stepped(opened: Opened, completions: Completions, wake: Wake) -> (Self, Vec<Worker>) {
        let (mut handle, works) = Self::idle(opened, completions);
        let workers: Vec<Worker> = works.into_iter().map(Worker::new).collect();
        handle.crew = Crew::Stepped(workers.clone(), wake);
        (handle, workers)
    }

    /// A store without anybody who does what is queued, and what there is to do.
    fn idle(opened: Opened, completions: Completions) -> (Self, [Work; 5]) {
        let Opened { engine, boot, dir, .. } = opened;
        let (updates, to_apply) = mpsc::channel();
        let (reads, to_read) = mpsc::channel();
        let (scans, to_scan) = mpsc::channel();
        let (listings, to_list) = mpsc::channel();
        let (kept, to_keep) = mpsc::channel();
        let committer = Committer::new(Arc::clone(&engine), Arc::clone(&completions));
        let works = [
            ("store-commit", Job::Commit(committer, to_apply)),
            ("store-read", Job::Read(to_read)),
            ("store-scan", Job::Read(to_scan)),
            ("store-list", Job::Read(to_list)),
            ("store-keep", Job::Keep(dir.clone(), to_keep)),
        ]
        .map(|(name, job)| {
            let (engine, completions) = (Arc::clone(&engine), Arc::clone(&completions));
            Work { name, engine, completions, job }
        });
        let queues = Some(Queues { updates, reads, scans, listings, kept });
        (Self { queues, crew: Crew::Threads(Vec::new()), completions, engine, boot, dir }, works)
    }

    /// Queues `request`. Never blocks. How much may be queued is the core's to bound.
    pub fn submit(&self, request: StorageRequest) {
        let refused = refusal(&request);
        let sent = self.queues.as_ref().is_some_and(|queues| match request.op {
            StorageOp::Apply { key, update } => {
                queues.updates.send(Apply { ticket: request.ticket, key, update }).is_ok()
            }
            StorageOp::Read { .. } => queues.reads.send(request).is_ok(),
            StorageOp::Scan { .. } => queues.listings.send(request).is_ok(),
            StorageOp::SaveCluster { .. } => queues.kept.send(request).is_ok(),
            StorageOp::ScanHints { .. }
            | StorageOp::TreeHashes { .. }
            | StorageOp::LeafKeys { .. }
            | StorageOp::ScanPartition { .. }
            | StorageOp::ScanTombstones { .. }
            | StorageOp::Occupied
            | StorageOp::Names { .. } => queues.scans.send(request).is_ok(),
        });
        if !sent {
            (self.completions)(vec![refused]);
        }
        if let Crew::Stepped(_, wake) = &self.crew {
            wake();
        }
    }

    /// The way to look into this store without the core.
    pub fn inspector(&self) -> Inspector {
        Inspector(Arc::downgrade(&self.engine))
    }

    /// The clean stop: carries out what is queued, syncs, and leaves a marker for the next start.
    ///
    /// # Errors
    ///
    /// The store had failed, or fails now: no marker is left. See [`CloseError`].
    pub fn close(mut self) -> Result<(), CloseError> {
        self.join()?;
        if self.engine.is_fenced() || self.engine.sync().is_err() {
            return Err(CloseError::Failed);
        }
        let clean = BootFile { stop: Stop::Clean, commits: self.engine.commits(), ..self.boot };
        clean.write(&self.dir).map_err(CloseError::Marker)
    }

    /// Ends the queues and waits until the workers have emptied them.
    fn join(&mut self) -> Result<(), CloseError> {
        self.queues = None;
        match &mut self.crew {
            Crew::Threads(threads) => {
                let panicked = threads.drain(..).map(JoinHandle::join).filter(Result::is_err).count();
                if panicked == 0 { Ok(()) } else { Err(CloseError::Panicked) }
            }
            Crew::Stepped(workers, wake) => {
                workers.iter().for_each(Worker::finish);
                wake();
                Ok(())
            }
        }
    }
}

impl Drop for StoreHandle {
    fn drop(&mut self) {
        if self.queues.is_some() {
            self.engine.fence();
            // A panic has raised its alarm already.
            let _ = self.join();
        }
    }
}

/// The answer to a request that no thread takes any more.
fn refusal(request: &StorageRequest) -> StorageCompletion {
    let (ticket, failed) = (request.ticket, StorageError::Failed);
    match request.op {
        StorageOp::Read { .. } => StorageCompletion::Read { ticket, result: Err(failed) },
        StorageOp::Apply { .. } => refused_update(ticket),
        StorageOp::ScanHints { .. } => StorageCompletion::Hints { ticket, result: Err(failed) },
        StorageOp::TreeHashes { .. } => StorageCompletion::TreeHashes { ticket, result: Err(failed) },
        StorageOp::LeafKeys { .. } => StorageCompletion::LeafKeys { ticket, result: Err(failed) },
        StorageOp::ScanPartition { .. } | StorageOp::ScanTombstones { .. } => {
            StorageCompletion::Page { ticket, result: Err(failed) }
        }
        StorageOp::Names { .. } => StorageCompletion::Names { ticket, result: Err(failed) },
        StorageOp::SaveCluster { .. } => StorageCompletion::Saved { ticket, result: Err(failed) },
        StorageOp::Occupied => StorageCompletion::Occupied { ticket, result: Err(failed) },
        StorageOp::Scan { .. } => StorageCompletion::Found { ticket, result: Err(failed) },
    }
}

pub fn refused_update(ticket: Ticket) -> StorageCompletion {
    StorageCompletion::Applied { ticket, result: Err(StorageError::Failed) }
}
