//! Ground truth: which write was made in whose knowledge, as clients know it. It never looks at a server's clock or
//! version vector.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use cartwheel_check::WriteId;
use cartwheel_core::Key;
use cartwheel_core::id::RequestId;
use cartwheel_core::version::{Siblings, Value, Version};

use super::changes::Change;
use super::write_id;
use crate::lookup::Lookup;

/// All writes that clients have begun.
#[derive(Debug, Default)]
pub struct Truth {
    /// In the order of their ids, which count from 1.
    writes: Vec<Begun>,
    by_request: Lookup<RequestId, WriteId>,
    carts: BTreeMap<usize, Vec<WriteId>>,
    /// Values are anything: they name no writes.
    is_unknown: bool,
    /// What was done to data types, each with its key, in the order in which it ended.
    changes: Vec<(Change, Key)>,
}

#[derive(Debug)]
struct Begun {
    cart: usize,
    /// Its place among the writes of its cart.
    place: usize,
    /// The places of everything that its writer had been shown, directly or through others, and its own.
    knows: Places,
    deletes: bool,
}

/// Some writes of one cart, by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(Vec<u64>);

impl Places {
    /// Adds one.
    pub fn insert(&mut self, place: usize) {
        let word = place / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (place % 64);
    }

    /// Whether it is among them.
    pub fn contains(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// Adds those of `other`.
    pub fn join(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }

    /// Whether all of them are in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().enumerate().all(|(at, word)| word & !other.0.get(at).unwrap_or(&0) == 0)
    }

    /// Those that are not in `other`.
    pub fn without(&self, other: &Self) -> impl Iterator<Item = usize> {
        let words = self.0.iter().enumerate().map(|(at, word)| (at, word & !other.0.get(at).unwrap_or(&0)));
        let left: Vec<(usize, u64)> = words.filter(|(_, word)| *word != 0).collect();
        left.into_iter().flat_map(|(at, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        })
    }
}

impl Truth {
    /// Of real clients, who write whatever they like: nobody knows it, and their values name no writes.
    pub fn unknown() -> Self {
        Self { is_unknown: true, ..Self::default() }
    }

    /// The write that `value` names.
    pub fn of_value(&self, value: &Bytes) -> Option<WriteId> {
        if self.is_unknown { None } else { write_id(value) }
    }

    /// A change of a data type has ended.
    pub fn changed(&mut self, change: Change, key: Key) {
        self.changes.push((change, key));
    }

    /// What was done to data types.
    pub fn changes(&self) -> &[(Change, Key)] {
        &self.changes
    }

    /// A client decides to write to `cart`, having been shown `seen`.
    pub fn begin(&mut self, cart: usize, seen: &BTreeSet<WriteId>, deletes: bool) -> WriteId {
        let id = WriteId(self.writes.len() as u64 + 1);
        let of_cart = self.carts.entry(cart).or_default();
        let place = of_cart.len();
        of_cart.push(id);
        let mut knows = self.known_to(seen.iter().copied());
        knows.insert(place);
        self.writes.push(Begun { cart, place, knows, deletes });
        id
    }

    /// The request that carries `id` through all its attempts.
    pub fn carried(&mut self, id: WriteId, request: RequestId) {
        self.by_request.insert(request, id);
    }

    /// The write that `request` carries.
    pub fn of_request(&self, request: RequestId) -> Option<WriteId> {
        self.by_request.get(&request).copied()
    }

    /// The write that made `version`: a value names it, a tombstone is known by its request.
    pub fn of_version(&self, version: &Version) -> Option<WriteId> {
        match &version.value {
            Value::Data(bytes) => self.of_value(bytes),
            Value::Tombstone | Value::DataType(_) => self.of_request(version.request),
        }
    }

    /// The writes that made `siblings`.
    pub fn of_siblings(&self, siblings: &Siblings) -> impl Iterator<Item = WriteId> {
        siblings.versions().iter().filter_map(|version| self.of_version(version))
    }

    /// Whether the writer of `by` had been shown `write`, directly or through others.
    pub fn has_seen(&self, by: WriteId, write: WriteId) -> bool {
        let (Some(by), Some(write)) = (self.get(by), self.get(write)) else { return false };
        by.cart == write.cart && by.place != write.place && by.knows.contains(write.place)
    }

    /// Whether `write` is a delete.
    pub fn is_delete(&self, write: WriteId) -> bool {
        self.get(write).is_some_and(|write| write.deletes)
    }

    /// Its place among the writes of its cart.
    pub fn place(&self, write: WriteId) -> Option<usize> {
        self.get(write).map(|write| write.place)
    }

    /// The write at `place` in the cart of `other`.
    pub fn beside(&self, other: WriteId, place: usize) -> Option<WriteId> {
        self.carts.get(&self.get(other)?.cart)?.get(place).copied()
    }

    /// Everything that somebody who is shown `writes` knows of their cart.
    pub fn known_to(&self, writes: impl Iterator<Item = WriteId>) -> Places {
        let mut known = Places::default();
        for write in writes.filter_map(|id| self.get(id)) {
            known.join(&write.knows);
        }
        known
    }

    fn get(&self, id: WriteId) -> Option<&Begun> {
        self.writes.get(usize::try_from(id.0.checked_sub(1)?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knowledge_is_handed_on_and_stays_within_a_cart() {
        let mut truth = Truth::default();
        let elsewhere = truth.begin(1, &BTreeSet::new(), false);
        let first = truth.begin(0, &BTreeSet::new(), false);
        let second = truth.begin(0, &[first].into(), false);
        let beside = truth.begin(0, &[first].into(), true);
        let last = truth.begin(0, &[second].into(), false);
        assert!(truth.has_seen(last, first) && truth.has_seen(last, second));
        assert!(!truth.has_seen(last, beside) && !truth.has_seen(last, last) && !truth.has_seen(first, last));
        assert!(!truth.has_seen(last, elsewhere));
        let known = truth.known_to([last].into_iter());
        let missing: Vec<_> = truth.known_to([last, beside].into_iter()).without(&known).collect();
        assert_eq!(missing, [truth.place(beside).unwrap()]);
        assert_eq!(truth.beside(last, missing[0]), Some(beside));
    }

    #[test]
    fn places_go_beyond_one_word() {
        let mut places = Places::default();
        [0, 63, 64, 300].into_iter().for_each(|place| places.insert(place));
        assert!(places.contains(300) && !places.contains(299) && !places.contains(1_000));
        assert_eq!(places.without(&Places::default()).collect::<Vec<_>>(), [0, 63, 64, 300]);
    }
}
