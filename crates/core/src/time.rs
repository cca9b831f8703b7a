//! Time as the driver tells it. The core owns no clock.

use core::ops::{Add, Sub};
use core::time::Duration;

/// Nanoseconds since an epoch of the driver's choice. Never goes back within one boot; means nothing to other nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// How long after `earlier` this is; zero if it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// Microseconds since the Unix epoch, as this node's clock claims. Clocks are skewed, jump and go back: no safety
/// property may use it. It is kept with a version for humans, and decides only under last-write-wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub u64);

/// What the driver's clocks read when it hands an input over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Now {
    /// For every timeout.
    pub monotonic: Instant,
    /// For humans and last-write-wins.
    pub wall: WallTime,
}
