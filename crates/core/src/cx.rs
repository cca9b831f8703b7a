//! What every machine of a node shares, and how it acts on the world while one input is handled.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;

use crate::background::{Background, Turn, surcharge};
use crate::boundary::{Answer, ClientError, ClientReply, Event, Outbox, Output};
use crate::config::{Boot, Config};
use crate::deadlines::{Deadlines, Timer};
use crate::desk::{Desk, Waiter};
use crate::flaw::Flaw;
use crate::id::{CallId, NodeId, OpId, StoreId};
use crate::key::Key;
use crate::membership::{Cluster, ClusterDigest, Liveness, MemberStatus, Rules};
use crate::message::{Message, ReplicaMessage};
use crate::replica::{Owed, Serve, Update};
use crate::ring::{Partition, Placement, PreferenceList};
use crate::rng::CoreRng;
use crate::storage::{StorageOp, StorageRequest};
use crate::time::{Instant, Now, WallTime};
use crate::version::{Actor, Policy, Siblings};

/// State shared by all machines of a node.
#[derive(Debug)]
pub(crate) struct Env {
    pub config: Config,
    pub boot: Boot,
    pub deadlines: Deadlines,
    pub desk: Desk,
    pub liveness: Liveness,
    pub owed: Owed,
    /// What this node knows of the cluster.
    pub cluster: Arc<Cluster>,
    /// What that is called.
    pub cluster_digest: ClusterDigest,
    /// Partitions that this node is a home of and does not hold again, after its disk was lost.
    pub recovering: BTreeSet<Partition>,
    /// The members are not those that they were.
    pub members_changed: bool,
    /// It has just been noticed that this node's disk was lost.
    pub recover_wanted: bool,
    /// This store is an old copy: the node does nothing any more.
    pub is_outdated: bool,
    /// Members that know of this boot, of those asked since the start.
    confirmed_by: BTreeSet<NodeId>,
    /// What the clock said at the start. Nothing rests on it but museum pieces.
    started_at: WallTime,
    rng: CoreRng,
    pub background: Background,
    next_op: u64,
    minted: u64,
}

impl Env {
    pub fn new(config: Config, boot: Boot, started_at: WallTime) -> Self {
        // Starting anywhere in 63 bits keeps answers to an earlier boot from being taken for answers to this one.
        let mut rng = CoreRng::new(boot.seed);
        let next_op = rng.next_u64() >> 1;
        let cluster = boot.cluster.clone().unwrap_or_else(|| Arc::new(first_state(&config)));
        let liveness = Liveness::new(config.node, cluster.there());
        let owed = Owed::new(&boot.owed);
        let background = Background::new(&config);
        let minted = first_mint(boot.seed);
        Self {
            config,
            boot,
            deadlines: Deadlines::default(),
            desk: Desk::default(),
            liveness,
            owed,
            cluster_digest: cluster.digest(),
            cluster,
            recovering: BTreeSet::new(),
            members_changed: true,
            recover_wanted: false,
            is_outdated: false,
            confirmed_by: BTreeSet::new(),
            started_at,
            rng,
            background,
            next_op,
            minted,
        }
    }
}

/// Actors of this boot are counted from anywhere in 48 bits, so that they are never those of another boot of the same
/// number, on an older copy of the store. In a clock that takes seven bytes.
fn first_mint(mut seed: [u8; 32]) -> u64 {
    // A stream of its own.
    seed[31] ^= 1;
    CoreRng::new(seed).next_u64() >> 16
}

impl Env {
    /// A seed for a part of the node that draws by itself.
    pub fn split_seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        for word in seed.chunks_exact_mut(8) {
            word.copy_from_slice(&self.rng.next_u64().to_le_bytes());
        }
        seed
    }

    /// The number of this start, as the other members know it: rises with each.
    pub fn incarnation(&self) -> u64 {
        if self.config.flaw == Some(Flaw::IncarnationFromClock) {
            return self.started_at.0;
        }
        self.boot.number
    }

    /// Tells this boot from another one of the same number, on a copy of the store.
    pub fn life(&self) -> u64 {
        first_mint(self.boot.seed)
    }

    /// `node` knows of this boot.
    pub fn confirmed(&mut self, node: NodeId) {
        self.confirmed_by.insert(node);
    }

    /// The oldest boot whose actors go on counting. Earlier ones than this do only once a majority of the members knows
    /// of this boot: then nobody will take the same copy of this store for the latest again, and count on from it.
    pub fn continuous_since(&self) -> u64 {
        let Boot { number, continuous_since, .. } = self.boot;
        let members = self.cluster.active().filter(|node| *node != self.config.node);
        let (mut others, mut confirmed) = (0, 0);
        for member in members {
            others += 1;
            confirmed += usize::from(self.confirmed_by.contains(&member));
        }
        if 2 * (confirmed + 1) > others + 1 { continuous_since } else { number }
    }

    /// Whether `node` is not to be counted on: it does not answer, or it has gone for ever.
    pub fn is_away(&self, node: NodeId) -> bool {
        self.liveness.is_suspected(node) || self.cluster.status(node).is_some_and(MemberStatus::is_gone)
    }
}

