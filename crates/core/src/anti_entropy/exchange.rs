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

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use super::tree::{Leaf, TreeHash, TreeNode};
use crate::boundary::Event;
use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::desk::Waiter;
use crate::id::{NodeId, OpId};
use crate::key::Key;
use crate::membership::MemberStatus;
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
/// Keys being settled at once: what is under way is bounded in values, however many keys differ.
const REPAIRS_MAX: usize = 64;
/// Between two exchanges while something has to be fetched.
const FETCH_PAUSE: Duration = Duration::from_millis(1);

/// What this node leads.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    /// The pairs that this node leads, in the order in which they take turns.
    pairs: VecDeque<(Partition, NodeId)>,
    /// What this node has to fetch, and from whom, in the order in which they take turns.
    fetches: VecDeque<(Partition, NodeId)>,
    /// Partitions that this node is a new home of, and has not fetched.
    receiving: BTreeSet<Partition>,
    /// Those of them that it has, and that membership has not been told of.
    received: Vec<Partition>,
    running: Option<Exchange>,
    timer: Option<Instant>,
    keys_repaired: u64,
}

/// What an exchange is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Two homes compare what they hold, for ever.
    Compare,
    /// This node fetches what it lacks, once.
    Fetch,
}

#[derive(Debug)]
struct Exchange {
    op: OpId,
    peer: NodeId,
    partition: Partition,
    purpose: Purpose,
    /// Something could not be read, here or there: what was fetched is not everything.
    incomplete: bool,
    /// Nodes whose hashes are being compared.
    comparing: Vec<TreeNode>,
    /// Nodes still to be compared; the last ones next, so that the walk goes down before it goes on.
    open: Vec<TreeNode>,
    /// Leaves that differ, not looked into yet.
    leaves: VecDeque<Leaf>,
    repairs: Repairs,
}

/// Keys of the leaves being looked into.
#[derive(Debug, Default)]
struct Repairs {
    /// Not begun.
    open: VecDeque<Key>,
    /// Asked of the peer.
    reads: BTreeMap<OpId, Key>,
    /// Sent to the peer.
    writes: BTreeMap<OpId, Key>,
    /// Being read from our own disk, to be sent.
    loading: usize,
    /// Being merged into our own disk, and not durable there yet.
    merging: usize,
}

impl Repairs {
    fn are_done(&self) -> bool {
        self.open.is_empty() && self.under_way() == 0
    }

    /// Keys begun, at the least.
    fn under_way(&self) -> usize {
        self.reads.len().max(self.writes.len() + self.loading) + self.merging
    }
}

impl Exchanges {
    /// Every pair of homes that this node leads takes turns from now on, after what it has to fetch. An exchange of
    /// an earlier ring is given up.
    pub fn on_ring_changed(&mut self, cx: &mut Cx) {
        let (me, n) = (cx.me(), cx.env.config.n);
        let cluster = &cx.env.cluster;
        self.pairs.clear();
        for partition in (0..cluster.ring.partitions()).map(Partition) {
            let list = cluster.ring.partition_preference_list(partition, n);
            if list.homes().contains(&me) {
                let led = list.homes().iter().filter(|&&home| home > me);
                self.pairs.extend(led.map(|&home| (partition, home)));
            }
        }
        self.running = None;
        self.fetches.clear();
        self.receiving.clear();
        for (partition, homes) in cluster.to_receive(me) {
            self.receiving.insert(partition);
            self.fetches.extend(homes.into_iter().filter(|home| *home != me).map(|home| (partition, home)));
        }
        let unheld = self.receiving.iter().copied();
        let unheld: Vec<Partition> =
            unheld.filter(|partition| self.fetches.iter().all(|(open, _)| open != partition)).collect();
        unheld.into_iter().for_each(|partition| self.finish_if_fetched(cx, partition));
        self.fetch_lost(cx);
        self.await_turn(cx);
    }

