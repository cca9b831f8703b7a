//! The simulated world: one event queue, and everything that happens on it.
//!
//! Every run has two phases. While clients work and faults strike, whatever the nodes promise must hold; then faults
//! cease, everything is mended, and the cluster must converge within a bound.

mod device;
mod faults;
mod finish;
mod listen;
mod listings;
mod look;
mod operator;
mod process;
mod settings;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use cartwheel_check::{Copies, Copy, Outcome, judge};
use cartwheel_core::id::{CallId, NodeId};
use cartwheel_core::message::Message;
use cartwheel_core::ring::Ring;
use cartwheel_core::storage::StorageRequest;
use cartwheel_core::{Answer, ClientError, ClientRequest, Event as CoreEvent, Input, Key, Outbox, Output};

use self::faults::Mend;
pub use self::listen::{Lived, run_heard};
use self::listings::Listings;
pub use self::look::{replay, run_recorded};
use self::operator::Operator;
pub(crate) use self::process::Process;
use crate::luck::{Cause, Luck, Place, Subject};
use crate::nemesis::Nemesis;
use crate::network::Network;
use crate::oracle::{Oracle, Rings, Scene};
use crate::report::{Counter, Measured, Report};
use crate::scenario::{Fault, Scenario};
use crate::streams::Streams;
use crate::timeline::Timeline;
use crate::trace::{Recorder, TraceDigest};
use crate::workload::{Ask, Clients, Next};

/// Runs `scenario` with `seed`. The same two give the same report, on every machine.
pub fn run(scenario: &Scenario, seed: u64) -> Report {
    let mut simulator = Simulator::new(scenario, seed);
    simulator.run();
    simulator.report()
}

/// The same, where somebody wants to know meanwhile how far it has come: `now_ns` is the simulated time, in nanoseconds.
pub fn run_watched(scenario: &Scenario, seed: u64, now_ns: &AtomicU64) -> Report {
    let mut simulator = Simulator::new(scenario, seed);
    simulator.watcher = Some(now_ns);
    simulator.run();
    simulator.report()
}

/// The same, and the run spelled out: every visit and every fault at its time, nothing drawn but what the network, the
/// disks and the nodes draw for themselves.
pub fn run_and_spell_out(scenario: &Scenario, seed: u64) -> (Report, Scenario) {
    let mut simulator = Simulator::new(scenario, seed);
    simulator.run();
    let mut fault: Vec<Fault> = scenario.fault.iter().cloned().chain(simulator.struck.drain(..)).collect();
    fault.sort_by_key(Fault::at);
    let visit = simulator.clients.made();
    let explicit = Scenario { seed: Some(seed), visit, fault, nemesis: None, ..scenario.clone() };
    (simulator.report(), explicit)
}

/// Nodes are counted from 0 here, and named from 1.
#[derive(Debug)]
pub(crate) enum Event {
    Deliver {
        from: u32,
        to: u32,
        message: Message,
    },
    /// A storage request is executed.
    Storage {
        node: u32,
        life: u32,
        request: StorageRequest,
    },
    Synced {
        node: u32,
        life: u32,
    },
    Timer {
        node: u32,
        life: u32,
    },
    /// A client's request reaches a node.
    Request {
        node: u32,
        request: ClientRequest,
    },
    /// An answer reaches a caller; `None`: the connection broke.
    Answer {
        call: CallId,
        result: Option<Result<Answer, ClientError>>,
    },
    /// A client begins a visit.
    Visit {
        client: usize,
    },
    /// A client crashes, unless it has been answered.
    ClientCrash {
        call: CallId,
    },
    /// It is back, and repeats its request.
    ClientBack {
        client: usize,
    },
    /// A fault of the timeline strikes.
    Fault {
        index: usize,
    },
    /// One of several strikes of a fault, or of an operator.
    Inflict(Box<Fault>),
    /// The nemesis strikes.
    Strike,
    Mend(Mend),
    /// Faults cease.
    Peace,
    /// Has it converged?
    Look,
    /// Disks are copied.
    CopyDisks,
    /// A node has found its disk to be an old copy: it starts again on an empty one.
    StartOver {
        node: u32,
        life: u32,
    },
    /// An operator tries to have it done.
    Operate {
        task: usize,
        attempt: u32,
    },
    /// An operator tries to have properties of a bucket set.
    SetProps {
        setting: usize,
    },
    /// Somebody lists something.
    List,
    /// It has taken a part.
    ListOn {
        node: u32,
        life: u32,
        call: CallId,
    },
}

