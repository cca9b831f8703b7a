//! A few nodes on a table: messages and syncs go through at once unless a test holds them back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cartwheel_core::anti_entropy::{Leaf, MerkleTree};
use cartwheel_core::coverage::{
    CoverageError, CoverageOp, CoverageRequest, Entry, Found, Listing, Part, Scan,
};
use cartwheel_core::id::{CallId, NodeId, RequestId, StoreId};
use cartwheel_core::membership::{Bucket, Cluster, Props};
use cartwheel_core::message::Message;
use cartwheel_core::replica::{HintTotal, Record};
use cartwheel_core::ring::{Partition, Ring};
use cartwheel_core::storage::{
    Name, Page, StorageCompletion, StorageError, StorageOp, StorageRequest, Ticket,
};
use cartwheel_core::time::{Instant, Now, WallTime};
use cartwheel_core::version::{Context, Siblings, Value};
use cartwheel_core::{
    AdminOp, AdminRequest, Answer, Boot, ClientError, ClientOp, ClientReply, ClientRequest, Config, Event,
    Input, Key, Node, Outbox, Output, Quorum, ReadOptions, Status, WriteOptions,
};

/// Partitions of the ring.
const PARTITIONS: u32 = 64;

/// Words for what happens.
mod say {
    use super::{ClientReply, Event, Message, values};
    use cartwheel_core::coverage::CoverageMessage;
    use cartwheel_core::membership::{Cluster, MemberStatus};
    use cartwheel_core::message::{ForwardMessage, ReapMessage, ReplicaMessage};

    /// Partitions are fetched by the dozen; `cluster` shows what comes of it.
    pub fn event(node: u64, event: &Event) -> Option<String> {
        let what = match event {
            Event::RingChanged { version, phase } => match phase {
                Some(phase) => format!("the ring is in epoch {}, {phase:?}", version.epoch.0),
                None => format!("the ring is in epoch {}", version.epoch.0),
            },
            Event::RingSuperseded { lost, .. } => {
                format!("what was committed in epoch {} here is superseded", lost.epoch.0)
            }
            Event::MemberChanged { node: member, status } => format!("{member} is {status}"),
            Event::PartitionReceived { .. } | Event::PartitionRecovered { .. } => return None,
            event => format!("{event:?}"),
        };
        Some(format!("n{node}: {what}"))
    }

    /// The ring's epoch and phase, and those of its members that are not simply members.
    pub fn cluster(cluster: &Cluster) -> String {
        let phase = cluster.ring.phase().map(|phase| format!(" {phase:?}")).unwrap_or_default();
        let others = cluster.members.iter().filter(|(_, member)| member.status != MemberStatus::Member);
        let others: String = others.map(|(node, member)| format!(", {node} {}", member.status)).collect();
        format!("in epoch {}{phase}{others}", cluster.ring.epoch().0)
    }

    pub fn reply(node: u64, reply: &ClientReply) -> String {
        let result = match &reply.result {
            Ok(answer) => {
                let by: Vec<String> = answer.by.iter().map(ToString::to_string).collect();
                format!("[{}] by {}", values(&answer.siblings).join(" | "), by.join(" "))
            }
            Err(error) => error.to_string(),
        };
        format!("n{node} answers call {}: {result}", reply.call.0)
    }

    pub fn message(from: u64, to: u64, message: &Message, lost: bool) -> Option<String> {
        let said = match message {
            Message::Replica(ReplicaMessage::Read { .. }) => "read".into(),
            Message::Replica(ReplicaMessage::ReadReply { result, .. }) => match result {
                Ok(siblings) => format!("holds [{}]", values(siblings).join(" | ")),
                Err(error) => format!("{error:?}"),
            },
            Message::Replica(ReplicaMessage::Write { siblings, owed, .. }) => {
                let hint = owed.map(|home| format!(" for {home}")).unwrap_or_default();
                format!("write [{}]{hint}", values(siblings).join(" | "))
            }
            Message::Replica(ReplicaMessage::WriteReply { result, .. }) => match result {
                Ok(()) => "written".into(),
                Err(error) => format!("{error:?}"),
            },
            Message::Forward(ForwardMessage::Request { .. }) => "coordinate this".into(),
            Message::Forward(ForwardMessage::Accepted { .. }) => "accepted".into(),
            Message::Forward(ForwardMessage::Reply { .. }) => "coordinated".into(),
            Message::AntiEntropy(_) | Message::Membership(_) | Message::Swim(_) | Message::Liveness(_) => {
                return None;
            }
            Message::Coverage(CoverageMessage::Ask { scan, .. }) => {
                format!("what do you hold of {} partitions?", scan.partitions.len())
            }
            Message::Coverage(CoverageMessage::Answer { result, .. }) => match result {
                Ok(found) => format!("found {}", found.entries.len()),
                Err(refusal) => format!("{refusal:?}"),
            },
            Message::Replica(ReplicaMessage::Confirm { .. }) => "do you hold this?".into(),
            Message::Reap(ReapMessage::Ask { keys, .. }) => {
                format!("do you hold anything but {} tombstone(s)?", keys.len())
            }
            Message::Reap(ReapMessage::Agree { keys, .. }) => {
                format!("nothing else of {} key(s)", keys.len())
            }
            Message::Reap(ReapMessage::Drop { keys }) => format!("drop {} tombstone(s)", keys.len()),
        };
        Some(format!("n{from} > n{to}: {said}{}", if lost { " (lost)" } else { "" }))
    }
}

