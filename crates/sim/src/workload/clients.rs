//! The loop that all clients go through, whatever their workload: a visit begins, requests are made and tried again, and
//! what became of them is written down.

use std::collections::BTreeMap;

use cartwheel_check::{History, Operation, Outcome};
use cartwheel_core::id::RequestId;
use cartwheel_core::version::Value;
use cartwheel_core::{Answer, ClientError, ClientOp, Key, Quorum, ReadOptions, WriteOptions};

use super::arrivals::Arrivals;
use super::changes::{self, Change};
use super::client::{Ask, Client, Doing, Next, Pending, Seen, Visit};
use super::keyspace::Keyspace;
use super::value::Items;
use super::{End, Tally, Truth};
use crate::latency::Latency;
use crate::report::{Counter, Requests};
use crate::scenario::{Deed, KindSpec, Probability, RequestSpec, VisitSpec, WorkloadSpec};
use crate::streams::{Component, Streams};

/// A visit that only reads, and finds so many versions, writes one in their place: blind puts must not pile up.
const VERSIONS_MAX: usize = 32;

/// All clients, and all keys.
#[derive(Debug)]
pub struct Clients {
    pub(super) keyspace: Keyspace,
    pub(super) clients: Vec<Client>,
    pub(super) kind: KindSpec,
    pub(super) delete: Probability,
    pub(super) strict: Probability,
    pub(super) primary: Probability,
    pub(super) crash: Probability,
    pub(super) restart_after: Latency,
    retries: u32,
    pub(super) nodes: usize,
    /// Visits are those of the scenario.
    pub(super) scripted: bool,
    /// All visits, as they were made.
    pub(super) made: Vec<VisitSpec>,
    pub(super) truth: Truth,
    history: History,
    gets: Tally,
    puts: Tally,
    counters: BTreeMap<Counter, u64>,
}

impl Clients {
    /// The clients of `spec` against `nodes` nodes. They make the visits of `script`, or, where it is empty, draw them.
    pub fn new(spec: &WorkloadSpec, script: &[VisitSpec], nodes: usize, streams: Streams) -> Self {
        let keyspace = Keyspace::new(spec, streams);
        let loaded = match spec.kind {
            KindSpec::Ycsb { .. } if script.is_empty() => keyspace.there() as u32,
            _ => 0,
        };
        let client = |client| Client {
            stream: streams.stream(Component::Client { client }),
            outages: streams.stream(Component::Outages { client }),
            arrivals: Arrivals::new(&spec.arrivals, spec.clients),
            to_load: (client..loaded).step_by(spec.clients as usize).collect(),
            requests: 0,
            visit: None,
            script: script.iter().filter(|visit| visit.client == client + 1).cloned().collect(),
            plan: None,
            memory: BTreeMap::new(),
        };
        Self {
            keyspace,
            clients: (0..spec.clients).map(client).collect(),
            kind: spec.kind.clone(),
            delete: spec.delete,
            strict: spec.strict,
            primary: spec.primary,
            crash: spec.crash,
            restart_after: spec.restart_after.clone(),
            retries: spec.retries,
            nodes,
            scripted: !script.is_empty(),
            made: Vec::new(),
            truth: Truth::default(),
            history: History::default(),
            gets: Tally::default(),
            puts: Tally::default(),
            counters: BTreeMap::new(),
        }
    }

    /// All keys that clients may have written.
    pub fn keys(&self) -> &[Key] {
        self.keyspace.keys()
    }

    /// How many clients there are.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Whether no client waits for anything.
    pub fn is_quiet(&self) -> bool {
        self.clients.iter().all(|client| client.visit.is_none())
    }

    /// What clients know.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Which write was made in whose knowledge.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// How gets and puts went.
    pub fn requests(&self) -> (Requests, Requests) {
        (self.gets.requests(), self.puts.requests())
    }

    /// What clients did that is counted.
    pub fn counters(&self) -> &BTreeMap<Counter, u64> {
        &self.counters
    }

    fn count(&mut self, counter: Counter) {
        *self.counters.entry(counter).or_default() += 1;
    }

    /// When `client` makes its next visit.
    pub fn think(&mut self, client: usize, now_ns: u64) -> Next {
        let state = &mut self.clients[client];
        if self.scripted {
            let next = state.script.front();
            return next.map_or(Next::Rest, |visit| Next::Think(visit.at.ns().saturating_sub(now_ns)));
        }
        if !state.to_load.is_empty() {
            return Next::Think(0);
        }
        let next_ns = state.arrivals.next(now_ns, &mut state.stream);
        if next_ns < now_ns {
            self.count(Counter::LateVisits);
        }
        Next::Think(next_ns.saturating_sub(now_ns))
    }

