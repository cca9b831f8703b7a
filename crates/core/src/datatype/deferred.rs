use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use bytes::Bytes;

use super::map::Field;
use crate::version::{Dot, VersionVector};

/// Removes whose clients had been shown more than this copy has seen, by what of it is missing. What arrives later is
/// removed then; once all has arrived the remove is done and forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Deferred(pub BTreeMap<Vec<Dot>, BTreeSet<Removal>>);

/// What a client wanted removed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Removal {
    /// The fields that lead there from the outermost map; empty in a set that is not in a map.
    pub path: Vec<Field>,
    /// What is removed there.
    pub removed: Removed,
}

/// What is removed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Removed {
    /// The field that the path ends with.
    Field,
    /// An element of the set there.
    Element(Bytes),
    /// What turned the flag there on.
    Flag,
}

/// What of `seen` may yet arrive at a value of that clock: not what has arrived, which is removed where it is found, and
/// whose dots are in the clock, so that no copy brings it back; nor the dots of versions that are never merged.
pub(super) fn missing(seen: &[Dot], clock: &VersionVector, foreign: &[Dot]) -> Vec<Dot> {
    let before_foreign = |&dot: &Dot| {
        let mut dot = dot;
        while foreign.contains(&dot) {
            dot.counter -= 1;
        }
        dot
    };
    let is_missing = |dot: &Dot| dot.counter > 0 && !clock.contains(*dot);
    seen.iter().map(before_foreign).filter(is_missing).collect()
}

impl Deferred {
    /// How many removes wait.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn with_values(&self, made: &dyn Fn(&Bytes) -> Bytes) -> Self {
        let removal = |removal: &Removal| match &removal.removed {
            Removed::Element(element) => {
                Removal { removed: Removed::Element(made(element)), ..removal.clone() }
            }
            Removed::Field | Removed::Flag => removal.clone(),
        };
        let waiting = self.0.iter().map(|(seen, all)| (seen.clone(), all.iter().map(removal).collect()));
        Self(waiting.collect())
    }

    /// One more remove waits for what of its client's is [missing].
    pub(super) fn add(&mut self, missing: &[Dot], removal: Removal) {
        self.0.entry(missing.to_vec()).or_default().insert(removal);
    }

    /// Forgets what they need not wait for, beside versions of the dots `foreign`.
    pub(super) fn settle(&mut self, clock: &VersionVector, foreign: &[Dot]) {
        for (seen, removals) in core::mem::take(&mut self.0) {
            let missing = missing(&seen, clock, foreign);
            if !missing.is_empty() {
                self.0.entry(missing).or_default().extend(removals);
            }
        }
    }

    /// All that wait in either.
    pub(super) fn join(&mut self, other: &Self) {
        for (seen, removals) in &other.0 {
            self.0.entry(seen.clone()).or_default().extend(removals.iter().cloned());
        }
    }

    /// All that wait, each with what its client had been shown.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (VersionVector, &Removal)> {
        self.0.iter().flat_map(|(seen, removals)| {
            let seen: VersionVector = seen.iter().copied().collect();
            removals.iter().map(move |removal| (seen.clone(), removal))
        })
    }

    /// Those whose clients had been shown nothing but what `clock` has seen are done.
    pub(super) fn done(&mut self, clock: &VersionVector) {
        self.0.retain(|seen, _| !seen.iter().all(|&dot| clock.contains(dot)));
    }
}
