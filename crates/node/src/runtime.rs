//! What a node asks of its machine: time, randomness, and somebody who does the store's work. The one place that knows
//! whether the machine is simulated.
//!
//! Built with `--cfg madsim`, the crate named `tokio` is madsim's: tasks, timers and sockets are simulated, and the clocks and
//! the randomness of the C library answer from the simulation's seed. What is left to decide is who runs the store's workers:
//! threads (`runtime/real.rs`), or tasks that take a simulated while (`runtime/simulated.rs`).

#[cfg(not(madsim))]
#[path = "runtime/real.rs"]
mod machine;
#[cfg(madsim)]
#[path = "runtime/simulated.rs"]
mod machine;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use cartwheel_core::time::{Instant, Now, WallTime};

pub(crate) use machine::{JoinSet, blocking, keep_alive, start_store};

/// What the clocks read, counted from the start of this node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch: tokio::time::Instant,
}

impl Clock {
    pub fn start() -> Self {
        Self { epoch: tokio::time::Instant::now() }
    }

    pub fn now(&self) -> Now {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now {
            monotonic: Instant::default() + self.epoch.elapsed(),
            wall: WallTime(u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)),
        }
    }

    /// Waits until `at`; for ever, if it is nothing.
    pub async fn sleep_until(&self, at: Option<Instant>) {
        match at {
            Some(at) => tokio::time::sleep_until(self.epoch + at.since(Instant::default())).await,
            None => std::future::pending().await,
        }
    }
}

/// Seconds since 1970, as the wall clock has it.
pub(crate) fn unix_seconds() -> i64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}

/// Bytes that nobody can guess. A machine without a source of randomness cannot name requests or stores apart, so
/// there is nothing to go on with.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Err(error) = getrandom::fill(&mut bytes) {
        panic!("the operating system gives no randomness: {error}");
    }
    bytes
}

/// Somewhere between half of `span` and all of it.
pub(crate) fn jittered(span: Duration) -> Duration {
    let share = u32::from(u16::from_le_bytes(random()));
    span / 2 + span / 2 * share / u32::from(u16::MAX)
}

/// The timers of HTTP connections. hyper's own are those of the real tokio, whatever the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer;

impl hyper::rt::Timer for Timer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Sleep(Box::pin(tokio::time::sleep(duration))))
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.sleep(deadline.saturating_duration_since(self.now()))
    }
}

struct Sleep(Pin<Box<tokio::time::Sleep>>);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl hyper::rt::Sleep for Sleep {}
