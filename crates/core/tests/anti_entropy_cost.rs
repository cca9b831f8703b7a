//! What anti-entropy costs between two nodes that hold a million keys each, counted in the messages that they exchange:
//! what theory says for the shape of the trees (one of 16^4 leaves for each partition), where 100 keys differ; and the
//! roots only, where none does.

#![expect(
    clippy::disallowed_types,
    reason = "theory and tolerance are judged here; nothing is decided by them"
)]

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cartwheel_core::anti_entropy::{Leaf, MerkleTree};
use cartwheel_core::id::{NodeId, RequestId, StoreId};
use cartwheel_core::message::{AntiEntropyMessage, Message, ReplicaMessage};
use cartwheel_core::replica::{Record, Update, Write};
use cartwheel_core::ring::{Partition, Ring};
use cartwheel_core::storage::{Page, StorageCompletion, StorageOp, StorageRequest};
use cartwheel_core::time::{Instant, Now, WallTime};
use cartwheel_core::version::{Actor, Context, Policy, Siblings, Value};
use cartwheel_core::{Boot, Config, Input, Key, Node, Outbox, Output};

const PARTITIONS: u32 = 8;
const KEYS: u32 = 1_000_000;
const DIFFERING: u32 = 100;
const INTERVAL: Duration = Duration::from_millis(1);

fn key(number: u32) -> Key {
    Key::new(b"carts", &number.to_le_bytes())
}

/// A state with one more write than `before`.
fn written(before: Option<&Record>) -> Record {
    let context = before.map_or(Context::EMPTY, |record| record.siblings.context());
    let value = Value::Data(b"milk".to_vec().into()).into();
    let update = Update::Coordinate {
        write: Arc::new(Write {
            request: RequestId(if before.is_some() { 2 } else { 1 }),
            context,
            value,
            written_at: WallTime(0),
        }),
        made: None,
        mint: Actor { node: NodeId(9), store: StoreId(9), boot: 1, mint: 1 },
        continuous_since: 1,
        past_entries_max: 10,
        owed: None,
        policy: Policy::KeepSiblings,
        flaw: None,
    };
    update.apply(before).expect("a put applies").0.expect("and leaves a record")
}

/// What all nodes hold, but for what each holds otherwise.
struct Common {
    record: Record,
    leaves: HashMap<(Partition, Leaf), Vec<Key>>,
    trees: Vec<MerkleTree>,
}

impl Common {
    fn of_keys() -> Self {
        let record = written(None);
        let mut trees = vec![MerkleTree::default(); PARTITIONS as usize];
        let mut leaves: HashMap<_, Vec<Key>> = HashMap::new();
        for key in (0..KEYS).map(key) {
            let (partition, leaf) = (key.token().partition(PARTITIONS), Leaf::of(key.token(), PARTITIONS));
            trees[partition.0 as usize].replace(&key, &Siblings::default(), &record.siblings, PARTITIONS);
            leaves.entry((partition, leaf)).or_default().push(key);
        }
        Self { record, leaves, trees }
    }
}

struct Peer {
    node: Node,
    trees: Vec<MerkleTree>,
    /// What it holds otherwise than all.
    own: BTreeMap<Key, Record>,
}

impl Peer {
    fn record<'a>(&'a self, common: &'a Common, key: &Key) -> &'a Record {
        self.own.get(key).unwrap_or(&common.record)
    }

    fn replace(&mut self, common: &Common, key: Key, record: Record) {
        let tree = &mut self.trees[key.token().partition(PARTITIONS).0 as usize];
        let before = self.own.get(&key).unwrap_or(&common.record);
        tree.replace(&key, &before.siblings, &record.siblings, PARTITIONS);
        self.own.insert(key, record);
    }

