use alloc::collections::BTreeMap;

use bytes::Bytes;

use super::dots::{Causal, DotSet};
use crate::version::{Dot, VersionVector};

/// A value that is assigned as a whole. Assignments that did not know of each other are all kept until the next one
/// replaces them; the one shown is that with the greatest dot, the same everywhere, whatever the clocks say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Register(pub BTreeMap<Dot, Bytes>);

impl Register {
    /// The value shown. `None`: whatever was assigned has been removed.
    pub fn value(&self) -> Option<&Bytes> {
        self.0.last_key_value().map(|(_, value)| value)
    }

    pub(super) fn assign(&mut self, dot: Dot, value: Bytes) {
        self.0.clear();
        self.0.insert(dot, value);
    }
}

impl Causal for Register {
    fn merge(&self, clock: &VersionVector, other: &Self, theirs: &VersionVector) -> Self {
        let mut merged = BTreeMap::new();
        let mut keep = |values: &Self, others: &Self, seen: &VersionVector| {
            for (dot, value) in &values.0 {
                if others.0.contains_key(dot) || !seen.contains(*dot) {
                    merged.entry(*dot).or_insert_with(|| value.clone());
                }
            }
        };
        keep(self, other, theirs);
        keep(other, self, clock);
        Self(merged)
    }

    fn forget(&mut self, seen: &VersionVector) {
        self.0.retain(|dot, _| !seen.contains(*dot));
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// On or off. Of an enable and a disable that did not know of each other the enable wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flag(pub DotSet);

impl Flag {
    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        !self.0.is_empty()
    }
}

impl Causal for Flag {
    fn merge(&self, clock: &VersionVector, other: &Self, theirs: &VersionVector) -> Self {
        Self(self.0.merge(clock, &other.0, theirs))
    }

    fn forget(&mut self, seen: &VersionVector) {
        self.0.forget(seen);
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
