//! What is promised, and what was found to be broken.

use std::collections::BTreeMap;
use std::fmt;

use cartwheel_core::version::Policy;
use serde::{Deserialize, Serialize};

/// A promise that an oracle watches over; `docs/scenarios.md` says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Promise {
    /// A dot names one write.
    DotUnique,
    /// Actors count by one and belong to their node, store and boot.
    ClockMonotone,
    /// A request makes at most one dot at one coordinator.
    OncePerRequest,
    /// What is acknowledged is durable where it is acknowledged.
    DurableAck,
    /// The nodes that an answer names have answered, and are as many as were asked for.
    QuorumTruth,
    /// A read shows what its nodes had acknowledged before it began.
    Regular,
    /// Quorums of neighbouring states of the ring meet.
    Overlap,
    /// The ring is shared out as promised, and everything is where it belongs.
    Placement,
    /// What is dropped is held by those it belongs to.
    HandoffSafe,
    /// All come to agree on members and ring, and nothing of that goes back.
    RingConverge,
    /// Hash trees equal what is stored.
    TreeTruth,
    /// What can be delivered is delivered in time.
    HintLive,
    /// No sibling's writer had been shown another sibling.
    SiblingBound,
    /// What was overwritten or deleted does not come back.
    NoResurrect,
    /// What was refused was not done.
    RefusedNotDone,
    /// Data types end as what was done to them.
    Merged,
    /// A listing shows what all homes held, and nothing that nobody held.
    ListingTruth,
}

impl Promise {
    /// All that are made of every workload: [`Self::Merged`] is of data types only.
    pub const ALL: [Self; 16] = [
        Self::DotUnique,
        Self::ClockMonotone,
        Self::OncePerRequest,
        Self::DurableAck,
        Self::QuorumTruth,
        Self::Regular,
        Self::Overlap,
        Self::Placement,
        Self::HandoffSafe,
        Self::RingConverge,
        Self::TreeTruth,
        Self::HintLive,
        Self::SiblingBound,
        Self::NoResurrect,
        Self::RefusedNotDone,
        Self::ListingTruth,
    ];

    /// Whether it is made under `policy`. Last-write-wins forgets writes that nobody had seen, at once and on every
    /// node; whatever follows from remembering them is not promised there.
    pub fn is_made(self, policy: Policy) -> bool {
        let needs_memory = matches!(
            self,
            Self::OncePerRequest
                | Self::DurableAck
                | Self::QuorumTruth
                | Self::Regular
                | Self::Overlap
                | Self::HandoffSafe
                | Self::SiblingBound
                | Self::NoResurrect
        );
        policy == Policy::KeepSiblings || !needs_memory
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// How often a promise was broken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// In all.
    pub count: u64,
    /// The first ones, a sentence each; at most [`Broken::EXAMPLES_MAX`].
    pub examples: Vec<String>,
}

impl Broken {
    /// Most examples that are kept.
    pub const EXAMPLES_MAX: usize = 20;
}

/// What the oracles found, for every promise that is made in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings(BTreeMap<Promise, Broken>);

impl Findings {
    /// Nothing yet, in a run under `policy`.
    pub fn new(policy: Policy) -> Self {
        let made = Promise::ALL.into_iter().filter(|promise| promise.is_made(policy));
        Self(made.map(|promise| (promise, Broken::default())).collect())
    }

    /// `promise` is made in this run, too.
    pub fn promise(&mut self, promise: Promise) {
        self.0.entry(promise).or_default();
    }

    /// `promise` was broken, as `what` says; where it was not made, that is no finding.
    pub fn add(&mut self, promise: Promise, what: impl FnOnce() -> String) {
        let Some(broken) = self.0.get_mut(&promise) else { return };
        broken.count += 1;
        if broken.examples.len() < Broken::EXAMPLES_MAX {
            broken.examples.push(what());
        }
    }

    /// `promise` could not be kept in this run, as it turned out.
    pub fn forgive(&mut self, promise: Promise) {
        if let Some(broken) = self.0.get_mut(&promise) {
            *broken = Broken::default();
        }
    }

    /// All promises made, each with how it was broken.
    pub fn into_inner(self) -> BTreeMap<Promise, Broken> {
        self.0
    }

    #[cfg(test)]
    pub fn examples(&self, promise: Promise) -> &[String] {
        &self.0[&promise].examples
    }
}
