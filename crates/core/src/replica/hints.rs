//! Hint delivery (the paper's section 4.6): what this node keeps for others goes home.
//!
//! The hints themselves are durable, in the store's records. This machine keeps, for each other node, one pass at a
//! time: scan a page of keys owed to it, send each key's state, settle those that it acknowledged, next page. A
//! pass that met silence, an error or a changed record is followed by another one. After a start, every node that is
//! owed something gets a pass.
//!
//! Nobody waits for a hint to be delivered, so each page is as large as the [background's](crate::background) budget
//! allows, and waits when there is none.

#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::boundary::Event;
use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::desk::Waiter;
use crate::flaw::Flaw;
use crate::id::{NodeId, OpId};
use crate::key::Key;
use crate::membership::MemberStatus;
use crate::message::ReplicaError;
use crate::replica::{Change, Settled, Update};
use crate::storage::{StorageError, StorageOp};
use crate::time::Instant;
use crate::version::{Digest, Siblings};

/// Values of one page, in bytes; a larger value is a page of its own.
const PAGE_BYTES: u64 = 4 << 20;

#[derive(Debug, Default)]
pub(crate) struct Hints {
    homes: BTreeMap<NodeId, Delivery>,
}

/// What is going on towards one home.
#[derive(Debug)]
struct Delivery {
    /// Something may be owed that the running pass does not know of.
    dirty: bool,
    timer: Option<Instant>,
    pass: Pass,
}

#[derive(Debug)]
enum Pass {
    Idle,
    /// Waiting for the foreground to leave room for the page after `after`.
    Held {
        after: Option<Key>,
    },
    /// A page of up to `limit` keys is being looked for: the first one?
    Scanning {
        limit: u32,
        is_first: bool,
    },
    /// Waiting for acknowledgements and settlements of one page.
    Delivering(Page),
}

#[derive(Debug)]
struct Page {
    sent_at: Instant,
    unanswered: BTreeMap<OpId, (Key, Digest)>,
    settling: usize,
    /// Where the next page starts; `None` when this was the last.
    next: Option<Key>,
}

impl Hints {
    /// After a start, whoever is owed something, as the store has counted.
    pub fn start(&mut self, cx: &mut Cx) {
        if !cx.has(Flaw::FallbackAsleepAfterRestart) {
            self.look_through(cx);
        }
    }

    /// What is owed is looked through again: keys may have other homes now, or a record may have been lost with its hints.
    pub fn look_through(&mut self, cx: &mut Cx) {
        for (home, _) in cx.env.owed.totals() {
            self.mark_dirty(cx, home);
        }
    }

    /// A hint for `home` is durable: from now on it will be delivered, restarts or not.
    pub fn on_stored(&mut self, cx: &mut Cx, home: NodeId, key: Key, bytes: u64) {
        cx.env.owed.add(home, bytes);
        cx.event(Event::HintStored { home, key });
        self.mark_dirty(cx, home);
    }

    /// A hint for `home` was stored, or one may have been left.
    fn mark_dirty(&mut self, cx: &mut Cx, home: NodeId) {
        let delivery =
            self.homes.entry(home).or_insert(Delivery { dirty: false, timer: None, pass: Pass::Idle });
        delivery.dirty = true;
        if matches!(delivery.pass, Pass::Idle) && delivery.timer.is_none() {
            let at = cx.time() + cx.env.config.hint_interval;
            delivery.timer = Some(at);
            cx.arm(at, Timer::Hints(home));
        }
    }

    /// Whether nothing is owed to anybody as far as this node remembers.
    pub fn is_idle(&self) -> bool {
        self.homes.values().all(|delivery| !delivery.dirty && matches!(delivery.pass, Pass::Idle))
    }

    pub fn on_timer(&mut self, cx: &mut Cx, home: NodeId) {
        let Some(delivery) = self.homes.get_mut(&home) else { return };
        delivery.timer = None;
        match &mut delivery.pass {
            Pass::Scanning { .. } => {}
            Pass::Held { after } => {
                let after = after.take();
                if cx.env.liveness.is_suspected(home) {
                    self.end_pass(cx, home, Pass::Idle);
                    return self.mark_dirty(cx, home);
                }
                self.scan(cx, home, after);
            }
            Pass::Delivering(page) => {
                if !page.unanswered.is_empty() {
                    let sent_at = page.sent_at;
                    cx.missed(home, sent_at);
                }
                self.end_pass(cx, home, Pass::Idle);
                self.mark_dirty(cx, home);
            }
            Pass::Idle => self.begin_pass(cx, home),
        }
    }

