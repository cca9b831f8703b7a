//! The storage desk: hands out tickets, and remembers who waits for which completion.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::anti_entropy::{Leaf, TreeHash, TreeNode};
use crate::coordinator::Looking;
use crate::id::{NodeId, OpId};
use crate::key::Key;
use crate::ring::Partition;
use crate::storage::Ticket;
use crate::version::Digest;

/// Who waits for a storage request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// A get that reads its own copy.
    Get(OpId),
    /// A put that applies its own copy.
    Put(OpId),
    /// A put that keeps a hint for `home` itself.
    PutOwe { op: OpId, home: NodeId },
    /// A peer that reads our copy.
    Read { from: NodeId, op: OpId, key: Key },
    /// A peer that writes our copy.
    Write { from: NodeId, op: OpId },
    /// Hint delivery, looking for keys.
    HintScan { home: NodeId },
    /// Hint delivery, deleting one hint.
    HintSettle { home: NodeId, delivered: Digest },
    /// An exchange, loading hashes to compare.
    ExchangeHashes { op: OpId },
    /// An exchange, listing keys of leaves.
    ExchangeKeys { op: OpId, leaves: Vec<Leaf> },
    /// An exchange, reading a key that differs.
    ExchangeRead { op: OpId, key: Key },
    /// A peer that compares hashes.
    AnswerHashes { from: NodeId, op: OpId, theirs: Vec<(TreeNode, TreeHash)> },
    /// A peer that compares keys.
    AnswerKeys { from: NodeId, op: OpId, theirs: Vec<(Key, Digest)> },
    /// An exchange, merging what the peer holds.
    ExchangeMerge { op: OpId },
    /// A peer that wants to know whether we hold a state durably.
    Confirm { from: NodeId, op: OpId, digest: Digest },
    /// Handoff, looking for partitions that may have such keys.
    HandoffSurvey,
    /// Handoff, looking for keys that belong elsewhere.
    HandoffScan { partition: Partition },
    /// Handoff, dropping a record that all homes hold.
    HandoffDrop,
    /// Hint delivery, passing a hint on to the homes that a key has now.
    HintRedirect { home: NodeId },
    /// Reaping, looking for tombstones.
    ReapScan,
    /// Reaping, looking at our own copies; the round.
    ReapNames { op: OpId, keys: Vec<(Key, Digest)> },
    /// A peer that wants to reap.
    ReapAnswer { from: NodeId, op: OpId, keys: Vec<(Key, Digest)> },
    /// Reaping, dropping a tombstone.
    ReapDrop,
    /// Membership, keeping the cluster's state.
    ClusterSaved,
    /// Mending, writing what the other homes hold.
    Mend,
    /// Nobody: repair of our own copy.
    Nobody,
    /// A listing, of a peer or of this node.
    Coverage(Looking),
}

/// Tickets rise, and are mostly completed in their order: so both are lines that things leave near the front.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    next: u64,
    /// In the order of tickets; the key of an update.
    waiting: VecDeque<(Ticket, Waiter, Option<Key>)>,
    /// Applied, not yet covered by a sync; in the order of tickets.
    unsynced: VecDeque<(Ticket, Applied)>,
}

/// An update that waits for the sync that covers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    pub waiter: Waiter,
    /// The home nodes that the update added hints for.
    pub newly_owed: Vec<NodeId>,
    /// The bytes of the values that it left.
    pub bytes: u64,
    pub key: Key,
}

impl Desk {
    /// `key` is that of an update.
    pub fn issue(&mut self, waiter: Waiter, key: Option<Key>) -> Ticket {
        self.next += 1;
        let ticket = Ticket(self.next);
        self.waiting.push_back((ticket, waiter, key));
        ticket
    }

    /// The waiter of a completed request; `None` for a completion that this node never asked for.
    pub fn complete(&mut self, ticket: Ticket) -> Option<Waiter> {
        self.take(ticket).map(|(waiter, _)| waiter)
    }

    /// The waiter and the key of a completed update.
    pub fn complete_update(&mut self, ticket: Ticket) -> Option<(Waiter, Key)> {
        let (waiter, key) = self.take(ticket)?;
        Some((waiter, key?))
    }

    fn take(&mut self, ticket: Ticket) -> Option<(Waiter, Option<Key>)> {
        let at = self.waiting.binary_search_by_key(&ticket, |(waiting, ..)| *waiting).ok()?;
        self.waiting.remove(at).map(|(_, waiter, key)| (waiter, key))
    }

    /// The update of `ticket` goes on waiting, for the sync that covers it.
    pub fn await_sync(&mut self, ticket: Ticket, applied: Applied) {
        let at = self.unsynced.partition_point(|(earlier, _)| *earlier < ticket);
        self.unsynced.insert(at, (ticket, applied));
    }

    /// The next of the updates that are now durable, in their order.
    pub fn next_synced(&mut self, through: Ticket) -> Option<Applied> {
        self.unsynced.pop_front_if(|(ticket, _)| *ticket <= through).map(|(_, applied)| applied)
    }

    /// The updates that will never be known to be durable.
    pub fn sync_failed(&mut self) -> impl Iterator<Item = Applied> + use<> {
        core::mem::take(&mut self.unsynced).into_iter().map(|(_, applied)| applied)
    }

    /// Whether an update of `key` has not taken effect yet, as far as this node knows.
    pub fn is_updating(&self, key: &Key) -> bool {
        self.waiting.iter().any(|(_, _, of)| of.as_ref() == Some(key))
    }

    pub fn in_flight(&self) -> usize {
        self.waiting.len() + self.unsynced.len()
    }
}
