//! A real machine: the store's workers are threads.

use std::io;
use std::time::Duration;

use cartwheel_core::storage::StorageCompletion;
use cartwheel_store::{BeginError, Opened, StoreHandle};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
pub(crate) use tokio::task::JoinSet;
use tokio::task::{JoinError, spawn_blocking};

/// How long a connection is silent before the other machine is asked whether it still knows of it.
const SILENCE: Duration = Duration::from_secs(30);
/// From one such question to the next, where none is answered, and how many are asked.
const QUESTION_INTERVAL: Duration = Duration::from_secs(10);
const QUESTIONS: u32 = 3;

/// Has the operating system find out, within a minute, that the other side of `stream` is gone, should it have gone without a
/// word (its machine lost its power, or the network was cut when it hung up). One that is there may say nothing for as long as
/// it likes: its machine answers.
///
/// # Errors
///
/// The connection has ended already.
pub(crate) fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let questions =
        TcpKeepalive::new().with_time(SILENCE).with_interval(QUESTION_INTERVAL).with_retries(QUESTIONS);
    SockRef::from(stream).set_tcp_keepalive(&questions)
}

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
