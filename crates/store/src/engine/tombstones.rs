//! The index of tombstones.
//!
//! Changed in the batch that changes the record, so it is exact after any crash. A directory of a release that had no
//! index gets one when it is opened; a marker that is written last says that it is whole, so that a crash while it is
//! built, or a record that cannot be read, costs another look at the next start and nothing else.

use cartwheel_core::replica::Record;
use fjall::{OwnedWriteBatch, PersistMode, Readable};

use super::{Engine, stored};

/// In `meta` once the index is whole.
pub const INDEXED: &str = "tombstones_indexed";

/// Entries that one commit of the building adds.
const BUILD_BATCH: usize = 4_096;

/// Nothing but tombstones, and nobody is owed it.
pub fn is_reapable(record: &Record) -> bool {
    !record.siblings.is_empty() && !record.siblings.is_found() && record.owed.is_empty()
}

impl Engine {
    /// What `before` becoming `now` means for the index.
    pub(super) fn index_tombstone(
        &self,
        batch: &mut OwnedWriteBatch,
        disk_key: &[u8],
        before: Option<&Record>,
        now: Option<&Record>,
    ) {
        match (before.is_some_and(is_reapable), now.is_some_and(is_reapable)) {
            (false, true) => batch.insert(&self.tombstones, disk_key, []),
            (true, false) => batch.remove(&self.tombstones, disk_key),
            _ => {}
        }
    }

    /// Builds the index if it is not whole. What cannot be read is told, and looked at again at the next start.
    pub fn complete_tombstones(&self) {
        match self.build_tombstones() {
            Ok(0) => {}
            Ok(found) => tracing::info!(found, "built the index of tombstones"),
            Err(error) => tracing::error!(%error, "the index of tombstones is incomplete; they are kept"),
        }
    }

    fn build_tombstones(&self) -> fjall::Result<usize> {
        if self.meta.contains_key(INDEXED)? {
            return Ok(0);
        }
        let (mut found, mut batch, mut waiting) = (0, self.db.batch(), 0);
        for entry in self.db.snapshot().iter(&self.records) {
            let (disk_key, sealed) = entry.into_inner()?;
            if stored(&disk_key, &sealed).is_some_and(|(_, record)| is_reapable(&record)) {
                batch.insert(&self.tombstones, disk_key, []);
                (found, waiting) = (found + 1, waiting + 1);
            }
            if waiting == BUILD_BATCH {
                std::mem::replace(&mut batch, self.db.batch()).commit()?;
                waiting = 0;
            }
        }
        batch.insert(&self.meta, INDEXED, []);
        batch.commit()?;
        self.db.persist(PersistMode::SyncAll)?;
        Ok(found)
    }
}