    /// This node's disk was lost: it fetches everything that it should hold from the other homes.
    pub fn recover(&mut self, cx: &mut Cx) {
        let (me, n) = (cx.me(), cx.env.config.n);
        let ring = &cx.env.cluster.ring;
        let lost = (0..ring.partitions()).map(Partition);
        cx.env.recovering = lost.filter(|partition| ring.is_home_of(me, *partition, n)).collect();
        self.fetch_lost(cx);
        self.await_turn(cx);
    }

    fn fetch_lost(&mut self, cx: &mut Cx) {
        let (me, n) = (cx.me(), cx.env.config.n);
        let ring = cx.env.cluster.ring.clone();
        cx.env.recovering.retain(|partition| ring.is_home_of(me, *partition, n));
        let lost: Vec<Partition> = cx.env.recovering.iter().copied().collect();
        for partition in lost {
            let homes = cx.env.cluster.ring.partition_preference_list(partition, n).homes().to_vec();
            let gone = |home: &NodeId| cx.env.cluster.status(*home).is_some_and(MemberStatus::is_gone);
            let others = homes.into_iter().filter(|home| *home != me && !gone(home));
            let new: Vec<(Partition, NodeId)> =
                others.map(|home| (partition, home)).filter(|fetch| !self.fetches.contains(fetch)).collect();
            if new.is_empty() {
                self.finish_if_fetched(cx, partition);
            }
            self.fetches.extend(new);
        }
    }

    /// Whether no exchange is under way, and nothing is to be fetched.
    pub fn is_idle(&self) -> bool {
        self.running.is_none() && self.fetches.is_empty()
    }

    /// Exchanges that this node has still to lead to fetch what it lacks.
    pub fn fetches(&self) -> usize {
        self.fetches.len()
    }

    /// Keys that exchanges found to differ, since the start.
    pub fn keys_repaired(&self) -> u64 {
        self.keys_repaired
    }

    /// Partitions that this node has become a home of and holds now, since this was last asked.
    pub fn take_received(&mut self) -> Vec<Partition> {
        core::mem::take(&mut self.received)
    }

    /// The next pair's turn; an exchange still under way got no answer and is given up. That makes no suspect: a peer
    /// that lives is silent, too, when its store cannot answer.
    pub fn on_timer(&mut self, cx: &mut Cx) {
        self.timer = None;
        if self.running.take().is_some() {
            return self.await_turn(cx);
        }
        let fetch = self.next_fetch(cx);
        let Some((partition, peer, purpose)) = fetch.or_else(|| self.next_pair(cx)) else {
            return self.await_turn(cx);
        };
        self.running = Some(Exchange {
            op: cx.next_op(),
            peer,
            partition,
            purpose,
            incomplete: false,
            comparing: Vec::new(),
            open: alloc::vec![TreeNode::ROOT],
            leaves: VecDeque::new(),
            repairs: Repairs::default(),
        });
        self.load_hashes(cx);
    }

    /// The next fetch from a home that is there. New homes begin when everybody puts to them: what is put from then
    /// on, they are sent.
    fn next_fetch(&mut self, cx: &mut Cx) -> Option<(Partition, NodeId, Purpose)> {
        if !cx.storage_has_room() {
            return None;
        }
        let at = self.eligible(cx)?;
        let (partition, peer) = self.fetches.remove(at)?;
        // It stays on the list until it is done, and others get their turn first.
        self.fetches.push_back((partition, peer));
        Some((partition, peer, Purpose::Fetch))
    }

    fn eligible(&self, cx: &Cx) -> Option<usize> {
        let everybody_knows = cx.env.cluster.all_have_seen(cx.env.cluster.ring.version());
        let may = |(partition, peer): &(Partition, NodeId)| {
            (everybody_knows || !self.receiving.contains(partition)) && !cx.env.is_away(*peer)
        };
        self.fetches.iter().position(may)
    }

    fn next_pair(&mut self, cx: &mut Cx) -> Option<(Partition, NodeId, Purpose)> {
        let (partition, peer) = self.pairs.pop_front()?;
        self.pairs.push_back((partition, peer));
        let may = !cx.env.is_away(peer) && cx.storage_has_room();
        may.then_some((partition, peer, Purpose::Compare))
    }

