//! Gossip of the cluster's state: at every interval a node tells one other what its state is called; they exchange the
//! states themselves when the names differ. A change is told to a few at once, and they tell it on.
//!
//! The machine also keeps a node from taking part before it may:
//!
//! - *After a start* it waits until it has heard a peer, so that an old copy of its disk is noticed before it
//!   coordinates; on a disk that knows the cluster's state it does not wait for longer than
//!   [`Config::start_wait`](crate::Config).
//! - *On a new disk* it waits until a peer that takes part, or most of the founders, have answered: the ring may have
//!   changed since it was founded.
//! - *A newcomer* takes part once an operator has let it in, and it has heard so.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::cluster::{Cluster, ClusterDigest};
use super::member::{LastBoot, MemberStatus, Progress};
use super::plan::{Plan, PlanError};
use crate::boundary::{AdminReply, Event, Output};
use crate::cx::{Cx, Env};
use crate::deadlines::Timer;
use crate::desk::Waiter;
use crate::flaw::Flaw;
use crate::id::{CallId, NodeId};
use crate::message::{MembershipMessage, Message};
use crate::ring::{Partition, RingVersion};
use crate::storage::StorageOp;
use crate::time::Instant;

/// News is told to so many at once.
const FAN_OUT: usize = 3;
/// So many are called at once after a start, at most.
const CALLS: usize = 8;
/// While something is waited for, it is looked after so many times as often.
const HASTE: u32 = 8;

pub(crate) fn admin_reply(cx: &mut Cx, call: CallId, result: Result<Option<Plan>, PlanError>) {
    cx.out.push(Output::AdminReply(AdminReply { call, result }));
}

#[derive(Debug)]
pub(crate) struct Gossip {
    standing: Standing,
    started_at: Instant,
    timer: Option<Instant>,
    /// The state has changed since it was last told to anybody.
    news: bool,
    /// The state on the disk.
    saved: Saved,
    /// The state being written to the disk.
    saving: Option<Saved>,
    /// How often the state has changed since the start.
    revision: u64,
    /// Changes that are answered once they are on the disk, with the revision that has them.
    promised: Vec<(CallId, Option<Plan>, u64)>,
    /// Which boot this is, among all of this store.
    boot: LastBoot,
}

/// Whether this node takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has not heard enough since its start.
    Waiting,
    /// It does, as far as its status as a member allows.
    Ready,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Saved {
    digest: ClusterDigest,
    ring: RingVersion,
    fence: u64,
    revision: u64,
}

impl Saved {
    fn of(env: &Env, revision: u64) -> Self {
        let (ring, fence) = (env.cluster.ring.version(), env.cluster.fence);
        Self { digest: env.cluster_digest, ring, fence, revision }
    }
}

/// What the node has under way, as far as membership must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Underway {
    /// The oldest state of the ring that an unanswered request goes by.
    pub oldest_ring: Option<RingVersion>,
    /// Nothing is held that belongs elsewhere, and nothing is owed.
    pub nothing_to_give: bool,
}

impl Gossip {
    pub fn new(now: Instant, boot: LastBoot) -> Self {
        Self {
            standing: Standing::Waiting,
            started_at: now,
            timer: None,
            news: false,
            saved: Saved::default(),
            saving: None,
            revision: 0,
            promised: Vec::new(),
            boot,
        }
    }

    /// Whether this node takes part.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether this is a new disk that has not heard of the cluster yet.
    pub fn knows_nothing(&self, cx: &Cx) -> bool {
        self.standing == Standing::Waiting && cx.env.boot.cluster.is_none()
    }

    /// Whether client requests are taken: not before the node knows where it stands, nor when it is no member.
    pub fn serves(&self, cx: &Cx) -> bool {
        self.standing == Standing::Ready
            && cx.env.cluster.status(cx.me()).is_some_and(MemberStatus::is_active)
    }