/// Who waits for a call.
#[derive(Clone, Copy, Debug)]
struct Call {
    client: usize,
    node: u32,
    reached: bool,
    /// What its luck is for.
    cause: Cause,
}

struct Simulator<'a> {
    scenario: &'a Scenario,
    seed: u64,
    streams: Streams,
    rings: Rings,
    now: u64,
    queue: crate::queue::Queue<Event>,
    processes: Vec<Process>,
    network: Network,
    luck: Luck,
    clients: Clients,
    nemesis: Option<Nemesis>,
    /// The faults that it struck with.
    struck: Vec<Fault>,
    /// Until when nodes are restarted in turn.
    rolling_until: u64,
    oracle: Oracle,
    calls: BTreeMap<CallId, Call>,
    operator: Operator,
    listings: Listings,
    next_call: u64,
    converged: bool,
    digest: TraceDigest,
    outbox: Outbox,
    counters: BTreeMap<Counter, u64>,
    siblings_max: u32,
    timeline: Timeline,
    events: u64,
    bytes_received: u64,
    /// Writes down what happens, where somebody wants to see it.
    recorder: Option<Box<Recorder>>,
    /// The run is looked at then: later events wait.
    until_ns: u64,
    /// Told now and then what time it is.
    watcher: Option<&'a AtomicU64>,
    /// Told all that nodes hear and want done.
    listener: Option<&'a mut dyn FnMut(Lived<'_>)>,
}

impl<'a> Simulator<'a> {
    fn new(scenario: &'a Scenario, seed: u64) -> Self {
        let streams = Streams::new(seed);
        let nodes = scenario.cluster.nodes + scenario.cluster.spares;
        let ring = process::ring(&scenario.cluster);
        let process = |index| Process::new(index, scenario, ring.clone(), streams);
        let nemesis = |spec| Nemesis::new(spec, &scenario.cluster, scenario.workload.keys, streams);
        Self {
            scenario,
            seed,
            streams,
            rings: Rings::new(ring.clone()),
            now: 0,
            queue: crate::queue::Queue::new(),
            processes: (0..nodes).map(process).collect(),
            network: Network::new(scenario.network.clone(), nodes as usize, streams),
            luck: Luck::new(streams),
            clients: Clients::new(
                &scenario.workload,
                &scenario.visit,
                scenario.cluster.nodes as usize,
                streams,
            ),
            nemesis: scenario.nemesis.map(nemesis),
            struck: Vec::new(),
            rolling_until: 0,
            oracle: Oracle::new(scenario),
            calls: BTreeMap::new(),
            operator: Operator::default(),
            listings: Listings::default(),
            next_call: 0,
            converged: false,
            digest: TraceDigest::default(),
            outbox: Outbox::new(),
            counters: BTreeMap::new(),
            siblings_max: 0,
            timeline: Timeline::default(),
            events: 0,
            bytes_received: 0,
            recorder: None,
            until_ns: u64::MAX,
            watcher: None,
            listener: None,
        }
    }

