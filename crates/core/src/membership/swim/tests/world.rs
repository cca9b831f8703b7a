//! The network under the tests: one queue of timed events, latency and loss from one seed.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::super::{Identity, Swim, SwimConfig, SwimEffect, SwimIgnored, SwimTimer};
use crate::id::NodeId;
use crate::rng::CoreRng;
use crate::time::Instant;

pub const INTERVAL: Duration = Duration::from_secs(1);
/// Messages are under way for up to so long; within a timeout there is time for there and back.
const LATENCY_MAX: Duration = Duration::from_millis(50);

enum Happening {
    Arrival { from: NodeId, to: NodeId, payload: Bytes },
    Timer { node: NodeId, life: u64, timer: SwimTimer },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Down(NodeId),
    Alive(NodeId),
}

struct Life {
    number: u64,
    swim: Swim,
}

pub struct World {
    pub now: Instant,
    pub config: SwimConfig,
    pub loss_percent: u64,
    /// What was found out: when, by whom, what.
    pub log: Vec<(Instant, NodeId, Verdict)>,
    /// Messages sent, delivered or not.
    pub sent: u64,
    /// The longest message.
    pub longest: usize,
    /// Suspicions that began.
    pub suspicions: u64,
    /// Of all effects.
    pub digest: u64,
    nodes: u64,
    members: Vec<NodeId>,
    up: BTreeMap<NodeId, Life>,
    queue: BTreeMap<(Instant, u64), Happening>,
    cuts: BTreeSet<(NodeId, NodeId)>,
    sent_to: BTreeMap<NodeId, u64>,
    happened: u64,
    lives: u64,
    rng: CoreRng,
}

impl World {
    /// All nodes start now, in their first boot.
    pub fn new(nodes: u64, seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut world = Self {
            now: Instant(0),
            config: SwimConfig::default(),
            loss_percent: 0,
            log: Vec::new(),
            sent: 0,
            longest: 0,
            suspicions: 0,
            digest: 0,
            nodes,
            members: (0..nodes).map(NodeId).collect(),
            up: BTreeMap::new(),
            queue: BTreeMap::new(),
            cuts: BTreeSet::new(),
            sent_to: BTreeMap::new(),
            happened: 0,
            lives: 0,
            rng: CoreRng::new(key),
        };
        for node in 0..nodes {
            world.start(NodeId(node), 1);
        }
        world
    }