    /// Our hashes of the nodes being compared: ask the peer which differ.
    pub fn on_hashes(&mut self, cx: &mut Cx, op: OpId, result: Result<Vec<TreeHash>, StorageError>) {
        let Some(exchange) = self.exchange(op) else { return };
        let Ok(hashes) = result else { return self.end(cx) };
        let (peer, partition) = (exchange.peer, exchange.partition);
        let nodes = exchange.comparing.iter().copied().zip(hashes).collect();
        self.ask(cx, peer, AntiEntropyMessage::Compare { op, partition, nodes });
    }

    /// These of the nodes compared differ: look into their children, or into the leaves that they are.
    pub fn on_differ(&mut self, cx: &mut Cx, from: NodeId, op: OpId, nodes: &[TreeNode]) {
        let Some(exchange) = self.exchange_with(from, op) else { return };
        let compared = core::mem::take(&mut exchange.comparing);
        for node in nodes.iter().filter(|node| compared.contains(node)) {
            exchange.leaves.extend(node.leaf());
            exchange.open.extend(node.children());
        }
        if exchange.open.is_empty() { self.next_leaves(cx) } else { self.load_hashes(cx) }
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
        let (peer, partition) = (exchange.peer, exchange.partition);
        self.ask(cx, peer, AntiEntropyMessage::Keys { op, partition, leaves, keys });
    }

    /// These keys differ: send the peer what we hold, and read what it holds.
    pub fn on_keys_differ(&mut self, cx: &mut Cx, from: NodeId, op: OpId, keys: Vec<Key>) {
        let ring = cx.env.cluster.ring.clone();
        let Some(exchange) = self.exchange_with(from, op) else { return };
        let partition = exchange.partition;
        exchange.repairs.open.extend(keys.into_iter().filter(|key| ring.partition(key.token()) == partition));
        self.go_on(cx);
    }

    /// Begins to settle as many keys as may be under way at once.
    fn repair_some(&mut self, cx: &mut Cx) {
        let Some(exchange) = &mut self.running else { return };
        let (op, from) = (exchange.op, exchange.peer);
        while exchange.repairs.under_way() < REPAIRS_MAX {
            let Some(key) = exchange.repairs.open.pop_front() else { return };
            self.keys_repaired += 1;
            cx.event(Event::AntiEntropyRepair { key: key.clone(), peer: from });
            let read = cx.next_op();
            exchange.repairs.reads.insert(read, key.clone());
            exchange.repairs.loading += 1;
            cx.send(from, Message::Replica(ReplicaMessage::Read { op: read, key: key.clone() }));
            cx.storage(StorageOp::Read { key: key.clone() }, Waiter::ExchangeRead { op, key });
        }
    }

    /// What we hold of a key that differs.
    pub fn on_local_read(&mut self, cx: &mut Cx, op: OpId, key: Key, result: Result<Siblings, StorageError>) {
        let Some(exchange) = self.exchange(op) else { return };
        exchange.repairs.loading -= 1;
        if let Ok(siblings) = result
            && !siblings.is_empty()
        {
            let write = cx.next_op();
            exchange.repairs.writes.insert(write, key.clone());
            let message = ReplicaMessage::Write { op: write, key, siblings, owed: None };
            cx.send(exchange.peer, Message::Replica(message));
        }
        self.go_on(cx);
    }

    /// What the peer holds of a key that differs. Whether `op` was a read of ours.
    pub fn on_read_reply(&mut self, cx: &mut Cx, op: OpId, result: &Result<Siblings, ReplicaError>) -> bool {
        let Some(exchange) = &mut self.running else { return false };
        let Some(key) = exchange.repairs.reads.remove(&op) else { return false };
        match result {
            Ok(siblings) if siblings.is_empty() => {}
            Ok(siblings) => {
                exchange.repairs.merging += 1;
                let siblings = siblings.clone();
                let update = Update::Merge { siblings, owed: None, policy: cx.env.config.policy };
                cx.apply(key, update, Waiter::ExchangeMerge { op: exchange.op });
            }
            // Two homes that lost their disks may not wait for each other.
            Err(ReplicaError::Recovering) => {}
            Err(_) => exchange.incomplete = true,
        }
        self.go_on(cx);
        true
    }

