//! A store whose workers the caller runs: the same work, step by step.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use cartwheel_core::storage::{StorageCompletion, StorageOp, StorageRequest, Ticket};
use cartwheel_store::{Step, StoreHandle, Worker};
use tempfile::TempDir;

use crate::support::{PARTITIONS, key, open, put, start, values};

/// A store that nobody works for but this test.
struct Stepped {
    handle: StoreHandle,
    workers: Vec<Worker>,
    completions: Arc<Mutex<Vec<StorageCompletion>>>,
    wakes: Arc<AtomicU64>,
}

impl Stepped {
    fn start(dir: &TempDir) -> Self {
        let (completions, wakes) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
        let (sink, told) = (Arc::clone(&completions), Arc::clone(&wakes));
        let (handle, workers) = open(dir.path())
            .start_stepped(
                PARTITIONS,
                move |done| sink.lock().expect("no panic").extend(done),
                move || {
                    told.fetch_add(1, Ordering::SeqCst);
                },
            )
            .expect("sound");
        Self { handle, workers, completions, wakes }
    }

    fn submit(&self, ticket: u64, op: StorageOp) {
        self.handle.submit(StorageRequest { ticket: Ticket(ticket), op });
    }

    /// One step of each worker; whether any did something.
    fn step(&self) -> bool {
        self.workers.iter().map(Worker::step).filter(|step| *step == Step::Done).count() > 0
    }

    fn done(&self) -> Vec<StorageCompletion> {
        std::mem::take(&mut *self.completions.lock().expect("no panic"))
    }
}

fn apply(request: u64) -> StorageOp {
    StorageOp::Apply { key: key("alice"), update: put(request, "milk") }
}

#[test]
fn nothing_is_done_before_a_step_and_one_sync_covers_what_was_queued() {
    let dir = TempDir::new().expect("a directory");
    let store = Stepped::start(&dir);
    (1..=3).for_each(|ticket| store.submit(ticket, apply(ticket)));
    assert_eq!(store.wakes.load(Ordering::SeqCst), 3);
    assert!(store.done().is_empty());

    assert!(store.step());
    let applied = store.done();
    assert!(applied.iter().all(|done| matches!(done, StorageCompletion::Applied { .. })), "{applied:?}");
    assert_eq!(applied.len(), 3);
    // Queued after the commit: not of this batch, and not before its sync.
    store.submit(4, apply(4));
    assert!(store.step());
    assert_eq!(store.done(), [StorageCompletion::Synced { through: Ticket(3) }]);
    assert!(store.step());
    assert!(store.step());
    assert_eq!(store.done().last(), Some(&StorageCompletion::Synced { through: Ticket(4) }));
    assert!(!store.step());
}

#[test]
fn a_close_does_what_is_queued_and_lets_go_of_the_directory() {
    let dir = TempDir::new().expect("a directory");
    let Stepped { handle, workers, completions, .. } = Stepped::start(&dir);
    let queued = StorageRequest { ticket: Ticket(1), op: apply(1) };
    handle.submit(queued);
    handle.close().expect("closed cleanly");
    let done = completions.lock().expect("no panic").clone();
    assert_eq!(done.last(), Some(&StorageCompletion::Synced { through: Ticket(1) }));
    assert!(workers.iter().all(|worker| worker.step() == Step::Ended));
    // The workers are still held by somebody; the directory is not.
    let again = start(dir.path());
    assert_eq!(values(&again.read(&key("alice")).expect("read")), ["milk"]);
    drop(workers);
}
