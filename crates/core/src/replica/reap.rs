//! Reaping: a tombstone goes once nothing older can come back.
//!
//! The first home of a key asks **every** member, not only the homes: a home must hold exactly this tombstone and owe it
//! to nobody, any other node must hold nothing of the key, and nobody may have a request of it under way. They are asked
//! twice. In between everybody goes behind a new [fence](crate::membership::Cluster::fence), so that a write which was
//! under way when they agreed first, and may be older, is accepted nowhere when they agree again. Only then is the
//! tombstone dropped, and by each home only if it still is all that it holds. A node that is down cannot agree, so
//! nothing is reaped while one is; time decides only when it is tried ([`Config::reap_after`](crate::Config)).
//!
//! A drop that gets lost leaves tombstones behind, which anti-entropy spreads again, and which are reaped again.

#[cfg(test)]
mod tests;

use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::boundary::Event;
use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::desk::Waiter;
use crate::flaw::Flaw;
use crate::id::{NodeId, OpId};
use crate::key::Key;
use crate::message::{Message, ReapMessage};
use crate::replica::Update;
use crate::ring::RingVersion;
use crate::storage::{Name, Page, StorageError, StorageOp};
use crate::time::Instant;
use crate::version::Digest;

/// Keys asked about at once.
pub const REAP_BATCH_MAX: usize = 64;
/// Tombstones remembered at once.
const CANDIDATES_MAX: usize = 4_096;
/// How often everybody is asked to agree again. The first time may be in vain: who hears of the fence only then must have
/// it on its disk before it agrees.
const ASKED_AGAIN_MAX: u8 = 4;

#[derive(Debug, Default)]
pub(crate) struct Reaper {
    candidates: BTreeMap<Key, Candidate>,
    round: Option<Round>,
    /// Where the next look for tombstones begins.
    after: Option<Key>,
    reaped: u64,
}

/// A tombstone that may go some day.
#[derive(Debug)]
struct Candidate {
    digest: Digest,
    /// When it is to be asked about next.
    due: Instant,
    /// Everybody has agreed once, and must agree again behind this fence.
    fence: Option<u64>,
    /// How often they have been asked to, and not all have answered.
    in_vain: u8,
}

/// Everybody is being asked.
#[derive(Debug)]
struct Round {
    op: OpId,
    ring: RingVersion,
    /// Those that have not answered; this node itself among them.
    left: BTreeSet<NodeId>,
    /// What all who have answered agree on.
    keys: BTreeMap<Key, Digest>,
    /// The fence that they were asked to be behind.
    fence: u64,
    /// The highest that any was behind.
    highest: u64,
    /// When to wait for answers no longer.
    give_up: Instant,
}

impl Reaper {
    pub fn start(&mut self, cx: &mut Cx) {
        Self::arm(cx);
    }

    fn arm(cx: &mut Cx) {
        if let Some(reap_after) = cx.env.config.reap_after {
            cx.arm(cx.time() + reap_after / 2, Timer::Reap);
        }
    }

    /// Tombstones reaped by this node since its start.
    pub fn reaped(&self) -> u64 {
        self.reaped
    }

    /// A round that takes too long gets no answer from somebody: it is given up, and what has been agreed on once is asked
    /// about some more times. Then a look for more, if the foreground leaves room for it.
    pub fn on_timer(&mut self, cx: &mut Cx) {
        Self::arm(cx);
        if let Some(round) = self.round.take_if(|round| round.give_up <= cx.time()) {
            for key in round.keys.into_keys() {
                self.in_vain(key);
            }
        }
        if cx.storage_has_room() && cx.background(REAP_BATCH_MAX as u32).is_ok() {
            let after = self.after.take();
            let op = StorageOp::ScanTombstones { after, limit: REAP_BATCH_MAX as u32 };
            cx.storage(op, Waiter::ReapScan);
        }
    }

    /// Tombstones on this node's disk: those it is the first home of become candidates. Those that are due are asked
    /// about.
    pub fn on_page(&mut self, cx: &mut Cx, result: Result<Page, StorageError>) {
        let (Ok(page), Some(reap_after)) = (result, cx.env.config.reap_after) else { return };
        self.after = page.next;
        for (key, siblings) in page.records {
            let first = cx.preference_list(&key, cx.env.config.n).homes().first().copied();
            if first != Some(cx.me()) || self.candidates.len() >= CANDIDATES_MAX {
                continue;
            }
            let digest = siblings.digest();
            let known = self.candidates.get(&key).is_some_and(|candidate| candidate.digest == digest);
            if !known {
                let due = cx.time() + reap_after;
                self.candidates.insert(key, Candidate { digest, due, fence: None, in_vain: 0 });
            }
        }
        self.ask(cx);
    }

    fn ask(&mut self, cx: &mut Cx) {
        if self.round.is_some() {
            return;
        }
        let due = self.candidates.iter().filter(|(_, candidate)| candidate.due <= cx.time());
        let batch: Vec<(&Key, &Candidate)> = due.take(REAP_BATCH_MAX).collect();
        let Some(fence) = batch.iter().map(|(_, candidate)| candidate.fence.unwrap_or(0)).max() else {
            return;
        };
        let skips = |cx: &Cx, member| cx.has(Flaw::ReapWithHomeDown) && cx.env.is_away(member);
        let members: BTreeSet<NodeId> =
            cx.env.cluster.active().filter(|member| !skips(cx, *member)).collect();
        let may = cx.env.cluster.ring.phase().is_none()
            && cx.env.cluster.all_have_seen(cx.env.cluster.ring.version())
            && members.iter().all(|member| !cx.env.is_away(*member))
            && cx.storage_has_room();
        if !may {
            return;
        }
        let keys: BTreeMap<Key, Digest> =
            batch.into_iter().map(|(key, candidate)| (key.clone(), candidate.digest)).collect();
        let op = cx.next_op();
        let asked: Vec<(Key, Digest)> = keys.iter().map(|(key, digest)| (key.clone(), *digest)).collect();
        let me = cx.me();
        for member in members.iter().filter(|member| **member != me) {
            cx.send(*member, Message::Reap(ReapMessage::Ask { op, keys: asked.clone(), fence }));
        }
        let names = StorageOp::Names { keys: keys.keys().cloned().collect() };
        cx.storage(names, Waiter::ReapNames { op, keys: asked });
        let ring = cx.env.cluster.ring.version();
        let give_up = cx.time() + cx.env.config.request_timeout;
        self.round = Some(Round { op, ring, left: members, keys, fence, highest: fence, give_up });
    }

