//! A machine of madsim's: the store's workers are tasks. Their work is the shipped one, on real files; what it takes is
//! simulated time, drawn from the simulation's seed, between any two steps. So a crash, or another request, can come
//! between a commit and its sync.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use cartwheel_core::storage::StorageCompletion;
use cartwheel_store::{BeginError, Opened, Step, StoreHandle, Worker};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinHandle};

/// The most that one step takes. madsim's timers tick once in a millisecond.
const STEP_MAX: Duration = Duration::from_millis(4);

/// Nothing: madsim closes the connections of a machine that is killed, and knows no options of sockets.
///
/// # Errors
///
/// None; on a real machine, the connection has ended already.
pub(crate) fn keep_alive(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

/// Starts what was opened, for a ring of `partitions`.
///
/// # Errors
///
/// The disk is damaged.
pub(crate) fn start_store(
    opened: Opened,
    partitions: u32,
    completions: impl Fn(Vec<StorageCompletion>) + Send + Sync + 'static,
) -> Result<StoreHandle, BeginError> {
    let bells: [Arc<Notify>; 4] = Default::default();
    let rung = bells.clone();
    let wake = move || rung.iter().for_each(|bell| bell.notify_one());
    let (store, workers) = opened.start_stepped(partitions, completions, wake)?;
    for (worker, bell) in workers.into_iter().zip(bells) {
        tokio::spawn(work(worker, bell));
    }
    Ok(store)
}

/// Runs `worker` until its store is closed.
async fn work(worker: Worker, bell: Arc<Notify>) {
    loop {
        bell.notified().await;
        loop {
            tokio::time::sleep(super::jittered(STEP_MAX)).await;
            match worker.step() {
                Step::Done => {}
                Step::Idle => break,
                Step::Ended => return,
            }
        }
    }
}

/// Does what blocks. No simulated time passes meanwhile, so it holds up nobody.
///
/// # Errors
///
/// None; on a real machine, it panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    tokio::task::yield_now().await;
    Ok(work())
}

/// Tasks that end when this is dropped, as tokio's of the same name, which madsim has not.
pub(crate) struct JoinSet<T>(Vec<JoinHandle<T>>);

impl<T: Send + 'static> JoinSet<T> {
    /// None yet.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// How many run, or have ended and were not joined.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One more.
    pub fn spawn(&mut self, task: impl Future<Output = T> + Send + 'static) {
        self.0.push(tokio::spawn(task));
    }

    /// Waits for one that ends; `None` if there is none. Safe to cancel.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        if self.0.is_empty() {
            return None;
        }
        poll_fn(|cx| {
            let ended = self.0.iter_mut().enumerate().find_map(|(at, task)| match Pin::new(task).poll(cx) {
                Poll::Ready(ended) => Some((at, ended)),
                Poll::Pending => None,
            });
            ended.map_or(Poll::Pending, |(at, ended)| {
                drop(self.0.swap_remove(at));
                Poll::Ready(Some(ended))
            })
        })
        .await
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
