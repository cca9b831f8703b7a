//! Oracles: they see inside, as the run goes.
//!
//! The simulator tells the [`Oracle`] what each node hears and says, what each disk is told to do, and which faults
//! strike; each promise is watched in a file of its own. What can only be judged at the end, from what clients saw, is
//! judged by `cartwheel-check`, with what was seen here to explain it.

mod converge;
mod dots;
mod drops;
mod durable;
mod handoff;
mod hints;
mod listing;
mod losses;
mod merged;
mod once;
mod overlap;
mod placement;
mod promise;
mod quorum;
mod reaped;
mod regular;
mod scene;
mod sent;
mod siblings;
mod stale;
#[cfg(test)]
mod testing;
mod trees;

use cartwheel_check::{Insight, Verdict, WriteId};
use cartwheel_core::flaw::Flaw;
use cartwheel_core::id::{NodeId, RequestId};
use cartwheel_core::message::{ForwardMessage, Message, ReplicaMessage};
use cartwheel_core::replica::{Change, Settled, Update, Write, Written};
use cartwheel_core::ring::Ring;
use cartwheel_core::storage::{StorageCompletion, StorageOp, Ticket};
use cartwheel_core::version::{Policy, Siblings, Version};
use cartwheel_core::{ClientOp, ClientReply, Event, Input, Key, Output};

pub use dots::Life;
pub use promise::{Broken, Findings, Promise};
pub(crate) use scene::{Rings, Scene};

use self::converge::Converge;
use self::dots::{Dots, Issued};
use self::drops::Drops;
use self::durable::Claim;
use self::handoff::{Handoffs, Removal};
use self::hints::{Bound, Hints};
use self::listing::Listings;
use self::losses::Losses;
use self::merged::Merged;
use self::once::Once;
use self::overlap::Overlap;
use self::placement::Placement;
use self::quorum::{Acked, Numbers, Quorums, Watched};
use self::reaped::Reaped;
use self::regular::Regular;
use self::sent::Sent;
use self::siblings::FalseSiblings;
use self::stale::StaleReads;
use crate::lookup::Lookup;
use crate::scenario::{KindSpec, Scenario};
use crate::workload::Truth;

/// How often disks are looked at.
const INSPECTED_EVERY_NS: u64 = 250_000_000;

/// Everything that watches.
#[derive(Debug)]
pub(crate) struct Oracle {
    findings: Findings,
    dots: Dots,
    once: Once,
    drops: Drops,
    sent: Sent,
    losses: Losses,
    quorums: Quorums,
    regular: Regular,
    stale: StaleReads,
    overlap: Overlap,
    placement: Placement,
    converge: Converge,
    handoffs: Handoffs,
    reaped: Reaped,
    hints: Hints,
    merged: Merged,
    siblings: FalseSiblings,
    listings: Listings,
    /// Which writes a request carried, where it was done.
    done: Lookup<WriteId, RequestId>,
    /// Reads of a node's own disk on behalf of its clients, and when they were made.
    local_reads: Lookup<(NodeId, Ticket), (u64, Key)>,
    /// Whether what the node does now is on behalf of a peer.
    serving: bool,
    inspected_ns: u64,
    inspections: usize,
}

impl Oracle {
    /// Of a run of `scenario`.
    pub fn new(scenario: &Scenario) -> Self {
        let cluster = &scenario.cluster;
        let policy = if scenario.forgets() { Policy::LastWriteWins } else { Policy::KeepSiblings };
        let mut findings = Findings::new(policy);
        if let KindSpec::DataTypes { .. } = scenario.workload.kind {
            findings.promise(Promise::Merged);
        }
        Self {
            findings,
            dots: Dots::new(matches!(scenario.flaw, Some(Flaw::AmnesiaReusesActor | Flaw::ActorFromClock))),
            once: Once::default(),
            drops: Drops::default(),
            sent: Sent::default(),
            losses: Losses::default(),
            quorums: Quorums::new(cluster.n, cluster.r.0, cluster.w.0),
            regular: Regular::default(),
            stale: StaleReads::default(),
            overlap: Overlap::default(),
            placement: Placement::default(),
            converge: Converge::default(),
            handoffs: Handoffs::default(),
            reaped: Reaped::default(),
            hints: Hints::new(Bound::of(scenario)),
            merged: Merged::default(),
            siblings: FalseSiblings::default(),
            listings: Listings::default(),
            done: Lookup::default(),
            local_reads: Lookup::default(),
            serving: false,
            inspected_ns: 0,
            inspections: 0,
        }
    }