/// What a node on a new disk takes the cluster to be.
fn first_state(config: &Config) -> Cluster {
    if config.founders.contains(&config.node) {
        Cluster::founded(&config.founders, config.ring.clone(), config.n, &config.shares)
    } else {
        Cluster::unheard(&config.ring, config.n)
    }
}

/// One input being handled.
pub(crate) struct Cx<'a> {
    pub now: Now,
    pub env: &'a mut Env,
    pub out: &'a mut Outbox,
}

impl Cx<'_> {
    pub fn me(&self) -> NodeId {
        self.env.config.node
    }

    pub fn time(&self) -> Instant {
        self.now.monotonic
    }

    /// Whether this museum piece is planted.
    pub fn has(&self, flaw: Flaw) -> bool {
        self.env.config.flaw == Some(flaw)
    }

    pub fn next_op(&mut self) -> OpId {
        self.env.next_op += 1;
        OpId(self.env.next_op)
    }

    /// This store is an old copy, as peers have seen boot `seen` of it.
    pub fn start_over(&mut self, seen: u64) {
        self.env.is_outdated = true;
        self.out.push(Output::StartOver { seen, number: self.env.boot.number });
    }

    /// An actor that nobody has ever counted under.
    pub fn mint_actor(&mut self) -> Actor {
        let node = self.me();
        if self.has(Flaw::AmnesiaReusesActor) {
            return Actor { node, store: StoreId(0), boot: 0, mint: 0 };
        }
        if self.has(Flaw::ActorFromClock) {
            let second = self.env.started_at.0 / 1_000_000;
            return Actor { node: NodeId(0), store: StoreId(second), boot: 0, mint: 0 };
        }
        self.env.minted += 1;
        Actor { node, store: self.env.boot.store, boot: self.env.boot.number, mint: self.env.minted }
    }

    pub fn preference_list(&self, key: &Key, n: u8) -> PreferenceList {
        self.env.cluster.ring.preference_list(key.token(), n)
    }

    pub fn placement(&self, key: &Key, n: u8) -> Placement {
        self.env.cluster.ring.placement(key.token(), n)
    }

    /// Whether this node keeps `key`, now or next.
    pub fn is_home(&self, key: &Key) -> bool {
        self.env.cluster.ring.is_home(self.me(), key.token(), self.env.config.n)
    }

    /// What holds for the bucket of `key` where a request says nothing else.
    pub fn rules(&self, key: &Key) -> Rules {
        self.env.cluster.rules(key, &self.env.config.rules())
    }

    /// What becomes of concurrent versions of `key`.
    pub fn policy(&self, key: &Key) -> Policy {
        let policy = self.rules(key).policy;
        if self.has(Flaw::TieByArrival) && policy == Policy::LastWriteWins {
            return Policy::LastWriteWinsFirstOfEquals;
        }
        policy
    }

    /// What another node holds, as it is merged here: as it is. Copies that differ in a past could not be compared.
    pub fn received(&self, siblings: Siblings) -> Siblings {
        if self.has(Flaw::PruneOnReceive) {
            return siblings.pruned(self.env.config.past_entries_max as usize);
        }
        siblings
    }

    /// Any 64 bits.
    pub fn random(&mut self) -> u64 {
        self.env.rng.next_u64()
    }

    pub fn send(&mut self, to: NodeId, message: Message) {
        debug_assert_ne!(to, self.me(), "a node does not talk to itself: {message:?}");
        if matches!(message, Message::Replica(_) | Message::Forward(_))
            && self.env.cluster.status(to).is_some_and(MemberStatus::is_gone)
        {
            return;
        }
        self.out.push(Output::Send { to, message });
    }

    /// Asks `to` to hold `siblings` durably, and perhaps to owe it to somebody.
    pub fn send_write(&mut self, to: NodeId, op: OpId, key: Key, siblings: Siblings, owed: Option<NodeId>) {
        let fence = self.env.cluster.fence;
        self.send(to, Message::Replica(ReplicaMessage::Write { op, key, siblings, owed, fence }));
    }

    /// Brings a home what it lacks.
    pub fn send_repair(&mut self, to: NodeId, op: OpId, key: Key, siblings: Siblings) {
        if self.has(Flaw::RepairTreatsMissingAsStale) {
            let (owed, fence) = (None, Serve::UNFENCED);
            return self.send(to, Message::Replica(ReplicaMessage::Write { op, key, siblings, owed, fence }));
        }
        self.send_write(to, op, key, siblings, None);
    }

    pub fn reply(&mut self, call: CallId, result: Result<Answer, ClientError>) {
        self.out.push(Output::Reply(ClientReply { call, result }));
    }

    pub fn event(&mut self, event: Event) {
        self.out.push(Output::Event(event));
    }

    pub fn storage(&mut self, op: StorageOp, waiter: Waiter) {
        let key = if let StorageOp::Apply { key, .. } = &op { Some(key.clone()) } else { None };
        let ticket = self.env.desk.issue(waiter, key);
        self.out.push(Output::Storage(StorageRequest { ticket, op }));
    }

    pub fn apply(&mut self, key: Key, update: Update, waiter: Waiter) {
        self.storage(StorageOp::Apply { key, update }, waiter);
    }

    pub fn storage_has_room(&self) -> bool {
        self.env.desk.in_flight() < self.env.config.storage_inflight_max as usize
    }

    /// Whether a hint for `home` may be kept; one that may not is left to anti-entropy, and said to be.
    pub fn may_owe(&mut self, home: NodeId, key: &Key) -> bool {
        let may = self.env.owed.has_room(home, self.env.config.hint_bytes_max);
        if !may {
            self.event(Event::HintRefused { home, key: key.clone() });
        }
        may
    }

    /// A replica has answered what a foreground request asked of it at `asked_at`.
    pub fn foreground_access(&mut self, asked_at: Instant) {
        let now = self.time();
        self.env.background.observe(now, now.since(asked_at));
        self.tell_turn();
    }

    /// A replica was too busy for what a foreground request asked of it at `asked_at`.
    pub fn foreground_failure(&mut self, asked_at: Instant) {
        let now = self.time();
        self.env.background.observe_failure(now, now.since(asked_at));
        self.tell_turn();
    }

    /// `node` has been silent since a foreground request asked it. If it is suspected it is not busy but away, which is
    /// no reason to hold back what goes to others.
    pub fn foreground_silence(&mut self, node: NodeId, asked_at: Instant) {
        if !self.env.liveness.is_suspected(node) {
            self.foreground_failure(asked_at);
        }
    }

    /// Whether background work that counts for `cost` records and cannot be divided may be done now; if not, when to
    /// ask again. Whoever is told so waits, keeping its place, and asks again then.
    pub fn background(&mut self, cost: u32) -> Result<(), Instant> {
        let admitted = self.env.background.admit(self.now.monotonic, cost);
        self.tell_turn();
        admitted
    }

    /// On how many of up to `most` records background work may be done now, at least one; if none, when to ask again.
    pub fn background_batch(&mut self, most: u32) -> Result<u32, Instant> {
        let admitted = self.env.background.admit_batch(self.now.monotonic, most);
        self.tell_turn();
        admitted
    }

    /// Background work was done that had not been asked for: on so many records beyond those admitted.
    pub fn background_done(&mut self, records: usize) {
        self.env.background.charge(self.now.monotonic, u32::try_from(records).unwrap_or(u32::MAX));
        self.tell_turn();
    }

    /// A record that was admitted turned out to have so many bytes of values.
    pub fn background_bytes(&mut self, bytes: u64) {
        self.background_done(surcharge(bytes) as usize);
    }

    fn tell_turn(&mut self) {
        match self.env.background.turn() {
            Some(Turn::Throttled { rate, p99 }) => self.event(Event::BackgroundThrottled { rate, p99 }),
            Some(Turn::Recovered) => self.event(Event::BackgroundRecovered),
            None => {}
        }
    }

    pub fn arm(&mut self, at: Instant, timer: Timer) {
        self.env.deadlines.arm(at, timer);
    }

    pub fn disarm(&mut self, at: Instant, timer: Timer) {
        self.env.deadlines.disarm(at, timer);
    }

    /// `node` was asked at `asked_at` and has not answered that.
    pub fn missed(&mut self, node: NodeId, asked_at: Instant) {
        let suspect_after = self.env.config.suspect_after;
        if self.env.liveness.missed(node, asked_at, suspect_after) {
            self.suspect(node);
        }
    }

    /// The members together have found `node` dead.
    pub fn is_down(&mut self, node: NodeId) {
        if self.env.liveness.declared_down(node) {
            self.suspect(node);
        }
    }

    /// `node` was heard, here or by others.
    pub fn is_alive(&mut self, node: NodeId) {
        if self.env.liveness.heard(node, self.time()) {
            self.event(Event::Alive { node });
        }
    }

    fn suspect(&mut self, node: NodeId) {
        self.event(Event::Suspected { node });
        if let Some(at) = self.env.liveness.start_probing(self.time() + self.env.config.probe_interval) {
            self.arm(at, Timer::Probe);
        }
    }
}