pub struct Lab {
    pub now: Instant,
    pub events: Vec<(u64, Event)>,
    nodes: BTreeMap<u64, Node>,
    disks: BTreeMap<u64, BTreeMap<Key, Record>>,
    /// What nodes have kept of the cluster's state.
    clusters: BTreeMap<u64, Arc<Cluster>>,
    founders: u64,
    disks_lost: BTreeMap<u64, u64>,
    messages: VecDeque<(u64, u64, Message)>,
    replies: BTreeMap<CallId, Result<Answer, ClientError>>,
    /// Parts of listings, and what ended them.
    pub parts: BTreeMap<CallId, Vec<Result<Part, CoverageError>>>,
    calls: u64,
    /// Nodes that hear and say nothing.
    pub cut: BTreeSet<u64>,
    /// Nodes whose disks apply, and do not sync.
    pub unsynced: BTreeMap<u64, Vec<Ticket>>,
    /// Nodes whose disks fail.
    pub broken: BTreeSet<u64>,
    /// Of nodes started from now on.
    pub hint_bytes_max: u64,
    /// Nodes whose words do not leave them.
    pub silent: BTreeSet<u64>,
    /// What happened, a line each; exchanges of equal trees are left out.
    pub log: Vec<String>,
}

fn names(disk: &BTreeMap<Key, Record>, keys: &[Key]) -> Vec<Name> {
    let name = |key: &Key| Name {
        digest: disk.get(key).map(|record| record.siblings.digest()),
        is_owed: disk.get(key).is_some_and(|record| !record.owed.is_empty()),
    };
    keys.iter().map(name).collect()
}

/// Values are their own index entries.
fn found(disk: &BTreeMap<Key, Record>, scan: &Scan) -> Found {
    let records = disk.iter().map(|(key, record)| (key, &record.siblings));
    scan.of(records, PARTITIONS, |data| vec![("value".into(), data.clone())])
}

/// A key whose homes among five nodes are n1, n2, n3, then n4, n5 stand in.
pub fn key() -> Key {
    key_in(Key::DEFAULT_TYPE, b"carts")
}

/// The same in any bucket.
pub fn key_in(bucket_type: &[u8], bucket: &[u8]) -> Key {
    let ring = ring(5);
    let named = |i: u32| Key::typed(bucket_type, bucket, format!("{i}").as_bytes());
    let found = (0..1_000).map(named).find(|key| {
        let list = ring.preference_list(key.token(), 3);
        list.nodes().iter().map(|node| node.0).eq(1..=5)
    });
    found.expect("one of a thousand keys")
}

fn ring(nodes: u64) -> Ring {
    let members: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
    Ring::new(&members, PARTITIONS, 3).unwrap()
}

impl Lab {
    pub fn new(nodes: u64) -> Self {
        let mut lab = Self {
            now: Instant(1_000_000_000),
            events: Vec::new(),
            nodes: BTreeMap::new(),
            clusters: BTreeMap::new(),
            founders: nodes,
            disks_lost: BTreeMap::new(),
            disks: (1..=nodes).map(|node| (node, BTreeMap::new())).collect(),
            messages: VecDeque::new(),
            replies: BTreeMap::new(),
            parts: BTreeMap::new(),
            calls: 0,
            cut: BTreeSet::new(),
            unsynced: BTreeMap::new(),
            broken: BTreeSet::new(),
            hint_bytes_max: 1 << 30,
            silent: BTreeSet::new(),
            log: Vec::new(),
        };
        for node in 1..=nodes {
            lab.start(node);
        }
        lab.settle();
        // Until everybody has seen the ring.
        lab.pass(Duration::from_millis(5_050));
        lab.log.clear();
        lab.events.clear();
        lab
    }

