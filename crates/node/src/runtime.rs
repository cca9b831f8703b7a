//! Time and randomness: the one place that asks the machine for them, so that a simulated machine can answer instead.

use std::time::{Duration, SystemTime};

use cartwheel_core::time::{Instant, Now, WallTime};

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