    /// What the peer held is durable here; or it could not be stored.
    pub fn on_merged(&mut self, cx: &mut Cx, op: OpId, result: Result<(), StorageError>) {
        let Some(exchange) = self.exchange(op) else { return };
        exchange.repairs.merging -= 1;
        exchange.incomplete |= result.is_err();
        self.go_on(cx);
    }

    /// Whether `op` was a write of ours.
    pub fn on_write_reply(&mut self, cx: &mut Cx, op: OpId) -> bool {
        let ours =
            self.running.as_mut().is_some_and(|exchange| exchange.repairs.writes.remove(&op).is_some());
        if ours {
            self.go_on(cx);
        }
        ours
    }

    fn exchange(&mut self, op: OpId) -> Option<&mut Exchange> {
        self.running.as_mut().filter(|exchange| exchange.op == op)
    }

    fn exchange_with(&mut self, peer: NodeId, op: OpId) -> Option<&mut Exchange> {
        self.exchange(op).filter(|exchange| exchange.peer == peer)
    }

    fn load_hashes(&mut self, cx: &mut Cx) {
        let Some(exchange) = &mut self.running else { return };
        let rest = exchange.open.len().saturating_sub(NODES_PER_STEP);
        exchange.comparing = exchange.open.split_off(rest);
        let (op, partition, nodes) = (exchange.op, exchange.partition, exchange.comparing.clone());
        cx.storage(StorageOp::TreeHashes { partition, nodes }, Waiter::ExchangeHashes { op });
    }

    /// Looks into the next few leaves, or ends when there are none.
    fn next_leaves(&mut self, cx: &mut Cx) {
        let Some(exchange) = &mut self.running else { return };
        let step = exchange.leaves.len().min(LEAVES_PER_STEP);
        let leaves: Vec<Leaf> = exchange.leaves.drain(..step).collect();
        if leaves.is_empty() {
            return self.complete(cx);
        }
        let (op, partition) = (exchange.op, exchange.partition);
        let waiter = Waiter::ExchangeKeys { op, leaves: leaves.clone() };
        cx.storage(StorageOp::LeafKeys { partition, leaves }, waiter);
    }

    fn go_on(&mut self, cx: &mut Cx) {
        self.repair_some(cx);
        if self.running.as_ref().is_some_and(|exchange| exchange.repairs.are_done()) {
            self.next_leaves(cx);
        }
    }

    fn ask(&mut self, cx: &mut Cx, peer: NodeId, message: AntiEntropyMessage) {
        cx.send(peer, Message::AntiEntropy(message));
        self.rearm(cx, cx.time() + cx.env.config.request_timeout);
    }

    /// The walk has come to its end.
    fn complete(&mut self, cx: &mut Cx) {
        if let Some(exchange) = &self.running
            && exchange.purpose == Purpose::Fetch
            && !exchange.incomplete
        {
            let (partition, peer) = (exchange.partition, exchange.peer);
            self.fetches.retain(|fetch| *fetch != (partition, peer));
            self.finish_if_fetched(cx, partition);
            self.running = None;
            return self.await_turn(cx);
        }
        self.end(cx);
    }

    /// Once a partition was fetched from everybody who has it, this node holds it like any home.
    fn finish_if_fetched(&mut self, cx: &mut Cx, partition: Partition) {
        if self.fetches.iter().any(|(open, _)| *open == partition) {
            return;
        }
        if cx.env.recovering.remove(&partition) {
            cx.event(Event::PartitionRecovered { partition });
        }
        if self.receiving.remove(&partition) {
            self.received.push(partition);
        }
    }

    fn end(&mut self, cx: &mut Cx) {
        self.running = None;
        self.await_turn(cx);
    }

