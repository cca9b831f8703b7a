//! [`Node`]: owns the machines and hands each input to the one it concerns.

mod coverage;
mod dispatch;
mod storage;

use alloc::vec::Vec;

use crate::anti_entropy::Exchanges;
use crate::background::BackgroundStatus;
use crate::boundary::{Input, Outbox};
use crate::config::{Boot, Config};
use crate::coordinator::{Coverage, Forwards, Gets, Puts};
use crate::cx::{Cx, Env};
use crate::id::NodeId;
use crate::membership::{
    Bucket, Cluster, ClusterDigest, Doorstep, Gossip, LastBoot, MemberStatus, Rules, Standing, SwimIgnored,
    Watch,
};
use crate::replica::{Handoff, HintTotal, Hints, Mender, Reaper};
use crate::ring::RingVersion;
use crate::time::{Instant, Now};

/// One node of the ring, as a state machine without I/O. The crate's documentation is its manual; in short:
///
/// - make it with [`Node::new`] after its store was opened, and carry out what it put into the outbox;
/// - hand every client request, peer message, storage completion and expired timeout to [`Node::handle`];
/// - call [`Node::handle`] with [`Input::Timeout`] no earlier than [`Node::next_timeout`], and soon after it.
///
/// A crash is the loss of the `Node`; everything it must not forget is in the store.
#[derive(Debug)]
pub struct Node {
    env: Env,
    machines: Machines,
}

/// What a node does, each kind of work with its own state. Nobody but the node owns two of them.
#[derive(Debug)]
struct Machines {
    gets: Gets,
    puts: Puts,
    forwards: Forwards,
    hints: Hints,
    exchanges: Exchanges,
    handoff: Handoff,
    reaper: Reaper,
    mender: Mender,
    gossip: Gossip,
    watch: Watch,
    doorstep: Doorstep,
    coverage: Coverage,
    /// The state of the ring that the machines go by.
    ring: RingVersion,
}

/// What a node tells of itself: for operators, oracles and tests.
#[derive(Clone, Copy, Debug)]
pub struct Status<'a> {
    node: &'a Node,
}

impl Node {
    /// A node that has just started. Panics if `config` does not [validate](Config::validate).
    pub fn new(config: Config, boot: Boot, now: Now, out: &mut Outbox) -> Self {
        if let Err(error) = config.validate() {
            panic!("invalid configuration: {error}");
        }
        let mut env = Env::new(config, boot, now.wall);
        let seed = env.split_seed();
        let last_boot = LastBoot::new(env.incarnation(), env.life());
        let machines = Machines {
            gets: Gets::default(),
            puts: Puts::default(),
            forwards: Forwards::default(),
            hints: Hints::default(),
            exchanges: Exchanges::default(),
            handoff: Handoff::default(),
            reaper: Reaper::default(),
            mender: Mender::default(),
            gossip: Gossip::new(now.monotonic, last_boot),
            watch: Watch::new(&env.config, env.boot.number, seed),
            doorstep: Doorstep::default(),
            coverage: Coverage::default(),
            ring: env.cluster.ring.version(),
        };
        let mut node = Self { env, machines };
        let mut cx = Cx { now, env: &mut node.env, out };
        node.machines.start(&mut cx);
        node
    }

    /// The only way in: one thing happened at `now`. What is to be done about it is added to `out`.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Outbox) {
        if self.env.is_outdated {
            return;
        }
        let cx = &mut Cx { now, env: &mut self.env, out };
        match input {
            Input::Client(request) => self.machines.on_client(cx, request),
            Input::Admin(request) => self.machines.on_admin(cx, request),
            Input::Peer { from, message } => self.machines.on_peer(cx, from, message),
            Input::Storage(completion) => self.machines.on_storage(cx, completion),
            Input::Timeout => self.machines.on_timeout(cx),
            Input::Coverage(request) => self.machines.on_coverage(cx, request),
        }
        if !cx.env.is_outdated {
            self.machines.follow_up(cx);
        }
    }

    /// When to call [`Node::handle`] with [`Input::Timeout`] next.
    pub fn next_timeout(&self) -> Option<Instant> {
        if self.env.is_outdated { None } else { self.env.deadlines.next() }
    }

    /// What it is doing.
    pub fn status(&self) -> Status<'_> {
        Status { node: self }
    }
}