    pub fn start(&mut self, node: NodeId, boot: u64) -> Instant {
        self.lives += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.rng.next_u64().to_le_bytes());
        let swim = Swim::new(node, boot, self.config, seed);
        assert!(self.up.insert(node, Life { number: self.lives, swim }).is_none());
        self.set_members(node, &self.members.clone());
        self.now
    }

    pub fn set_members(&mut self, node: NodeId, members: &[NodeId]) {
        let mut out = Vec::new();
        self.up.get_mut(&node).expect("up").swim.set_members(self.now, members, &mut out);
        self.carry_out(node, out);
    }

    pub fn crash(&mut self, node: NodeId) -> Instant {
        self.up.remove(&node).expect("up");
        self.now
    }

    /// Nothing arrives from `from` at `to`.
    pub fn cut(&mut self, from: NodeId, to: NodeId) {
        self.cuts.insert((from, to));
    }

    /// The first `side` nodes and the others cannot hear each other.
    pub fn partition(&mut self, side: u64) {
        for one in 0..side {
            for other in side..self.nodes {
                self.cut(NodeId(one), NodeId(other));
                self.cut(NodeId(other), NodeId(one));
            }
        }
    }

    pub fn heal(&mut self) {
        self.cuts.clear();
    }

    /// What falls on the last instant still happens.
    pub fn run_intervals(&mut self, intervals: u64) {
        for _ in 0..intervals {
            self.run_to(self.now + INTERVAL);
        }
    }

    fn run_to(&mut self, end: Instant) {
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), happening) = entry.remove_entry();
            self.now = at;
            self.happen(happening);
        }
        self.now = end;
    }

    /// When it became true, which must be within `bound`.
    pub fn run_until(&mut self, what: &str, bound: Duration, is: impl Fn(&Self) -> bool) -> Instant {
        let end = self.now + bound;
        while !is(self) {
            assert!(self.now < end, "not within {bound:?}: {what}; {:?}", self.log);
            self.run_to(self.now + INTERVAL / 20);
        }
        self.now
    }

    fn happen(&mut self, happening: Happening) {
        let mut out = Vec::new();
        let node = match happening {
            Happening::Arrival { from, to, payload } => {
                let Some(life) = self.up.get_mut(&to) else { return };
                life.swim.handle(self.now, from, &payload, &mut out);
                to
            }
            Happening::Timer { node, life: number, timer } => {
                let Some(life) = self.up.get_mut(&node).filter(|life| life.number == number) else { return };
                life.swim.on_timer(self.now, timer, &mut out);
                node
            }
        };
        self.carry_out(node, out);
    }

    fn carry_out(&mut self, node: NodeId, effects: Vec<SwimEffect>) {
        let life = self.up[&node].number;
        for effect in effects {
            self.trace(&alloc::format!("{:?} {node}", self.now).into_bytes());
            match effect {
                SwimEffect::Send { to, payload } => {
                    self.trace(&to.0.to_le_bytes());
                    self.trace(&payload);
                    self.send(node, to, payload);
                }
                SwimEffect::Arm { at, timer } => {
                    assert!(at > self.now);
                    self.trace(&alloc::format!("{at:?} {timer:?}").into_bytes());
                    self.suspicions += u64::from(matches!(timer, SwimTimer::Suspicion { .. }));
                    self.enqueue(at, Happening::Timer { node, life, timer });
                }
                SwimEffect::Down(peer) => self.log.push((self.now, node, Verdict::Down(peer))),
                SwimEffect::Alive(peer) => self.log.push((self.now, node, Verdict::Alive(peer))),
            }
        }
    }

    fn trace(&mut self, bytes: &[u8]) {
        self.digest = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.digest);
    }

    fn send(&mut self, from: NodeId, to: NodeId, payload: Bytes) {
        assert_ne!(from, to);
        self.sent += 1;
        *self.sent_to.entry(to).or_default() += 1;
        self.longest = self.longest.max(payload.len());
        let latency = Duration::from_nanos(
            1 + self.rng.next_u64() % u64::try_from(LATENCY_MAX.as_nanos()).expect("short"),
        );
        let lost = self.rng.next_u64() % 100 < self.loss_percent;
        if !lost && !self.cuts.contains(&(from, to)) {
            self.enqueue(self.now + latency, Happening::Arrival { from, to, payload });
        }
    }

    fn enqueue(&mut self, at: Instant, happening: Happening) {
        self.happened += 1;
        self.queue.insert((at, self.happened), happening);
    }

    pub fn is_suspected_by_somebody(&self, node: NodeId) -> bool {
        self.up.values().any(|life| life.swim.suspected().any(|suspect| suspect == node))
    }

    pub fn is_down_for_somebody(&self, node: NodeId) -> bool {
        self.up.values().any(|life| life.swim.is_down(node))
    }

    pub fn is_down_for_all(&self, node: NodeId) -> bool {
        self.up.iter().all(|(&by, life)| by == node || life.swim.is_down(node))
    }

    pub fn all_are_alive(&self) -> bool {
        self.up.values().all(|life| life.swim.down().next().is_none())
    }

    pub fn downs(&self) -> u64 {
        self.log.iter().filter(|(_, _, verdict)| matches!(verdict, Verdict::Down(_))).count() as u64
    }

    pub fn alives(&self) -> u64 {
        self.log.len() as u64 - self.downs()
    }

    pub fn sent_to(&self, node: NodeId) -> u64 {
        self.sent_to.get(&node).copied().unwrap_or(0)
    }

    pub fn identities(&self) -> impl Iterator<Item = Identity> + '_ {
        self.up.values().map(|life| *life.swim.foca.identity())
    }

    pub fn ignored(&self) -> SwimIgnored {
        self.up.values().fold(SwimIgnored::default(), |sum, life| SwimIgnored {
            malformed: sum.malformed + life.swim.ignored().malformed,
            strangers: sum.strangers + life.swim.ignored().strangers,
        })
    }
}