    fn begin_pass(&mut self, cx: &mut Cx, home: NodeId) {
        if cx.env.liveness.is_suspected(home) || !cx.storage_has_room() {
            return self.mark_dirty(cx, home);
        }
        if let Some(delivery) = self.homes.get_mut(&home) {
            delivery.dirty = false;
        }
        self.scan(cx, home, None);
    }

    fn scan(&mut self, cx: &mut Cx, home: NodeId, after: Option<Key>) {
        match cx.background_batch(cx.env.config.hint_batch_max) {
            Ok(limit) => {
                self.end_pass(cx, home, Pass::Scanning { limit, is_first: after.is_none() });
                cx.storage(StorageOp::ScanHints { home, after, limit }, Waiter::HintScan { home });
            }
            Err(at) => {
                self.end_pass(cx, home, Pass::Held { after });
                self.wake(cx, home, at);
            }
        }
    }

    fn wake(&mut self, cx: &mut Cx, home: NodeId, at: Instant) {
        if let Some(delivery) = self.homes.get_mut(&home) {
            delivery.timer = Some(at);
            cx.arm(at, Timer::Hints(home));
        }
    }

    pub fn on_scanned(
        &mut self,
        cx: &mut Cx,
        home: NodeId,
        result: Result<Vec<(Key, Siblings)>, StorageError>,
    ) {
        let Some(&Delivery { pass: Pass::Scanning { limit, is_first }, dirty, .. }) = self.homes.get(&home)
        else {
            return;
        };
        let limit = limit as usize;
        let Ok(mut owed) = result else {
            self.end_pass(cx, home, Pass::Idle);
            return self.mark_dirty(cx, home);
        };
        if owed.is_empty() && is_first && !dirty {
            // Records can be lost with the hints in them, and the count must not keep this node from leaving.
            cx.env.owed.forget(home);
        }
        let whole = owed.len() < limit;
        let page_len = first_bytes(&owed, PAGE_BYTES);
        let more = !whole || page_len < owed.len();
        owed.truncate(page_len);
        cx.background_bytes(owed.iter().map(|(_, siblings)| siblings.value_bytes()).sum());
        let next = more.then(|| owed.last().map(|(key, _)| key.clone())).flatten();
        let mut page = Page { sent_at: cx.time(), unanswered: BTreeMap::new(), settling: 0, next };
        for (key, siblings) in owed {
            if let Some(to) = Self::moved_to(cx, home, &key) {
                page.settling += 1;
                if cx.has(Flaw::HintsBoundToNode) {
                    let delivered = siblings.digest();
                    let update = Update::Settle { home, delivered, settled: Settled::DropRecord };
                    cx.apply(key, update, Waiter::HintSettle { home, delivered });
                    continue;
                }
                cx.apply(key, Update::Redirect { home, to }, Waiter::HintRedirect { home });
                continue;
            }
            let op = cx.next_op();
            page.unanswered.insert(op, (key.clone(), siblings.digest()));
            cx.send_repair(home, op, key, siblings);
        }
        self.end_pass(cx, home, Pass::Delivering(page));
        self.turn_page_if_done(cx, home);
    }

    /// The homes that are to have `key` instead of `home`, when that one keeps it no longer.
    fn moved_to(cx: &Cx, home: NodeId, key: &Key) -> Option<Vec<NodeId>> {
        let gone = |node: NodeId| cx.env.cluster.status(node).is_some_and(MemberStatus::is_gone);
        let homes = cx.placement(key, cx.env.config.n).homes();
        if homes.contains(&home) && !gone(home) {
            return None;
        }
        Some(homes.into_iter().filter(|node| *node != cx.me() && !gone(*node)).collect())
    }

