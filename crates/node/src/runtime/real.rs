//! A real machine: the store's workers are threads.

use cartwheel_core::storage::StorageCompletion;
use cartwheel_store::{BeginError, Opened, StoreHandle};
pub(crate) use tokio::task::JoinSet;
use tokio::task::{JoinError, spawn_blocking};

/// Starts what was opened, for a ring of `partitions`.
///
/// # Errors
///
/// The operating system refused a thread, or the disk is damaged.
pub(crate) fn start_store(
    opened: Opened,
    partitions: u32,
    completions: impl Fn(Vec<StorageCompletion>) + Send + Sync + 'static,
) -> Result<StoreHandle, BeginError> {
    opened.start(partitions, completions)
}

/// Does what blocks where it holds up nobody.
///
/// # Errors
///
/// It panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    spawn_blocking(work).await
}
