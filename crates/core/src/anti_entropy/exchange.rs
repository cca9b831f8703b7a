//! Exchanges: one pair of homes compares one partition at a time.
//!
//! The node with the lower name leads. It walks down the tree level by level, sending the hashes of the nodes that
//! differ so far and being told which of their children differ; then, a few leaves at a time, it lists the keys it
//! holds there and is told which of them, and which others, the other side holds otherwise. Each of those keys is
//! settled by the ordinary replica messages: a write of what the leader holds, a read of what the other holds. The
//! other side keeps no state.
//!
//! The same walk *fetches* a partition for a node that does not hold it yet: a new home while ownership moves, or a
//! home whose disk was lost. That node leads, whatever its name, with every home in turn; what is fetched is on its
//! disk, so a crash costs nothing but the walk.
//!
//! Each step first asks whether the [background](crate::background) may do so much now, and waits if not. The other
//! side never makes the leader wait; what it is asked for is charged to the rest of its own background work.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use super::tree::{Leaf, TreeHash, TreeNode};
use super::turns::{Purpose, Turns};
use crate::boundary::Event;
use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::desk::Waiter;
use crate::id::{NodeId, OpId};
use crate::key::Key;
use crate::message::{AntiEntropyMessage, Message, ReplicaError, ReplicaMessage};
use crate::replica::Update;
use crate::ring::Partition;
use crate::storage::{StorageError, StorageOp};
use crate::time::Instant;
use crate::version::{Digest, Siblings};

/// Leaves whose keys are compared at once.
pub const LEAVES_PER_STEP: usize = 256;
/// Nodes whose hashes are compared at once.
pub const NODES_PER_STEP: usize = 256;
/// Keys that are read and written at once.
const REPAIRS_PER_STEP: usize = 64;
/// A listing of more keys makes the next one shorter, down to one leaf.
const KEYS_PER_LISTING: usize = 1_024;

/// What this node leads.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    turns: Turns,
    running: Option<Exchange>,
    timer: Option<Instant>,
    keys_repaired: u64,
}

#[derive(Debug)]
struct Exchange {
    op: OpId,
    peer: NodeId,
    partition: Partition,
    purpose: Purpose,
    /// What the peer has been asked and has not answered. Only that answer counts, once: were one that arrives twice
    /// taken for the answer to a later question, the walk would pass by what differs.
    question: Option<OpId>,
    /// Something could not be read, here or there: what was fetched is not everything.
    incomplete: bool,
    /// Nodes whose hashes are being compared.
    comparing: Vec<TreeNode>,
    /// Nodes still to be compared; the last ones next, so that the walk goes down before it goes on.
    open: Vec<TreeNode>,
    /// Leaves that differ, not looked into yet.
    leaves: VecDeque<Leaf>,
    /// How many leaves the next listing may have.
    leaves_per_step: usize,
    repairs: Repairs,
    /// The step that waits for the foreground to leave room for it, until the timer.
    held: Option<Step>,
}

/// What an exchange does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Compare,
    List,
    Repair,
}

/// Keys of the leaves being looked into.
#[derive(Debug, Default)]
struct Repairs {
    /// Not looked at yet.
    open: VecDeque<Key>,
    /// Asked of the peer.
    reads: BTreeMap<OpId, Key>,
    /// Sent to the peer.
    writes: BTreeMap<OpId, Key>,
    /// Being read from our own disk, to be sent.
    loading: BTreeSet<Key>,
    /// Being merged into our own disk, and not durable there yet.
    merging: usize,
}

impl Repairs {
    /// Whether nothing is under way.
    fn are_done(&self) -> bool {
        self.reads.is_empty() && self.writes.is_empty() && self.loading.is_empty() && self.merging == 0
    }
}

impl Exchanges {
    /// Every pair of homes that this node leads takes turns from now on, after what it has to fetch. An exchange of
    /// an earlier ring is given up.
    pub fn on_ring_changed(&mut self, cx: &mut Cx) {
        self.running = None;
        self.turns.on_ring_changed(cx);
        self.await_turn(cx);
    }

