//! Reads, scans, and questions about hash trees. They see whatever is committed: the committer hands out the completion
//! of an update only after its commit, so a read that is requested after it finds it.

use std::sync::mpsc::Receiver;

use cartwheel_core::storage::{StorageCompletion, StorageOp, StorageRequest};

use crate::engine::Engine;
use crate::handle::Completions;

/// Most answers that are handed out together. Small, so that one answer in the cache does not wait for many that
/// are not.
const ANSWERS_MAX: usize = 16;

/// Answers `first` and what is queued behind it, within bounds.
pub fn round(
    engine: &Engine,
    completions: &Completions,
    first: StorageRequest,
    queue: &Receiver<StorageRequest>,
) {
    let mut answers: Vec<StorageCompletion> = answer(engine, first).into_iter().collect();
    while answers.len() < ANSWERS_MAX
        && let Ok(next) = queue.try_recv()
    {
        answers.extend(answer(engine, next));
    }
    if engine.is_damaged() {
        // Nobody can go on with this store: the next start makes what can be made of it.
        answers.push(StorageCompletion::SyncFailed);
    }
    completions(answers);
}

/// `None` for what is the committer's or the keeper's.
fn answer(engine: &Engine, StorageRequest { ticket, op }: StorageRequest) -> Option<StorageCompletion> {
    match op {
        StorageOp::Read { key } => {
            let result = engine.read(&key).map(|record| record.unwrap_or_default().siblings);
            Some(StorageCompletion::Read { ticket, result })
        }
        StorageOp::ScanHints { home, after, limit } => {
            let result = engine.scan_hints(home, after.as_ref(), limit);
            Some(StorageCompletion::Hints { ticket, result })
        }
        StorageOp::TreeHashes { partition, nodes } => {
            let result = engine.tree_hashes(partition, &nodes);
            Some(StorageCompletion::TreeHashes { ticket, result })
        }
        StorageOp::LeafKeys { partition, leaves } => {
            let result = engine.leaf_keys(partition, &leaves);
            Some(StorageCompletion::LeafKeys { ticket, result })
        }
        StorageOp::ScanPartition { partition, after, limit } => {
            let result = engine.scan_partition(partition, after.as_ref(), limit);
            Some(StorageCompletion::Page { ticket, result })
        }
        StorageOp::ScanTombstones { after, limit } => {
            let result = engine.scan_tombstones(after.as_ref(), limit);
            Some(StorageCompletion::Page { ticket, result })
        }
        StorageOp::Scan { scan } => Some(StorageCompletion::Found { ticket, result: engine.scan(&scan) }),
        StorageOp::Occupied => Some(StorageCompletion::Occupied { ticket, result: engine.occupied() }),
        StorageOp::Names { keys } => Some(StorageCompletion::Names { ticket, result: engine.names(&keys) }),
        StorageOp::Apply { .. } | StorageOp::SaveCluster { .. } => None,
    }
}
