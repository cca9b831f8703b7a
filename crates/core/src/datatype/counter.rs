//! A counter: for each actor what it has added and taken away (a PN-counter), with the dot of its latest change, so
//! that a map can take the counter out.
//!
//! Only an actor changes its own [`Count`], always under a new dot: of two copies the later one is right. An increment
//! must count once however often its client tries, and a client tries elsewhere when a coordinator is silent; so each
//! count remembers its latest requests. An update whose request some count remembers changes nothing. Where two
//! coordinators that did not know of each other have both made it, both remember it: [`Counter::value`] leaves out all
//! but the one of the least actor, and the others take theirs back for good when they next write.
//!
//! What is remembered is bounded: [`REQUESTS_MAX`] requests of each actor, and up to twice as many while somebody else
//! still has one of them to take back. A request is counted twice only if two coordinators have made it, and one of them
//! has made that many later changes to the same counter before hearing of the other.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use xxhash_rust::xxh3::xxh3_64;

use super::dots::Causal;
use crate::id::RequestId;
use crate::version::{Actor, Dot, VersionVector};

/// How many of its latest requests each actor remembers of one counter, at ten bytes each. Twice as many while others
/// still count one of them, too. A coordinator that makes ten increments a second may be cut off for half a minute.
pub const REQUESTS_MAX: usize = 256;

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
    /// The request: xxh3-64 of its id's 16 bytes, the low one first. Frozen.
    pub request: u64,
    /// What it added; 0 once it was taken back, because another actor has counted it, too.
    pub amount: i64,
}

/// As requests are remembered.
fn name(request: RequestId) -> u64 {
    xxh3_64(&request.0.to_le_bytes())
}

impl Counter {
    /// The sum, every request once.
    pub fn value(&self) -> i128 {
        let mut value = self.0.values().fold(0i128, |sum, count| {
            sum.saturating_add_unsigned(count.increments).saturating_sub_unsigned(count.decrements)
        });
        let remembered = self.remembered();
        for pair in remembered.windows(2) {
            let [(request, ..), (again, _, amount)] = pair else { continue };
            if request == again {
                value -= i128::from(*amount);
            }
        }
        value
    }

    /// How much it carries: a number and the requests remembered, for each actor.
    pub(super) fn value_bytes(&self) -> u64 {
        self.0.values().map(|count| 16 + 10 * count.recent.len() as u64).sum()
    }

    /// Adds `amount` under `dot`, unless `request` is remembered to have been counted: then nothing changes, so a count
    /// of this very dot is one that the same operation has added to before, and it adds to it again.
    pub(super) fn increment(&mut self, dot: Dot, request: RequestId, amount: i64) {
        let request = name(request);
        let actor = dot.actor;
        if let Some(own) = self.0.get_mut(&actor).filter(|own| own.counter == dot.counter) {
            own.add_more(amount);
            return;
        }
        let mut others = self.remembered();
        if is_among(&others, request) {
            return;
        }
        others.retain(|(_, who, _)| *who != actor);
        let own = self.0.entry(actor).or_default();
        own.take_back(actor, &others);
        own.add(amount);
        own.recent.push(Recent { request, amount });
        own.forget_oldest(&others);
        own.counter = dot.counter;
    }

    /// All that is remembered: the request, who has counted it, and what. In that order.
    fn remembered(&self) -> Vec<Remembered> {
        let of_one = |(&actor, count): (&Actor, &Count)| {
            count.recent.iter().map(move |recent| (recent.request, actor, recent.amount)).collect::<Vec<_>>()
        };
        let mut all: Vec<Remembered> = self.0.iter().flat_map(of_one).collect();
        all.sort_unstable();
        all
    }
}

/// A request, who has counted it, and what.
type Remembered = (u64, Actor, i64);

/// What is remembered of `request`, the least actor first.
fn of(remembered: &[Remembered], request: u64) -> &[Remembered] {
    let from = remembered.partition_point(|(other, ..)| *other < request);
    let to = remembered.partition_point(|(other, ..)| *other <= request);
    &remembered[from..to]
}

fn is_among(remembered: &[Remembered], request: u64) -> bool {
    !of(remembered, request).is_empty()
}

impl Count {
    fn add(&mut self, amount: i64) {
        let size = u128::from(amount.unsigned_abs());
        let sum = if amount < 0 { &mut self.decrements } else { &mut self.increments };
        *sum = sum.saturating_add(size);
    }

    /// Adds to the latest request. Of sums that 64 bits do not hold the nearest is remembered, and could be taken back.
    fn add_more(&mut self, amount: i64) {
        self.add(amount);
        if let Some(latest) = self.recent.last_mut() {
            latest.amount = latest.amount.saturating_add(amount);
        }
    }

    /// What lesser actors have counted, too, `actor` takes back.
    fn take_back(&mut self, actor: Actor, others: &[Remembered]) {
        for recent in &mut self.recent {
            let is_theirs = of(others, recent.request).first().is_some_and(|(_, first, _)| *first < actor);
            if is_theirs {
                let size = u128::from(recent.amount.unsigned_abs());
                let sum = if recent.amount < 0 { &mut self.decrements } else { &mut self.increments };
                *sum = sum.saturating_sub(size);
                recent.amount = 0;
            }
        }
    }

    /// Forgets the oldest requests past the bound, but not those that somebody else still has to take back.
    fn forget_oldest(&mut self, others: &[Remembered]) {
        let excess = self.recent.len().saturating_sub(2 * REQUESTS_MAX);
        self.recent.drain(..excess);
        let mut spare = self.recent.len().saturating_sub(REQUESTS_MAX);
        let is_open = |request| of(others, request).iter().any(|(.., amount)| *amount != 0);
        self.recent.retain(|recent| {
            let goes = spare > 0 && !is_open(recent.request);
            spare -= usize::from(goes);
            !goes
        });
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
