use alloc::collections::BTreeMap;

use bytes::Bytes;

use super::dots::{Causal, DotSet};
use super::op::Refusal;
use crate::version::{Dot, VersionVector};

/// An observed-remove set: an element stays as long as it has a dot that nobody who removed it had seen, so of an add
/// and a remove that did not know of each other the add wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Set(pub BTreeMap<Bytes, DotSet>);

impl Set {
    /// The elements, in order.
    pub fn elements(&self) -> impl Iterator<Item = &Bytes> {
        self.0.keys()
    }

    pub(super) fn with_values(&self, made: &dyn Fn(&Bytes) -> Bytes) -> Self {
        Self(self.0.iter().map(|(element, dots)| (made(element), dots.clone())).collect())
    }

    pub(super) fn add(&mut self, dot: Dot, element: Bytes) {
        self.0.entry(element).or_default().replace(dot);
    }

    /// Removes `element` as it is here.
    pub(super) fn remove(&mut self, element: &Bytes) -> Result<(), Refusal> {
        self.0.remove(element).map(|_| ()).ok_or_else(|| Refusal::NoElement(element.clone()))
    }

    /// Removes of `element` what was added by dots in `seen`.
    pub(super) fn remove_seen(&mut self, element: &Bytes, seen: &VersionVector) {
        if let Some(dots) = self.0.get_mut(element) {
            dots.forget(seen);
            if dots.is_empty() {
                self.0.remove(element);
            }
        }
    }
}

impl Causal for Set {
    fn merge(&self, clock: &VersionVector, other: &Self, theirs: &VersionVector) -> Self {
        let none = DotSet::default();
        let mut merged = BTreeMap::new();
        for (element, dots) in &self.0 {
            let others = other.0.get(element).unwrap_or(&none);
            merged.insert(element.clone(), dots.merge(clock, others, theirs));
        }
        for (element, dots) in &other.0 {
            if !self.0.contains_key(element) {
                merged.insert(element.clone(), none.merge(clock, dots, theirs));
            }
        }
        merged.retain(|_, dots| !dots.is_empty());
        Self(merged)
    }

    fn forget(&mut self, seen: &VersionVector) {
        self.0.retain(|_, dots| {
            dots.forget(seen);
            !dots.is_empty()
        });
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
