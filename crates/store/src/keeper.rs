//! The cluster's state, which is kept beside the records. Its own thread, because each write waits for the disk, while
//! commits and scans go on.

use std::path::Path;

use cartwheel_core::storage::{StorageCompletion, StorageError, StorageOp, StorageRequest};

use crate::cluster_file;
use crate::engine::Engine;
use crate::handle::Completions;

/// Keeps in `dir` what one request brings.
pub fn round(
    dir: &Path,
    engine: &Engine,
    completions: &Completions,
    StorageRequest { ticket, op }: StorageRequest,
) {
    let result = if engine.is_fenced() { Err(StorageError::Failed) } else { keep(dir, op) };
    completions(vec![StorageCompletion::Saved { ticket, result }]);
}

fn keep(dir: &Path, op: StorageOp) -> Result<(), StorageError> {
    // Everything else is other threads'.
    let StorageOp::SaveCluster { cluster } = op else { return Err(StorageError::Failed) };
    cluster_file::write(dir, &cluster)
        .inspect_err(|error| tracing::error!(%error, "the cluster's state cannot be kept"))
        .map_err(|_| StorageError::Failed)
}