    /// Nothing is fetched from those that have gone.
    pub fn on_members_changed(&mut self, cx: &mut Cx) {
        self.turns.on_members_changed(cx);
    }

    /// This node's disk was lost: it fetches everything that it should hold from the other homes.
    pub fn recover(&mut self, cx: &mut Cx) {
        self.turns.recover(cx);
        self.await_turn(cx);
    }

    /// Whether no exchange is under way, and nothing is to be fetched.
    pub fn is_idle(&self) -> bool {
        self.running.is_none() && self.turns.fetches() == 0
    }

    /// Exchanges that this node has still to lead to fetch what it lacks.
    pub fn fetches(&self) -> usize {
        self.turns.fetches()
    }

    /// Whether a state of `key` is under way to or from this node on behalf of an exchange.
    pub fn is_running(&self, key: &Key) -> bool {
        self.running.as_ref().is_some_and(|exchange| {
            let Repairs { reads, writes, loading, .. } = &exchange.repairs;
            loading.contains(key) || reads.values().chain(writes.values()).any(|busy| busy == key)
        })
    }

    /// Keys that exchanges found to differ, since the start.
    pub fn keys_repaired(&self) -> u64 {
        self.keys_repaired
    }

    /// Partitions that this node has become a home of and holds now, since this was last asked.
    pub fn take_received(&mut self) -> Vec<Partition> {
        self.turns.take_received()
    }

    /// The next pair's turn; an exchange still under way got no answer and is given up. That makes no suspect: a peer
    /// that lives is silent, too, when its store cannot answer.
    pub fn on_timer(&mut self, cx: &mut Cx) {
        self.timer = None;
        if let Some(step) = self.running.as_mut().and_then(|exchange| exchange.held.take()) {
            return self.step(cx, step);
        }
        if self.running.take().is_some() {
            return self.await_turn(cx);
        }
        let Some((partition, peer, purpose)) = self.turns.next(cx) else { return self.await_turn(cx) };
        self.running = Some(Exchange {
            op: cx.next_op(),
            peer,
            partition,
            purpose,
            question: None,
            incomplete: false,
            comparing: Vec::new(),
            open: alloc::vec![TreeNode::ROOT],
            leaves: VecDeque::new(),
            leaves_per_step: LEAVES_PER_STEP,
            repairs: Repairs::default(),
            held: None,
        });
        self.step(cx, Step::Compare);
    }

    /// Our hashes of the nodes being compared: ask the peer which differ.
    pub fn on_hashes(&mut self, cx: &mut Cx, op: OpId, result: Result<Vec<TreeHash>, StorageError>) {
        let Some(exchange) = self.exchange(op) else { return };
        let Ok(hashes) = result else { return self.end(cx) };
        let partition = exchange.partition;
        let nodes = exchange.comparing.iter().copied().zip(hashes).collect();
        self.ask(cx, |op| AntiEntropyMessage::Compare { op, partition, nodes });
    }

    /// These of the nodes compared differ: look into their children, or into the leaves that they are.
    pub fn on_differ(&mut self, cx: &mut Cx, from: NodeId, op: OpId, nodes: &[TreeNode]) {
        let Some(exchange) = self.answered(from, op) else { return };
        let compared = core::mem::take(&mut exchange.comparing);
        for node in nodes.iter().filter(|node| compared.contains(node)) {
            exchange.leaves.extend(node.leaf());
            exchange.open.extend(node.children());
        }
        let step = if exchange.open.is_empty() { Step::List } else { Step::Compare };
        self.step(cx, step);
    }

    /// Our keys of some leaves: ask the peer which it holds otherwise.
    pub fn on_keys(
        &mut self,
        cx: &mut Cx,
        op: OpId,
        leaves: Vec<Leaf>,
        result: Result<Vec<(Key, Digest)>, StorageError>,
    ) {
        let Some(exchange) = self.exchange(op) else { return };
        let Ok(keys) = result else { return self.end(cx) };
        exchange.note_listing(leaves.len(), keys.len());
        cx.background_done(keys.len());
        let partition = exchange.partition;
        self.ask(cx, |op| AntiEntropyMessage::Keys { op, partition, leaves, keys });
    }

