//! How a run went over simulated time: what clients waited for, and what went on behind their backs.

use serde::{Deserialize, Serialize};

/// A quarter of a simulated second of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When it began, in milliseconds of simulated time.
    pub from_ms: u64,
    /// Requests of clients that succeeded in it.
    pub requests: u64,
    /// 99 % of those took at most this, retries included, in microseconds; none when there were none.
    pub p99_us: Option<u64>,
    /// Records that background work moved: hints delivered and keys exchanged.
    pub background_records: u64,
}

/// Gathers moments.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    moments: Vec<Moment>,
    current: Moment,
    took_us: Vec<u64>,
}

impl Timeline {
    /// How long a moment is, in milliseconds.
    pub const MOMENT_MS: u64 = 250;

    /// A client's request succeeded.
    pub fn succeeded(&mut self, now_ns: u64, took_ns: u64) {
        self.advance(now_ns);
        self.took_us.push(took_ns / 1_000);
    }

    /// Background work moved a record.
    pub fn moved(&mut self, now_ns: u64) {
        self.advance(now_ns);
        self.current.background_records += 1;
    }

    /// All moments until `now_ns`.
    pub fn until(mut self, now_ns: u64) -> Vec<Moment> {
        self.advance(now_ns);
        self.close();
        self.moments
    }

    fn advance(&mut self, now_ns: u64) {
        while now_ns / 1_000_000 >= self.current.from_ms + Self::MOMENT_MS {
            self.close();
        }
    }

    fn close(&mut self) {
        self.took_us.sort_unstable();
        let rank = (self.took_us.len() * 99).div_ceil(100);
        let p99_us = rank.checked_sub(1).map(|at| self.took_us[at]);
        let requests = self.took_us.len() as u64;
        self.moments.push(Moment { requests, p99_us, ..self.current });
        self.took_us.clear();
        self.current = Moment { from_ms: self.current.from_ms + Self::MOMENT_MS, ..Moment::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_follow_each_other_and_hold_what_happened_in_them() {
        let mut timeline = Timeline::default();
        (1..=100).for_each(|ms| timeline.succeeded(ms * 1_000_000, ms * 1_000_000));
        timeline.moved(600_000_000);
        let moments = timeline.until(800_000_000);
        let froms: Vec<u64> = moments.iter().map(|moment| moment.from_ms).collect();
        assert_eq!(froms, [0, 250, 500, 750]);
        assert_eq!((moments[0].requests, moments[0].p99_us), (100, Some(99_000)));
        assert_eq!((moments[1].p99_us, moments[2].background_records), (None, 1));
    }
}
