//! Handoff: a node that holds data it does not own gives it to those who do, and only then drops it.
//!
//! Data comes to be in the wrong place when ownership has moved, when a commit was superseded by another, or when a
//! coordinator went by an older ring. In each case the same is done: every home of the key, old or new, is asked
//! whether it holds exactly this state durably, and is sent it if not; when all have said yes, the record is dropped,
//! unless it has changed meanwhile. Progress is in the disk: what was dropped is done, whatever crashes.
//!
//! (New homes do not wait for this: they fetch what they need, see [`anti_entropy`](crate::anti_entropy).)

#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::boundary::Event;
use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::desk::Waiter;
use crate::flaw::Flaw;
use crate::id::{NodeId, OpId};
use crate::key::Key;
use crate::message::{Message, ReplicaError, ReplicaMessage};
use crate::replica::Update;
use crate::ring::{Partition, RingVersion};
use crate::storage::{Page, StorageError, StorageOp};
use crate::time::Instant;
use crate::version::Siblings;

#[derive(Debug, Default)]
pub(crate) struct Handoff {
    /// Whether it is known what this disk holds anything of.
    survey: Survey,
    /// Partitions that may hold something that belongs elsewhere.
    dirty: BTreeSet<Partition>,
    pass: Option<Pass>,
    timer: Option<Instant>,
    records_given: u64,
}

/// Finding the partitions that are worth a look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Survey {
    /// To be made.
    Due,
    /// The store has been asked.
    UnderWay,
    /// It has answered, since the ring changed last.
    #[default]
    Done,
}

/// One partition being looked through.
#[derive(Debug)]
struct Pass {
    partition: Partition,
    ring: RingVersion,
    records: BTreeMap<Key, Giving>,
    asked: BTreeMap<OpId, (Key, NodeId)>,
    dropping: usize,
    /// Something could not be given: the partition stays dirty.
    incomplete: bool,
    next: Option<Key>,
    /// The next page waits for the foreground to leave room for it, until the timer.
    held: bool,
}

/// One record on its way to its homes.
#[derive(Debug)]
struct Giving {
    siblings: Siblings,
    /// Homes that have not said that they hold it.
    left: BTreeSet<NodeId>,
}

impl Handoff {
    /// After a start, and whenever the ring has changed, anything may be in the wrong place.
    pub fn look_everywhere(&mut self, cx: &mut Cx) {
        self.survey = Survey::Due;
        self.await_turn(cx);
    }

    /// The partitions of which anything is stored. Where the store cannot tell, all are looked through.
    pub fn on_occupied(&mut self, cx: &mut Cx, result: Result<Vec<Partition>, StorageError>) {
        let (me, n) = (cx.me(), cx.env.config.n);
        let ring = &cx.env.cluster.ring;
        let occupied = result.unwrap_or_else(|_| (0..ring.partitions()).map(Partition).collect());
        self.dirty.extend(occupied.into_iter().filter(|partition| !ring.is_home_of(me, *partition, n)));
        if self.survey == Survey::UnderWay {
            self.survey = Survey::Done;
        }
        self.await_turn(cx);
    }

    /// Something was stored of a key that this node is no home of, and nobody is owed it.
    pub fn mark_dirty(&mut self, cx: &mut Cx, partition: Partition) {
        self.dirty.insert(partition);
        self.await_turn(cx);
    }

    /// Whether nothing is known to be in the wrong place.
    pub fn is_idle(&self) -> bool {
        self.open() == 0
    }

    /// Whether `key` is being given away.
    pub fn is_running(&self, key: &Key) -> bool {
        self.pass.as_ref().is_some_and(|pass| pass.records.contains_key(key))
    }

    /// Partitions to be looked through; one at least until it is known which.
    pub fn open(&self) -> usize {
        self.dirty.len() + usize::from(self.pass.is_some()) + usize::from(self.survey != Survey::Done)
    }

    /// Records given to their homes since the start.
    pub fn records_given(&self) -> u64 {
        self.records_given
    }

    /// The next partition's turn; a pass still under way got no answer and is given up.
    pub fn on_timer(&mut self, cx: &mut Cx) {
        self.timer = None;
        if let Some(pass) = self.pass.as_mut().filter(|pass| pass.held) {
            pass.held = false;
            let after = pass.next.take();
            return self.scan(cx, after);
        }
        if let Some(pass) = self.pass.take() {
            self.dirty.insert(pass.partition);
            return self.await_turn(cx);
        }
        if !cx.storage_has_room() {
            return self.await_turn(cx);
        }
        if self.survey == Survey::Due {
            self.survey = Survey::UnderWay;
            cx.storage(StorageOp::Occupied, Waiter::HandoffSurvey);
            return self.await_turn(cx);
        }
        let Some(partition) = self.dirty.pop_first() else { return };
        self.pass = Some(Pass {
            partition,
            ring: cx.env.cluster.ring.version(),
            records: BTreeMap::new(),
            asked: BTreeMap::new(),
            dropping: 0,
            incomplete: false,
            next: None,
            held: false,
        });
        self.scan(cx, None);
    }

    /// Looks at the next page, of as many records as the background may move now, or waits until it may.
    fn scan(&mut self, cx: &mut Cx, after: Option<Key>) {
        let Some(pass) = &mut self.pass else { return };
        let partition = pass.partition;
        let limit = match cx.background_batch(cx.env.config.handoff_batch_max) {
            Ok(limit) => limit,
            Err(at) => {
                pass.held = true;
                pass.next = after;
                return self.rearm(cx, at);
            }
        };
        cx.storage(StorageOp::ScanPartition { partition, after, limit }, Waiter::HandoffScan { partition });
        self.rearm(cx, cx.time() + cx.env.config.request_timeout);
    }