    /// These keys differ.
    pub fn on_keys_differ(&mut self, cx: &mut Cx, from: NodeId, op: OpId, keys: Vec<Key>) {
        let ring = cx.env.cluster.ring.clone();
        let Some(exchange) = self.answered(from, op) else { return };
        let partition = exchange.partition;
        let ours = keys.into_iter().filter(|key| ring.partition(key.token()) == partition);
        exchange.repairs.open.extend(ours);
        self.go_on_when_repaired(cx);
    }

    /// Sends the peer what we hold of the next few keys that differ, and reads what it holds.
    fn repair(&mut self, cx: &mut Cx, batch: usize) {
        let Some(exchange) = &mut self.running else { return };
        let (op, peer) = (exchange.op, exchange.peer);
        let batch = batch.min(exchange.repairs.open.len());
        for key in exchange.repairs.open.drain(..batch) {
            self.keys_repaired += 1;
            cx.event(Event::AntiEntropyRepair { key: key.clone(), peer });
            let read = cx.next_op();
            exchange.repairs.reads.insert(read, key.clone());
            exchange.repairs.loading.insert(key.clone());
            cx.send(peer, Message::Replica(ReplicaMessage::Read { op: read, key: key.clone() }));
            cx.storage(StorageOp::Read { key: key.clone() }, Waiter::ExchangeRead { op, key });
        }
        self.rearm(cx, cx.time() + cx.env.config.request_timeout);
    }

    /// What we hold of a key that differs.
    pub fn on_local_read(&mut self, cx: &mut Cx, op: OpId, key: Key, result: Result<Siblings, StorageError>) {
        let Some(exchange) = self.exchange(op) else { return };
        exchange.repairs.loading.remove(&key);
        if let Ok(siblings) = result
            && !siblings.is_empty()
        {
            cx.background_bytes(siblings.value_bytes());
            let write = cx.next_op();
            exchange.repairs.writes.insert(write, key.clone());
            cx.send_repair(exchange.peer, write, key, siblings);
        }
        self.go_on_when_repaired(cx);
    }

    /// What the peer holds of a key that differs. Whether `op` was a read of ours.
    pub fn on_read_reply(&mut self, cx: &mut Cx, op: OpId, result: &Result<Siblings, ReplicaError>) -> bool {
        let Some(exchange) = &mut self.running else { return false };
        let Some(key) = exchange.repairs.reads.remove(&op) else { return false };
        match result {
            Ok(siblings) if siblings.is_empty() => {}
            Ok(siblings) => {
                exchange.repairs.merging += 1;
                let siblings = cx.received(siblings.clone());
                let update = Update::Merge { siblings, owed: None, policy: cx.policy(&key) };
                cx.apply(key, update, Waiter::ExchangeMerge { op: exchange.op });
            }
            // Two homes that lost their disks may not wait for each other.
            Err(ReplicaError::Recovering) => {}
            Err(_) => exchange.incomplete = true,
        }
        self.go_on_when_repaired(cx);
        true
    }

    /// What the peer held is durable here; or it could not be stored.
    pub fn on_merged(&mut self, cx: &mut Cx, op: OpId, result: Result<(), StorageError>) {
        let Some(exchange) = self.exchange(op) else { return };
        exchange.repairs.merging -= 1;
        exchange.incomplete |= result.is_err();
        self.go_on_when_repaired(cx);
    }

    /// Whether `op` was a write of ours.
    pub fn on_write_reply(&mut self, cx: &mut Cx, op: OpId) -> bool {
        let ours =
            self.running.as_mut().is_some_and(|exchange| exchange.repairs.writes.remove(&op).is_some());
        if ours {
            self.go_on_when_repaired(cx);
        }
        ours
    }

    fn exchange(&mut self, op: OpId) -> Option<&mut Exchange> {
        self.running.as_mut().filter(|exchange| exchange.op == op)
    }

    /// The exchange whose open question `peer` answers.
    fn answered(&mut self, peer: NodeId, question: OpId) -> Option<&mut Exchange> {
        let exchange = self.running.as_mut().filter(|exchange| exchange.peer == peer)?;
        exchange.question.take_if(|open| *open == question)?;
        Some(exchange)
    }

