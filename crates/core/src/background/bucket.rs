//! A token bucket in whole numbers.

use crate::time::Instant;

/// Tokens are counted in billionths of a record, so that a rate per second fills it exactly by the nanosecond.
const RECORD: i64 = 1_000_000_000;
/// A batch is at most what the rate allows in this part of a second: the longest burst that the foreground meets.
const BATCHES_PER_SECOND: u32 = 50;
/// What may be saved up while nobody asks, in batches.
const SAVED_BATCHES: u32 = 5;

#[derive(Debug)]
pub(super) struct Bucket {
    /// Below zero: work that was done is still to be waited for.
    balance: i64,
    filled_at: Instant,
}

impl Bucket {
    pub fn full(rate: u32) -> Self {
        Self { balance: capacity(rate), filled_at: Instant::default() }
    }

    /// Adds what `rate` earned since the last time.
    pub fn refill(&mut self, now: Instant, rate: u32) {
        let elapsed = i64::try_from(now.0.saturating_sub(self.filled_at.0)).unwrap_or(i64::MAX);
        self.filled_at = self.filled_at.max(now);
        let earned = elapsed.saturating_mul(i64::from(rate));
        self.balance = self.balance.saturating_add(earned).min(capacity(rate));
    }

    /// Takes `least..=most` records, as many as a batch may have; or says when that will be possible. Work larger than
    /// all that can be saved up is let through at a full batch, and paid for afterwards.
    pub fn take(&mut self, now: Instant, rate: u32, least: u32, most: u32) -> Result<u32, Instant> {
        let granted = most.min(batch(rate)).max(least).max(1);
        let needed = tokens(granted.min(batch(rate)));
        if self.balance >= needed {
            self.balance = self.balance.saturating_sub(tokens(granted));
            return Ok(granted);
        }
        let missing = needed.saturating_sub(self.balance).unsigned_abs();
        Err(Instant(now.0.saturating_add(missing.div_ceil(u64::from(rate)))))
    }

    /// Takes what was not asked for. Never more than a bucketful is owed: what peers ask for must not starve what this
    /// node has to do.
    pub fn charge(&mut self, rate: u32, cost: u32) {
        let floor = self.balance.min(-capacity(rate));
        self.balance = self.balance.saturating_sub(tokens(cost)).max(floor);
    }
}

fn tokens(records: u32) -> i64 {
    i64::from(records) * RECORD
}

fn batch(rate: u32) -> u32 {
    (rate / BATCHES_PER_SECOND).max(1)
}

fn capacity(rate: u32) -> i64 {
    tokens(batch(rate).saturating_mul(SAVED_BATCHES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use quickcheck::{QuickCheck, TestResult};

    /// Whatever is asked for and whenever, no more is granted than the rate, what was saved, and one batch.
    #[test]
    fn no_more_is_granted_than_the_rate_earns() {
        fn law(rate: u32, asks: Vec<(u32, u32)>) -> TestResult {
            let rate = 1 + rate % 20_000;
            let mut bucket = Bucket::full(rate);
            let (mut now, mut granted) = (Instant(0), 0_u64);
            for (pause, most) in asks {
                now = Instant(now.0 + u64::from(pause % 100_000_000));
                bucket.refill(now, rate);
                granted += u64::from(bucket.take(now, rate, 1, most % 500).unwrap_or(0));
            }
            let earned = now.0 * u64::from(rate) / 1_000_000_000;
            let saved = u64::from(batch(rate) * SAVED_BATCHES);
            TestResult::from_bool(granted <= earned + saved + 1)
        }
        QuickCheck::new().tests(500).quickcheck(law as fn(u32, Vec<(u32, u32)>) -> TestResult);
    }

    #[test]
    fn asking_again_at_the_time_that_was_named_succeeds() {
        fn law(rate: u32, cost: u32, most: u32) -> bool {
            let (rate, cost, most) = (1 + rate % 20_000, cost % 100_000, most % 100_000);
            let mut bucket = Bucket::full(rate);
            let first = bucket.take(Instant(0), rate, cost, cost);
            assert!(first.is_ok(), "a full bucket lets anything through");
            match bucket.take(Instant(0), rate, 1, most) {
                Ok(_) => true,
                Err(at) => {
                    bucket.refill(at, rate);
                    bucket.take(at, rate, 1, most).is_ok()
                }
            }
        }
        QuickCheck::new().tests(500).quickcheck(law as fn(u32, u32, u32) -> bool);
    }

    #[test]
    fn batches_shrink_with_the_rate() {
        let batch = |rate| Bucket::full(rate).take(Instant(0), rate, 1, 64);
        assert_eq!([batch(10_000), batch(1_000), batch(20)], [Ok(64), Ok(20), Ok(1)]);
    }

    #[test]
    fn peers_cannot_run_up_an_endless_debt() {
        let mut bucket = Bucket::full(50);
        (0..1_000).for_each(|_| bucket.charge(50, 1_000));
        let wait = bucket.take(Instant(0), 50, 1, 1).unwrap_err();
        assert!(wait <= Instant(200_000_000), "{wait:?}");
    }
}
