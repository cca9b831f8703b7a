//! How requests of one kind went.

use hdrhistogram::Histogram;

use crate::report::{Quantiles, Requests};

/// Requests, and how long those took that succeeded.
#[derive(Debug)]
pub struct Tally {
    failed: u64,
    latency_us: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        // Up to an hour, with three significant digits.
        let latency_us = Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("the bounds are valid");
        Self { failed: 0, latency_us }
    }
}

impl Tally {
    /// One succeeded.
    pub fn succeeded(&mut self, took_us: u64) {
        self.latency_us.saturating_record(took_us);
    }

    /// One was given up.
    pub fn failed(&mut self) {
        self.failed += 1;
    }

    /// For the report.
    pub fn requests(&self) -> Requests {
        let (succeeded, latency) = (self.latency_us.len(), Quantiles::of(&self.latency_us));
        Requests { attempted: self.failed + succeeded, succeeded, latency }
    }
}
