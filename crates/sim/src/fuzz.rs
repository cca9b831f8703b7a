//! Many seeds on many threads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::corpus::{Corpus, GENERATION};
use crate::report::{Counter, Report};
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
    /// What happened how often, in all runs together.
    pub happened: BTreeMap<Counter, u64>,
    /// Reports whose expectations do not hold, by seed.
    pub failures: Vec<Report>,
    /// What those of them ran that no seed alone makes again: mutants.
    pub mutants: BTreeMap<u64, Scenario>,
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// At the first seed that fails; seeds before it are finished, so that the answer does not depend on threads.
    Stop,
    /// Never.
    KeepGoing,
}

/// Every `of`th seed, beginning with the `shard`th: one of several machines that share the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1.
    pub shard: u64,
    /// Of how many.
    pub of: u64,
}

impl Shard {
    /// All the work.
    pub const WHOLE: Self = Self { shard: 1, of: 1 };

    /// The seeds of `all` that are this one's.
    pub fn seeds(self, all: Range<u64>) -> impl Iterator<Item = u64> + Clone + Send {
        all.skip(usize::try_from(self.shard - 1).unwrap_or(usize::MAX))
            .step_by(usize::try_from(self.of).unwrap_or(usize::MAX))
    }
}

/// Runs `scenario(seed)` for each of `seeds` on `threads` threads; `progress` is told after each of them, and says whether
/// to go on. Seeds are independent, so the findings are the same on any number of threads.
pub fn fuzz(
    seeds: impl Iterator<Item = u64> + Send,
    threads: usize,
    on_failure: OnFailure,
    scenario: impl Fn(u64) -> Scenario + Sync,
    progress: impl Fn(&Report) -> bool + Sync,
) -> Campaign {
    let next = Mutex::new(seeds);
    let stop = AtomicBool::new(false);
    let campaign = Mutex::new(Campaign::default());
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let Some(seed) = next.lock().expect("no thread panics while it takes one").next() else { return };
            let report = crate::run(&scenario(seed), seed);
            let goes_on = progress(&report);
            if !goes_on || (!report.expectations_hold && on_failure == OnFailure::Stop) {
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

/// As [`fuzz`], and learns as it goes: a generation of seeds runs what `corpus` makes of them, and what reached something
/// new is kept in it.
pub fn fuzz_with_corpus(
    mut seeds: impl Iterator<Item = u64>,
    threads: usize,
    on_failure: OnFailure,
    corpus: &mut Corpus,
    fresh: impl Fn(u64) -> Scenario + Sync,
    progress: impl Fn(&Report) -> bool + Sync,
) -> Campaign {
    let mut whole = Campaign::default();
    let goes_on = AtomicBool::new(true);
    while goes_on.load(Ordering::Relaxed) {
        let generation: Vec<u64> = seeds.by_ref().take(GENERATION).collect();
        if generation.is_empty() {
            break;
        }
        let known = corpus.clone();
        let of_seed = |seed| known.scenario(seed, &fresh);
        let ran = Mutex::new(BTreeMap::new());
        let campaign = fuzz(generation.into_iter(), threads, on_failure, of_seed, |report| {
            ran.lock().expect("no thread panics while it notes").insert(report.seed, report.counters.clone());
            let more = progress(report);
            goes_on.fetch_and(more, Ordering::Relaxed);
            more
        });
        corpus.learn(&ran.into_inner().expect("no thread panics while it notes"), of_seed);
        let has_failed = !campaign.failures.is_empty();
        for Report { seed, .. } in &campaign.failures {
            let scenario = of_seed(*seed);
            if scenario != fresh(*seed) {
                whole.mutants.insert(*seed, scenario);
            }
        }
        whole.join(campaign);
        if has_failed && on_failure == OnFailure::Stop {
            break;
        }
    }
    whole
}

impl Campaign {
    /// What no run has reached.
    pub fn never_happened(&self) -> impl Iterator<Item = Counter> {
        Counter::ALL.iter().copied().filter(|counter| !self.happened.contains_key(counter))
    }

    fn join(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.simulated_ns += other.simulated_ns;
        self.events += other.events;
        self.acked_writes += other.acked_writes;
        for (counter, count) in other.happened {
            *self.happened.entry(counter).or_default() += count;
        }
        self.failures.extend(other.failures);
    }

    fn add(&mut self, report: Report) {
        self.seeds += 1;
        self.simulated_ns += u128::from(report.simulated_ns);
        self.events += report.events;
        self.acked_writes += report.acked_writes;
        for (counter, count) in &report.counters {
            *self.happened.entry(*counter).or_default() += count;
        }
        if !report.expectations_hold {
            self.failures.push(report);
        }
    }
}