    /// The fence that everybody must be behind, this node too, to agree in round `op`; `None` where that is over.
    pub fn asks_behind(&self, op: OpId) -> Option<u64> {
        self.round.as_ref().filter(|round| round.op == op).map(|round| round.fence)
    }

    /// `from` holds nothing else of these keys, and is behind `fence`. Once everybody has agreed on some for the first
    /// time: the highest fence that anybody was behind.
    pub fn on_agree(&mut self, cx: &mut Cx, from: NodeId, op: OpId, keys: &[Key], fence: u64) -> Option<u64> {
        let round = self.round.as_mut().filter(|round| round.op == op)?;
        if fence < round.fence || !round.left.remove(&from) {
            return None;
        }
        round.highest = round.highest.max(fence);
        let (agreed, disputed) =
            core::mem::take(&mut round.keys).into_iter().partition(|(key, _)| keys.contains(key));
        round.keys = agreed;
        let enough = |cx: &Cx, left: usize| {
            let answered = cx.env.cluster.active().count() - left;
            cx.has(Flaw::ReapOnQuorum) && answered >= usize::from(cx.env.config.n / 2 + 1)
        };
        let is_over = round.left.is_empty() || enough(cx, round.left.len());
        let disputed: BTreeMap<Key, Digest> = disputed;
        self.put_off(disputed.into_keys());
        if is_over { self.conclude(cx) } else { None }
    }

    /// Everybody has answered.
    fn conclude(&mut self, cx: &mut Cx) -> Option<u64> {
        let (Some(round), Some(reap_after)) = (self.round.take(), cx.env.config.reap_after) else {
            return None;
        };
        if round.ring != cx.env.cluster.ring.version() {
            self.put_off(round.keys.into_keys());
            return None;
        }
        let mut first_time = None;
        let mut drops: BTreeMap<NodeId, Vec<(Key, Digest)>> = BTreeMap::new();
        for (key, held) in round.keys {
            let Some(candidate) = self.candidates.get_mut(&key) else { continue };
            if candidate.fence.is_none() {
                candidate.fence = Some(round.highest + 1);
                candidate.due = cx.time() + reap_after;
                first_time = Some(round.highest);
                continue;
            }
            self.candidates.remove(&key);
            for home in cx.preference_list(&key, cx.env.config.n).homes() {
                drops.entry(*home).or_default().push((key.clone(), held));
            }
        }
        for (home, keys) in drops {
            if home == cx.me() {
                Self::drop_tombstones(cx, keys);
            } else {
                cx.send(home, Message::Reap(ReapMessage::Drop { keys }));
            }
        }
        first_time
    }

    /// Not all have answered.
    fn in_vain(&mut self, key: Key) {
        let Entry::Occupied(mut entry) = self.candidates.entry(key) else { return };
        entry.get_mut().in_vain += 1;
        if entry.get().fence.is_none() || entry.get().in_vain == ASKED_AGAIN_MAX {
            entry.remove();
        }
    }

    /// Not now: they begin anew when they are met again.
    fn put_off(&mut self, keys: impl Iterator<Item = Key>) {
        for key in keys {
            self.candidates.remove(&key);
        }
    }

    /// Drops tombstones that are still all that is held.
    pub fn drop_tombstones(cx: &mut Cx, keys: Vec<(Key, Digest)>) {
        for (key, held) in keys.into_iter().take(REAP_BATCH_MAX) {
            if cx.storage_has_room() {
                cx.apply(key, Update::Drop { held }, Waiter::ReapDrop);
            }
        }
    }

    /// A tombstone is gone from here, durably.
    pub fn on_dropped(&mut self, cx: &mut Cx, key: Key) {
        self.reaped += 1;
        cx.event(Event::Reaped { key });
    }

    /// Somebody wants to reap: look what is here.
    pub fn on_ask(cx: &mut Cx, from: NodeId, op: OpId, keys: Vec<(Key, Digest)>) {
        if keys.len() <= REAP_BATCH_MAX && cx.storage_has_room() {
            let names = StorageOp::Names { keys: keys.iter().map(|(key, _)| key.clone()).collect() };
            cx.storage(names, Waiter::ReapAnswer { from, op, keys });
        }
    }

    /// The keys of which this node holds nothing but the tombstone named, or nothing if it is no home.
    pub fn agreed(cx: &Cx, asked: &[(Key, Digest)], names: &[Name]) -> Vec<Key> {
        let fits = |key: &Key, digest: Digest, name: &Name| {
            let expected = if cx.is_home(key) { Some(digest) } else { None };
            let is_ignored = cx.has(Flaw::ReapIgnoresFallbacks) && expected.is_none();
            is_ignored || (name.digest == expected && !name.is_owed)
        };
        let held = asked.iter().zip(names).filter(|((key, digest), name)| fits(key, *digest, name));
        held.map(|((key, _), _)| key.clone()).collect()
    }
}
