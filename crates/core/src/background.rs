//! Background work yields to the foreground (the paper's section 6.5).
//!
//! Hints, handoff, anti-entropy and reaping must get done, and nobody waits for them; clients wait for everything
//! else. Both use the same disks. So a feedback loop decides how much background work a node may do:
//!
//! - **What is watched**: how long each access takes that a *foreground* get or put coordinated here makes to a
//!   replica, this node's own included, from the asking to the answer ("the behavior of resource accesses while
//!   executing a foreground put/get operation"). One that stays silent or is refused as too much counts as far too
//!   slow. This sees both disks that background work of this node can harm: its own, and that of the peer which it sends to; an
//!   answer to a client would hide the latter, because a quorum does not wait for the slowest home. Serving a peer
//!   is not watched: a replica cannot tell a peer's hint from a client's write, and background work that throttles
//!   itself when nobody else is there would be a mistake. What the network takes is part of it, so the target must
//!   be above a round trip.
//! - **What is compared**: the 99th percentile over a trailing window with the target (the paper: 60 s and 50 ms).
//!   After a decrease the window starts afresh: what was measured at the old rate does not judge the new one, and the
//!   loop does not go on braking for a window after the harm is over.
//! - **What is decided**, sixty times a window: additive increase, multiplicative decrease ([`next_rate`]). Several
//!   nodes that send to one home share its disk by that rule, as flows share a link. There is a floor, because
//!   hints must drain however bad the day is.
//! - **What is rationed**: records per second, in a token bucket. Disks serve small records by the operation and large
//!   ones by the byte, so a record counts once, and once more for each further [`RECORD_BYTES`]. Batches shrink with
//!   the rate: a batch is a burst on somebody's disk, and a burst is what a foreground request queues behind.
//!
//! Nothing here needs a timer: decisions that have come due are taken, as of their own time, when the next access is
//! seen or the next work asks.

mod bucket;
mod controller;
mod latencies;

use core::time::Duration;

use crate::config::Config;
use crate::time::Instant;

use self::bucket::Bucket;
use self::controller::{STEPS, next_rate};
use self::latencies::Latencies;

pub(crate) use self::controller::{Limits, Seen};

/// Decisions in one window.
const DECISIONS: u32 = 60;
/// A record counts once for each of these that it begins.
const RECORD_BYTES: u64 = 4_096;

/// What a record with so many bytes of values counts for, beyond the one that every record counts for.
pub(crate) fn surcharge(bytes: u64) -> u32 {
    u32::try_from(bytes / RECORD_BYTES).unwrap_or(u32::MAX)
}

/// How much background work a node may do. Without a target there is no bound.
#[derive(Debug)]
pub(crate) struct Background(Option<Control>);

#[derive(Debug)]
struct Control {
    limits: Limits,
    interval: Duration,
    latencies: Latencies,
    seen: Seen,
    /// Records per second.
    rate: u32,
    bucket: Bucket,
    next_decision: Instant,
    was_throttled: bool,
}

/// The controller took back what it had granted, or has granted everything again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Throttled { rate: u32, p99: Duration },
    Recovered,
}

/// What a node tells of its background work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackgroundStatus {
    /// Records per second that are allowed.
    pub rate: u32,
    /// The 99th percentile that the last decision rests on; zero when nothing was seen.
    pub p99: Duration,
    /// How many accesses that was.
    pub accesses: u64,
}

impl Background {
    pub fn new(config: &Config) -> Self {
        Self(config.background_latency_target.map(|target| {
            let (floor, ceiling) = (config.background_rate_min, config.background_rate_max);
            Control::new(Limits { target, floor, ceiling }, config.background_window)
        }))
    }

    /// An access that a foreground request made took `latency`.
    pub fn observe(&mut self, now: Instant, latency: Duration) {
        if let Some(control) = &mut self.0 {
            control.advance(now);
            control.latencies.record(now, latency);
        }
    }

    /// An access that a foreground request made failed for want of capacity: as bad as one that took far too long.
    pub fn observe_failure(&mut self, now: Instant, latency: Duration) {
        if let Some(Control { limits, .. }) = &self.0 {
            self.observe(now, latency.max(limits.target * 2));
        }
    }

    /// Asks to do work that counts for `cost` records and cannot be divided; or says when to ask again.
    pub fn admit(&mut self, now: Instant, cost: u32) -> Result<(), Instant> {
        let Some(control) = &mut self.0 else { return Ok(()) };
        control.advance(now);
        control.bucket.take(now, control.rate, cost, cost).map(|_| ())
    }

    /// Asks to do work on up to `most` records, and is told on how many; or says when to ask again.
    pub fn admit_batch(&mut self, now: Instant, most: u32) -> Result<u32, Instant> {
        let Some(control) = &mut self.0 else { return Ok(most.max(1)) };
        control.advance(now);
        control.bucket.take(now, control.rate, 1, most)
    }

    /// Work was done that could not be asked for: it showed only when it was done, or a peer asked for it. The rest
    /// of the background work waits for it.
    pub fn charge(&mut self, now: Instant, cost: u32) {
        if let Some(control) = &mut self.0 {
            control.advance(now);
            control.bucket.charge(control.rate, cost);
        }
    }

