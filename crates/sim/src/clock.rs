//! Each node's own idea of time: an offset and a drift against the simulator's true time.

use cartwheel_core::time::{Instant, Now, WallTime};

const PPB: i64 = 1_000_000_000;

/// The simulated world begins at 2026-01-01T00:00:00Z.
const EPOCH_US: i64 = 1_767_225_600_000_000;

/// One node's clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// How far the wall clock is ahead, in microseconds.
    pub offset_us: i64,
    /// How much faster than true time it runs, in parts per billion.
    pub drift_ppb: i64,
    /// How much of true time the monotonic clock has slept through, in nanoseconds.
    pub slept_ns: u64,
    /// The wall clock moves on in steps of so many microseconds.
    pub tick_us: i64,
}

impl Clock {
    /// What the node reads at `true_ns`. The monotonic clock shares the drift and starts at one second.
    pub fn read(&self, true_ns: u64) -> Now {
        let local = self.local_ns(true_ns.saturating_sub(self.slept_ns));
        // The wall clock does not sleep.
        let wall = EPOCH_US + self.offset_us + (self.local_ns(true_ns) / 1_000) as i64;
        let wall = wall - wall.rem_euclid(self.tick_us);
        Now { monotonic: Instant(local + 1_000_000_000), wall: WallTime(u64::try_from(wall).unwrap_or(0)) }
    }

    /// The first true time at which the monotonic clock reads `instant` or more.
    pub fn when(&self, instant: Instant) -> u64 {
        let local = instant.0.saturating_sub(1_000_000_000);
        let ahead = share(local, self.drift_ppb, PPB + self.drift_ppb);
        local.saturating_add_signed(-ahead).saturating_add(self.slept_ns)
    }

    fn local_ns(&self, true_ns: u64) -> u64 {
        true_ns.saturating_add_signed(share(true_ns, self.drift_ppb, PPB))
    }
}

/// `ns * part / whole`, rounded down. Years by parts per million are more than 64 bits hold; what is simulated is not, and
/// dividing twice as many bits takes several times as long.
fn share(ns: u64, part: i64, whole: i64) -> i64 {
    if part == 0 {
        return 0;
    }
    match i64::try_from(ns).ok().and_then(|ns| ns.checked_mul(part)) {
        Some(product) => product.div_euclid(whole),
        None => (i128::from(ns) * i128::from(part)).div_euclid(i128::from(whole)) as i64,
    }
}

/// A wall-clock reading as seconds since the simulated world began, for people: `-0.170 s`.
pub fn since_epoch(wall: WallTime) -> String {
    let us = wall.0 as i64 - EPOCH_US;
    let sign = if us < 0 { "-" } else { "" };
    format!("{sign}{}.{:06} s", us.unsigned_abs() / 1_000_000, us.unsigned_abs() % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_fires_when_the_local_clock_says_so_and_not_before() {
        for drift_ppb in [-200_000, 0, 1, 200_000] {
            let clock = Clock { offset_us: -5, drift_ppb, slept_ns: 77, tick_us: 1 };
            for local in [1_000_000_001, 1_000_000_007, 61_123_456_789] {
                let at = clock.when(Instant(local));
                assert!(clock.read(at).monotonic >= Instant(local));
                assert!(at <= 77 || clock.read(at - 1).monotonic < Instant(local));
            }
        }
    }

    quickcheck::quickcheck! {
        fn a_share_is_exact(ns: u64, part: i32) -> bool {
            let exact = |ns| (i128::from(ns) * i128::from(part)).div_euclid(i128::from(PPB)) as i64;
            [ns, ns >> 20].into_iter().all(|ns| share(ns, part.into(), PPB) == exact(ns))
        }
    }

    #[test]
    fn a_wall_clock_that_ticks_shows_the_same_time_until_the_next_tick() {
        let clock = Clock { offset_us: 0, drift_ppb: 0, slept_ns: 0, tick_us: 1_000 };
        let walls = [0, 999_999, 1_000_000, 2_500_000].map(|ns| clock.read(ns).wall.0 - EPOCH_US as u64);
        assert_eq!(walls, [0, 0, 1_000, 2_000]);
        assert_eq!(clock.read(999_999).monotonic, Instant(1_000_999_999), "timers go by the other one");
    }
}