    fn run(&mut self) {
        for node in 0..self.scenario.cluster.nodes {
            self.start(node);
        }
        for client in 0..self.clients.clients() {
            let next = self.clients.think(client, 0);
            self.go_on(client, next);
        }
        for (index, fault) in self.scenario.fault.iter().enumerate() {
            self.queue.push(fault.at().ns(), Event::Fault { index });
        }
        if let Some(nemesis) = &mut self.nemesis {
            self.queue.push(nemesis.pause(), Event::Strike);
        }
        if self.scenario.may_restore_disks() {
            self.queue.push(0, Event::CopyDisks);
        }
        if let Some(listing) = self.scenario.listing {
            self.queue.push(listing.every.ns(), Event::List);
        }
        self.queue.push(self.scenario.duration.ns(), Event::Peace);
        let end = (self.scenario.duration.ns() + self.scenario.settle.ns()).min(self.until_ns);
        while let Some((at, event)) = self.queue.pop() {
            if at > end || self.converged {
                self.queue.push(at, event);
                break;
            }
            self.now = at;
            self.events += 1;
            if let (Some(watcher), 0) = (self.watcher, self.events % 4_096) {
                watcher.store(at, Ordering::Relaxed);
            }
            let (oracle, scene) = self.watch();
            if oracle.inspect(&scene) {
                self.note_rings();
            }
            self.execute(event);
        }
    }

    /// When the node that `event` is for stands still: until when.
    fn still_until(&self, event: &Event) -> Option<u64> {
        let (Event::Deliver { to: node, .. }
        | Event::Storage { node, .. }
        | Event::Synced { node, .. }
        | Event::Timer { node, .. }
        | Event::Request { node, .. }) = event
        else {
            return None;
        };
        let until = self.processes[*node as usize].still_until_ns;
        (until > self.now).then_some(until)
    }

    fn execute(&mut self, event: Event) {
        if let Some(until) = self.still_until(&event) {
            if let (Event::Deliver { from, to, .. }, Some((recorder, scene))) = (&event, self.recorder()) {
                recorder.waits(scene.at_ns, (*from, *to), until);
            }
            return self.queue.push(until, event);
        }
        match event {
            Event::Deliver { from, to, message } => {
                let from = NodeId(u64::from(from) + 1);
                self.handle(to, Input::Peer { from, message });
            }
            Event::Storage { node, life, request } => self.on_storage(node, life, request),
            Event::Synced { node, life } => self.on_synced(node, life),
            Event::Timer { node, life } => self.on_timer(node, life),
            Event::Request { node, request } => self.on_request(node, request),
            Event::Answer { call, result } => self.on_answer(call, result),
            Event::Visit { client } => {
                if self.faults_strike() {
                    let ask = self.clients.begin(client, self.now);
                    self.ask(client, ask);
                }
            }
            Event::ClientCrash { call } => self.crash_client(call),
            Event::ClientBack { client } => {
                let ask = self.clients.ask(client);
                self.ask(client, ask);
            }
            Event::Fault { index } => self.inflict(&self.scenario.fault[index].clone()),
            Event::Inflict(fault) => {
                if self.faults_strike() {
                    self.inflict(&fault);
                }
            }
            Event::Strike => self.strike(),
            Event::Mend(mend) => self.mend(mend),
            Event::Peace => self.make_peace(),
            Event::Look => self.look(),
            Event::CopyDisks => self.copy_disks(),
            Event::StartOver { node, life } => self.start_over(node, life),
            Event::Operate { task, attempt } => self.operate(task, attempt),
            Event::SetProps { setting } => self.set_props(setting),
            Event::List => self.list(),
            Event::ListOn { node, life, call } => self.list_on(node, life, call),
        }
    }

    /// Who watches, and what there is to see.
    fn watch(&mut self) -> (&mut Oracle, Scene<'_>) {
        let scene = Scene {
            at_ns: self.now,
            rings: &self.rings,
            n: self.scenario.cluster.n,
            truth: self.clients.truth(),
            processes: &self.processes,
            network: &self.network,
        };
        (&mut self.oracle, scene)
    }

    fn faults_strike(&self) -> bool {
        self.now < self.scenario.duration.ns()
    }