    /// Whether nothing is left to tell or to keep.
    pub fn is_idle(&self, cx_cluster: &Cluster, me: NodeId) -> bool {
        let seen = cx_cluster.members.get(&me).map(|member| member.progress.seen);
        !self.news
            && self.saving.is_none()
            && cx_cluster.ring.phase().is_none()
            && (seen == Some(cx_cluster.ring.version())
                || !cx_cluster.status(me).is_some_and(MemberStatus::is_active))
    }

    pub fn start(&mut self, cx: &mut Cx) {
        if cx.env.boot.cluster.is_some() {
            self.saved = Saved::of(cx.env, self.revision);
            let own = cx.env.cluster.members.get(&cx.me());
            cx.env.recover_wanted = own.is_some_and(|member| member.lost.value);
        }
        for (node, member) in cx.env.cluster.members.iter() {
            if *node != cx.env.config.node && !member.contact.value.address.is_empty() {
                cx.out.push(Output::Contact { node: *node, contact: member.contact.value.clone() });
            }
        }
        self.introduce_myself(cx);
        let alone = cx.env.cluster.members.keys().all(|node| *node == cx.me());
        if alone && cx.env.cluster.status(cx.me()).is_some_and(MemberStatus::is_active) {
            self.standing = Standing::Ready;
        }
        self.call_around(cx);
        self.rearm(cx);
    }

    /// My own entry: how I am reached, and which boot of which store this is.
    fn introduce_myself(&mut self, cx: &mut Cx) {
        let (me, contact) = (cx.me(), cx.env.config.contact.clone());
        if cx.env.cluster.status(me).is_some_and(MemberStatus::is_gone) {
            return;
        }
        let (store, boot) = (cx.env.boot.store, self.boot.clone());
        self.change(cx, |cluster| {
            cluster.set_contact(me, &contact);
            cluster.members.update(me, |member| member.boots.entry(store).or_default().merge(&boot));
        });
    }

    /// Changes the state; says so, and takes the steps that follow.
    pub fn change(&mut self, cx: &mut Cx, change: impl FnOnce(&mut Cluster)) {
        let mut changed = Cluster::clone(&cx.env.cluster);
        change(&mut changed);
        changed.take_steps();
        self.adopt(cx, changed);
    }

    fn adopt(&mut self, cx: &mut Cx, changed: Cluster) {
        if changed == *cx.env.cluster {
            return;
        }
        let me = cx.me();
        cx.env.cluster_digest = changed.digest();
        let before = core::mem::replace(&mut cx.env.cluster, Arc::new(changed));
        let now = Arc::clone(&cx.env.cluster);
        let mut is_known_otherwise = false;
        for (node, known, member) in now.members.changed_since(&before.members) {
            if node != me && known.is_none_or(|known| known.contact.value != member.contact.value) {
                cx.out.push(Output::Contact { node, contact: member.contact.value.clone() });
            }
            if known.is_none_or(|known| known.status != member.status) {
                cx.event(Event::MemberChanged { node, status: member.status });
                is_known_otherwise = true;
            }
        }
        for bucket in now.newly_last_write_wins(&before) {
            cx.event(Event::LastWriteWins { bucket });
        }
        if now.metadata != before.metadata {
            cx.event(Event::MetadataChanged);
        }
        if is_known_otherwise {
            cx.env.members_changed = true;
            cx.env.liveness.set_peers(me, now.there());
        }
        if before.ring.version() != now.ring.version() {
            if now.ring.epoch() == before.ring.epoch() {
                cx.event(Event::RingSuperseded { lost: before.ring.version(), by: now.ring.version() });
            }
            cx.event(Event::RingChanged { version: now.ring.version(), phase: now.ring.phase() });
        }
        self.revision += 1;
        self.news = true;
        self.hasten(cx);
    }

    /// Behind which fence this node is, also after a crash.
    pub fn kept_fence(&self) -> u64 {
        self.saved.fence
    }

