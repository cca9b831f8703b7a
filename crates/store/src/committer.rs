//! Group commit: while one sync runs, the next batch gathers. No timer is needed.
//!
//! Each round takes what is queued (bounded), applies it in memory over what is stored, commits the result
//! buffered, hands out the `Applied`, syncs once, and hands out one `Synced`. A batch is synced before the next one is
//! read, so a stored record that a batch builds upon is durable, and a batch that changes nothing needs no sync.

mod batch;

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use cartwheel_core::Key;
use cartwheel_core::replica::Update;
use cartwheel_core::storage::{StorageCompletion, Ticket};
use cartwheel_core::version::Siblings;

use self::batch::Batch;
use crate::engine::Engine;
use crate::handle::{Completions, refused_update};

/// Most updates that one sync covers.
pub const BATCH_UPDATES_MAX: usize = 512;

/// A batch that has gathered values of so many bytes takes no further update.
pub const BATCH_BYTES_MAX: usize = 1 << 20;

/// One update to apply.
pub struct Apply {
    pub ticket: Ticket,
    pub key: Key,
    pub update: Update,
}

pub struct Committer {
    engine: Arc<Engine>,
    completions: Completions,
    /// A commit that is not synced yet.
    unsynced: Option<Unsynced>,
}

/// What a sync is for.
struct Unsynced {
    /// Whether the commit changed anything; if not, what it builds upon is synced already.
    changed: bool,
    /// The last ticket that waits for it.
    through: Option<Ticket>,
}

impl Committer {
    pub fn new(engine: Arc<Engine>, completions: Completions) -> Self {
        Self { engine, completions, unsynced: None }
    }

    /// Applies `updates` until the queue ends.
    pub fn run(&mut self, updates: &Receiver<Apply>) {
        while let Ok(first) = updates.recv() {
            self.commit(first, updates);
            self.sync_if_due();
        }
    }

    /// Commits a batch of `first` and what is queued behind it. The next call must be [`sync_if_due`](Self::sync_if_due).
    pub fn commit(&mut self, first: Apply, queue: &Receiver<Apply>) {
        assert!(self.unsynced.is_none(), "a batch is synced before the next one is read");
        let updates = gather(first, queue);
        if self.engine.is_fenced() {
            return self.refuse(&updates);
        }
        let mut batch = Batch::new(&self.engine);
        let applied: Vec<StorageCompletion> = updates
            .iter()
            .map(|Apply { ticket, key, update }| StorageCompletion::Applied {
                ticket: *ticket,
                result: batch.apply(key, update),
            })
            .collect();
        let changed = batch.has_changes();
        if changed && self.engine.room().is_short() {
            return self.refuse(&updates);
        }
        if changed && let Err(error) = batch.commit() {
            return self.commit_failed(&updates, &error);
        }
        let through = applied.iter().rev().find_map(awaits_sync);
        self.unsynced = Some(Unsynced { changed, through });
        (self.completions)(applied);
    }

    /// Makes the last batch durable, if it is not. Whether there was one.
    pub fn sync_if_due(&mut self) -> bool {
        let Some(Unsynced { changed, through }) = self.unsynced.take() else { return false };
        if changed && let Err(error) = self.engine.sync() {
            self.sync_failed(&error);
        } else if let Some(through) = through {
            (self.completions)(vec![StorageCompletion::Synced { through }]);
        }
        true
    }

    fn refuse(&self, updates: &[Apply]) {
        (self.completions)(updates.iter().map(|update| refused_update(update.ticket)).collect());
    }

    /// Whether a commit that failed is found by the next start is not known. So this boot must not go on: it could
    /// issue the dots of that commit once more. (Everything that was applied before it is synced.)
    fn commit_failed(&self, updates: &[Apply], error: &fjall::Error) {
        tracing::error!(%error, updates = updates.len(), "a commit failed; the store refuses everything from now on");
        self.engine.fence();
        self.refuse(updates);
        (self.completions)(vec![StorageCompletion::SyncFailed]);
    }

    /// After a failed sync the operating system may have dropped the pages and report success the next time.
    fn sync_failed(&self, error: &fjall::Error) {
        tracing::error!(%error, "a sync failed; the store refuses everything from now on");
        self.engine.fence();
        (self.completions)(vec![StorageCompletion::SyncFailed]);
    }
}

fn awaits_sync(completion: &StorageCompletion) -> Option<Ticket> {
    match completion {
        StorageCompletion::Applied { ticket, result: Ok(Ok(_)) } => Some(*ticket),
        _ => None,
    }
}

/// `first` and what is queued behind it, within the bounds of a batch.
fn gather(first: Apply, queue: &Receiver<Apply>) -> Vec<Apply> {
    let mut bytes = weight(&first.update);
    let mut gathered = vec![first];
    while gathered.len() < BATCH_UPDATES_MAX
        && bytes < BATCH_BYTES_MAX
        && let Ok(next) = queue.try_recv()
    {
        bytes += weight(&next.update);
        gathered.push(next);
    }
    gathered
}

/// The bytes of the values that an update brings.
fn weight(update: &Update) -> usize {
    match update {
        Update::Coordinate { write, .. } => usize::try_from(write.value.value_bytes()).unwrap_or(usize::MAX),
        Update::Merge { siblings, .. } | Update::Salvage { siblings, .. } => values(siblings),
        Update::Owe { .. }
        | Update::Redirect { .. }
        | Update::Confirm
        | Update::Drop { .. }
        | Update::Settle { .. } => 0,
    }
}

fn values(siblings: &Siblings) -> usize {
    usize::try_from(siblings.value_bytes()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