    /// Hands an input to a node, and carries out what it wants. A node that is down hears nothing.
    fn handle(&mut self, node: u32, input: Input) {
        if let Some((recorder, scene)) = self.recorder() {
            recorder.hears(&scene, node, &input);
        }
        if self.processes[node as usize].node.is_none() {
            return;
        }
        let bytes = self.digest.add(self.now, node, &input);
        if let Input::Peer { .. } = input {
            self.bytes_received += bytes;
        }
        let (oracle, scene) = self.watch();
        oracle.hears(&scene, node, &input);
        let process = &mut self.processes[node as usize];
        let now = process.clock.read(self.now);
        let Some(core) = &mut process.node else { return };
        let mut outbox = std::mem::take(&mut self.outbox);
        let heard = self.listener.is_some().then(|| input.clone());
        core.handle(now, input, &mut outbox);
        if let (Some(listener), Some(input)) = (&mut self.listener, &heard) {
            listener(Lived::Heard { node, now, input, outputs: outbox.outputs(), next: core.next_timeout() });
        }
        self.carry_out(node, &mut outbox);
        self.outbox = outbox;
        self.schedule_timer(node);
    }

    fn carry_out(&mut self, node: u32, outbox: &mut Outbox) {
        let mut outdated = false;
        for output in outbox.drain() {
            let (oracle, scene) = self.watch();
            oracle.says(&scene, node, &output);
            if let Some((recorder, scene)) = self.recorder() {
                recorder.says(&scene, node, &output);
            }
            match output {
                Output::Reply(reply) => {
                    self.answer(reply.call, Some(reply.result));
                }
                Output::Send { to, message } => self.send(node, to, message),
                Output::Storage(request) => self.submit(node, request),
                Output::AdminReply(reply) => self.on_admin_reply(&reply),
                Output::Coverage(reply) => self.on_listed(&reply),
                Output::StartOver { .. } => outdated = true,
                // Everybody finds everybody here.
                Output::Contact { .. } => {}
                Output::Event(event) => {
                    self.watch_membership(node, &event);
                    self.count_event(&event);
                }
            }
        }
        if outdated {
            self.queue.push(self.now, Event::StartOver { node, life: self.processes[node as usize].life });
        }
    }

    fn send(&mut self, from: u32, to: NodeId, message: Message) {
        let to = (to.0 - 1) as u32;
        let mut arrivals = self.network.send(self.now, (from, to), &message);
        let (first, second) = (arrivals.next(), arrivals.next());
        if let Some((recorder, scene)) = self.recorder() {
            let arrivals = [first, second].map(|after| Some(scene.at_ns + after?));
            recorder.sends(&scene, from, to, &message, arrivals);
        }
        if let Some(second) = second {
            self.queue.push(self.now + second, Event::Deliver { from, to, message: message.clone() });
        }
        if let Some(first) = first {
            self.queue.push(self.now + first, Event::Deliver { from, to, message });
        }
    }

    fn count(&mut self, counter: Counter) {
        *self.counters.entry(counter).or_default() += 1;
    }

    fn count_event(&mut self, event: &CoreEvent) {
        if let CoreEvent::HintDelivered { .. } | CoreEvent::AntiEntropyRepair { .. } = event {
            self.timeline.moved(self.now);
        }
        let counter = match event {
            CoreEvent::HintStored { .. } => Counter::HintsStored,
            CoreEvent::HintRefused { .. } => Counter::HintsRefused,
            CoreEvent::HintDelivered { .. } => Counter::HintsDelivered,
            CoreEvent::SloppyWrite { .. } => Counter::SloppyWrites,
            CoreEvent::ReadRepair { .. } => Counter::ReadRepairs,
            CoreEvent::AntiEntropyRepair { .. } => Counter::AntiEntropyRepairs,
            CoreEvent::SiblingsRead { count, .. } => {
                self.siblings_max = self.siblings_max.max(*count);
                Counter::SiblingReads
            }
            CoreEvent::Suspected { .. } => Counter::Suspicions,
            CoreEvent::Forwarded { .. } => Counter::Forwards,
            CoreEvent::RequestRepeated { .. } => Counter::RequestsRepeated,
            CoreEvent::HintRedirected { .. } => Counter::HintsRedirected,
            CoreEvent::RingChanged { .. } => Counter::RingChanges,
            CoreEvent::RingSuperseded { .. } => Counter::RingsSuperseded,
            CoreEvent::PartitionReceived { .. } => Counter::PartitionsReceived,
            CoreEvent::PartitionRecovered { .. } => Counter::PartitionsRecovered,
            CoreEvent::HandedOver { .. } => Counter::RecordsHandedOver,
            CoreEvent::Reaped { .. } => Counter::TombstonesReaped,
            CoreEvent::BackgroundThrottled { .. } => Counter::BackgroundThrottles,
            CoreEvent::RecordDamaged { .. } => Counter::RecordsDamaged,
            CoreEvent::RecordMended { .. } => Counter::RecordsMended,
            CoreEvent::BackgroundRecovered
            | CoreEvent::Alive { .. }
            | CoreEvent::StorageFailed
            | CoreEvent::MemberChanged { .. }
            | CoreEvent::LastWriteWins { .. }
            | CoreEvent::MetadataChanged
            | CoreEvent::Foreign { .. } => return,
        };
        self.count(counter);
    }

