//! Scenarios that reached something new, and what is made of them: a campaign that learns.
//!
//! A run covers pairs of a mark and how often it was reached, to a power of two. A run that covers a pair which none
//! before it did is spelled out and kept, and every second seed from then on is a kept one with its faults mutated:
//! what lies near a rare state is tried more often than chance would. The work goes in generations, so that what is made
//! of a seed depends on the seeds of the generations before it, and not on the threads.

mod mutate;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use mutate::mutate;

use crate::report::Counter;
use crate::scenario::Scenario;
use crate::streams::{Component, Streams};
use crate::{run, run_and_spell_out};

/// Seeds that run before what they reached is looked at.
pub const GENERATION: usize = 64;

/// What is kept.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    kept: Vec<Kept>,
    covered: BTreeSet<(Counter, u32)>,
}

/// A scenario, and what it was the first to reach.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Every visit and fault at its time.
    pub scenario: Arc<Scenario>,
    /// A mark, and a power of two that it was reached as often as.
    pub first_to: (Counter, u32),
    /// Whether this campaign found it, and no earlier one.
    pub is_new: bool,
}

impl Kept {
    /// What its file is called.
    pub fn file_name(&self) -> String {
        let (counter, power) = self.first_to;
        format!("{}-{}.toml", counter.name(), 1_u64 << power)
    }
}

impl Corpus {
    /// What an earlier campaign kept in `dir`; nothing where there is no such directory.
    pub fn load(dir: &Path) -> Result<Self, String> {
        let mut files: Vec<PathBuf> = match std::fs::read_dir(dir) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(format!("{}: {error}", dir.display())),
        };
        files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
        files.sort();
        let mut corpus = Self::default();
        for file in files {
            let scenario = Scenario::load(&file).map_err(|error| error.to_string())?;
            let report = run(&scenario, scenario.seed.unwrap_or(1));
            corpus.keep(&report.counters, false, || scenario);
        }
        Ok(corpus)
    }

    /// What is kept, in the order in which it was found.
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Pairs of a mark and a power of two that have been reached.
    pub fn covered(&self) -> usize {
        self.covered.len()
    }

    /// What `seed` runs: `fresh`, or what is kept mutated.
    pub fn scenario(&self, seed: u64, fresh: impl FnOnce(u64) -> Scenario) -> Scenario {
        let mut stream = Streams::new(seed).stream(Component::Mutation);
        let fresh = fresh(seed);
        if self.kept.is_empty() || stream.below(2) == 0 {
            return fresh;
        }
        let base = &self.kept[stream.index(self.kept.len())].scenario;
        let donor = &self.kept[stream.index(self.kept.len())].scenario;
        Scenario { flaw: fresh.flaw, ..mutate(base, donor, &mut stream) }
    }

    /// A generation is over: keeps, of what ran, what reached something new. `ran` is by seed, so that it does not
    /// matter which was over first.
    pub fn learn(&mut self, ran: &BTreeMap<u64, BTreeMap<Counter, u64>>, of_seed: impl Fn(u64) -> Scenario) {
        for (seed, reached) in ran {
            self.keep(reached, true, || {
                let (_, spelled_out) = run_and_spell_out(&of_seed(*seed), *seed);
                Scenario { seed: Some(*seed), flaw: None, ..spelled_out }
            });
        }
    }

    fn keep(&mut self, reached: &BTreeMap<Counter, u64>, is_new: bool, scenario: impl FnOnce() -> Scenario) {
        let pairs = reached.iter().filter_map(|(counter, count)| Some((*counter, count.checked_ilog2()?)));
        let new: Vec<(Counter, u32)> = pairs.filter(|pair| !self.covered.contains(pair)).collect();
        if let Some(first_to) = new.first().copied() {
            self.kept.push(Kept { scenario: Arc::new(scenario()), first_to, is_new });
            self.covered.extend(new);
        }
    }

    /// Writes what this campaign kept into `dir`; how many files.
    pub fn write_new(&self, dir: &Path) -> Result<usize, String> {
        let new: Vec<&Kept> = self.kept.iter().filter(|kept| kept.is_new).collect();
        for kept in &new {
            let path = dir.join(kept.file_name());
            let written =
                std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&path, kept.scenario.to_file()));
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(new.len())
    }
}
