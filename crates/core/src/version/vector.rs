use alloc::vec::Vec;
use core::fmt;

use super::dot::{Actor, Dot};

/// A set of dots: for each actor, every count up to and including the one named. Exact because states are closed
/// (one that has seen a dot has seen all earlier dots of its actor).
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct VersionVector(Vec<Dot>);

impl VersionVector {
    /// The empty past.
    pub const EMPTY: Self = Self(Vec::new());

    /// Whether `dot` is in the set.
    pub fn contains(&self, dot: Dot) -> bool {
        self.counter(dot.actor) >= dot.counter
    }

    /// The highest count of `actor` in the set; 0 when it has none.
    pub fn counter(&self, actor: Actor) -> u64 {
        self.0.binary_search_by_key(&actor, |dot| dot.actor).map_or(0, |at| self.0[at].counter)
    }

    /// Adds `dot` and every earlier dot of its actor.
    pub fn insert(&mut self, dot: Dot) {
        match self.0.binary_search_by_key(&dot.actor, |have| have.actor) {
            Ok(at) => self.0[at].counter = self.0[at].counter.max(dot.counter),
            Err(at) => self.0.insert(at, dot),
        }
    }

    /// Adds everything that `other` contains.
    pub fn join(&mut self, other: &Self) {
        for &dot in &other.0 {
            self.insert(dot);
        }
    }

    /// Whether every dot of `other` is in this set.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|&dot| self.contains(dot))
    }

    /// The highest dot of each actor, in the order of the actors.
    pub fn entries(&self) -> &[Dot] {
        &self.0
    }

    /// Whether no dot is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Dot> for VersionVector {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut vector = Self::EMPTY;
        for dot in dots {
            vector.insert(dot);
        }
        vector
    }
}

impl fmt::Debug for VersionVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.0).finish()
    }
}
