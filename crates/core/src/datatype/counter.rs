//! A counter: for each actor what it has added and taken away (a PN-counter), with the dot of its latest change, so
//! that a map can take the counter out.
//!
//! Only an actor changes its own [`Count`], always under a new dot: of two copies the later one is right. An increment
//! must count once however often its client tries, and a client tries elsewhere when a coordinator is silent; so each
//! count remembers its latest requests. An update whose request some count remembers changes nothing. Where two
//! coordinators that did not know of each other have both made it, both remember it: [`Counter::value`] leaves out all
//! but the one with the least dot, and the others take theirs back for good when they next write.
//!
//! What is remembered is bounded: [`REQUESTS_MAX`] requests of each actor, and up to twice as many while somebody else
//! still has one of them to take back. A request is counted twice only if two coordinators have made it, and the first
//! has made that many later changes to the same counter before hearing of the second (or the second of the first).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::dots::Causal;
use crate::id::RequestId;
use crate::version::{Actor, Dot, VersionVector};

/// How many of its latest requests each actor remembers of one counter. Twice as many while others still count one of
/// them, too.
pub const REQUESTS_MAX: usize = 32;

/// A count that goes up and down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counter(pub BTreeMap<Actor, Count>);

/// What one actor has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Count {
    /// With the actor, the dot of its latest change.
    pub counter: u64,
    /// What it has added.
    pub increments: u128,
    /// What it has taken away.
    pub decrements: u128,
    /// Its latest requests, the oldest first: at most twice [`REQUESTS_MAX`].
    pub recent: Vec<Recent>,
}

/// A request that an actor has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recent {
    /// The request.
    pub request: RequestId,
    /// With the actor, the dot under which it was counted.
    pub counter: u64,
    /// What it added; 0 once it was taken back, because another actor has counted it, too.
    pub amount: i64,
}

impl Counter {
    /// The sum, every request once.
    pub fn value(&self) -> i128 {
        let mut value = self.0.values().fold(0i128, |sum, count| {
            sum.saturating_add_unsigned(count.increments).saturating_sub_unsigned(count.decrements)
        });
        let mut first: BTreeMap<RequestId, Dot> = BTreeMap::new();
        for (dot, recent) in self.remembered() {
            first.entry(recent.request).and_modify(|first| *first = (*first).min(dot)).or_insert(dot);
        }
        for (dot, recent) in self.remembered() {
            if first[&recent.request] != dot {
                value -= i128::from(recent.amount);
            }
        }
        value
    }

    /// How much it carries: a number and the requests remembered, for each actor.
    pub(super) fn value_bytes(&self) -> u64 {
        self.0.values().map(|count| 16 + 16 * count.recent.len() as u64).sum()
    }

    /// Adds `amount` under `dot`, unless `request` is remembered to have been counted.
    pub(super) fn increment(&mut self, dot: Dot, request: RequestId, amount: i64) {
        let actor = dot.actor;
        let mut own = self.0.remove(&actor).unwrap_or_default();
        self.settle(actor, &mut own);
        let is_counted =
            self.remembered().any(|(_, recent)| recent.request == request) || own.remembers(request);
        if !is_counted {
            own.add(amount);
            own.recent.push(Recent { request, counter: dot.counter, amount });
        }
        self.forget_oldest(&mut own);
        if !own.is_new() {
            own.counter = dot.counter;
            self.0.insert(actor, own);
        }
    }

    /// All that is remembered, each with its dot.
    fn remembered(&self) -> impl Iterator<Item = (Dot, &Recent)> {
        self.0
            .iter()
            .flat_map(|(&actor, count)| count.recent.iter().map(move |recent| (recent.dot(actor), recent)))
    }

    fn is_counted_before(&self, request: RequestId, dot: Dot) -> bool {
        self.remembered().any(|(earlier, recent)| recent.request == request && earlier < dot)
    }

    /// What others have counted before `actor` did, it takes back. `self` is all but its own.
    fn settle(&self, actor: Actor, own: &mut Count) {
        for at in 0..own.recent.len() {
            let Recent { request, amount, .. } = own.recent[at];
            if amount != 0 && self.is_counted_before(request, own.recent[at].dot(actor)) {
                own.recent[at].amount = 0;
                own.take_back(amount);
            }
        }
    }

    /// Forgets the oldest requests past the bound, but not those that somebody else still has to take back.
    fn forget_oldest(&self, own: &mut Count) {
        let mut spare = own.recent.len().saturating_sub(REQUESTS_MAX);
        let excess = own.recent.len().saturating_sub(2 * REQUESTS_MAX);
        own.recent.drain(..excess);
        spare -= excess;
        let is_open = |request: RequestId| {
            self.remembered().any(|(_, recent)| recent.request == request && recent.amount != 0)
        };
        own.recent.retain(|recent| {
            let goes = spare > 0 && !is_open(recent.request);
            spare -= usize::from(goes);
            !goes
        });
    }
}

impl Count {
    fn add(&mut self, amount: i64) {
        let size = u128::from(amount.unsigned_abs());
        let sum = if amount < 0 { &mut self.decrements } else { &mut self.increments };
        *sum = sum.saturating_add(size);
    }

    fn take_back(&mut self, amount: i64) {
        let size = u128::from(amount.unsigned_abs());
        let sum = if amount < 0 { &mut self.decrements } else { &mut self.increments };
        *sum = sum.saturating_sub(size);
    }

    fn remembers(&self, request: RequestId) -> bool {
        self.recent.iter().any(|recent| recent.request == request)
    }

    /// Nothing was ever counted.
    fn is_new(&self) -> bool {
        *self == Self::default()
    }
}

impl Recent {
    fn dot(&self, actor: Actor) -> Dot {
        Dot { actor, counter: self.counter }
    }
}

impl Causal for Counter {
    fn merge(&self, clock: &VersionVector, other: &Self, theirs: &VersionVector) -> Self {
        let mut merged = BTreeMap::new();
        let mut keep = |counts: &Self, others: &Self, seen: &VersionVector| {
            for (&actor, count) in &counts.0 {
                let dot = Dot { actor, counter: count.counter };
                let is_there = others.0.get(&actor).is_some_and(|other| other.counter == count.counter);
                if is_there || !seen.contains(dot) {
                    merged.entry(actor).or_insert_with(|| count.clone());
                }
            }
        };
        keep(self, other, theirs);
        keep(other, self, clock);
        Self(merged)
    }

    fn forget(&mut self, seen: &VersionVector) {
        self.0.retain(|&actor, count| !seen.contains(Dot { actor, counter: count.counter }));
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
