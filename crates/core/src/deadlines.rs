//! Every timer of a node, in one ordered set; the driver sees only the earliest.

use alloc::collections::BTreeSet;

use crate::id::{CallId, NodeId, OpId};
use crate::membership::SwimTimer;
use crate::time::Instant;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    Get(OpId),
    Put(OpId),
    Forward(OpId),
    Hints(NodeId),
    AntiEntropy,
    Handoff,
    Reap,
    Gossip,
    Probe,
    Swim(SwimTimer),
    Mend,
    /// A whole listing.
    Coverage(CallId),
    /// One question of a listing.
    CoverageAsk(OpId),
}

#[derive(Debug, Default)]
pub(crate) struct Deadlines(BTreeSet<(Instant, Timer)>);

impl Deadlines {
    pub fn arm(&mut self, at: Instant, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub fn disarm(&mut self, at: Instant, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    pub fn next(&self) -> Option<Instant> {
        self.0.first().map(|&(at, _)| at)
    }

    /// Takes the earliest timer that is due.
    pub fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let &(at, _) = self.0.first()?;
        if at > now {
            return None;
        }
        self.0.pop_first().map(|(_, timer)| timer)
    }
}
