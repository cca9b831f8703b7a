//! One simulated process: a core, its disk, its clock.

use cartwheel_core::id::{NodeId, StoreId};
use cartwheel_core::membership::MemberStatus;
use cartwheel_core::replica::Update;
use cartwheel_core::ring::Ring;
use cartwheel_core::storage::{StorageCompletion, StorageError, StorageOp, StorageRequest};
use cartwheel_core::version::Policy;
use cartwheel_core::{Boot, Config, Input, Node, Outbox};

use super::device::Device;
use super::listings::indexer;
use super::{Event, Lived, Simulator};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::luck::{Place, Subject, Work};
use crate::oracle::Life;
use crate::report::Counter;
use crate::scenario::{ClusterSpec, Scenario, Span};
use crate::streams::{Component, Draws, Stream, Streams};

#[derive(Debug)]
pub(crate) struct Process {
    config: Config,
    /// Counts starts; what was scheduled for an earlier life is void.
    pub life: u32,
    /// `None` while it is down.
    pub node: Option<Node>,
    /// Whether it is part of the world: founders are from the beginning, newcomers once an operator starts them, and
    /// nobody any more once it was declared dead.
    pub exists: bool,
    pub disk: Disk,
    pub clock: Clock,
    /// Names new stores.
    stores: Stream,
    /// When this life began.
    pub started_ns: u64,
    /// Until when it stands still, or stood.
    pub still_until_ns: u64,
    /// Until when it crashes again and again.
    pub loops_until_ns: u64,
    /// What the disk fails at.
    pub failing: Failing,
    /// Copies of the disk, with when they were taken, for faults that put one back.
    copies: Vec<(u64, Disk)>,
    /// The line before the disk, if it is one device.
    pub(super) device: Device,
    /// When the disk has applied everything submitted so far.
    disk_free_at: u64,
    /// The earliest timer event scheduled in this life.
    timer_at: Option<u64>,
}

/// What a disk fails at: until when, and one time of how many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failing {
    pub reads: (u64, u32),
    pub writes: (u64, u32),
}

impl Failing {
    /// Since when it fails at nothing; `None` while it does.
    fn well_since(self, now_ns: u64) -> Option<u64> {
        let until_ns = self.reads.0.max(self.writes.0);
        (until_ns <= now_ns).then_some(until_ns)
    }

    /// It fails no more.
    pub fn cease(&mut self, now_ns: u64) {
        self.reads.0 = self.reads.0.min(now_ns);
        self.writes.0 = self.writes.0.min(now_ns);
    }

    /// What `op` is counted as if it is to fail now.
    fn at(self, op: &StorageOp, now_ns: u64, draws: impl FnOnce() -> Draws) -> Option<Counter> {
        let ((until_ns, one_in), counter) = match op {
            StorageOp::Apply { .. } | StorageOp::SaveCluster { .. } => (self.writes, Counter::WriteErrors),
            // Trees are kept in memory.
            StorageOp::TreeHashes { .. } => return None,
            _ => (self.reads, Counter::ReadErrors),
        };
        (now_ns < until_ns && draws().below(u64::from(one_in)) == 0).then_some(counter)
    }
}

/// The answer to an `op` that failed.
fn failed(StorageRequest { ticket, op }: StorageRequest) -> StorageCompletion {
    let error = StorageError::Failed;
    match op {
        StorageOp::Read { .. } => StorageCompletion::Read { ticket, result: Err(error) },
        StorageOp::Apply { .. } => StorageCompletion::Applied { ticket, result: Err(error) },
        StorageOp::ScanHints { .. } => StorageCompletion::Hints { ticket, result: Err(error) },
        StorageOp::TreeHashes { .. } => StorageCompletion::TreeHashes { ticket, result: Err(error) },
        StorageOp::LeafKeys { .. } => StorageCompletion::LeafKeys { ticket, result: Err(error) },
        StorageOp::ScanPartition { .. } | StorageOp::ScanTombstones { .. } => {
            StorageCompletion::Page { ticket, result: Err(error) }
        }
        StorageOp::Names { .. } => StorageCompletion::Names { ticket, result: Err(error) },
        StorageOp::SaveCluster { .. } => StorageCompletion::Saved { ticket, result: Err(error) },
        StorageOp::Occupied => StorageCompletion::Occupied { ticket, result: Err(error) },
        StorageOp::Scan { .. } => StorageCompletion::Found { ticket, result: Err(error) },
    }
}

