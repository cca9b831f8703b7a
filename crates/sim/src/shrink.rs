//! Shrinking: from a run that fails to the smallest scenario that fails in the same way.
//!
//! The run is first spelled out ([`run_and_spell_out`]): from then on visits and faults are
//! data, and whatever is left to chance is named by what it is for (`luck.rs`), so that a visit less does not reshuffle the
//! rest. Then everything is tried away, the largest parts first (`shrink/moves.rs`), for as long as something gives. A candidate
//! counts only if it breaks what the first run broke, within the fault budget; and, where a museum piece is planted,
//! if it is green without it.
//!
//! Some failures rest on a coincidence that another ring, or another time, does not bring about again by itself. Such candidates
//! are tried with several seeds: with few at first, and, where the scenario is still larger than a person cares to read, with ever
//! more of them. How many is counted in simulated events, so that small worlds get many tries for the price of a large
//! one's, and the answer does not depend on the machine.

mod ddmin;
mod moves;
mod symptom;

use crate::nemesis::Budget;
use crate::report::Report;
use crate::scenario::{Probability, Scenario};
use crate::{run, run_and_spell_out};

pub use symptom::Symptom;

/// What shrinking came to.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest scenario found; its seed is in it.
    pub scenario: Scenario,
    /// How it fails.
    pub report: Report,
    /// What it and the first run have in common.
    pub symptom: Symptom,
    /// How many runs it took.
    pub runs: u64,
}

/// Shrinks `scenario`, which fails with `seed`, for as long as `go_on` says so; what is there then is the answer.
/// `None` where it does not fail at all.
pub fn shrink(scenario: &Scenario, seed: u64, go_on: &dyn Fn() -> bool) -> Option<Shrunk> {
    let (report, mut explicit) = run_and_spell_out(scenario, seed);
    // What a smaller run need not have reached.
    explicit.expect.happened.clear();
    explicit.expect.availability_min = Probability::default();
    let symptom = Symptom::of(&report)?;
    let within_budget = Budget::new(&explicit.cluster).covers(&explicit);
    let mut search = Search { symptom, best: explicit, report, seed, within_budget, runs: 1, luck: 0, go_on };
    while go_on() {
        let before = Size::of(&search.best);
        moves::round(&mut search);
        let size = Size::of(&search.best);
        if size < before {
            continue;
        }
        if size.is_small() || search.luck == LUCK_MAX {
            break;
        }
        search.luck += 1;
    }
    let Search { best, report, runs, seed, .. } = search;
    let scenario = Scenario { seed: Some(seed), ..best };
    Some(Shrunk { scenario, report, symptom, runs })
}

/// How many events the luck of one candidate may cost to begin with.
const EVENTS: u64 = 25_000;

/// How many seeds it may try to begin with.
const SEEDS: u64 = 20;

/// How many times more luck is tried at the most, each time four times as much.
const LUCK_MAX: u32 = 6;

/// How much there is to read of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Size {
    nodes: usize,
    faults: usize,
    visits: usize,
}

impl Size {
    /// What a person can hold in mind.
    const SMALL: Self = Self { nodes: 5, faults: 3, visits: 10 };

    fn of(scenario: &Scenario) -> Self {
        let nodes = (scenario.cluster.nodes + scenario.cluster.spares) as usize;
        Self { nodes, faults: scenario.fault.len(), visits: scenario.visit.len() }
    }

    fn is_small(self) -> bool {
        let Self { nodes, faults, visits } = Self::SMALL;
        self.nodes <= nodes && self.faults <= faults && self.visits <= visits
    }
}

/// The smallest scenario so far, and how it is replaced.
struct Search<'a> {
    symptom: Symptom,
    best: Scenario,
    report: Report,
    seed: u64,
    /// The first run kept to the fault budget: so must every other.
    within_budget: bool,
    runs: u64,
    /// How much luck is tried where the scenario is not small enough yet.
    luck: u32,
    go_on: &'a dyn Fn() -> bool,
}

impl Search<'_> {
    /// Whether there is more of something than a person can hold in mind.
    fn has_too_many(&self, of: fn(Size) -> usize) -> bool {
        of(Size::of(&self.best)) > of(Size::SMALL)
    }

    /// Whether `candidate` fails in the same way: then it is the best from now on.
    fn try_out(&mut self, candidate: &Scenario) -> bool {
        self.try_for(candidate, 1, None)
    }

    /// The same, with another seed, too: for changes that leave most of chance as it was.
    fn try_again(&mut self, candidate: &Scenario) -> bool {
        self.try_for(candidate, 2, None)
    }

    /// The same, with some seeds more: for changes after which chance goes other ways.
    fn try_with_luck(&mut self, candidate: &Scenario) -> bool {
        self.try_for(candidate, 2, Some(0))
    }

    /// The same, with as many as it takes, within reason, where it `matters` much.
    fn try_hard(&mut self, candidate: &Scenario, matters: bool) -> bool {
        self.try_for(candidate, 2, matters.then_some(self.luck))
    }

    /// The same, with much more of them from the beginning.
    fn try_hardest(&mut self, candidate: &Scenario) -> bool {
        self.try_for(candidate, 2, Some(self.luck + 2))
    }

    /// Tries so many seeds at least, and more for as much luck.
    fn try_for(&mut self, candidate: &Scenario, tries: u64, luck: Option<u32>) -> bool {
        let covered = !self.within_budget || Budget::new(&candidate.cluster).covers(candidate);
        if *candidate == self.best || candidate.check().is_err() || !covered {
            return false;
        }
        let (events, seeds) = luck.map_or((0, 0), |luck| (EVENTS << (2 * luck), SEEDS << (2 * luck)));
        let (mut tried, mut spent) = (0, 0);
        while (tried < tries || spent < events && tried < seeds) && (self.go_on)() {
            let seed = self.seed.wrapping_add(tried);
            self.runs += 1;
            let report = run(candidate, seed);
            (tried, spent) = (tried + 1, spent + report.events);
            if self.symptom.is_in(&report) && self.is_to_blame(candidate, seed) {
                (self.best, self.report, self.seed) = (candidate.clone(), report, seed);
                return true;
            }
        }
        false
    }

    /// Whether it is the museum piece that makes it fail, where there is one.
    fn is_to_blame(&mut self, candidate: &Scenario, seed: u64) -> bool {
        if candidate.flaw.is_none() {
            return true;
        }
        self.runs += 1;
        Symptom::of(&run(&Scenario { flaw: None, ..candidate.clone() }, seed)).is_none()
    }
}