    fn await_turn(&mut self, cx: &mut Cx) {
        if self.pairs.is_empty() && self.fetches.is_empty() {
            return;
        }
        let interval = cx.env.config.anti_entropy_interval;
        let pause = if self.eligible(cx).is_some() { FETCH_PAUSE.min(interval) } else { interval };
        self.rearm(cx, cx.time() + pause);
    }

    fn rearm(&mut self, cx: &mut Cx, at: Instant) {
        if let Some(armed) = self.timer.replace(at) {
            cx.disarm(armed, Timer::AntiEntropy);
        }
        cx.arm(at, Timer::AntiEntropy);
    }
}

/// The side that is asked: all that it needs is in the question.
#[derive(Debug)]
pub(crate) struct Answers;

impl Answers {
    /// Which of these nodes differ here?
    pub fn on_compare(
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        partition: Partition,
        theirs: Vec<(TreeNode, TreeHash)>,
    ) {
        if cx.storage_has_room() && Self::is_ours(cx, partition) && theirs.len() <= NODES_PER_STEP {
            let nodes = theirs.iter().map(|(node, _)| *node).collect();
            cx.storage(StorageOp::TreeHashes { partition, nodes }, Waiter::AnswerHashes { from, op, theirs });
        }
    }

    /// Our hashes of those nodes.
    pub fn on_hashes(
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        theirs: &[(TreeNode, TreeHash)],
        result: Result<Vec<TreeHash>, StorageError>,
    ) {
        let Ok(ours) = result else { return };
        let differing = theirs.iter().zip(ours).filter(|((_, theirs), ours)| theirs != ours);
        let nodes = differing.map(|((node, _), _)| *node).collect();
        cx.send(from, Message::AntiEntropy(AntiEntropyMessage::Differ { op, nodes }));
    }

    /// Which of these keys, and which others of these leaves, are held otherwise here?
    pub fn on_keys(
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        partition: Partition,
        leaves: Vec<Leaf>,
        theirs: Vec<(Key, Digest)>,
    ) {
        if cx.storage_has_room() && Self::is_ours(cx, partition) && leaves.len() <= LEAVES_PER_STEP {
            cx.storage(StorageOp::LeafKeys { partition, leaves }, Waiter::AnswerKeys { from, op, theirs });
        }
    }

    /// Our keys of those leaves.
    pub fn on_leaf_keys(
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        theirs: Vec<(Key, Digest)>,
        result: Result<Vec<(Key, Digest)>, StorageError>,
    ) {
        let Ok(ours) = result else { return };
        let keys = differing(theirs, ours);
        cx.send(from, Message::AntiEntropy(AntiEntropyMessage::KeysDiffer { op, keys }));
    }

    fn is_ours(cx: &Cx, partition: Partition) -> bool {
        let ring = &cx.env.cluster.ring;
        partition.0 < ring.partitions() && ring.is_home_of(cx.me(), partition, cx.env.config.n)
    }
}

/// The keys that only one side holds, or that both hold with different versions. Pure.
fn differing(theirs: Vec<(Key, Digest)>, ours: Vec<(Key, Digest)>) -> Vec<Key> {
    let mut open: BTreeMap<Key, Digest> = theirs.into_iter().collect();
    let mut found = Vec::new();
    for (key, digest) in ours {
        if open.remove(&key) != Some(digest) {
            found.push(key);
        }
    }
    found.extend(open.into_keys());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_one_side_lacks_or_holds_otherwise_differ() {
        let held = |name: &str, digest| (Key::new(b"b", name.as_bytes()), Digest(digest));
        let theirs = alloc::vec![held("same", 1), held("other", 2), held("theirs", 3)];
        let ours = alloc::vec![held("same", 1), held("other", 4), held("ours", 5)];
        let mut found: Vec<&[u8]> = Vec::new();
        let keys = differing(theirs, ours);
        found.extend(keys.iter().map(Key::key));
        found.sort_unstable();
        assert_eq!(found, [&b"other"[..], b"ours", b"theirs"]);
    }
}