impl<'a> Status<'a> {
    /// This node.
    pub fn node(&self) -> NodeId {
        self.node.env.config.node
    }

    /// What it knows of the cluster: members, ring, what is staged.
    pub fn cluster(&self) -> &'a Cluster {
        &self.node.env.cluster
    }

    /// What that is called.
    pub fn cluster_digest(&self) -> ClusterDigest {
        self.node.env.cluster_digest
    }

    /// What holds for `bucket` where a request says nothing else.
    pub fn rules(&self, bucket: &Bucket) -> Rules {
        self.cluster().rules_of(bucket, &self.node.env.config.rules())
    }

    /// What holds for the buckets of a type that have no properties of their own.
    pub fn rules_of_type(&self, name: &[u8]) -> Rules {
        self.cluster().rules_of_type(name, &self.node.env.config.rules())
    }

    /// Whether it takes client requests.
    pub fn serves(&self) -> bool {
        let status = self.cluster().status(self.node());
        self.node.machines.gossip.standing() == Standing::Ready && status.is_some_and(MemberStatus::is_active)
    }

    /// The oldest state of the ring that this node goes by, or an unanswered request of it.
    pub fn oldest_ring(&self) -> RingVersion {
        let machines = &self.node.machines;
        let oldest = [machines.gets.oldest_ring(), machines.puts.oldest_ring()];
        oldest.into_iter().flatten().fold(self.cluster().ring.version(), RingVersion::min)
    }

    /// Client requests being coordinated or forwarded.
    pub fn requests_running(&self) -> usize {
        self.node.machines.requests_running()
    }

    /// Listings being coordinated.
    pub fn listings_running(&self) -> usize {
        self.node.machines.coverage.running()
    }

    /// Storage requests in flight.
    pub fn storage_in_flight(&self) -> usize {
        self.node.env.desk.in_flight()
    }

    /// Peers that left requests unanswered.
    pub fn suspected(&self) -> Vec<NodeId> {
        self.node.env.liveness.suspected().collect()
    }

    /// Members that all members together hold to be dead.
    pub fn down(&self) -> Vec<NodeId> {
        self.node.machines.watch.down()
    }

    /// Messages of failure detection that had no effect here.
    pub fn swim_ignored(&self) -> SwimIgnored {
        self.node.machines.watch.ignored()
    }

    /// What this node owes to others: keys, and bytes of values.
    pub fn hints(&self) -> Vec<(NodeId, HintTotal)> {
        self.node.env.owed.totals()
    }

    /// How much background work is allowed, and what that rests on; `None` when it is not held back.
    pub fn background(&self) -> Option<BackgroundStatus> {
        self.node.env.background.status()
    }

    /// Whether no exchange of hash trees is under way, and nothing is to be fetched.
    pub fn anti_entropy_idle(&self) -> bool {
        self.node.machines.exchanges.is_idle()
    }

    /// Exchanges that this node has still to lead to fetch what it should hold and does not.
    pub fn fetches(&self) -> usize {
        self.node.machines.exchanges.fetches()
    }

    /// Keys that exchanges which this node led found to differ, since its start.
    pub fn keys_repaired(&self) -> u64 {
        self.node.machines.exchanges.keys_repaired()
    }

    /// Partitions that may hold something that belongs elsewhere.
    pub fn handoff_open(&self) -> usize {
        self.node.machines.handoff.open()
    }

    /// Records given to their homes and dropped here, since its start.
    pub fn records_given(&self) -> u64 {
        self.node.machines.handoff.records_given()
    }

    /// Tombstones that this node reaped, as a home of theirs, since its start.
    pub fn reaped(&self) -> u64 {
        self.node.machines.reaper.reaped()
    }

    /// Records that fail their checksums and are being made anew of what the other homes hold.
    pub fn mending(&self) -> usize {
        self.node.machines.mender.running()
    }

    /// Partitions that this node is a home of and does not hold again, after its disk was lost.
    pub fn recovering(&self) -> usize {
        self.node.env.recovering.len()
    }

    /// Whether no hint is known to wait for delivery and none is being delivered.
    pub fn hints_idle(&self) -> bool {
        self.node.machines.hints.is_idle()
    }

    /// Whether members and ring are as they will stay, as far as this node knows.
    pub fn membership_idle(&self) -> bool {
        self.node.machines.gossip.is_idle(&self.node.env.cluster, self.node())
    }
}