    /// Starts a node that is no founder: it makes itself known, and waits to be let in.
    pub fn newcomer(&mut self, node: u64) {
        self.disks.insert(node, BTreeMap::new());
        self.start(node);
        self.settle();
    }

    /// An operator asks `node`.
    pub fn administer(&mut self, node: u64, op: AdminOp) {
        self.calls += 1;
        let request = AdminRequest { call: CallId(self.calls), op };
        self.handle(node, Input::Admin(request));
        self.settle();
    }

    /// What a node takes the cluster to be, and how many partitions each node owns in it.
    pub fn show_cluster(&self, node: u64) -> String {
        let cluster = self.nodes[&node].status().cluster().clone();
        let mut shares: BTreeMap<NodeId, usize> = BTreeMap::new();
        cluster.ring.owners().iter().for_each(|owner| *shares.entry(*owner).or_default() += 1);
        let shares: Vec<String> = shares.iter().map(|(node, share)| format!("{node}:{share}")).collect();
        format!("n{node} is {}; partitions {}\n", say::cluster(&cluster), shares.join(" "))
    }

    /// What a node says of itself.
    pub fn status(&self, node: u64) -> Status<'_> {
        self.nodes[&node].status()
    }

    /// What a node takes to be set for the bucket of [`key`].
    pub fn props(&self, node: u64) -> Props {
        self.nodes[&node].status().cluster().props_of(&Bucket::of(&key()))
    }

    /// Starts (again) a node: its memory is gone, its disk is not.
    pub fn start(&mut self, node: u64) {
        let config =
            Config { hint_bytes_max: self.hint_bytes_max, ..Config::new(NodeId(node), ring(self.founders)) };
        let boot = Boot {
            store: StoreId(node + 100 * self.disks_lost.get(&node).copied().unwrap_or(0)),
            number: self.now.0,
            continuous_since: self.now.0,
            owed: self.owed(node),
            cluster: self.clusters.get(&node).cloned(),
            seed: [node as u8; 32],
        };
        let mut outbox = Outbox::new();
        let started = Node::new(config, boot, self.clock(), &mut outbox);
        self.nodes.insert(node, started);
        self.carry_out(node, &mut outbox);
    }

    fn owed(&self, node: u64) -> Vec<(NodeId, HintTotal)> {
        let mut totals: BTreeMap<NodeId, HintTotal> = BTreeMap::new();
        for record in self.disks[&node].values() {
            for home in &record.owed {
                let total = totals.entry(*home).or_default();
                total.keys += 1;
                total.bytes += record.siblings.value_bytes();
            }
        }
        totals.into_iter().collect()
    }

    /// A node comes back with an empty disk.
    pub fn lose_disk(&mut self, node: u64) {
        *self.disks_lost.entry(node).or_default() += 1;
        self.disks.insert(node, BTreeMap::new());
        self.clusters.remove(&node);
        self.restart(node);
    }

    /// Partitions that a node knows it does not hold again.
    pub fn recovering(&self, node: u64) -> usize {
        self.nodes[&node].status().recovering()
    }

    /// The same in a cluster of the same size.
    pub fn restart(&mut self, node: u64) {
        self.start(node);
        self.settle();
    }

    /// What every disk holds, and owes.
    pub fn show_disks(&self) -> String {
        let show = |node: &u64| {
            let (values, owed) = self.disk(*node);
            let owed: Vec<String> = owed.iter().map(|home| format!("n{home}")).collect();
            let owed = if owed.is_empty() { String::new() } else { format!(", owed to {}", owed.join(" ")) };
            format!("n{node} holds [{}]{owed}\n", values.join(" | "))
        };
        self.disks.keys().map(show).collect()
    }

    fn clock(&self) -> Now {
        Now { monotonic: self.now, wall: WallTime(self.now.0 / 1_000) }
    }

    pub fn put(&mut self, node: u64, value: &'static str, context: Context) -> CallId {
        self.put_as(node, self.calls as u128 + 1, value, context)
    }

    pub fn put_as(&mut self, node: u64, request: u128, value: &'static str, context: Context) -> CallId {
        self.ask(node, request, put(value, context, WriteOptions::default()))
    }

    pub fn get(&mut self, node: u64, r: Quorum) -> CallId {
        self.get_as(node, ReadOptions { r, ..ReadOptions::default() })
    }

    pub fn get_as(&mut self, node: u64, options: ReadOptions) -> CallId {
        self.ask(node, self.calls as u128 + 1, ClientOp::Get(options))
    }

    pub fn put_with(&mut self, node: u64, value: &'static str, options: WriteOptions) -> CallId {
        self.ask(node, self.calls as u128 + 1, put(value, Context::EMPTY, options))
    }

    pub fn ask(&mut self, node: u64, request: u128, op: ClientOp) -> CallId {
        self.ask_for(node, request, key(), op)
    }

    pub fn ask_for(&mut self, node: u64, request: u128, key: Key, op: ClientOp) -> CallId {
        self.calls += 1;
        let call = CallId(self.calls);
        let request = ClientRequest { call, request: RequestId(request), key, op, timeout: None };
        self.handle(node, Input::Client(request));
        self.settle();
        call
    }

    /// Writes some other key.
    pub fn put_key(&mut self, node: u64, key: Key, value: Value) -> CallId {
        let op = ClientOp::Put { context: Context::EMPTY, value, options: WriteOptions::default() };
        self.ask_key(node, key, op)
    }

    pub fn get_key(&mut self, node: u64, key: Key) -> CallId {
        self.ask_key(node, key, ClientOp::Get(ReadOptions::default()))
    }

    pub fn delete_key(&mut self, node: u64, key: Key, context: Context) -> CallId {
        let op = ClientOp::Put { context, value: Value::Tombstone, options: WriteOptions::default() };
        self.ask_key(node, key, op)
    }

    pub fn ask_key(&mut self, node: u64, key: Key, op: ClientOp) -> CallId {
        self.calls += 1;
        let call = CallId(self.calls);
        let request = RequestId(u128::from(self.calls));
        self.handle(node, Input::Client(ClientRequest { call, request, key, op, timeout: None }));
        self.settle();
        call
    }

    pub fn list(&mut self, node: u64, listing: Listing) -> CallId {
        self.calls += 1;
        let call = CallId(self.calls);
        self.go_on(node, call, CoverageOp::Begin(Box::new(listing)));
        call
    }

    pub fn go_on(&mut self, node: u64, call: CallId, op: CoverageOp) {
        self.handle(node, Input::Coverage(CoverageRequest { call, op }));
        self.settle();
    }

    /// Takes all parts of a listing that was begun, each when the last one has been taken, and waits for what is late.
    pub fn take_all(&mut self, node: u64, call: CallId) -> Result<Vec<Entry>, CoverageError> {
        let mut all = Vec::new();
        for _ in 0..100_000 {
            match self.parts.entry(call).or_default().pop() {
                Some(Ok(Part { entries, is_last })) => {
                    all.extend(entries);
                    if is_last {
                        return Ok(all);
                    }
                    self.go_on(node, call, CoverageOp::Next);
                }
                Some(Err(error)) => return Err(error),
                None => self.pass(Duration::from_millis(100)),
            }
        }
        panic!("a listing without an end");
    }

    pub fn listings(&self, node: u64) -> usize {
        self.nodes[&node].status().listings_running()
    }

    pub fn reply(&self, call: CallId) -> Option<&Result<Answer, ClientError>> {
        self.replies.get(&call)
    }

    /// The values that a successful call shows, in order.
    pub fn values(&self, call: CallId) -> Vec<String> {
        values(&self.replies[&call].as_ref().unwrap().siblings)
    }

    /// How many keys a node says that it owes to others.
    pub fn owes(&self, node: u64) -> u64 {
        self.nodes[&node].status().hints().iter().map(|(_, total)| total.keys).sum()
    }

    /// The values on a node's disk, and the homes it owes them to.
    pub fn disk(&self, node: u64) -> (Vec<String>, Vec<u64>) {
        let record = self.disks[&node].get(&key()).cloned().unwrap_or_default();
        (values(&record.siblings), record.owed.iter().map(|home| home.0).collect())
    }

    pub fn saw(&self, event: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(_, seen)| event(seen)).count()
    }

    /// A node forgets what it holds, and does not notice.
    pub fn wipe(&mut self, node: u64) {
        self.disks.get_mut(&node).unwrap().clear();
    }

    /// What a held disk has applied becomes durable.
    pub fn sync(&mut self, node: u64) {
        if let Some(through) = self.unsynced.remove(&node).and_then(|tickets| tickets.last().copied()) {
            self.handle(node, Input::Storage(StorageCompletion::Synced { through }));
        }
        self.settle();
    }

    /// A held disk cannot sync, and fails from now on.
    pub fn fail_sync(&mut self, node: u64) {
        self.unsynced.remove(&node);
        self.broken.insert(node);
        self.handle(node, Input::Storage(StorageCompletion::SyncFailed));
        self.settle();
    }

    /// Hands a message to a node, as a network that kept it for long would.
    pub fn deliver(&mut self, from: u64, to: u64, message: Message) {
        self.handle(to, Input::Peer { from: NodeId(from), message });
        self.settle();
    }

    /// Time passes; timers fire when they are due.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let due = self.nodes.iter().filter_map(|(id, node)| Some((node.next_timeout()?, *id))).min();
            match due {
                Some((at, node)) if at <= end => {
                    self.now = self.now.max(at);
                    self.handle(node, Input::Timeout);
                    self.settle();
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn settle(&mut self) {
        let mut carried = 0;
        while let Some((from, to, message)) = self.messages.pop_front() {
            carried += 1;
            assert!(carried < 1_000_000, "n{from} and n{to} answer each other for ever: {message:?}");
            if !self.cut.contains(&from) && !self.cut.contains(&to) {
                self.handle(to, Input::Peer { from: NodeId(from), message });
            }
        }
    }

    fn handle(&mut self, node: u64, input: Input) {
        let mut outbox = Outbox::new();
        let now = self.clock();
        self.nodes.get_mut(&node).unwrap().handle(now, input, &mut outbox);
        self.carry_out(node, &mut outbox);
    }

    fn carry_out(&mut self, node: u64, outbox: &mut Outbox) {
        let outputs: Vec<Output> = outbox.drain().collect();
        for output in outputs {
            match output {
                Output::Reply(reply) => {
                    self.log.push(say::reply(node, &reply));
                    assert!(self.replies.insert(reply.call, reply.result).is_none(), "one reply to a call");
                }
                Output::Send { .. } if self.silent.contains(&node) => {}
                Output::Send { to, message } => {
                    let lost = self.cut.contains(&node) || self.cut.contains(&to.0);
                    self.log.extend(say::message(node, to.0, &message, lost));
                    self.messages.push_back((node, to.0, message));
                }
                Output::AdminReply(reply) => self.log.push(match reply.result {
                    Ok(Some(plan)) => format!("n{node} plans {} moves", plan.moves().moves.len()),
                    Ok(None) => format!("n{node} has nothing staged"),
                    Err(error) => format!("n{node} refuses: {error}"),
                }),
                Output::Contact { .. } => {}
                Output::StartOver { seen, number } => {
                    self.log.push(format!(
                        "n{node} is boot {number} of what was seen in boot {seen}: it starts over"
                    ));
                    self.lose_disk(node);
                }
                Output::Event(event) => {
                    self.log.extend(say::event(node, &event));
                    self.events.push((node, event));
                }
                Output::Storage(request) => self.store(node, request),
                Output::Coverage(reply) => self.parts.entry(reply.call).or_default().push(reply.result),
            }
        }
    }

    fn store(&mut self, node: u64, StorageRequest { ticket, op }: StorageRequest) {
        let failed = self.broken.contains(&node);
        let disk = self.disks.get_mut(&node).unwrap();
        let completion = match op {
            StorageOp::Read { key } => {
                let held = disk.get(&key).map(|record| record.siblings.clone()).unwrap_or_default();
                let result = if failed { Err(StorageError::Failed) } else { Ok(held) };
                StorageCompletion::Read { ticket, result }
            }
            StorageOp::ScanHints { home, .. } => {
                let owed = disk.iter().filter(|(_, record)| record.owed.contains(&home));
                let hints = owed.map(|(key, record)| (key.clone(), record.siblings.clone())).collect();
                StorageCompletion::Hints { ticket, result: Ok(hints) }
            }
            StorageOp::TreeHashes { partition, nodes } => {
                let tree = tree(disk, partition);
                let hashes = nodes.iter().map(|node| tree.hash(*node)).collect();
                StorageCompletion::TreeHashes { ticket, result: Ok(hashes) }
            }
            StorageOp::LeafKeys { partition, leaves } => {
                StorageCompletion::LeafKeys { ticket, result: Ok(leaf_keys(disk, partition, &leaves)) }
            }
            StorageOp::ScanPartition { partition, after, limit } => {
                let fits = |key: &Key, record: &Record| {
                    key.token().partition(PARTITIONS) == partition && record.owed.is_empty()
                };
                StorageCompletion::Page { ticket, result: Ok(page(disk, after.as_ref(), limit, fits)) }
            }
            StorageOp::ScanTombstones { after, limit } => {
                let fits = |_: &Key, record: &Record| !record.siblings.is_found() && record.owed.is_empty();
                StorageCompletion::Page { ticket, result: Ok(page(disk, after.as_ref(), limit, fits)) }
            }
            StorageOp::Scan { scan } => {
                let result = if failed { Err(StorageError::Failed) } else { Ok(found(disk, &scan)) };
                StorageCompletion::Found { ticket, result }
            }
            StorageOp::Occupied => StorageCompletion::Occupied { ticket, result: Ok(occupied(disk)) },
            StorageOp::Names { keys } => StorageCompletion::Names { ticket, result: Ok(names(disk, &keys)) },
            StorageOp::SaveCluster { .. } if failed => {
                StorageCompletion::Saved { ticket, result: Err(StorageError::Failed) }
            }
            StorageOp::SaveCluster { cluster } => {
                self.clusters.insert(node, cluster);
                StorageCompletion::Saved { ticket, result: Ok(()) }
            }
            StorageOp::Apply { .. } if failed => {
                StorageCompletion::Applied { ticket, result: Err(StorageError::Failed) }
            }
            StorageOp::Apply { key, update } => {
                let applied = update.apply(disk.get(&key)).map(|(record, change)| {
                    match record {
                        Some(record) => disk.insert(key, record),
                        None => disk.remove(&key),
                    };
                    change
                });
                StorageCompletion::Applied { ticket, result: Ok(applied) }
            }
        };
        let is_update = matches!(completion, StorageCompletion::Applied { result: Ok(Ok(_)), .. });
        self.handle(node, Input::Storage(completion));
        match self.unsynced.get_mut(&node) {
            Some(held) if is_update => held.push(ticket),
            None if is_update => {
                self.handle(node, Input::Storage(StorageCompletion::Synced { through: ticket }));
            }
            _ => {}
        }
    }
}

fn tree(disk: &BTreeMap<Key, Record>, partition: Partition) -> MerkleTree {
    let mut tree = MerkleTree::default();
    for (key, record) in disk.iter().filter(|(key, _)| key.token().partition(PARTITIONS) == partition) {
        tree.replace(key, &Siblings::default(), &record.siblings, PARTITIONS);
    }
    tree
}

fn occupied(disk: &BTreeMap<Key, Record>) -> Vec<Partition> {
    let mut occupied: Vec<Partition> = disk.keys().map(|key| key.token().partition(PARTITIONS)).collect();
    // Keys are in the order of their tokens.
    occupied.dedup();
    occupied
}

fn leaf_keys(
    disk: &BTreeMap<Key, Record>,
    partition: Partition,
    leaves: &[Leaf],
) -> Vec<(Key, cartwheel_core::version::Digest)> {
    let within = |key: &Key| {
        key.token().partition(PARTITIONS) == partition && leaves.contains(&Leaf::of(key.token(), PARTITIONS))
    };
    let held = disk.iter().filter(|(key, _)| within(key));
    held.map(|(key, record)| (key.clone(), record.siblings.digest())).collect()
}

fn page(
    disk: &BTreeMap<Key, Record>,
    after: Option<&Key>,
    limit: u32,
    fits: impl Fn(&Key, &Record) -> bool,
) -> Page {
    let later =
        disk.iter().filter(|(key, record)| after.is_none_or(|after| *key > after) && fits(key, record));
    let mut records: Vec<(Key, Siblings)> =
        later.map(|(key, record)| (key.clone(), record.siblings.clone())).take(limit as usize + 1).collect();
    let more = records.len() > limit as usize;
    records.truncate(limit as usize);
    let next = if more { records.last().map(|(key, _)| key.clone()) } else { None };
    Page { records, next }
}

fn put(value: &'static str, context: Context, options: WriteOptions) -> ClientOp {
    ClientOp::Put { context, value: Value::Data(value.into()), options }
}

fn values(siblings: &Siblings) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Data(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Tombstone => "deleted".into(),
        Value::DataType(value) => format!("{:?}", value.state()),
    };
    siblings.versions().iter().map(|version| text(&version.value)).collect()
}