    /// A hint for `home` has become hints for those that keep the key now; durable. `newly_owed`: those of them that were not
    /// owed it already.
    pub fn on_redirected(
        &mut self,
        cx: &mut Cx,
        home: NodeId,
        newly_owed: Vec<NodeId>,
        key: Key,
        bytes: u64,
    ) {
        cx.env.owed.remove(home, bytes);
        cx.event(Event::HintRedirected { home, key });
        for new_home in newly_owed {
            cx.env.owed.add(new_home, bytes);
            self.mark_dirty(cx, new_home);
        }
        self.settled_one(cx, home);
    }

    /// Whether `op` was one of ours.
    pub fn on_write_reply(
        &mut self,
        cx: &mut Cx,
        home: NodeId,
        op: OpId,
        result: Result<(), ReplicaError>,
    ) -> bool {
        let Some(Delivery { pass: Pass::Delivering(page), .. }) = self.homes.get_mut(&home) else {
            return false;
        };
        let Some((key, delivered)) = page.unanswered.remove(&op) else { return false };
        if result.is_ok() {
            page.settling += 1;
            let settled = if cx.is_home(&key) { Settled::KeepRecord } else { Settled::DropRecord };
            let update = Update::Settle { home, delivered, settled };
            cx.apply(key, update, Waiter::HintSettle { home, delivered });
        } else {
            self.mark_dirty(cx, home);
            self.turn_page_if_done(cx, home);
        }
        true
    }

    /// The hint was deleted, or the record had moved on and the hint stands.
    pub fn on_settled(
        &mut self,
        cx: &mut Cx,
        home: NodeId,
        key: Key,
        delivered: Digest,
        change: Option<&Change>,
    ) {
        match change {
            Some(change) if change.siblings.digest() == delivered => {
                cx.env.owed.remove(home, change.siblings.value_bytes());
                cx.event(Event::HintDelivered { home, key });
            }
            Some(_) => self.mark_dirty(cx, home),
            // It was settled already, by a pass that was given up meanwhile, or is lost with its record: another pass tells.
            None => self.mark_dirty(cx, home),
        }
        self.settled_one(cx, home);
    }

    /// Nothing was deleted: the store failed.
    pub fn on_settle_failed(&mut self, cx: &mut Cx, home: NodeId) {
        self.mark_dirty(cx, home);
        self.settled_one(cx, home);
    }

    fn settled_one(&mut self, cx: &mut Cx, home: NodeId) {
        if let Some(Delivery { pass: Pass::Delivering(page), .. }) = self.homes.get_mut(&home) {
            // A settlement may arrive after its pass was given up and another page was sent.
            page.settling = page.settling.saturating_sub(1);
        }
        self.turn_page_if_done(cx, home);
    }

    fn turn_page_if_done(&mut self, cx: &mut Cx, home: NodeId) {
        let Some(Delivery { pass: Pass::Delivering(page), dirty, .. }) = self.homes.get(&home) else {
            return;
        };
        if !page.unanswered.is_empty() || page.settling > 0 {
            return;
        }
        let dirty = *dirty;
        match page.next.clone() {
            Some(after) => self.scan(cx, home, Some(after)),
            None => {
                self.end_pass(cx, home, Pass::Idle);
                // What is still counted is owed, or was lost: another pass tells.
                if dirty || cx.env.owed.owes(home) {
                    self.mark_dirty(cx, home);
                }
            }
        }
    }

    /// Moves on to `pass`, with the timer that it needs.
    fn end_pass(&mut self, cx: &mut Cx, home: NodeId, pass: Pass) {
        let Some(delivery) = self.homes.get_mut(&home) else { return };
        if let Some(at) = delivery.timer.take() {
            cx.disarm(at, Timer::Hints(home));
        }
        if let Pass::Delivering(_) = pass {
            // Nobody waits for a delivery: a home that is slow rather than dead must still get through.
            let at = cx.time() + cx.env.config.request_timeout;
            delivery.timer = Some(at);
            cx.arm(at, Timer::Hints(home));
        }
        delivery.pass = pass;
    }
}

/// How many of `owed` fit in `bytes_max`, at least one: a page is kept in memory, and is a burst on the network.
fn first_bytes(owed: &[(Key, Siblings)], bytes_max: u64) -> usize {
    let mut bytes = 0;
    let fits = owed.iter().take_while(|(_, siblings)| {
        let first = bytes == 0;
        bytes += siblings.value_bytes().max(1);
        first || bytes <= bytes_max
    });
    fits.count()
}