    /// `node` (counted from 0) starts.
    pub fn started(&mut self, node: u32, life: Life) {
        self.dots.started(node + 1, life);
        self.once.started(node + 1);
        self.converge.started(life.store);
    }

    /// `node` lost power; its disk is as the crash left it.
    pub fn crashed(&mut self, scene: &Scene<'_>, node: u32) {
        let id = name(node);
        self.quorums.crashed(id);
        self.regular.crashed(id);
        self.stale.crashed(id);
        self.overlap.crashed(id);
        self.sent.crashed(id);
        self.listings.crashed(id);
        self.listings.disk_changed(scene, id);
        self.local_reads.retain(|(at, _), _| *at != id);
        self.judge_trees(scene, node, "after a crash");
    }

    /// `node` has an empty disk.
    pub fn disk_lost(&mut self, scene: &Scene<'_>, node: u32) {
        self.losses.disk_lost(scene.at_ns, name(node));
        self.regular.lost(name(node), None);
        self.overlap.lost(None);
        self.listings.disk_changed(scene, name(node));
        self.judge_trees(scene, node, "after the disk was wiped");
    }

    /// `node` has an old copy of its disk.
    pub fn disk_restored(&mut self, scene: &Scene<'_>, node: u32) {
        self.disk_lost(scene, node);
        self.overlap.disk_restored();
        self.reaped.disk_restored();
    }

    /// `key` vanished from the disk of `node`.
    pub fn key_lost(&mut self, scene: &Scene<'_>, node: u32, key: &Key) {
        self.losses.key_lost(scene.at_ns, name(node), key);
        self.regular.lost(name(node), Some(key));
        self.overlap.lost(Some(key));
        self.listings.disk_changed(scene, name(node));
        self.judge_trees(scene, node, "after a key was wiped");
    }

    /// A node is gone for good, and its disk with it.
    pub fn destroyed(&mut self) {
        self.overlap.lost(None);
    }

    /// `node` goes by another state of the ring.
    pub fn ring_changed(&mut self, scene: &Scene<'_>, node: u32) {
        self.overlap.ring_changed(scene, name(node), &mut self.findings);
        self.placement.ring_changed(scene, name(node), &mut self.findings);
        self.converge.look(scene, name(node), &mut self.findings);
    }

    /// A member stands differently, as `node` sees it.
    pub fn members_changed(&mut self, scene: &Scene<'_>, node: u32) {
        self.converge.look(scene, name(node), &mut self.findings);
    }

    fn judge_trees(&mut self, scene: &Scene<'_>, node: u32, what: &str) {
        let disk = scene.disk(name(node));
        trees::judge(scene.at_ns, node + 1, what, disk, &mut self.findings);
    }

    /// `node` is about to handle `input`.
    pub fn hears(&mut self, scene: &Scene<'_>, node: u32, input: &Input) {
        let node = name(node);
        self.serving = false;
        match input {
            Input::Client(request) => {
                self.quorums.asked(scene.at_ns, node, request);
                if let ClientOp::Get(_) = &request.op {
                    self.regular.began(scene.at_ns, node, request.call, &request.key);
                    self.stale.began((node, request.call), &request.key);
                    self.overlap.get_began(scene, node, request.call, &request.key);
                } else {
                    self.once.asked(node, request.request);
                    self.overlap.put_began(scene, node, request.request);
                }
            }
            Input::Peer { from, message: Message::Replica(message) } => {
                self.serving = matches!(message, ReplicaMessage::Read { .. });
                self.hears_replica(node, *from, message);
            }
            // News of the cluster may be what this node's clients have waited for.
            Input::Peer { message: Message::Membership(_), .. } => {}
            Input::Peer { message, .. } => {
                self.serving = true;
                if let Message::Forward(ForwardMessage::Request { request, .. }) = message {
                    self.overlap.put_began(scene, node, *request);
                }
            }
            Input::Storage(StorageCompletion::Read { ticket, result }) => {
                if let Some((at_ns, key)) = self.local_reads.remove(&(node, *ticket))
                    && let Ok(held) = result
                {
                    self.quorums.shown(node, node, at_ns, &key, held);
                }
            }
            Input::Coverage(request) => self.listings.asked(scene, node, request),
            Input::Storage(_) | Input::Timeout | Input::Admin(_) => {}
        }
    }