    /// This node is behind `fence` from now on, and soon everybody is.
    pub fn raise_fence(&mut self, cx: &mut Cx, fence: u64) {
        if fence > cx.env.cluster.fence {
            self.change(cx, |cluster| cluster.fence = cluster.fence.max(fence));
        }
    }

    /// An operator's change was made, who is told once it is on the disk: what only this node has heard of must survive
    /// it. `plan`: what was committed, if it was a commit.
    pub fn promise(&mut self, cx: &mut Cx, call: CallId, plan: Option<Plan>) {
        if self.saved == Saved::of(cx.env, self.revision) {
            return admin_reply(cx, call, Ok(plan));
        }
        self.promised.push((call, plan, self.revision));
        self.save(cx);
    }

    fn keep_promises(&mut self, cx: &mut Cx, is_saved: bool) {
        let saved = self.saved.revision;
        for (call, plan, revision) in core::mem::take(&mut self.promised) {
            if revision <= saved {
                admin_reply(cx, call, Ok(plan));
            } else if is_saved {
                self.promised.push((call, plan, revision));
            } else {
                admin_reply(cx, call, Err(PlanError::NotKept));
            }
        }
    }

    /// A partition that this node was to fetch is here, durably.
    pub fn received(&mut self, cx: &mut Cx, partition: Partition, version: RingVersion) {
        let me = cx.me();
        if cx.env.cluster.ring.version() != version {
            return;
        }
        cx.event(Event::PartitionReceived { partition });
        self.change(cx, |cluster| {
            if cluster.members.get(&me).is_some_and(|member| member.progress.seen == version) {
                cluster.members.update(me, |member| _ = member.progress.received.insert(partition));
            }
        });
    }

    pub fn on_message(&mut self, cx: &mut Cx, from: NodeId, message: MembershipMessage) {
        if cx.env.cluster.status(from).is_some_and(MemberStatus::is_gone) {
            // It may not know yet. What it says is not listened to.
            let is_digest = matches!(message, MembershipMessage::Digest { .. });
            if is_digest {
                self.tell(cx, from);
            }
            return;
        }
        match message {
            MembershipMessage::Digest { digest, ready } => {
                if digest != cx.env.cluster_digest {
                    self.tell(cx, from);
                } else {
                    if !ready && self.is_ready() {
                        self.call(cx, from);
                    }
                    self.note_confirmed(cx, from, None);
                    self.heard(cx, ready);
                }
            }
            MembershipMessage::State { cluster, ready } => self.on_state(cx, from, &cluster, ready),
        }
    }

    fn on_state(&mut self, cx: &mut Cx, from: NodeId, theirs: &Cluster, ready: bool) {
        if !cx.env.cluster.is_same_cluster(theirs) {
            return cx.event(Event::Foreign { node: from });
        }
        if let Some(seen) = self.outdated_by(cx, theirs) {
            cx.start_over(seen);
            return;
        }
        let is_lost = self.is_new_disk_of_a_known_node(cx, theirs);
        self.note_confirmed(cx, from, Some(theirs));
        let called = theirs.digest();
        let ties_stay = cx.has(Flaw::MetadataTiePrefersLocal);
        if called != cx.env.cluster_digest {
            let mut merged = Cluster::clone(&cx.env.cluster);
            merged.merge(theirs);
            if ties_stay {
                merged.keep_equally_new_props(&cx.env.cluster);
            }
            self.adopt(cx, merged);
        }
        if is_lost {
            // Only now: the word on an earlier loss, which peers remember, must not outweigh this one.
            cx.env.recover_wanted = true;
            self.note_loss(cx, true);
        }
        // Who waits is helped by who does not; two that wait would answer each other for ever.
        let is_news = cx.env.cluster_digest != called && !ties_stay;
        if is_news || (!ready && self.is_ready()) {
            self.tell(cx, from);
        }
        self.heard(cx, ready);
    }