/// What kind of work `op` is, and what it is about.
fn work(op: &StorageOp) -> (Work, Subject) {
    match op {
        StorageOp::Read { key } => (Work::Read, Subject::key(key)),
        StorageOp::Apply { key, .. } => (Work::Write, Subject::key(key)),
        StorageOp::ScanHints { home, .. } => (Work::ScanHints, Subject::number(home.0 as u32)),
        StorageOp::TreeHashes { partition, .. } => (Work::TreeHashes, Subject::number(partition.0)),
        StorageOp::LeafKeys { partition, .. } => (Work::LeafKeys, Subject::number(partition.0)),
        StorageOp::ScanPartition { partition, .. } => (Work::ScanPartition, Subject::number(partition.0)),
        StorageOp::ScanTombstones { .. } => (Work::ScanTombstones, Subject::NONE),
        StorageOp::Names { .. } => (Work::Names, Subject::NONE),
        StorageOp::SaveCluster { .. } => (Work::SaveCluster, Subject::NONE),
        StorageOp::Occupied => (Work::Occupied, Subject::NONE),
        StorageOp::Scan { .. } => (Work::Scan, Subject::NONE),
    }
}

/// The ring of a scenario's cluster.
pub(super) fn ring(cluster: &ClusterSpec) -> Ring {
    let members: Vec<NodeId> = (1..=u64::from(cluster.nodes)).map(NodeId).collect();
    Ring::new(&members, cluster.partitions, cluster.n).expect("the scenario was checked")
}

impl Process {
    pub fn new(index: u32, scenario: &Scenario, ring: Ring, streams: Streams) -> Self {
        let mut clock = streams.stream(Component::Clock { node: index });
        let offset_max = scenario.clock.offset_max.ns() / 1_000;
        let drift_max = u64::from(scenario.clock.drift_max_ppm) * 1_000;
        let mut stores = streams.stream(Component::Stores { node: index });
        Self {
            config: config(index, scenario, ring),
            life: 0,
            node: None,
            exists: index < scenario.cluster.nodes,
            disk: Disk::new(StoreId(stores.bits()), scenario.cluster.partitions),
            clock: Clock {
                offset_us: clock.between(0, 2 * offset_max) as i64 - offset_max as i64,
                drift_ppb: clock.between(0, 2 * drift_max) as i64 - drift_max as i64,
                slept_ns: 0,
                tick_us: (scenario.clock.tick.ns() / 1_000).max(1) as i64,
            },
            stores,
            started_ns: 0,
            still_until_ns: 0,
            loops_until_ns: 0,
            failing: Failing::default(),
            copies: Vec::new(),
            device: Device::default(),
            disk_free_at: 0,
            timer_at: None,
        }
    }

    /// Since when it has run without standing still; `None` while it does not run.
    pub fn up_since(&self, now_ns: u64) -> Option<u64> {
        let is_up = self.node.is_some() && self.still_until_ns <= now_ns;
        is_up.then(|| self.started_ns.max(self.still_until_ns))
    }

    /// Whether it is no part of the cluster any more.
    pub fn is_gone(&self) -> bool {
        let status = |node: &Node| node.status().cluster().status(node.status().node());
        let has_left = |node: &Node| status(node).is_some_and(MemberStatus::is_gone);
        !self.exists || self.node.as_ref().is_some_and(has_left)
    }

    /// Since when it has run without standing still and without its disk failing.
    pub fn well_since(&self, now_ns: u64) -> Option<u64> {
        Some(self.up_since(now_ns)?.max(self.failing.well_since(now_ns)?))
    }

    pub fn wipe_disk(&mut self) {
        self.disk = Disk::new(StoreId(self.stores.bits()), self.config.ring.partitions());
    }

    /// Keeps a copy of the disk, now and then.
    pub fn copy_disk(&mut self, at_ns: u64) {
        self.copies.push((at_ns, self.disk.snapshot()));
    }

    /// Puts the copy back that is at least as old as `at_ns`, or the oldest one; none: the disk is as new.
    pub fn restore_disk(&mut self, at_ns: u64) {
        let of_this_life = self.copies.iter().rev().find(|(taken, _)| *taken <= at_ns);
        match of_this_life.or(self.copies.first()) {
            Some((_, copy)) => self.disk = copy.clone(),
            None => self.wipe_disk(),
        }
    }

    fn boot(&mut self, seed: [u8; 32]) -> Boot {
        self.life += 1;
        self.disk.boots += 1;
        self.device = Device::default();
        self.disk_free_at = 0;
        self.timer_at = None;
        let number = self.disk.boots;
        // After a loss of power no actor of an earlier boot may go on counting.
        if !std::mem::take(&mut self.disk.stopped_cleanly) {
            self.disk.continuous_since = number;
        }
        let owed = self.disk.hint_totals();
        let cluster = self.disk.cluster.clone();
        Boot {
            store: self.disk.store,
            number,
            continuous_since: self.disk.continuous_since,
            owed,
            cluster,
            seed,
        }
    }
}

