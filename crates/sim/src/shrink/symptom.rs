use std::collections::BTreeSet;
use std::fmt;

use crate::oracle::Promise;
use crate::report::Report;

/// What is wrong with a run, first things first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symptom {
    /// Acknowledged writes are gone (`NoLostAck`).
    LostWrite,
    /// A promise was broken as the run went.
    Broken(Promise),
    /// Replicas differ at the end.
    Diverged,
    /// Hints are left at the end.
    HintsLeft,
    /// Something is under way at the end.
    Unfinished,
}

impl Symptom {
    fn all() -> Vec<Self> {
        let mut all = vec![Self::LostWrite];
        all.extend(Promise::ALL.map(Self::Broken));
        all.extend([Self::Diverged, Self::HintsLeft, Self::Unfinished]);
        all
    }

    /// The oracle that sees it.
    pub fn oracle(self) -> String {
        match self {
            Self::LostWrite => "NoLostAck".into(),
            Self::Broken(promise) => promise.to_string(),
            Self::Diverged | Self::HintsLeft | Self::Unfinished => "Converge".into(),
        }
    }

    /// All oracles, by name.
    pub fn oracles() -> BTreeSet<String> {
        Self::all().into_iter().map(Self::oracle).collect()
    }

    /// The oracles that see something wrong in `report`.
    pub fn seen_by(report: &Report) -> BTreeSet<String> {
        Self::all().into_iter().filter(|symptom| symptom.is_in(report)).map(Self::oracle).collect()
    }

    /// The gravest one of `report`. What the scenario merely expects and did not happen is none.
    pub fn of(report: &Report) -> Option<Self> {
        Self::all().into_iter().find(|symptom| symptom.is_in(report))
    }

    /// Whether `report` has it.
    pub fn is_in(self, report: &Report) -> bool {
        match self {
            Self::LostWrite => report.lost_writes > 0 && is_unexpected(report, "acknowledged writes lost"),
            Self::Broken(promise) => report.promises.get(&promise).is_some_and(|broken| broken.count > 0),
            Self::Diverged => is_unexpected(report, "keys diverged"),
            Self::HintsLeft => report.hints_left > 0,
            Self::Unfinished => !report.unfinished.is_empty(),
        }
    }
}

/// Whether there is more of `what` than the scenario expects: where clocks decide, writes are lost, and that is no bug.
fn is_unexpected(report: &Report, what: &str) -> bool {
    report.expectations.iter().any(|expectation| !expectation.holds && expectation.what.starts_with(what))
}

impl fmt::Display for Symptom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostWrite | Self::Broken(_) => f.write_str(&self.oracle()),
            Self::Diverged => f.write_str("Converge: replicas differ"),
            Self::HintsLeft => f.write_str("Converge: hints are left"),
            Self::Unfinished => f.write_str("Converge: something is still under way"),
        }
    }
}