    /// When the request that `client` waits for was first made, in nanoseconds.
    pub fn began(&self, client: usize) -> Option<u64> {
        self.clients[client].visit.as_ref().map(|visit| visit.began_ns)
    }

    /// `client` begins a visit.
    pub fn begin(&mut self, client: usize, now_ns: u64) -> Ask {
        let mut came_ns = now_ns;
        let plan = match self.clients[client].script.pop_front() {
            Some(visit) => visit,
            None => self.load(client, now_ns).unwrap_or_else(|| {
                came_ns = self.clients[client].arrivals.came(now_ns);
                self.draw_visit(client, now_ns)
            }),
        };
        let VisitSpec { cart, does, reads, .. } = plan;
        let key = cart as usize;
        self.clients[client].plan = Some(plan);
        let doing = match does {
            Deed::AddBlindly => {
                self.count(Counter::BlindPuts);
                match self.kind {
                    KindSpec::DataTypes { of, .. } => {
                        let op = changes::blindly(of, self.next_request(client));
                        Doing::Changing { op, context: None }
                    }
                    _ => Doing::Writing(self.fill(client, key, Seen::default(), Items::default())),
                }
            }
            Deed::Update => {
                self.count(Counter::Updates);
                let seen = self.clients[client].memory.get(&key).cloned().unwrap_or_default();
                Doing::Writing(self.fill(client, key, seen, Items::default()))
            }
            Deed::Read if reads > 1 => {
                self.count(Counter::Scans);
                Doing::Reading { more: reads - 1 }
            }
            _ => Doing::Reading { more: 0 },
        };
        let request = self.request(client, matches!(doing, Doing::Reading { .. }));
        self.start(client, key, came_ns, doing, request)
    }

    /// The visit of `client` is over.
    fn part(&mut self, client: usize, now_ns: u64) -> Next {
        self.made.extend(self.clients[client].plan.take());
        self.think(client, now_ns)
    }

    /// `client` is told `result`; `None` when the connection broke before an answer came, `Some(Err(..))` and
    /// "refused" are told apart by whether the request `reached` a node.
    pub fn answered(
        &mut self,
        client: usize,
        now_ns: u64,
        result: Option<Result<Answer, ClientError>>,
        reached: bool,
    ) -> Next {
        match result {
            Some(Ok(answer)) => self.succeeded(client, now_ns, &answer),
            Some(Err(error)) => self.failed(client, now_ns, &End::Told(error)),
            None if reached => self.failed(client, now_ns, &End::Disconnected),
            None => self.failed(client, now_ns, &End::Unreachable),
        }
    }

    fn start(&mut self, client: usize, key: usize, began_ns: u64, doing: Doing, request: RequestSpec) -> Ask {
        let RequestSpec { node, strict, primary, crash } = request;
        let request = self.next_request(client);
        let state = &mut self.clients[client];
        state.requests += 1;
        if let Doing::Writing(pending) = &doing {
            self.truth.carried(pending.id, request);
        }
        state.visit = Some(Visit {
            key,
            began_ns,
            request,
            attempts: 1,
            node: node as usize - 1,
            maybe_done: false,
            doing,
            sloppy: !strict,
            primary: primary.then_some(Quorum::Majority),
            crash,
        });
        let crash_after = crash.map(|crash| crash.after);
        Ask { crash_after, ..self.ask(client) }
    }

    /// The name of the next request of `client`.
    fn next_request(&self, client: usize) -> RequestId {
        RequestId((client as u128) << 64 | u128::from(self.clients[client].requests + 1))
    }

    /// `client` crashes in the middle of a request, and remembers nothing but that. How long it is away, in nanoseconds.
    pub fn crashed(&mut self, client: usize) -> u64 {
        let state = &mut self.clients[client];
        state.memory.clear();
        let Some(visit) = &mut state.visit else { return 0 };
        let Some(crash) = visit.crash.take() else { return 0 };
        visit.maybe_done = true;
        visit.node = crash.node as usize - 1;
        self.count(Counter::ClientCrashes);
        crash.lasts.ns()
    }

    /// What `client` asks for: again, when an attempt has failed or the client was away.
    pub fn ask(&self, client: usize) -> Ask {
        let visit = self.clients[client].visit.as_ref().expect("a client asks during a visit");
        let op = match &visit.doing {
            Doing::Reading { .. } => ClientOp::Get(ReadOptions {
                sloppy: visit.sloppy,
                pr: visit.primary,
                notfound_ok: Some(visit.primary.is_none()),
                ..ReadOptions::default()
            }),
            Doing::Writing(pending) => ClientOp::Put {
                context: pending.seen.context.clone(),
                value: pending.value.clone(),
                options: WriteOptions { sloppy: visit.sloppy, pw: visit.primary, ..WriteOptions::default() },
            },
            Doing::Changing { op, context } => ClientOp::Update {
                op: op.clone(),
                context: context.clone(),
                options: WriteOptions { sloppy: visit.sloppy, pw: visit.primary, ..WriteOptions::default() },
            },
        };
        let key = self.keyspace.keys()[visit.key].clone();
        Ask { node: visit.node, request: visit.request, key, op, crash_after: None }
    }

