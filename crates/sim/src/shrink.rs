//! Shrinking: from a run that fails to the smallest scenario that fails in the same way.
//!
//! The run is first spelled out ([`run_and_spell_out`]): from then on visits and faults are
//! data, and whatever is left to chance is drawn per link, disk and node, so that a visit less does not reshuffle the
//! rest. Then everything is tried away, the largest parts first (`shrink/moves.rs`), for as long as something gives. A candidate
//! counts only if it breaks what the first run broke, within the fault budget; and, where a museum piece is planted,
//! if it is green without it.

mod ddmin;
mod moves;
mod symptom;

use crate::nemesis::Budget;
use crate::report::Report;
use crate::scenario::Scenario;
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
    let (report, explicit) = run_and_spell_out(scenario, seed);
    let symptom = Symptom::of(&report)?;
    let within_budget = Budget::new(&explicit.cluster).covers(&explicit);
    let mut search = Search { symptom, best: explicit, report, seed, within_budget, runs: 1, go_on };
    while moves::round(&mut search) && go_on() {}
    let Search { best, report, runs, seed, .. } = search;
    let scenario = Scenario { seed: Some(seed), ..best };
    Some(Shrunk { scenario, report, symptom, runs })
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
    go_on: &'a dyn Fn() -> bool,
}

impl Search<'_> {
    /// Whether `candidate` fails in the same way: then it is the best from now on.
    fn try_out(&mut self, candidate: Scenario) -> bool {
        self.try_with(candidate, self.seed)
    }

    /// The same, with other seeds, too: for changes after which chance goes other ways.
    fn try_with_luck(&mut self, candidate: &Scenario, tries: u64) -> bool {
        (0..tries).any(|more| self.try_with(candidate.clone(), self.seed.wrapping_add(more)))
    }

    fn try_with(&mut self, candidate: Scenario, seed: u64) -> bool {
        if candidate == self.best && seed == self.seed {
            return false;
        }
        let covered = !self.within_budget || Budget::new(&candidate.cluster).covers(&candidate);
        if !(self.go_on)() || candidate.check().is_err() || !covered {
            return false;
        }
        self.runs += 1;
        let report = run(&candidate, seed);
        if !self.symptom.is_in(&report) || !self.is_to_blame(&candidate, seed) {
            return false;
        }
        (self.best, self.report, self.seed) = (candidate, report, seed);
        true
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
