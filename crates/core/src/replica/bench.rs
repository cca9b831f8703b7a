//! One machine of n1, taken out of its node: a test plays the disk, the peers and the clock, and sees what it asks for.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::boundary::{Event, Outbox, Output};
use crate::config::{Boot, Config};
use crate::cx::{Cx, Env};
use crate::deadlines::Timer;
use crate::id::{NodeId, OpId, RequestId, StoreId};
use crate::key::Key;
use crate::membership::{Cluster, MemberStatus};
use crate::message::{Message, ReplicaMessage};
use crate::replica::{Change, Update};
use crate::ring::{Partition, Ring};
use crate::storage::StorageOp;
use crate::time::{Instant, Now, WallTime};
use crate::version::{Actor, Dot, Siblings, Value, Version, VersionVector};

pub(crate) const ME: NodeId = NodeId(1);
const PARTITIONS: u32 = 64;

/// n1 among five members, which all have seen their ring: each key has three homes, n1 of some.
pub(crate) struct Bench {
    pub env: Env,
    pub now: Instant,
    /// What has been sent, asked of the disk, and told since the test looked last.
    pub sent: Vec<(NodeId, Message)>,
    pub asked: Vec<StorageOp>,
    pub events: Vec<Event>,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(ME, ring(5));
        set(&mut config);
        let (store, number) = (StoreId(1), 1);
        let boot =
            Boot { store, number, continuous_since: 1, owed: Vec::new(), cluster: None, seed: [1; 32] };
        let env = Env::new(config, boot, WallTime(0));
        let now = Instant(1_000_000_000);
        let mut bench = Self { env, now, sent: Vec::new(), asked: Vec::new(), events: Vec::new() };
        bench.everybody_has_seen_the_ring();
        bench
    }

    /// Lets a machine act.
    pub fn act<R>(&mut self, act: impl FnOnce(&mut Cx<'_>) -> R) -> R {
        let mut out = Outbox::new();
        let now = Now { monotonic: self.now, wall: WallTime(0) };
        let result = act(&mut Cx { now, env: &mut self.env, out: &mut out });
        for output in out.drain() {
            match output {
                Output::Send { to, message } => self.sent.push((to, message)),
                Output::Storage(request) => self.asked.push(request.op),
                Output::Event(event) => self.events.push(event),
                other => panic!("no machine on the bench says this: {other:?}"),
            }
        }
        result
    }

    pub fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    /// How long it is until the next timer.
    pub fn next_timer(&self) -> Option<Duration> {
        self.env.deadlines.next().map(|at| at.since(self.now))
    }

    /// Goes to the moment of the next timer, and takes it.
    pub fn take_timer(&mut self) -> Timer {
        let at = self.env.deadlines.next().expect("a timer is armed");
        self.now = self.now.max(at);
        self.env.deadlines.pop_due(self.now).expect("it is due")
    }

    pub fn take_sent(&mut self) -> Vec<(NodeId, Message)> {
        core::mem::take(&mut self.sent)
    }

    pub fn take_asked(&mut self) -> Vec<StorageOp> {
        core::mem::take(&mut self.asked)
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        core::mem::take(&mut self.events)
    }

    /// The replica messages that carry an operation to somebody, since the test looked last: whom it went to, and which.
    pub fn take_ops(&mut self) -> Vec<(NodeId, OpId)> {
        let op = |message| match message {
            Message::Replica(ReplicaMessage::Write { op, .. } | ReplicaMessage::Confirm { op, .. }) => op,
            other => panic!("neither a write nor a question: {other:?}"),
        };
        self.take_sent().into_iter().map(|(to, message)| (to, op(message))).collect()
    }

    /// The updates that the disk was asked for since the test looked last.
    pub fn take_updates(&mut self) -> Vec<(Key, Update)> {
        let update = |op| match op {
            StorageOp::Apply { key, update } => (key, update),
            other => panic!("no update: {other:?}"),
        };
        self.take_asked().into_iter().map(update).collect()
    }

    /// Foreground requests have left no room for background work. Until `pass` by the time named.
    pub fn use_up_the_background(&mut self) -> Duration {
        let everything = 10_000;
        self.act(|cx| cx.background(everything).expect("a full bucket lets anything through"));
        let again = self.act(|cx| cx.background_batch(1)).expect_err("nothing is left");
        again.since(self.now)
    }

    /// Suspects a peer that has not answered.
    pub fn suspect(&mut self, node: NodeId) {
        self.env.liveness.declared_down(node);
    }

    pub fn change_cluster(&mut self, change: impl FnOnce(&mut Cluster)) {
        change(Arc::make_mut(&mut self.env.cluster));
    }

    pub fn set_status(&mut self, node: NodeId, status: MemberStatus) {
        self.change_cluster(|cluster| cluster.members.update(node, |member| member.status = status));
    }

    pub fn everybody_has_seen_the_ring(&mut self) {
        self.change_cluster(|cluster| {
            let seen = cluster.ring.version();
            for node in cluster.members.keys().copied().collect::<Vec<_>>() {
                cluster.members.update(node, |member| member.progress.seen = seen);
            }
        });
    }

    /// Partitions belong to others from now on, all at once.
    pub fn move_partitions(&mut self, owner: impl Fn(usize, NodeId) -> NodeId) {
        self.change_cluster(|cluster| {
            let owners = cluster.ring.owners().iter().enumerate().map(|(at, node)| owner(at, *node));
            cluster.ring = cluster.ring.moving_to(owners.collect()).advanced().advanced();
            assert_eq!(cluster.ring.phase(), None);
        });
        self.everybody_has_seen_the_ring();
    }

    /// The first home of each partition becomes that of the one before it.
    pub fn turn_ring(&mut self) {
        let owners = self.env.cluster.ring.owners().to_vec();
        self.move_partitions(|at, _| owners[(at + 1) % owners.len()]);
    }

    /// `count` keys of `homes`, in order.
    pub fn keys(&self, homes: [u64; 3], count: usize) -> Vec<Key> {
        let ring = &self.env.cluster.ring;
        let all = (0_u32..).map(|i| Key::new(b"carts", &i.to_be_bytes()));
        let fits = |key: &Key| {
            let list = ring.preference_list(key.token(), 3);
            list.homes().iter().map(|home| home.0).eq(homes)
        };
        let mut keys: Vec<Key> = all.filter(fits).take(count).collect();
        keys.sort();
        keys
    }

    pub fn key(&self, homes: [u64; 3]) -> Key {
        self.keys(homes, 1).remove(0)
    }

    pub fn partition(&self, key: &Key) -> Partition {
        self.env.cluster.ring.partition(key.token())
    }
}

pub(crate) fn ring(nodes: u64) -> Ring {
    let members: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
    Ring::new(&members, PARTITIONS, 3).expect("there can be such a ring")
}

/// A state of one version, the `count`th of its actor.
pub(crate) fn state(count: u64, value: Value) -> Siblings {
    let actor = Actor { node: ME, store: StoreId(1), boot: 1, mint: 1 };
    let dot = Dot { actor, counter: count };
    let (past, request) = (VersionVector::EMPTY, RequestId(count.into()));
    Siblings::from_versions(alloc::vec![Version { dot, past, request, written_at: WallTime(0), value }])
}

pub(crate) fn data(bytes: usize) -> Value {
    Value::Data(alloc::vec![0; bytes].into())
}

/// What the disk says of an update that left `siblings`.
pub(crate) fn changed(siblings: &Siblings) -> Change {
    Change { siblings: siblings.clone(), dot: None, newly_owed: Vec::new() }
}