    /// The boot that peers have seen of this store, if it is a later one than this, or another one of the same number:
    /// then what is here is an old copy.
    fn outdated_by(&self, cx: &Cx, theirs: &Cluster) -> Option<u64> {
        let seen = theirs.members.get(&cx.me())?.boots.get(&cx.env.boot.store)?;
        seen.outdates(&self.boot).then_some(seen.number)
    }

    /// Peers know other stores of this node, and this one is new: what it held is lost.
    fn is_new_disk_of_a_known_node(&self, cx: &Cx, theirs: &Cluster) -> bool {
        let Some(known) = theirs.members.get(&cx.me()) else { return false };
        let is_new =
            cx.env.boot.cluster.is_none() && known.boots.keys().any(|other| *other != cx.env.boot.store);
        is_new && self.standing == Standing::Waiting
    }

    /// `from` knows what `theirs` says, or all that is known here.
    fn note_confirmed(&self, cx: &mut Cx, from: NodeId, theirs: Option<&Cluster>) {
        let cluster = theirs.unwrap_or(&cx.env.cluster);
        let known = cluster.members.get(&cx.me()).and_then(|me| me.boots.get(&cx.env.boot.store));
        if known.is_some_and(|known| known.is(&self.boot)) {
            cx.env.confirmed(from);
        }
    }

    /// Says whether this node's disk was lost and does not hold again all that it should: a restart must not forget it.
    fn note_loss(&mut self, cx: &mut Cx, is_lost: bool) {
        let me = cx.me();
        self.change(cx, |cluster| {
            cluster.members.update(me, |member| {
                if member.lost.value != is_lost {
                    member.lost.set(me, is_lost);
                }
            });
        });
    }

    /// A peer was heard, and our states are joined.
    fn heard(&mut self, cx: &mut Cx, ready: bool) {
        if self.standing == Standing::Ready {
            return;
        }
        if ready || cx.env.boot.cluster.is_some() || Self::is_being_founded(cx) {
            self.standing = Standing::Ready;
        }
    }

    /// Whether most founders have made themselves known, this one among them: the cluster begins.
    fn is_being_founded(cx: &Cx) -> bool {
        let founders = &cx.env.config.founders;
        let is_known =
            |node: &&NodeId| cx.env.cluster.members.get(node).is_some_and(|member| !member.boots.is_empty());
        founders.contains(&cx.me()) && 2 * founders.iter().filter(is_known).count() > founders.len()
    }

    pub fn on_timer(&mut self, cx: &mut Cx, underway: Underway) {
        self.timer = None;
        if self.standing == Standing::Waiting {
            let waited = cx.time().since(self.started_at);
            if cx.env.boot.cluster.is_some() && waited >= cx.env.config.start_wait {
                self.standing = Standing::Ready;
            }
            self.call_around(cx);
        } else if core::mem::take(&mut self.news) {
            for node in self.some_peers(cx, FAN_OUT) {
                self.tell(cx, node);
            }
        } else if let Some(node) = self.some_peers(cx, 1).pop() {
            self.call(cx, node);
        }
        let own = cx.env.cluster.members.get(&cx.me());
        if own.is_some_and(|member| member.lost.value)
            && cx.env.recovering.is_empty()
            && !cx.env.recover_wanted
            && self.standing == Standing::Ready
        {
            self.note_loss(cx, false);
        }
        self.save(cx);
        self.move_on(cx, underway);
        self.rearm(cx);
    }

    /// Writes the state to the disk, unless it is there.
    fn save(&mut self, cx: &mut Cx) {
        let state = Saved::of(cx.env, self.revision);
        if self.saving.is_none() && state != self.saved && cx.storage_has_room() {
            self.saving = Some(state);
            let cluster = Arc::clone(&cx.env.cluster);
            cx.storage(StorageOp::SaveCluster { cluster }, Waiter::ClusterSaved);
        }
    }