    /// A page of records that nobody is owed: ask every home about each.
    pub fn on_page(&mut self, cx: &mut Cx, partition: Partition, result: Result<Page, StorageError>) {
        let Some(pass) = self.pass.as_mut().filter(|pass| pass.partition == partition) else { return };
        let (Ok(page), true) = (result, pass.ring == cx.env.cluster.ring.version()) else {
            self.pass = None;
            return self.mark_dirty(cx, partition);
        };
        pass.next = page.next;
        let homes = cx.env.cluster.ring.partition_placement(partition, cx.env.config.n).homes();
        if homes.contains(&cx.me()) {
            self.pass = None;
            return self.await_turn(cx);
        }
        for (key, siblings) in page.records {
            let digest = siblings.digest();
            for home in homes.iter().copied() {
                if cx.env.is_away(home) {
                    continue;
                }
                let op = cx.next_op();
                pass.asked.insert(op, (key.clone(), home));
                let confirm = ReplicaMessage::Confirm { op, key: key.clone(), digest };
                cx.send(home, Message::Replica(confirm));
            }
            let left = homes.iter().copied().collect();
            pass.records.insert(key, Giving { siblings, left });
        }
        if cx.has(Flaw::HandoffToSelf) {
            let delivered: Vec<Key> = pass.records.keys().cloned().collect();
            delivered.iter().for_each(|key| self.drop_record(cx, key));
        }
        self.turn_page_if_done(cx);
    }

    /// Whether `op` was one of ours.
    pub fn on_write_reply(
        &mut self,
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        result: Result<(), ReplicaError>,
    ) -> bool {
        let Some(pass) = &mut self.pass else { return false };
        let Some((key, home)) = pass.asked.remove(&op) else { return false };
        let Some(giving) = pass.records.get_mut(&key) else { return true };
        match result {
            _ if home != from => {}
            Ok(()) => {
                giving.left.remove(&home);
                if giving.left.is_empty() {
                    self.drop_record(cx, &key);
                }
            }
            Err(ReplicaError::Differs) => {
                let op = cx.next_op();
                let siblings = giving.siblings.clone();
                cx.background_bytes(siblings.value_bytes());
                pass.asked.insert(op, (key.clone(), home));
                cx.send_repair(home, op, key, siblings);
            }
            Err(_) => pass.incomplete = true,
        }
        self.turn_page_if_done(cx);
        true
    }

    /// All homes hold it durably. They must still be the homes: the ring may have changed while they answered.
    fn drop_record(&mut self, cx: &mut Cx, key: &Key) {
        let Some(pass) = &mut self.pass else { return };
        let Some(giving) = pass.records.remove(key) else { return };
        if pass.ring != cx.env.cluster.ring.version() {
            pass.incomplete = true;
            return;
        }
        pass.dropping += 1;
        let update = Update::Drop { held: giving.siblings.digest() };
        cx.apply(key.clone(), update, Waiter::HandoffDrop);
    }

    /// The record is gone from here, durably.
    pub fn on_dropped(&mut self, cx: &mut Cx, key: Key) {
        self.records_given += 1;
        cx.event(Event::HandedOver { key });
        self.dropped_one(cx, true);
    }

    /// The record had moved on, or the store failed: it is still here.
    pub fn on_kept(&mut self, cx: &mut Cx, key: &Key) {
        let partition = cx.env.cluster.ring.partition(key.token());
        self.dropped_one(cx, false);
        self.mark_dirty(cx, partition);
    }

    /// The store failed: the record may still be here.
    pub fn on_failed(&mut self, cx: &mut Cx) {
        self.dropped_one(cx, false);
    }

    fn dropped_one(&mut self, cx: &mut Cx, is_gone: bool) {
        if let Some(pass) = &mut self.pass {
            // The answer may be to a pass that was given up.
            pass.dropping = pass.dropping.saturating_sub(1);
            pass.incomplete |= !is_gone;
        }
        self.turn_page_if_done(cx);
    }

    fn turn_page_if_done(&mut self, cx: &mut Cx) {
        let Some(pass) = &mut self.pass else { return };
        if !pass.asked.is_empty() || pass.dropping > 0 {
            return;
        }
        // What is left waits for a home that is away.
        pass.incomplete |= !pass.records.is_empty();
        pass.records.clear();
        if let Some(after) = pass.next.take() {
            return self.scan(cx, Some(after));
        }
        let (partition, incomplete) = (pass.partition, pass.incomplete);
        self.pass = None;
        if incomplete {
            self.dirty.insert(partition);
            return self.rearm(cx, cx.time() + cx.env.config.handoff_interval);
        }
        self.go_on(cx);
    }

    /// Partitions that others gave nothing of cost one scan each; they are not worth a pause.
    fn go_on(&mut self, cx: &mut Cx) {
        if self.survey == Survey::Due || !self.dirty.is_empty() {
            self.rearm(cx, cx.time());
        }
    }

    fn await_turn(&mut self, cx: &mut Cx) {
        if self.timer.is_none() && (self.survey == Survey::Due || !self.dirty.is_empty()) {
            self.rearm(cx, cx.time() + cx.env.config.handoff_interval);
        }
    }

    fn rearm(&mut self, cx: &mut Cx, at: Instant) {
        if let Some(armed) = self.timer.replace(at) {
            cx.disarm(armed, Timer::Handoff);
        }
        cx.arm(at, Timer::Handoff);
    }
}