    fn answer(
        &mut self,
        common: &Common,
        StorageRequest { ticket, op }: StorageRequest,
    ) -> Vec<StorageCompletion> {
        match op {
            StorageOp::Read { key } => {
                let result = Ok(self.record(common, &key).siblings.clone());
                vec![StorageCompletion::Read { ticket, result }]
            }
            StorageOp::TreeHashes { partition, nodes } => {
                let tree = &self.trees[partition.0 as usize];
                let result = Ok(nodes.iter().map(|node| tree.hash(*node)).collect());
                vec![StorageCompletion::TreeHashes { ticket, result }]
            }
            StorageOp::LeafKeys { partition, leaves } => {
                let keys = leaves.iter().filter_map(|leaf| common.leaves.get(&(partition, *leaf))).flatten();
                let named = keys.map(|key| (key.clone(), self.record(common, key).siblings.digest()));
                vec![StorageCompletion::LeafKeys { ticket, result: Ok(named.collect()) }]
            }
            StorageOp::Apply { key, update } => {
                let (record, change) = update.apply(Some(self.record(common, &key))).expect("it applies");
                self.replace(common, key, record.expect("nothing is dropped here"));
                let applied = StorageCompletion::Applied { ticket, result: Ok(Ok(change)) };
                vec![applied, StorageCompletion::Synced { through: ticket }]
            }
            StorageOp::SaveCluster { .. } => vec![StorageCompletion::Saved { ticket, result: Ok(()) }],
            StorageOp::ScanHints { .. } => vec![StorageCompletion::Hints { ticket, result: Ok(Vec::new()) }],
            StorageOp::ScanPartition { .. } | StorageOp::ScanTombstones { .. } => {
                vec![StorageCompletion::Page { ticket, result: Ok(Page { records: Vec::new(), next: None }) }]
            }
            StorageOp::Occupied => vec![StorageCompletion::Occupied { ticket, result: Ok(Vec::new()) }],
            StorageOp::Names { .. } => unreachable!("nothing was deleted"),
            StorageOp::Scan { .. } => unreachable!("nobody lists anything"),
        }
    }
}

/// What travelled.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    hashes: usize,
    roots: usize,
    /// Keys that were found to differ.
    differing: usize,
    /// Records that were sent to be written.
    records: usize,
}

struct Pair {
    common: Common,
    peers: Vec<Peer>,
    now: Instant,
    messages: VecDeque<(usize, NodeId, Message)>,
    sent: Sent,
}

impl Pair {
    fn new() -> Self {
        let ring = Ring::new(&[NodeId(1), NodeId(2)], PARTITIONS, 2).expect("a ring");
        let common = Common::of_keys();
        let now = Instant(1_000_000_000);
        let mut pair =
            Self { common, peers: Vec::new(), now, messages: VecDeque::new(), sent: Sent::default() };
        let mut begun = Vec::new();
        for id in [1, 2] {
            let config = Config {
                n: 2,
                anti_entropy_interval: INTERVAL,
                background_latency_target: None,
                ..Config::new(NodeId(id), ring.clone())
            };
            let boot = Boot {
                store: StoreId(id),
                number: 1,
                continuous_since: 1,
                owed: Vec::new(),
                cluster: None,
                seed: [id as u8; 32],
            };
            let mut outbox = Outbox::new();
            let node = Node::new(config, boot, pair.clock(), &mut outbox);
            pair.peers.push(Peer { node, trees: pair.common.trees.clone(), own: BTreeMap::new() });
            begun.push(outbox);
        }
        for (at, mut outbox) in begun.into_iter().enumerate() {
            pair.carry_out(at, &mut outbox);
        }
        pair
    }

    fn clock(&self) -> Now {
        Now { monotonic: self.now, wall: WallTime(self.now.0 / 1_000) }
    }

    fn handle(&mut self, at: usize, input: Input) {
        let (now, mut outbox) = (self.clock(), Outbox::new());
        self.peers[at].node.handle(now, input, &mut outbox);
        self.carry_out(at, &mut outbox);
    }

    fn carry_out(&mut self, at: usize, outbox: &mut Outbox) {
        let outputs: Vec<Output> = outbox.drain().collect();
        for output in outputs {
            match output {
                Output::Send { to, message } => {
                    self.sent.count(&message);
                    self.messages.push_back((at, to, message));
                }
                Output::Storage(request) => {
                    for completion in self.peers[at].answer(&self.common, request) {
                        self.handle(at, Input::Storage(completion));
                    }
                }
                _ => {}
            }
        }
    }