    /// Goes on with `step`, on as much as the background may do now, or waits until it may.
    fn step(&mut self, cx: &mut Cx, step: Step) {
        let Some(exchange) = &mut self.running else { return };
        let most = match step {
            Step::Compare => 1,
            Step::List => exchange.leaves_per_step.min(exchange.leaves.len()),
            Step::Repair => REPAIRS_PER_STEP.min(exchange.repairs.open.len()),
        };
        if most == 0 {
            return self.complete(cx);
        }
        let admitted = match step {
            Step::Compare => cx.background(1).map(|()| 1),
            Step::List | Step::Repair => cx.background_batch(u32::try_from(most).unwrap_or(u32::MAX)),
        };
        match admitted {
            Ok(batch) => match step {
                Step::Compare => self.load_hashes(cx),
                Step::List => self.list_leaves(cx, batch as usize),
                Step::Repair => self.repair(cx, batch as usize),
            },
            Err(at) => {
                exchange.held = Some(step);
                self.rearm(cx, at);
            }
        }
    }

    fn load_hashes(&mut self, cx: &mut Cx) {
        let Some(exchange) = &mut self.running else { return };
        let rest = exchange.open.len().saturating_sub(NODES_PER_STEP);
        exchange.comparing = exchange.open.split_off(rest);
        let (op, partition, nodes) = (exchange.op, exchange.partition, exchange.comparing.clone());
        cx.storage(StorageOp::TreeHashes { partition, nodes }, Waiter::ExchangeHashes { op });
    }

    /// Looks into the next few leaves.
    fn list_leaves(&mut self, cx: &mut Cx, batch: usize) {
        let Some(exchange) = &mut self.running else { return };
        let batch = batch.min(exchange.leaves.len());
        let leaves: Vec<Leaf> = exchange.leaves.drain(..batch).collect();
        let (op, partition) = (exchange.op, exchange.partition);
        let waiter = Waiter::ExchangeKeys { op, leaves: leaves.clone() };
        cx.storage(StorageOp::LeafKeys { partition, leaves }, waiter);
    }

    /// The next keys that differ, then the next leaves, or the end when there are none.
    fn go_on_when_repaired(&mut self, cx: &mut Cx) {
        let Some(exchange) = &self.running else { return };
        if exchange.repairs.are_done() && exchange.held.is_none() {
            let step = if exchange.repairs.open.is_empty() { Step::List } else { Step::Repair };
            self.step(cx, step);
        }
    }

    fn ask(&mut self, cx: &mut Cx, question: impl FnOnce(OpId) -> AntiEntropyMessage) {
        let Some(exchange) = &mut self.running else { return };
        let op = cx.next_op();
        exchange.question = Some(op);
        cx.send(exchange.peer, Message::AntiEntropy(question(op)));
        self.rearm(cx, cx.time() + cx.env.config.request_timeout);
    }

    /// The walk has come to its end.
    fn complete(&mut self, cx: &mut Cx) {
        if let Some(exchange) = self.running.take()
            && exchange.purpose == Purpose::Fetch
            && !exchange.incomplete
        {
            self.turns.fetched(cx, exchange.partition, exchange.peer);
        }
        self.await_turn(cx);
    }

    /// It cannot go on.
    fn end(&mut self, cx: &mut Cx) {
        self.running = None;
        self.await_turn(cx);
    }

    fn await_turn(&mut self, cx: &mut Cx) {
        if let Some(pause) = self.turns.pause(cx) {
            self.rearm(cx, cx.time() + pause);
        }
    }

    fn rearm(&mut self, cx: &mut Cx, at: Instant) {
        if let Some(armed) = self.timer.replace(at) {
            cx.disarm(armed, Timer::AntiEntropy);
        }
        cx.arm(at, Timer::AntiEntropy);
    }
}

impl Exchange {
    /// `leaves` leaves held `keys` keys: a leaf cannot be divided, but the next listing can have fewer of them.
    fn note_listing(&mut self, leaves: usize, keys: usize) {
        if keys > KEYS_PER_LISTING {
            self.leaves_per_step = (leaves / 2).max(1);
        }
    }
}