    /// `call` is answered, or its connection breaks: its client hears of it a little later.
    fn answer(&mut self, call: CallId, result: Option<Result<Answer, ClientError>>) {
        let Some(Call { cause, .. }) = self.calls.get(&call).copied() else { return };
        let cause = self.luck.answer(self.now, cause, u8::from(result.is_some()));
        let at = self.now + self.network.latency().sample(&mut cause.draws());
        self.queue.push(at, Event::Answer { call, result });
    }

    fn ask(&mut self, client: usize, ask: Ask) {
        self.next_call += 1;
        let call = CallId(self.next_call);
        let node = ask.node as u32;
        let cause = self.luck.cause(self.now, Place::Request { node }, Subject::key(&ask.key));
        self.calls.insert(call, Call { client, node, reached: false, cause });
        let request = ClientRequest { call, request: ask.request, key: ask.key, op: ask.op, timeout: None };
        if let Some((recorder, scene)) = self.recorder() {
            recorder.asks(&scene, client, node, &request);
        }
        if let Some(after) = ask.crash_after {
            self.queue.push(self.now + after.ns(), Event::ClientCrash { call });
        }
        let at = self.now + self.network.latency().sample(&mut cause.draws());
        self.queue.push(at, Event::Request { node, request });
    }

    /// Whoever made `call` is gone: nobody hears the answer. The request is made again when its client is back.
    fn crash_client(&mut self, call: CallId) {
        let Some(Call { client, .. }) = self.calls.remove(&call) else { return };
        if let Some((recorder, scene)) = self.recorder() {
            recorder.hangs_up(&scene, call);
        }
        let away = self.clients.crashed(client);
        self.queue.push(self.now + away, Event::ClientBack { client });
    }

    fn on_request(&mut self, node: u32, request: ClientRequest) {
        if self.processes[node as usize].node.is_none() {
            return self.break_connection(request.call);
        }
        if let Some(call) = self.calls.get_mut(&request.call) {
            call.reached = true;
        }
        self.handle(node, Input::Client(request));
    }

    /// The node that was to answer `call` is gone.
    fn break_connection(&mut self, call: CallId) {
        if let Some((recorder, scene)) = self.recorder() {
            recorder.breaks(&scene, call);
        }
        self.answer(call, None);
    }

    fn on_answer(&mut self, call: CallId, result: Option<Result<Answer, ClientError>>) {
        if let Some((recorder, scene)) = self.recorder() {
            recorder.answers(&scene, call, result.as_ref());
        }
        let Some(Call { client, reached, .. }) = self.calls.remove(&call) else { return };
        if let (Some(Ok(_)), Some(began)) = (&result, self.clients.began(client)) {
            self.timeline.succeeded(self.now, self.now - began);
        }
        let next = self.clients.answered(client, self.now, result, reached);
        self.go_on(client, next);
    }

    fn go_on(&mut self, client: usize, next: Next) {
        match next {
            Next::Ask(ask) => self.ask(client, ask),
            Next::Think(pause) => self.queue.push(self.now + pause, Event::Visit { client }),
            Next::Rest => {}
        }
    }

