//! A log-linear histogram of latencies over a trailing window, in whole numbers and bounded memory.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::Instant;

/// The window moves on by this part of itself.
const SUB_WINDOWS: u64 = 12;
/// Each power of two is divided into so many: a latency is known to within an eighth.
const LINEAR: u64 = 1 << LINEAR_BITS;
const LINEAR_BITS: u32 = 3;
/// The largest exponent told apart: 2^31 us are 36 minutes.
const EXPONENT_MAX: u32 = 30;
const BUCKETS: usize = ((EXPONENT_MAX - LINEAR_BITS + 2) as usize) * LINEAR as usize;

type Counts = Box<[u32; BUCKETS]>;

/// Latencies of the last window, in microseconds: at most thirteen sets of 232 counters.
#[derive(Debug)]
pub(super) struct Latencies {
    sub_window_ns: u64,
    /// The number of each sub-window in which something was recorded, oldest first, and what.
    recent: VecDeque<(u64, Counts)>,
    total: Counts,
    count: u64,
}

impl Latencies {
    pub fn new(window: Duration) -> Self {
        let window_ns = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX);
        Self {
            sub_window_ns: (window_ns / SUB_WINDOWS).max(1),
            recent: VecDeque::new(),
            total: Box::new([0; BUCKETS]),
            count: 0,
        }
    }

    pub fn record(&mut self, now: Instant, latency: Duration) {
        self.forget_before_window(now);
        let current = now.0 / self.sub_window_ns;
        if self.recent.back().is_none_or(|(number, _)| *number < current) {
            self.recent.push_back((current, Box::new([0; BUCKETS])));
        }
        let bucket = bucket(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        if let Some((_, counts)) = self.recent.back_mut() {
            counts[bucket] += 1;
            self.total[bucket] += 1;
            self.count += 1;
        }
    }

    /// What is older than the window counts no longer.
    pub fn forget_before_window(&mut self, now: Instant) {
        let current = now.0 / self.sub_window_ns;
        while let Some((_, counts)) = self.recent.pop_front_if(|(number, _)| *number + SUB_WINDOWS < current)
        {
            for (total, gone) in self.total.iter_mut().zip(counts.iter()) {
                *total -= gone;
                self.count -= u64::from(*gone);
            }
        }
    }

    pub fn clear(&mut self) {
        self.recent.clear();
        self.total.fill(0);
        self.count = 0;
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// The least latency that `part / whole` of those recorded do not exceed, rounded up by at most an eighth; zero
    /// when nothing was recorded.
    pub fn quantile(&self, part: u64, whole: u64) -> Duration {
        let rank = (self.count * part).div_ceil(whole);
        let mut below = 0;
        for (bucket, count) in self.total.iter().enumerate() {
            below += u64::from(*count);
            if below >= rank && below > 0 {
                return Duration::from_micros(largest(bucket));
            }
        }
        Duration::ZERO
    }
}

/// The bucket of a latency: one for each of the smallest, then [`LINEAR`] for each power of two.
fn bucket(us: u64) -> usize {
    if us < LINEAR {
        return us as usize;
    }
    let exponent = us.ilog2();
    if exponent > EXPONENT_MAX {
        return BUCKETS - 1;
    }
    let within = (us >> (exponent - LINEAR_BITS)) - LINEAR;
    (u64::from(exponent - LINEAR_BITS + 1) * LINEAR + within) as usize
}

/// The largest latency of a bucket.
fn largest(bucket: usize) -> u64 {
    let (power, within) = (bucket as u64 / LINEAR, bucket as u64 % LINEAR);
    if power == 0 { within } else { ((LINEAR + within + 1) << (power - 1)) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use quickcheck::QuickCheck;

    const WINDOW: Duration = Duration::from_secs(12);

    fn recorded(at_ms: u64, all: &[u64]) -> Latencies {
        let mut latencies = Latencies::new(WINDOW);
        for us in all {
            latencies.record(Instant(at_ms * 1_000_000), Duration::from_micros(*us));
        }
        latencies
    }

    #[test]
    fn buckets_are_in_order_without_gaps() {
        for us in (0..100_000).chain([1 << 30, (1 << 31) - 1]) {
            let bucket = bucket(us);
            assert!(us <= largest(bucket) && (bucket == 0 || us > largest(bucket - 1)), "{us}: {bucket}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_quantile_is_the_exact_one_rounded_up_by_at_most_an_eighth() {
        fn law(all: Vec<u32>, part: u8) -> bool {
            let mut all: Vec<u64> = all.into_iter().map(|us| u64::from(us % (1 << 30))).collect();
            let part = 1 + u64::from(part) % 100;
            let found = recorded(0, &all).quantile(part, 100).as_micros() as u64;
            all.sort_unstable();
            let rank = (all.len() as u64 * part).div_ceil(100);
            let exact = if all.is_empty() { 0 } else { all[rank as usize - 1] };
            found >= exact && found <= exact + exact / 8
        }
        QuickCheck::new().tests(500).quickcheck(law as fn(Vec<u32>, u8) -> bool);
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten_and_memory_is_bounded() {
        let mut latencies = Latencies::new(WINDOW);
        for second in 0..1_000_u64 {
            let slow = if second < 500 { 1_000 } else { 1 };
            latencies.record(Instant(second * 1_000_000_000), Duration::from_millis(slow));
        }
        assert!(latencies.recent.len() <= 13);
        assert_eq!(latencies.count(), 13);
        assert!(latencies.quantile(1, 1) < Duration::from_millis(2));
        latencies.forget_before_window(Instant(2_000_000_000_000));
        assert_eq!((latencies.count(), latencies.quantile(99, 100)), (0, Duration::ZERO));
    }
}
