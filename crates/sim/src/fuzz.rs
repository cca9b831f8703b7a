//! Many seeds on many threads.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::report::Report;
use crate::scenario::Scenario;

/// What a campaign covered, and what it found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Campaign {
    /// Seeds that ran.
    pub seeds: u64,
    /// Simulated time, in nanoseconds.
    pub simulated_ns: u128,
    /// Events executed.
    pub events: u64,
    /// Writes acknowledged.
    pub acked_writes: u64,
    /// Reports whose expectations do not hold, by seed.
    pub failures: Vec<Report>,
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// At the first seed that fails; seeds before it are finished, so that the answer does not depend on threads.
    Stop,
    /// Never.
    KeepGoing,
}

/// Runs `scenario(seed)` for each of `seeds` on `threads` threads; `progress` is told after each of them. Seeds are
/// independent, so the findings are the same on any number of threads.
pub fn fuzz(
    seeds: Range<u64>,
    threads: usize,
    on_failure: OnFailure,
    scenario: impl Fn(u64) -> Scenario + Sync,
    progress: impl Fn(&Report) + Sync,
) -> Campaign {
    let next = AtomicU64::new(seeds.start);
    let stop = AtomicBool::new(false);
    let campaign = Mutex::new(Campaign::default());
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let report = crate::run(&scenario(seed), seed);
            progress(&report);
            if !report.expectations_hold && on_failure == OnFailure::Stop {
                stop.store(true, Ordering::Relaxed);
            }
            campaign.lock().expect("no thread panics while it adds").add(report);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    let mut campaign = campaign.into_inner().expect("no thread panics while it adds");
    campaign.failures.sort_by_key(|report| report.seed);
    if on_failure == OnFailure::Stop {
        // Every seed below the first that fails was run; which of those above it were depends on the threads.
        campaign.failures.truncate(1);
    }
    campaign
}

impl Campaign {
    fn add(&mut self, report: Report) {
        self.seeds += 1;
        self.simulated_ns += u128::from(report.simulated_ns);
        self.events += report.events;
        self.acked_writes += report.acked_writes;
        if !report.expectations_hold {
            self.failures.push(report);
        }
    }
}