    /// What the operator should be told, once.
    pub fn turn(&mut self) -> Option<Turn> {
        let control = self.0.as_mut()?;
        let throttled = control.rate < control.limits.ceiling;
        match (core::mem::replace(&mut control.was_throttled, throttled), throttled) {
            (false, true) => Some(Turn::Throttled { rate: control.rate, p99: control.seen.p99 }),
            (true, false) => Some(Turn::Recovered),
            _ => None,
        }
    }

    pub fn status(&self) -> Option<BackgroundStatus> {
        let Control { rate, seen, .. } = self.0.as_ref()?;
        Some(BackgroundStatus { rate: *rate, p99: seen.p99, accesses: seen.count })
    }
}

impl Control {
    fn new(limits: Limits, window: Duration) -> Self {
        Self {
            limits,
            interval: (window / DECISIONS).max(Duration::from_millis(1)),
            latencies: Latencies::new(window),
            seen: Seen::default(),
            rate: limits.ceiling,
            bucket: Bucket::full(limits.ceiling),
            next_decision: Instant::default(),
            was_throttled: false,
        }
    }

    /// Takes every decision that has come due by `now`, as of its own time: the same as if a timer had called.
    fn advance(&mut self, now: Instant) {
        // After so long without a sign of anybody the window is empty and the rate back at its ceiling.
        let idle = self.interval * (DECISIONS + STEPS + 1);
        if now.since(self.next_decision) > idle {
            self.latencies.clear();
            self.seen = Seen::default();
            self.rate = self.limits.ceiling;
            self.next_decision = now + self.interval;
        }
        while self.next_decision <= now {
            let at = self.next_decision;
            self.bucket.refill(at, self.rate);
            self.decide(at);
            self.next_decision = at + self.interval;
        }
        self.bucket.refill(now, self.rate);
    }

    fn decide(&mut self, at: Instant) {
        self.latencies.forget_before_window(at);
        self.seen = Seen { p99: self.latencies.quantile(99, 100), count: self.latencies.count() };
        self.rate = next_rate(self.rate, self.seen, self.limits);
        if self.seen.is_harm(self.limits.target) {
            self.latencies.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const LIMITS: Limits = Limits { target: Duration::from_millis(50), floor: 100, ceiling: 10_000 };

    fn background() -> Background {
        Background(Some(Control::new(LIMITS, Duration::from_secs(60))))
    }

    fn rate(background: &Background) -> u32 {
        background.status().unwrap().rate
    }

    /// A hundred accesses a second that take `ms` each, from `from` on for `seconds`.
    fn suffer(background: &mut Background, from: u64, seconds: u64, ms: u64) -> u64 {
        for at in (0..seconds * 100).map(|i| from + i * 10 * MS) {
            background.observe(Instant(at), Duration::from_millis(ms));
        }
        from + seconds * 1_000 * MS
    }

    #[test]
    fn a_slow_foreground_brakes_to_the_floor_and_a_fast_one_lets_go_again() {
        let mut background = background();
        let at = suffer(&mut background, 0, 3, 10);
        assert_eq!((rate(&background), background.turn()), (10_000, None));
        let at = suffer(&mut background, at, 2, 200);
        assert!(rate(&background) < 10_000);
        assert!(matches!(background.turn(), Some(Turn::Throttled { .. })));
        let at = suffer(&mut background, at, 20, 200);
        assert_eq!(rate(&background), 100);
        let at = suffer(&mut background, at, 10, 10);
        assert!((1_000..3_000).contains(&rate(&background)), "{}", rate(&background));
        assert_eq!(background.turn(), None);
        suffer(&mut background, at, 60, 10);
        assert_eq!((rate(&background), background.turn()), (10_000, Some(Turn::Recovered)));
    }

    #[test]
    fn work_goes_on_at_the_floor_at_the_rate_of_the_floor() {
        let mut background = background();
        let end = suffer(&mut background, 0, 30, 200);
        let (mut now, mut done) = (end, 0);
        while now < end + 10_000 * MS {
            background.observe(Instant(now), Duration::from_millis(200));
            match background.admit_batch(Instant(now), 64) {
                Ok(records) => done += records,
                Err(at) => {
                    assert!(at > Instant(now), "asking again must make sense later");
                    now = at.0;
                }
            }
        }
        // Between two decisions with too little to judge by the rate may creep up a step.
        assert!((900..2_500).contains(&done), "{done}");
    }

    #[test]
    fn nobody_in_the_foreground_means_full_speed_again() {
        let mut background = background();
        let end = suffer(&mut background, 0, 30, 200);
        assert_eq!(rate(&background), 100);
        assert_eq!(background.admit(Instant(end + 121_000 * MS), 1), Ok(()));
        assert_eq!(rate(&background), 10_000);
    }

    #[test]
    fn deciding_late_is_deciding_on_time() {
        let (mut late, mut timely) = (background(), background());
        for background in [&mut late, &mut timely] {
            suffer(background, 0, 10, 200);
        }
        for second in 10..70 {
            timely.charge(Instant(second * 1_000 * MS), 0);
        }
        late.charge(Instant(69_000 * MS), 0);
        assert_eq!(late.status(), timely.status());
    }

    #[test]
    fn without_a_target_nothing_waits() {
        let mut background = Background(None);
        background.charge(Instant(1), u32::MAX);
        assert_eq!(background.admit(Instant(1), u32::MAX), Ok(()));
        assert_eq!(background.admit_batch(Instant(1), 64), Ok(64));
    }
}