    /// The state is on the disk, or could not be written.
    pub fn on_saved(&mut self, cx: &mut Cx, is_saved: bool) {
        if let Some(state) = self.saving.take()
            && is_saved
        {
            self.saved = state;
        }
        self.keep_promises(cx, is_saved);
        if !self.promised.is_empty() {
            self.save(cx);
        }
        self.hasten(cx);
    }

    /// Says what this node has come to: a new state of the ring is kept here and nothing goes by an older one; or it
    /// has left.
    fn move_on(&mut self, cx: &mut Cx, underway: Underway) {
        let (me, version) = (cx.me(), cx.env.cluster.ring.version());
        let Some(member) = cx.env.cluster.members.get(&me) else { return };
        let finished = underway.oldest_ring.is_none_or(|oldest| oldest >= version);
        if self.standing == Standing::Ready
            && member.status.is_active()
            && member.progress.seen < version
            && self.saved.ring == version
            && finished
        {
            return self.change(cx, |cluster| {
                let progress = Progress { seen: version, received: BTreeSet::new() };
                cluster.members.update(me, |member| member.progress = progress);
            });
        }
        let has_left = member.status == MemberStatus::Leaving
            && cx.env.cluster.ring.phase().is_none()
            && member.progress.seen == version
            && !cx.env.cluster.ring.members().contains(&me)
            && underway.nothing_to_give
            && underway.oldest_ring.is_none();
        if has_left {
            self.change(cx, |cluster| cluster.set_status(me, MemberStatus::Left));
        }
    }

    /// Peers at random, none twice; a newcomer also knows those that its configuration names.
    fn some_peers(&self, cx: &mut Cx, count: usize) -> Vec<NodeId> {
        let mut peers = Self::everybody(cx);
        let mut some = Vec::with_capacity(count);
        while some.len() < count && !peers.is_empty() {
            let at = (cx.random() % peers.len() as u64) as usize;
            some.push(peers.swap_remove(at));
        }
        some
    }

    fn everybody(cx: &Cx) -> Vec<NodeId> {
        let cluster = &cx.env.cluster;
        let named = cx.env.config.founders.iter().filter(|node| !cluster.members.contains_key(node));
        let mut peers: Vec<NodeId> = cluster.there().chain(named.copied()).collect();
        peers.retain(|node| *node != cx.me());
        peers
    }

    /// Calls everybody, or in a large cluster as many as are sure to know somebody who knows.
    fn call_around(&self, cx: &mut Cx) {
        let everybody = Self::everybody(cx);
        let called = if everybody.len() > CALLS { self.some_peers(cx, CALLS) } else { everybody };
        for node in called {
            self.call(cx, node);
        }
    }

    fn is_ready(&self) -> bool {
        self.standing == Standing::Ready
    }

    /// "This is what my state is called."
    fn call(&self, cx: &mut Cx, node: NodeId) {
        let digest = cx.env.cluster_digest;
        cx.send(node, Message::Membership(MembershipMessage::Digest { digest, ready: self.is_ready() }));
    }

    /// "This is my state."
    fn tell(&self, cx: &mut Cx, node: NodeId) {
        let cluster = Arc::clone(&cx.env.cluster);
        cx.send(node, Message::Membership(MembershipMessage::State { cluster, ready: self.is_ready() }));
    }

    fn hasten(&mut self, cx: &mut Cx) {
        let soon = cx.time() + cx.env.config.gossip_interval / HASTE;
        if self.timer.is_none_or(|at| at > soon) {
            self.arm(cx, soon);
        }
    }

    fn rearm(&mut self, cx: &mut Cx) {
        let interval = cx.env.config.gossip_interval;
        let me = cx.me();
        let hurry = !self.is_idle(&cx.env.cluster, me) || self.standing == Standing::Waiting;
        self.arm(cx, cx.time() + if hurry { interval / HASTE } else { interval });
    }

    fn arm(&mut self, cx: &mut Cx, at: Instant) {
        if let Some(armed) = self.timer.replace(at) {
            cx.disarm(armed, Timer::Gossip);
        }
        cx.arm(at, Timer::Gossip);
    }
}