    fn settle(&mut self) {
        while let Some((at, to, message)) = self.messages.pop_front() {
            let from = NodeId(at as u64 + 1);
            self.handle(to.0 as usize - 1, Input::Peer { from, message });
        }
    }

    fn tick(&mut self) {
        let due = |peer: &Peer| peer.node.next_timeout();
        self.now = self.peers.iter().filter_map(due).min().expect("there are timers").max(self.now);
        for at in 0..self.peers.len() {
            if due(&self.peers[at]).is_some_and(|due| due <= self.now) {
                self.handle(at, Input::Timeout);
                self.settle();
            }
        }
    }

    /// Until each partition has been compared once, from now on: what that took.
    fn compare_everything(&mut self) -> Sent {
        self.sent = Sent::default();
        while self.sent.roots < PARTITIONS as usize || !self.is_idle() {
            self.tick();
        }
        std::mem::take(&mut self.sent)
    }

    fn is_idle(&self) -> bool {
        self.peers.iter().all(|peer| {
            let status = peer.node.status();
            status.anti_entropy_idle() && status.storage_in_flight() == 0
        })
    }

    /// `node` writes so many keys again, and the other does not hear of it.
    fn write_unheard(&mut self, at: usize, keys: impl Iterator<Item = u32>) {
        for key in keys.map(key) {
            let newer = written(Some(self.peers[at].record(&self.common, &key)));
            self.peers[at].replace(&self.common, key, newer);
        }
    }
}

impl Sent {
    fn count(&mut self, message: &Message) {
        match message {
            Message::AntiEntropy(AntiEntropyMessage::Compare { nodes, .. }) => {
                self.hashes += nodes.len();
                self.roots += nodes.iter().filter(|(node, _)| node.level() == 0).count();
            }
            Message::AntiEntropy(AntiEntropyMessage::KeysDiffer { keys, .. }) => self.differing += keys.len(),
            Message::Replica(ReplicaMessage::Write { .. }) => self.records += 1,
            _ => {}
        }
    }
}

/// The hashes of a tree of fan-out b and depth d for each of P partitions, where k keys differ anywhere: each root, and b
/// for each inner node with a difference below it. At level i there are P b^i of those, and one has a difference with
/// probability 1 - (1 - 1 / (P b^i))^k.
fn theory() -> f64 {
    let (b, p) = (16.0_f64, f64::from(PARTITIONS));
    let level = |i: i32| {
        let nodes = p * b.powi(i);
        b * nodes * (1.0 - (1.0 - 1.0 / nodes).powi(DIFFERING as i32))
    };
    p + (0..4).map(level).sum::<f64>()
}

#[test]
fn a_million_keys_of_which_a_hundred_differ_cost_what_theory_says_and_then_the_roots() {
    let mut pair = Pair::new();
    // Until both take part; nothing differs.
    pair.compare_everything();
    let rounds = 8;
    let mut hashes = 0;
    for round in 0..rounds {
        let from = round * 1_000;
        // Half of them are newer here, half there.
        pair.write_unheard(0, (from..from + DIFFERING).step_by(2));
        pair.write_unheard(1, (from + 1..from + DIFFERING).step_by(2));
        let sent = pair.compare_everything();
        hashes += sent.hashes;
        assert_eq!((sent.differing, sent.records), (DIFFERING as usize, DIFFERING as usize), "{sent:?}");
        for key in (from..from + DIFFERING).map(key) {
            let [one, other] = [0, 1].map(|at| pair.peers[at].record(&pair.common, &key).siblings.digest());
            assert_eq!(one, other, "{key}");
        }
        let again = pair.compare_everything();
        let roots = PARTITIONS as usize;
        assert_eq!(again, Sent { hashes: roots, roots, ..Sent::default() }, "equal trees cost their roots");
    }
    let (mean, theory) = (hashes as f64 / f64::from(rounds), theory());
    assert!((mean / theory - 1.0).abs() < 0.02, "{mean} hashes, where theory says {theory}");
}