    fn hears_replica(&mut self, node: NodeId, from: NodeId, message: &ReplicaMessage) {
        match message {
            ReplicaMessage::WriteReply { op, result: Ok(()) } => self.sent.is_held(node, *op, from),
            ReplicaMessage::ReadReply { op, result: Ok(held) } => {
                if let Some(read) = self.sent.asked(node, *op) {
                    self.quorums.shown(node, from, read.at_ns, &read.key, held);
                }
            }
            _ => {}
        }
    }

    /// `node` wants something done.
    pub fn says(&mut self, scene: &Scene<'_>, node: u32, output: &Output) {
        let node = name(node);
        match output {
            Output::Reply(reply) => self.answers(scene, node, reply),
            Output::Send { to, message: Message::Replica(message) } => {
                self.sent.says(scene.at_ns, node, message);
                if let ReplicaMessage::WriteReply { op, result: Ok(()) } = message
                    && let Some(asked) = self.sent.asked(*to, *op)
                    && let Some(state) = &asked.state
                {
                    let claim = Claim { node, key: &asked.key, state, since_ns: asked.at_ns };
                    let holds = claim.holds(scene, &self.losses);
                    durable::acknowledged(scene.at_ns, *to, claim, holds, &mut self.findings);
                }
            }
            Output::Send { to, message: Message::Forward(message) } => {
                self.forwards(scene, node, *to, message);
            }
            Output::Storage(request) => {
                if let StorageOp::Read { key } = &request.op
                    && !self.serving
                {
                    self.local_reads.insert((node, request.ticket), (scene.at_ns, key.clone()));
                }
            }
            Output::Event(Event::RingSuperseded { .. }) => self.regular.is_forked(),
            Output::Coverage(reply) => self.listings.answered(scene, node, reply, &mut self.findings),
            Output::StartOver { .. } => self.converge.starts_over(scene, node, &mut self.findings),
            Output::Send { .. } | Output::Event(_) | Output::AdminReply(_) | Output::Contact { .. } => {}
        }
    }

    fn answers(&mut self, scene: &Scene<'_>, node: NodeId, reply: &ClientReply) {
        let (call, answer) = ((node, reply.call), reply.result.as_ref().ok());
        let watched = Watched { scene, losses: &self.losses, sent: &self.sent };
        if let Some(put) = self.quorums.put_answered(watched, call, answer, &mut self.findings)
            && let Some(answer) = answer
        {
            self.acknowledged(scene, node, &put, &answer.by);
        }
        self.quorums.get_answered(scene, call, answer, &mut self.findings);
        self.regular.answered(scene, call, answer, &self.reaped, &mut self.findings);
        self.overlap.get_answered(scene, call, answer, &self.reaped, &mut self.findings);
        self.stale.answered(scene.truth, call, answer, &self.reaped);
    }

    fn forwards(&mut self, scene: &Scene<'_>, node: NodeId, to: NodeId, message: &ForwardMessage) {
        match message {
            ForwardMessage::Request { op, request, key, needs, .. } => {
                let (total, homes) = (usize::from(needs.total), usize::from(needs.homes));
                let needs = Numbers { total, homes, sloppy: needs.sloppy };
                self.once.sent_on(node, to, *request);
                self.quorums.forwarded(scene.at_ns, (node, *op), *request, key, needs);
            }
            ForwardMessage::Reply { op, result: Ok(answer) } => {
                let watched = Watched { scene, losses: &self.losses, sent: &self.sent };
                let asker = (to, *op);
                let put = self.quorums.forward_answered(watched, node, asker, answer, &mut self.findings);
                if let Some(put) = put {
                    self.acknowledged(scene, node, &put, &answer.by);
                }
            }
            ForwardMessage::Accepted { .. } | ForwardMessage::Reply { .. } => {}
        }
    }