fn config(index: u32, scenario: &Scenario, ring: Ring) -> Config {
    let cluster = &scenario.cluster;
    Config {
        founders: (1..=u64::from(cluster.nodes)).map(NodeId).collect(),
        n: cluster.n,
        r: cluster.r.0,
        w: cluster.w.0,
        policy: if cluster.last_write_wins { Policy::LastWriteWins } else { Policy::KeepSiblings },
        request_timeout: cluster.request_timeout.duration(),
        replica_timeout: cluster.replica_timeout.duration(),
        forward_timeout: cluster.replica_timeout.duration(),
        suspect_after: cluster.suspect_after,
        probe_interval: cluster.hint_interval.duration(),
        hint_interval: cluster.hint_interval.duration(),
        anti_entropy_interval: cluster.anti_entropy_interval.duration(),
        past_entries_max: cluster.past_entries_max,
        hint_bytes_max: cluster.hint_bytes_max,
        swim_interval: cluster.swim_interval.duration(),
        gossip_interval: cluster.gossip_interval.duration(),
        start_wait: cluster.gossip_interval.duration(),
        handoff_interval: cluster.hint_interval.duration(),
        reap_after: (!cluster.reap_after.is_zero()).then(|| cluster.reap_after.duration()),
        background_latency_target: cluster.background_latency_target.0.map(Span::duration),
        background_window: cluster.background_window.duration(),
        background_rate_min: cluster.background_rate_min,
        background_rate_max: cluster.background_rate_max,
        flaw: scenario.flaw,
        ..Config::new(NodeId(u64::from(index) + 1), ring)
    }
}

