use alloc::vec::Vec;

use crate::version::{Dot, VersionVector};

/// What of a value goes by dots: it is there as long as some of its dots are (Almeida, Shoker, Baquero, section 7: a
/// dot store). Two copies are merged with the clocks of the values that they are of: a dot that one of them has seen and
/// does not have was removed there.
pub(super) trait Causal {
    /// Joins two copies; `clock` is what this one's value has seen, `theirs` what the other's has.
    #[must_use]
    fn merge(&self, clock: &VersionVector, other: &Self, theirs: &VersionVector) -> Self;

    /// Removes what was written by dots in `seen`.
    fn forget(&mut self, seen: &VersionVector);

    /// Whether it has no dots.
    fn is_empty(&self) -> bool;
}

/// Dots in order, without repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DotSet(Vec<Dot>);

impl DotSet {
    /// The dots, in order.
    pub fn dots(&self) -> &[Dot] {
        &self.0
    }

    /// Instead of all that are here, this one, whose writer had seen them.
    pub(super) fn replace(&mut self, dot: Dot) {
        self.0.clear();
        self.0.push(dot);
    }

    /// No dots any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl FromIterator<Dot> for DotSet {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut dots: Vec<Dot> = dots.into_iter().collect();
        dots.sort_unstable();
        dots.dedup();
        Self(dots)
    }
}

impl Causal for DotSet {
    fn merge(&self, clock: &VersionVector, other: &Self, theirs: &VersionVector) -> Self {
        let stays = |dot: &Dot, others: &Self, seen: &VersionVector| {
            others.0.binary_search(dot).is_ok() || !seen.contains(*dot)
        };
        let own = self.0.iter().filter(|dot| stays(dot, other, theirs));
        let added = other.0.iter().filter(|dot| stays(dot, self, clock));
        own.chain(added).copied().collect()
    }

    fn forget(&mut self, seen: &VersionVector) {
        self.0.retain(|dot| !seen.contains(*dot));
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