    fn acknowledged(&mut self, scene: &Scene<'_>, node: NodeId, put: &Acked, by: &[NodeId]) {
        let Acked { key, request, since_ns } = put;
        let Some(write) = scene.truth.of_request(*request) else { return };
        // A copy that was destroyed between its acknowledgement and this answer binds nobody.
        let has_it = |node: &&NodeId| !self.losses.is_lost_since(*since_ns, **node, key);
        let by: Vec<NodeId> = by.iter().filter(has_it).copied().collect();
        self.regular.acknowledged(scene, key, write, &by);
        self.overlap.acknowledged(scene, (node, *request), key, write, &by);
        self.stale.acknowledged(scene.truth, key, write);
        self.handoffs.acknowledged(scene, key, write);
    }

    /// The disk of `node` had `before` under `key` and carried `update` out, which `change` tells of.
    pub fn applied(
        &mut self,
        scene: &Scene<'_>,
        node: u32,
        key: &Key,
        update: &Update,
        before: &Siblings,
        change: &Change,
    ) {
        match update {
            Update::Coordinate { write, past_entries_max, .. } => {
                let may_prune = write.context.0.entries().len() > *past_entries_max as usize;
                self.coordinated(scene, node + 1, key, (&**write, may_prune), before, change);
            }
            Update::Merge { siblings, .. } | Update::Salvage { siblings, .. } => {
                let (truth, at) = (scene.truth, (scene.at_ns, node + 1));
                self.drops.updated(truth, at, before, siblings.versions(), &change.siblings);
                let states = (siblings, &change.siblings);
                let may_return = may_return(&self.done, &self.once, &self.siblings, truth);
                self.reaped.merged(scene, name(node), key, states, may_return, &mut self.findings);
            }
            Update::Settle { home, delivered, settled } => {
                let is_gone = *settled == Settled::DropRecord && scene.disk(name(node)).read(key).is_empty();
                if before.digest() == *delivered {
                    let removal = (Removal { node: name(node), key, state: before }, is_gone);
                    self.handoffs.settled(scene, &self.losses, removal, *home, &mut self.findings);
                }
                if is_gone {
                    self.losses.handed_over(scene.at_ns, name(node), key);
                    self.regular.lost(name(node), Some(key));
                }
            }
            Update::Drop { .. } => self.dropped(scene, Removal { node: name(node), key, state: before }),
            Update::Owe { .. } | Update::Redirect { .. } | Update::Confirm => {}
        }
        self.listings.changed(key, scene.disk(name(node)).read(key).is_found());
        let is_done_twice = |version: &Version| self.once.is_done_twice(version.request);
        let states = (before, &change.siblings);
        self.siblings.updated((scene, node + 1), key, states, is_done_twice, &mut self.findings);
    }

    fn dropped(&mut self, scene: &Scene<'_>, removal: Removal<'_>) {
        let Removal { node, key, state } = removal;
        let is_home = scene.ring(node).is_some_and(|ring| ring.is_home(node, key.token(), scene.n));
        if is_home && !state.is_found() {
            let may_return = may_return(&self.done, &self.once, &self.siblings, scene.truth);
            Handoffs::reaped(scene, removal, may_return, &mut self.findings);
            self.reaped.reaped(scene, key, state);
        } else {
            self.handoffs.handed_over(scene, &self.losses, removal, &mut self.findings);
            self.regular.lost(node, Some(key));
        }
        self.losses.handed_over(scene.at_ns, node, key);
    }