impl Simulator<'_> {
    /// Starts a node that is down.
    pub(super) fn start(&mut self, node: u32) {
        let streams = self.streams;
        let process = &mut self.processes[node as usize];
        let seed = streams.seed(Component::Boot { node, at_ns: self.now });
        let boot = process.boot(seed);
        process.started_ns = self.now;
        process.still_until_ns = 0;
        let life = Life { store: boot.store, boot: boot.number, continuous_since: boot.continuous_since };
        self.oracle.started(node, life);
        if let Some((recorder, scene)) = self.recorder() {
            recorder.starts(&scene, node, boot.number);
        }
        let process = &mut self.processes[node as usize];
        let now = process.clock.read(self.now);
        let mut outbox = Outbox::new();
        let born = Node::new(process.config.clone(), boot.clone(), now, &mut outbox);
        if let Some(listener) = &mut self.listener {
            let (config, boot, outputs) = (&process.config, &boot, outbox.outputs());
            listener(Lived::Born { node, config, boot, now, outputs, next: born.next_timeout() });
        }
        process.node = Some(born);
        self.carry_out(node, &mut outbox);
        self.schedule_timer(node);
    }

    /// Makes sure that a timer event comes when the node wants one.
    pub(super) fn schedule_timer(&mut self, node: u32) {
        let process = &mut self.processes[node as usize];
        let Some(wanted) = process.node.as_ref().and_then(Node::next_timeout) else { return };
        let at = process.clock.when(wanted).max(self.now);
        if process.timer_at.is_none_or(|scheduled| at < scheduled) {
            process.timer_at = Some(at);
            self.queue.push(at, Event::Timer { node, life: process.life });
        }
    }

    pub(super) fn on_timer(&mut self, node: u32, life: u32) {
        let process = &mut self.processes[node as usize];
        if process.life != life || process.timer_at.is_none_or(|at| at > self.now) {
            return;
        }
        process.timer_at = None;
        let now = process.clock.read(self.now).monotonic;
        let due = process.node.as_ref().and_then(Node::next_timeout).is_some_and(|wanted| wanted <= now);
        if due {
            self.handle(node, Input::Timeout);
        } else {
            self.schedule_timer(node);
        }
    }

    /// What is drawn for a disk's work.
    pub(super) fn disk_luck(&mut self, node: u32, work: Work, subject: Subject) -> Draws {
        self.luck.cause(self.now, Place::Disk { node, work }, subject).draws()
    }

    /// What is drawn for a storage request.
    pub(super) fn work_luck(&mut self, node: u32, op: &StorageOp) -> Draws {
        let (work, subject) = work(op);
        self.disk_luck(node, work, subject)
    }

    /// A storage request leaves the core: when will it be executed? Updates queue, reads do not, unless the disk is one
    /// device.
    pub(super) fn submit(&mut self, node: u32, request: StorageRequest) {
        let spec = &self.scenario.disk;
        if spec.device.is_some() {
            return self.line_up(node, request);
        }
        let mut draws = self.work_luck(node, &request.op);
        let process = &mut self.processes[node as usize];
        let at = match &request.op {
            StorageOp::Read { .. }
            | StorageOp::ScanHints { .. }
            | StorageOp::TreeHashes { .. }
            | StorageOp::ScanPartition { .. }
            | StorageOp::ScanTombstones { .. }
            | StorageOp::Names { .. }
            | StorageOp::Occupied
            | StorageOp::Scan { .. }
            | StorageOp::LeafKeys { .. } => self.now + spec.read.sample(&mut draws),
            StorageOp::SaveCluster { .. } => self.now + spec.sync.sample(&mut draws),
            StorageOp::Apply { .. } => {
                let took = spec.write.sample(&mut draws);
                process.disk_free_at = process.disk_free_at.max(self.now) + took;
                process.disk_free_at
            }
        };
        self.queue.push(at, Event::Storage { node, life: process.life, request });
    }

    pub(super) fn on_storage(&mut self, node: u32, life: u32, request: StorageRequest) {
        let process = &mut self.processes[node as usize];
        if process.life != life || process.node.is_none() {
            return;
        }
        let (failing, (_, subject)) = (process.failing, work(&request.op));
        if let Some(counter) = failing.at(&request.op, self.now, || self.disk_luck(node, Work::Fail, subject))
        {
            self.count(counter);
            self.served(node);
            return self.handle(node, Input::Storage(failed(request)));
        }
        let process = &mut self.processes[node as usize];
        let StorageRequest { ticket, op } = request;
        let completion = match op {
            StorageOp::Read { key } => StorageCompletion::Read { ticket, result: process.disk.load(&key) },
            StorageOp::ScanHints { home, after, limit } => {
                let hints = process.disk.scan_hints(home, after.as_ref(), limit);
                StorageCompletion::Hints { ticket, result: Ok(hints) }
            }
            StorageOp::TreeHashes { partition, nodes } => {
                let hashes = process.disk.tree_hashes(partition, &nodes);
                StorageCompletion::TreeHashes { ticket, result: Ok(hashes) }
            }
            StorageOp::LeafKeys { partition, leaves } => {
                let keys = process.disk.leaf_keys(partition, &leaves);
                StorageCompletion::LeafKeys { ticket, result: Ok(keys) }
            }
            StorageOp::ScanPartition { partition, after, limit } => {
                let page = process.disk.scan_partition(partition, after.as_ref(), limit);
                StorageCompletion::Page { ticket, result: Ok(page) }
            }
            StorageOp::ScanTombstones { after, limit } => {
                let page = process.disk.scan_tombstones(after.as_ref(), limit);
                StorageCompletion::Page { ticket, result: Ok(page) }
            }
            StorageOp::Occupied => {
                StorageCompletion::Occupied { ticket, result: Ok(process.disk.occupied()) }
            }
            StorageOp::Scan { scan } => {
                StorageCompletion::Found { ticket, result: Ok(process.disk.scan(&scan, indexer)) }
            }
            StorageOp::Names { keys } => {
                let names = keys.iter().map(|key| process.disk.name(key)).collect();
                StorageCompletion::Names { ticket, result: Ok(names) }
            }
            StorageOp::SaveCluster { cluster } => {
                process.disk.cluster = Some(cluster);
                StorageCompletion::Saved { ticket, result: Ok(()) }
            }
            StorageOp::Apply { key, update }
                if process.disk.is_damaged(&key) && !matches!(update, Update::Salvage { .. }) =>
            {
                StorageCompletion::Applied { ticket, result: Err(StorageError::Corrupt) }
            }
            StorageOp::Apply { key, update } => {
                let before = process.disk.read(&key);
                let result = process.disk.apply(ticket, &key, &update);
                if let Ok(change) = &result {
                    let (oracle, scene) = self.watch();
                    oracle.applied(&scene, node, &key, &update, &before, change);
                }
                if let Some((recorder, scene)) = self.recorder() {
                    recorder.applied(&scene, node, &key, &update, &result);
                }
                self.begin_sync(node);
                StorageCompletion::Applied { ticket, result: Ok(result) }
            }
        };
        self.served(node);
        self.handle(node, Input::Storage(completion));
    }

    fn begin_sync(&mut self, node: u32) {
        if self.scenario.disk.device.is_some() {
            return self.line_up_sync(node);
        }
        let process = &mut self.processes[node as usize];
        if process.disk.begin_sync() {
            let life = process.life;
            let took = self.scenario.disk.sync.sample(&mut self.disk_luck(node, Work::Sync, Subject::NONE));
            self.queue.push(self.now + took, Event::Synced { node, life });
        }
    }

    pub(super) fn on_synced(&mut self, node: u32, life: u32) {
        let process = &mut self.processes[node as usize];
        if process.life != life || process.node.is_none() {
            return;
        }
        let through = process.disk.end_sync();
        self.served(node);
        if let Some(through) = through {
            if self.scenario.disk.device.is_none() {
                self.begin_sync(node);
            }
            self.handle(node, Input::Storage(StorageCompletion::Synced { through }));
        }
    }
}