    fn succeeded(&mut self, client: usize, now_ns: u64, answer: &Answer) -> Next {
        let Some(visit) = self.clients[client].visit.take() else { return Next::Rest };
        let took_us = (now_ns - visit.began_ns) / 1_000;
        self.remember(client, visit.key, answer);
        match visit.doing {
            Doing::Reading { more } => {
                self.gets.succeeded(took_us);
                self.has_read(client, visit.key, more, now_ns, answer)
            }
            Doing::Writing(pending) => {
                self.puts.succeeded(took_us);
                let by = answer.by.iter().map(ToString::to_string).collect();
                self.record(client, visit.key, pending, Outcome::Acked, now_ns, by);
                self.part(client, now_ns)
            }
            Doing::Changing { op, context } => {
                self.puts.succeeded(took_us);
                self.note(Change { key: visit.key, request: visit.request, op, context, is_acked: true });
                self.part(client, now_ns)
            }
        }
    }

    fn note(&mut self, change: Change) {
        let key = self.keyspace.keys()[change.key].clone();
        self.truth.changed(change, key);
    }

    /// Reads on, writes, or is done.
    fn has_read(&mut self, client: usize, key: usize, more: u32, now_ns: u64, read: &Answer) -> Next {
        let does = self.clients[client].plan.as_ref().map_or(Deed::Read, |plan| plan.does);
        if more > 0
            && key + 1 < self.keyspace.keys().len()
            && let Some(RequestSpec { node, strict, primary, .. }) =
                self.clients[client].plan.as_ref().and_then(|plan| plan.read)
        {
            let again = RequestSpec { node, strict, primary, crash: None };
            let doing = Doing::Reading { more: more - 1 };
            return Next::Ask(self.start(client, key + 1, now_ns, doing, again));
        }
        if does == Deed::Read {
            let too_many = read.siblings.versions().len() >= VERSIONS_MAX && !self.scripted;
            if !too_many || self.clients[client].plan.as_ref().is_none_or(|plan| plan.reads > 1) {
                return self.part(client, now_ns);
            }
            self.deed(client, Deed::Add);
        }
        if let KindSpec::DataTypes { of, .. } = self.kind {
            let Some((op, context)) = changes::removing(of, self.next_request(client), read) else {
                return self.part(client, now_ns);
            };
            let request = self.request(client, false);
            let doing = Doing::Changing { op, context: Some(context) };
            return Next::Ask(self.start(client, key, now_ns, doing, request));
        }
        let pending = self.decide(client, key, read);
        let request = self.request(client, false);
        Next::Ask(self.start(client, key, now_ns, Doing::Writing(pending), request))
    }

    /// Tries again at the next node, or gives up.
    fn failed(&mut self, client: usize, now_ns: u64, end: &End) -> Next {
        let nodes = self.nodes;
        let state = &mut self.clients[client];
        let Some(visit) = &mut state.visit else { return Next::Rest };
        visit.maybe_done |= end.is_maybe_done();
        if visit.attempts <= self.retries {
            visit.attempts += 1;
            visit.node = (visit.node + 1) % nodes;
            return Next::Ask(self.ask(client));
        }
        let Some(visit) = state.visit.take() else { return Next::Rest };
        match visit.doing {
            Doing::Reading { .. } => self.gets.failed(end),
            Doing::Writing(pending) => {
                self.puts.failed(end);
                let outcome = if visit.maybe_done { Outcome::Unknown } else { Outcome::Refused };
                self.record(client, visit.key, pending, outcome, now_ns, Vec::new());
            }
            Doing::Changing { op, context } => {
                self.puts.failed(end);
                self.note(Change { key: visit.key, request: visit.request, op, context, is_acked: false });
            }
        }
        self.part(client, now_ns)
    }

    fn record(
        &mut self,
        client: usize,
        key: usize,
        pending: Pending,
        outcome: Outcome,
        ended_ns: u64,
        acked_by: Vec<String>,
    ) {
        let Pending { id, seen, what, value, .. } = pending;
        let deletes = value == Value::Tombstone;
        let key = self.keyspace.keys()[key].to_string();
        let client = client as u32 + 1;
        let seen = seen.writes;
        self.history.record(Operation { id, client, key, seen, deletes, what, outcome, ended_ns, acked_by });
    }
}
