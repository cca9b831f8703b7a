//! Mending: a record that fails its checksum is made anew of what the other homes hold.
//!
//! Until then the store neither reads nor changes it, so that this replica has no vote on the key: what it holds may be
//! an acknowledged write that nobody else has yet. That is also why *all* other homes are asked, not a quorum of them;
//! who has gone for ever is not waited for, nor, when all others have told, who cannot read its own record either: two such
//! homes would wait for each other. A node that is no home only stood in for others: it drops what it cannot read.
//! Where there is no other home, the record stays as it is, for an operator to see to.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::boundary::Event;
use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::desk::Waiter;
use crate::id::{NodeId, OpId};
use crate::key::Key;
use crate::membership::MemberStatus;
use crate::message::{Message, ReplicaError, ReplicaMessage};
use crate::replica::Update;
use crate::ring::RingVersion;
use crate::storage::StorageError;
use crate::version::Siblings;

/// So many records are mended at a time; others are noticed again when they are next asked for.
const RECORDS_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub(crate) struct Mender {
    records: BTreeMap<Key, Mending>,
    asked: BTreeMap<OpId, (Key, NodeId)>,
    timer: Option<crate::time::Instant>,
}

/// One record that cannot be read.
#[derive(Debug)]
struct Mending {
    /// The state of the ring that says whom to ask.
    ring: RingVersion,
    /// What the homes that have answered hold.
    found: Siblings,
    /// Those that have not.
    left: BTreeSet<NodeId>,
    /// Those among them that have said that they cannot read their own.
    damaged: BTreeSet<NodeId>,
    /// Whether anybody has told what it holds, nothing included.
    is_told: bool,
}

impl Mending {
    /// `None` where it should be kept and nobody else has it.
    fn new(cx: &Cx, key: &Key) -> Option<Self> {
        let homes = cx.placement(key, cx.env.config.n).homes();
        let gone = |home: &NodeId| cx.env.cluster.status(*home).is_some_and(MemberStatus::is_gone);
        let is_home = homes.contains(&cx.me());
        let others = homes.into_iter().filter(|home| is_home && *home != cx.me() && !gone(home));
        let left: BTreeSet<NodeId> = others.collect();
        let ring = cx.env.cluster.ring.version();
        let mending =
            Self { ring, found: Siblings::default(), left, damaged: BTreeSet::new(), is_told: false };
        (!mending.left.is_empty() || !is_home).then_some(mending)
    }
}

impl Mending {
    /// Whether nobody is left who could tell more. Where nobody could tell anything, the record stays as it is.
    fn is_complete(&self) -> bool {
        self.is_told && self.left.is_subset(&self.damaged)
    }
}

impl Mender {
    /// The store cannot read its record of `key`.
    pub fn noticed(&mut self, cx: &mut Cx, key: &Key) {
        if self.records.contains_key(key) || self.records.len() >= RECORDS_MAX {
            return;
        }
        cx.event(Event::RecordDamaged { key: key.clone() });
        let Some(mending) = Mending::new(cx, key) else { return };
        self.records.insert(key.clone(), mending);
        self.go_on(cx, key);
    }

    /// Records that cannot be read, and whose other homes are being asked.
    pub fn running(&self) -> usize {
        self.records.len()
    }

    /// Whether something of `key` is on its way here.
    pub fn is_running(&self, key: &Key) -> bool {
        self.records.contains_key(key)
    }

    /// Asks those that have not answered; or writes what all together hold.
    fn go_on(&mut self, cx: &mut Cx, key: &Key) {
        let Some(mending) = self.records.get_mut(key) else { return };
        if mending.left.is_empty() {
            let update = Update::Salvage { siblings: mending.found.clone(), policy: cx.policy(key) };
            return cx.apply(key.clone(), update, Waiter::Mend);
        }
        for home in mending.left.iter().copied() {
            let op = cx.next_op();
            self.asked.insert(op, (key.clone(), home));
            cx.send(home, Message::Replica(ReplicaMessage::Read { op, key: key.clone() }));
        }
        self.await_answers(cx);
    }

    fn await_answers(&mut self, cx: &mut Cx) {
        if self.timer.is_none() {
            let at = cx.time() + cx.env.config.request_timeout;
            self.timer = Some(at);
            cx.arm(at, Timer::Mend);
        }
    }

    /// Whoever has not answered is asked again; by a new ring, other homes.
    pub fn on_timer(&mut self, cx: &mut Cx) {
        self.timer = None;
        self.asked.clear();
        let keys: Vec<Key> = self.records.keys().cloned().collect();
        for key in keys {
            self.look_again(cx, &key);
            self.go_on(cx, &key);
        }
    }

    /// Begins anew if the homes may be others now, or one has gone.
    fn look_again(&mut self, cx: &mut Cx, key: &Key) {
        let Some(mending) = self.records.get_mut(key) else { return };
        let gone = |home: &NodeId| cx.env.cluster.status(*home).is_some_and(MemberStatus::is_gone);
        if mending.ring == cx.env.cluster.ring.version() {
            mending.left.retain(|home| !gone(home));
        } else if let Some(anew) = Mending::new(cx, key) {
            *mending = anew;
        } else {
            self.records.remove(key);
        }
    }

    /// What a home holds. Whether `op` was a read of ours.
    pub fn on_read_reply(
        &mut self,
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        result: &Result<Siblings, ReplicaError>,
    ) -> bool {
        let Some((key, home)) = self.asked.remove(&op) else { return false };
        let (Some(mending), true) = (self.records.get_mut(&key), home == from) else { return true };
        // Whoever cannot tell is asked again, with the next timer.
        let is_news = match result {
            Ok(siblings) if mending.left.remove(&home) => {
                mending.found = mending.found.merge(&cx.received(siblings.clone()), cx.policy(&key));
                mending.is_told = true;
                true
            }
            Err(ReplicaError::Storage(StorageError::Corrupt)) => mending.damaged.insert(home),
            _ => false,
        };
        if is_news && mending.is_complete() {
            mending.left.clear();
            self.look_again(cx, &key);
            self.go_on(cx, &key);
        }
        true
    }

    /// The record is whole again, durably.
    pub fn on_mended(&mut self, cx: &mut Cx, key: Key) {
        self.records.remove(&key);
        cx.event(Event::RecordMended { key });
    }

    /// The store failed: it is noticed again when it is next asked for.
    pub fn on_failed(&mut self, key: &Key) {
        self.records.remove(key);
    }
}