    fn coordinated(
        &mut self,
        scene: &Scene<'_>,
        node: u32,
        key: &Key,
        (write, may_prune): (&Write, bool),
        before: &Siblings,
        change: &Change,
    ) {
        let Some(dot) = change.dot else { return };
        let has_version = |state: &Siblings| state.versions().iter().any(|version| version.dot == dot);
        // States are closed: one that has seen a dot has seen all earlier ones of its actor.
        let was_known = before.counter(dot.actor) >= dot.counter;
        let is_new = !was_known || (has_version(&change.siblings) && !has_version(before));
        if !is_new {
            return;
        }
        let held = before.by_request(write.request).map(|version| version.dot);
        let issued = Issued { at_ns: scene.at_ns, node, key, dot, request: write.request };
        self.dots.issued(issued, &mut self.findings);
        let id = scene.truth.of_request(write.request);
        let is_forgotten = |since_ns| {
            self.losses.is_lost_since(since_ns, name(node - 1), key)
                || self.losses.is_handed_over_since(since_ns, name(node - 1), key)
                || id.is_some_and(|id| self.siblings.may_return(scene.truth, id))
        };
        self.once.issued(issued, held, is_forgotten, &mut self.findings);
        let version = change.siblings.versions().iter().find(|version| version.dot == dot);
        let (past, request) = (write.context.0.clone(), write.request);
        let raw = match (&write.value, version) {
            (Written::Value(value), _) => {
                Version { dot, past, request, written_at: write.written_at, value: value.clone() }
            }
            // A change replaces what its coordinator holds, whatever its client has been shown.
            (Written::Changed(_), Some(version)) => {
                self.merged.made(request, dot);
                version.clone()
            }
            (Written::Changed(_), None) => return,
        };
        if let Some(id) = id {
            self.done.insert(id, request);
            if may_prune && version.is_some_and(|version| version.past != raw.past) {
                self.siblings.pruned(id);
            }
        }
        self.drops.updated(scene.truth, (scene.at_ns, node), before, &[raw], &change.siblings);
    }

    /// Time passes: from time to time disks are looked at, all for hints, one after the other for its trees. Whether it was time.
    pub fn inspect(&mut self, scene: &Scene<'_>) -> bool {
        if scene.at_ns < self.inspected_ns + INSPECTED_EVERY_NS {
            return false;
        }
        self.inspected_ns = scene.at_ns;
        self.inspections += 1;
        self.hints.inspect(scene, &mut self.findings);
        self.converge.note_gone(scene);
        let node = (self.inspections % scene.processes.len()) as u32;
        self.judge_trees(scene, node, "in passing");
        self.converge.look(scene, name(node), &mut self.findings);
        true
    }

    /// What the judge needs to explain what it finds.
    pub fn with_insight<T>(&self, truth: &Truth, judge: impl FnOnce(&Insight<'_>) -> T) -> T {
        let cause = |lost| self.drops.cause(lost);
        let by_itself = may_return(&self.done, &self.once, &self.siblings, truth);
        let may_return = |write| by_itself(write) || self.reaped.may_return(truth, write);
        judge(&Insight { cause: &cause, may_return: &may_return })
    }

    /// How many gets did not show what had been acknowledged before they began.
    pub fn stale_reads(&self) -> u64 {
        self.stale.count()
    }

    /// How many requests made several dots.
    pub fn requests_done_twice(&self) -> u64 {
        self.once.done_twice()
    }

    /// The run is over. Everything that was found, with what `verdict` adds.
    pub fn finish(&mut self, scene: &Scene<'_>, ring: &Ring, verdict: &Verdict) -> Findings {
        self.converge.finish(scene, &mut self.findings);
        Placement::finish(scene, ring, &mut self.findings);
        self.merged.finish(scene, ring, &mut self.findings);
        for node in 0..scene.processes.len() as u32 {
            self.judge_trees(scene, node, "at the end");
        }
        if self.regular.was_forked() {
            self.findings.forgive(Promise::Regular);
        }
        let judged = [
            (Promise::NoResurrect, &verdict.resurrected),
            (Promise::SiblingBound, &verdict.false_siblings),
            (Promise::RefusedNotDone, &verdict.refused_but_done),
        ];
        for (promise, sentences) in judged {
            sentences.iter().for_each(|sentence| self.findings.add(promise, || sentence.clone()));
        }
        self.findings.clone()
    }
}

/// Whether a superseded version of a write may be shown again: it was done twice, or a past was pruned.
fn may_return<'a>(
    done: &'a Lookup<WriteId, RequestId>,
    once: &'a Once,
    siblings: &'a FalseSiblings,
    truth: &'a Truth,
) -> impl Fn(WriteId) -> bool + 'a {
    move |write| {
        done.get(&write).is_some_and(|request| once.is_done_twice(*request))
            || siblings.may_return(truth, write)
    }
}

/// Nodes are counted from 0 in the simulator, and named from 1.
fn name(node: u32) -> NodeId {
    NodeId(u64::from(node) + 1)
}

fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}
