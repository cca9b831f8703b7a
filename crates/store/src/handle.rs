use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use cartwheel_core::storage::{StorageCompletion, StorageError, StorageOp, StorageRequest, Ticket};

use crate::boot::{BootFile, Stop};
use crate::committer::{Apply, Committer};
use crate::engine::{Engine, Holding};
use crate::error::CloseError;
use crate::keeper;
use crate::open::Opened;
use crate::reader;

/// Takes what the threads have done.
pub type Completions = Arc<dyn Fn(Vec<StorageCompletion>) + Send + Sync>;

/// A running store.
///
/// Four threads: the committer; one for reads; one for what background work asks (scans, hash trees), which may be long
/// and must not delay reads; one for what is kept beside the records.
/// [`close`](Self::close) is the clean stop. Dropping the handle refuses what is still queued and waits for the
/// threads, but leaves no marker: the next start counts as one after a crash.
pub struct StoreHandle {
    queues: Option<Queues>,
    threads: Vec<JoinHandle<()>>,
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
}

struct Queues {
    updates: Sender<Apply>,
    reads: Sender<StorageRequest>,
    scans: Sender<StorageRequest>,
    kept: Sender<StorageRequest>,
}

impl StoreHandle {
    pub(crate) fn start(opened: Opened, completions: Completions) -> io::Result<Self> {
        let Opened { engine, boot, dir, .. } = opened;
        let (updates, to_apply) = mpsc::channel();
        let (reads, to_read) = mpsc::channel();
        let (scans, to_scan) = mpsc::channel();
        let (kept, to_keep) = mpsc::channel();
        let queues = Some(Queues { updates, reads, scans, kept });
        // A handle from the first thread on: if the second cannot be started, dropping it ends the first.
        let mut handle = Self { queues, threads: Vec::new(), completions, engine, boot, dir: dir.clone() };
        handle.spawn("store-commit", to_apply, |engine, completions, to_apply| {
            Committer::new(engine, completions).run(&to_apply);
        })?;
        for (name, requests) in [("store-read", to_read), ("store-scan", to_scan)] {
            handle.spawn(name, requests, |engine, completions, requests| {
                reader::run(&engine, &completions, &requests);
            })?;
        }
        handle.spawn("store-keep", to_keep, move |engine, completions, requests| {
            keeper::run(&dir, &engine, &completions, &requests);
        })?;
        Ok(handle)
    }

    fn spawn<T: Send + 'static>(
        &mut self,
        name: &str,
        queue: Receiver<T>,
        run: impl FnOnce(Arc<Engine>, Completions, Receiver<T>) + Send + 'static,
    ) -> io::Result<()> {
        let (engine, completions) = (Arc::clone(&self.engine), Arc::clone(&self.completions));
        let thread = thread::Builder::new().name(name.into()).spawn(move || {
            let _alarm = Alarm { engine: Arc::clone(&engine), completions: Arc::clone(&completions) };
            run(engine, completions, queue);
        })?;
        self.threads.push(thread);
        Ok(())
    }

    /// Queues `request`. Never blocks. How much may be queued is the core's to bound.
    pub fn submit(&self, request: StorageRequest) {
        let refused = refusal(&request);
        let sent = self.queues.as_ref().is_some_and(|queues| match request.op {
            StorageOp::Apply { key, update } => {
                queues.updates.send(Apply { ticket: request.ticket, key, update }).is_ok()
            }
            StorageOp::Read { .. } => queues.reads.send(request).is_ok(),
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

    /// Ends the queues and waits until the threads have emptied them.
    fn join(&mut self) -> Result<(), CloseError> {
        self.queues = None;
        let panicked = self.threads.drain(..).map(JoinHandle::join).filter(Result::is_err).count();
        if panicked == 0 { Ok(()) } else { Err(CloseError::Panicked) }
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
    }
}

pub fn refused_update(ticket: Ticket) -> StorageCompletion {
    StorageCompletion::Applied { ticket, result: Err(StorageError::Failed) }
}

/// A thread that panics has a bug and leaves requests unanswered. The others must not go on as if nothing had
/// happened, and the core must hear of it.
struct Alarm {
    engine: Arc<Engine>,
    completions: Completions,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.engine.fence();
            (self.completions)(vec![StorageCompletion::SyncFailed]);
        }
    }
}
