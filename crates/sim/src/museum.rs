//! The museum: real bugs of systems of this family, planted on purpose. Each has a scenario that is green without it and
//! red with it, and must be found by the general swarm, which knows nothing of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use cartwheel_core::flaw::Flaw;
use serde::{Deserialize, Serialize};

use crate::fuzz::{OnFailure, fuzz};
use crate::scenario::Scenario;
use crate::shrink::Symptom;
use crate::{run, swarm};

/// How a piece's own scenario went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The piece.
    pub flaw: String,
    /// The oracles that its file names.
    pub oracles: BTreeSet<String>,
    /// Whether nothing is wrong without it.
    pub green_without: bool,
    /// The oracles that saw something wrong with it.
    pub red_with: BTreeSet<String>,
}

impl Shown {
    /// Whether it went as its file says.
    pub fn is_as_expected(&self) -> bool {
        self.green_without && self.red_with.is_superset(&self.oracles)
    }
}

/// What it took the general swarm to find a piece.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Seeds, from 0, the one that fails among them.
    pub seeds: u64,
    /// How long their clusters lived, in simulated seconds.
    pub sim_seconds: f64,
}

/// Runs the scenario of a piece without it, and with it. `None` where the scenario shows none.
pub fn show(scenario: &Scenario) -> Option<Shown> {
    let museum = scenario.museum.as_ref()?;
    let flaw: Flaw = museum.flaw.parse().ok()?;
    let seed = scenario.seed.unwrap_or(1);
    let without = run(&Scenario { flaw: None, ..scenario.clone() }, seed);
    let with = run(&Scenario { flaw: Some(flaw), ..scenario.clone() }, seed);
    Some(Shown {
        flaw: museum.flaw.clone(),
        oracles: museum.oracles.iter().cloned().collect(),
        green_without: without.expectations_hold,
        red_with: Symptom::seen_by(&with),
    })
}

/// Lets the general swarm look for `flaw` with seeds from 0, `seeds_max` of them at most. A seed that fails without the flaw,
/// too, has not found it. The answer does not depend on the number of threads.
pub fn find(flaw: Flaw, seeds_max: u64, threads: usize, progress: impl Fn() + Sync) -> Option<Found> {
    let lived = Mutex::new(BTreeMap::new());
    let of_seed = |seed| Scenario { flaw: Some(flaw), ..swarm::scenario(seed) };
    let mut from = 0;
    loop {
        let campaign = fuzz(from..seeds_max, threads, OnFailure::Stop, of_seed, |report| {
            lived.lock().expect("no thread panics while it notes").insert(report.seed, report.simulated_ns);
            progress();
            true
        });
        let seed = campaign.failures.first()?.seed;
        if run(&swarm::scenario(seed), seed).expectations_hold {
            let lived = lived.into_inner().expect("no thread panics while it notes");
            let ns: u128 = lived.range(..=seed).map(|(_, ns)| u128::from(*ns)).sum();
            return Some(Found { seeds: seed + 1, sim_seconds: ns as f64 / 1e9 });
        }
        from = seed + 1;
    }
}