    /// What each home of each key holds at the end.
    fn copies(&self) -> Copies {
        let (n, truth) = (self.scenario.cluster.n, self.clients.truth());
        let ring = self.ring_in_force();
        let copy = |key: &Key, home: &NodeId| {
            let siblings = self.processes[home.0 as usize - 1].disk.read(key);
            Copy { node: home.to_string(), versions: truth.of_siblings(&siblings).collect() }
        };
        let homes = |key: &Key| {
            ring.preference_list(key.token(), n).homes().iter().map(|home| copy(key, home)).collect()
        };
        self.clients.keys().iter().map(|key| (key.to_string(), homes(key))).collect()
    }

    /// Hints on disks that are still part of the world.
    fn hints_left(&self) -> u64 {
        let there = self.processes.iter().filter(|process| process.exists);
        there.map(|process| process.disk.hints() as u64).sum()
    }

    /// `node` goes by another state of the ring. Answers that go by the one before are still under way.
    fn note_ring(&mut self, node: u32) {
        if let Some(core) = &self.processes[node as usize].node {
            self.rings.met(self.now, &core.status().cluster().ring);
        }
    }

    fn watch_membership(&mut self, node: u32, event: &CoreEvent) {
        match event {
            CoreEvent::RingChanged { .. } => {
                self.note_ring(node);
                let (oracle, scene) = self.watch();
                oracle.ring_changed(&scene, node);
            }
            CoreEvent::MemberChanged { .. } => {
                let (oracle, scene) = self.watch();
                oracle.members_changed(&scene, node);
            }
            _ => {}
        }
    }

    /// Which states of the ring are in use.
    fn note_rings(&mut self) {
        (0..self.processes.len() as u32).for_each(|node| self.note_ring(node));
        self.rings.forget(self.now);
    }

    /// The latest state of the ring that anybody has.
    fn ring_in_force(&self) -> Ring {
        let rings = self.processes.iter().filter_map(|process| {
            let status = process.node.as_ref()?.status();
            Some(status.cluster().ring.clone())
        });
        rings.max_by_key(Ring::version).unwrap_or_else(|| process::ring(&self.scenario.cluster))
    }

    fn report(mut self) -> Report {
        let (gets, puts) = self.clients.requests();
        let history = self.clients.history();
        let truth = self.clients.truth();
        let copies = self.copies();
        let verdict = self.oracle.with_insight(truth, |insight| judge(history, &copies, insight));
        let deletes = history.writes().filter(|write| write.deletes && write.outcome == Outcome::Acked);
        for (counter, count) in [
            (Counter::MessagesLost, self.network.lost),
            (Counter::MessagesDuplicated, self.network.duplicated),
            (Counter::MessagesDelayed, self.network.delayed),
            (Counter::RequestsDoneTwice, self.oracle.requests_done_twice()),
            (Counter::FalseSiblingsExplained, verdict.explained),
            (Counter::Deletes, deletes.count() as u64),
            (Counter::StaleReads, self.oracle.stale_reads()),
        ] {
            if count > 0 {
                self.counters.insert(counter, count);
            }
        }
        self.counters.extend(self.clients.counters());
        let ring = self.ring_in_force();
        let (oracle, scene) = self.watch();
        let findings = oracle.finish(&scene, &ring, &verdict);
        let measured = Measured {
            scenario: self.scenario.name.clone(),
            seed: self.seed,
            flaw: self.scenario.flaw.map(|flaw| flaw.to_string()),
            trace_digest: self.digest.value(),
            simulated_ns: self.now,
            events: self.events,
            messages_sent: self.network.sent,
            bytes_received: self.bytes_received,
            gets,
            puts,
            siblings_max: self.siblings_max,
            hints_left: self.hints_left(),
            unfinished: if self.converged { Vec::new() } else { self.busy() },
            findings,
            counters: self.counters,
            timeline: self.timeline.until(self.now),
        };
        Report::new(measured, verdict, &self.scenario.expect)
    }
}
