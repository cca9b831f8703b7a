//! Shopping carts: the case that Dynamo was built for (the paper's sections 2 and 4.4).
//!
//! A client visits a cart: it reads it, reconciles concurrent versions by union, adds or removes an item, and writes
//! the cart back with the context that it read. Adding to a cart must never be forgotten.

use std::collections::{BTreeSet, VecDeque};

use bytes::{BufMut, BytesMut};
use cartwheel_check::{History, Operation, Outcome, WriteId};
use cartwheel_core::id::RequestId;
use cartwheel_core::version::{Context, Siblings, Value};
use cartwheel_core::{Answer, ClientError, ClientOp, Key, Quorum, ReadOptions, WriteOptions};

use crate::latency::Latency;
use crate::report::Requests;
use crate::scenario::{Deed, Probability, RequestSpec, Span, VisitSpec, WorkloadSpec};
use crate::streams::{Component, Stream, Streams};
use crate::workload::{End, Tally, Truth};

/// A cart with so many items is checked out: all items are removed.
const ITEMS_MAX: usize = 32;

/// All clients and all carts.
#[derive(Debug)]
pub struct Carts {
    keys: Vec<Key>,
    clients: Vec<Client>,
    think: Latency,
    remove: Probability,
    delete: Probability,
    blind: Probability,
    strict: Probability,
    primary: Probability,
    retries: u32,
    nodes: usize,
    /// Visits are those of the scenario.
    scripted: bool,
    /// All visits, as they were made.
    made: Vec<VisitSpec>,
    truth: Truth,
    history: History,
    gets: Tally,
    puts: Tally,
}

#[derive(Debug)]
struct Client {
    stream: Stream,
    requests: u64,
    visit: Option<Visit>,
    /// The visits that it is still to make, where they are not drawn.
    script: VecDeque<VisitSpec>,
    /// What the visit does: as the scenario says, or as far as it was drawn.
    plan: Option<VisitSpec>,
}

/// One request of one client, through all its attempts.
#[derive(Debug)]
struct Visit {
    cart: usize,
    began_ns: u64,
    request: RequestId,
    attempts: u32,
    node: usize,
    /// Whether some attempt may have been done.
    maybe_done: bool,
    doing: Doing,
    sloppy: bool,
    primary: Option<Quorum>,
}

#[derive(Clone, Debug)]
enum Doing {
    Reading,
    Writing(Pending),
}

/// A write on its way.
#[derive(Clone, Debug)]
struct Pending {
    id: WriteId,
    context: Context,
    value: Value,
    seen: BTreeSet<WriteId>,
    what: String,
}

/// A request for `node` (counted from 0).
#[derive(Debug)]
pub struct Ask {
    /// Where to send it.
    pub node: usize,
    /// Its id.
    pub request: RequestId,
    /// The key.
    pub key: Key,
    /// What to do.
    pub op: ClientOp,
}

/// The name of a bucket of carts.
pub fn bucket(number: u32) -> String {
    if number == 0 { "carts".to_owned() } else { format!("carts-{number}") }
}

fn key(cart: u32, buckets: u32) -> Key {
    Key::new(bucket(cart % buckets).as_bytes(), format!("cart-{cart}").as_bytes())
}

/// What a client does next.
#[derive(Debug)]
pub enum Next {
    /// Ask a node.
    Ask(Ask),
    /// Make a visit in so many nanoseconds.
    Think(u64),
    /// Nothing any more.
    Rest,
}

impl Carts {
    /// The clients of `spec` against `nodes` nodes. They make the visits of `script`, or, where it is empty, draw them.
    pub fn new(spec: &WorkloadSpec, script: &[VisitSpec], nodes: usize, streams: Streams) -> Self {
        let WorkloadSpec::Cart {
            clients,
            carts,
            buckets,
            think,
            remove,
            delete,
            blind,
            strict,
            primary,
            retries,
        } = spec.clone();
        let client = |client| Client {
            stream: streams.stream(Component::Client { client }),
            requests: 0,
            visit: None,
            script: script.iter().filter(|visit| visit.client == client + 1).cloned().collect(),
            plan: None,
        };
        Self {
            keys: (0..carts).map(|cart| key(cart, buckets)).collect(),
            clients: (0..clients).map(client).collect(),
            think,
            remove,
            delete,
            blind,
            strict,
            primary,
            retries,
            nodes,
            scripted: !script.is_empty(),
            made: Vec::new(),
            truth: Truth::default(),
            history: History::default(),
            gets: Tally::default(),
            puts: Tally::default(),
        }
    }

    /// All keys that clients may have written.
    pub fn keys(&self) -> &[Key] {
        &self.keys
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

    /// When `client` makes its next visit.
    pub fn think(&mut self, client: usize, now_ns: u64) -> Next {
        let state = &mut self.clients[client];
        if !self.scripted {
            return Next::Think(self.think.sample(&mut state.stream));
        }
        state.script.front().map_or(Next::Rest, |visit| Next::Think(visit.at.ns().saturating_sub(now_ns)))
    }

    /// The visits that clients made, as a scenario may have them.
    pub fn made(&self) -> Vec<VisitSpec> {
        let under_way = self.clients.iter().filter_map(|client| client.plan.clone());
        let mut made: Vec<VisitSpec> = self.made.iter().cloned().chain(under_way).collect();
        made.sort_by_key(|visit| (visit.at, visit.client));
        made
    }

    /// When the request that `client` waits for was first made, in nanoseconds.
    pub fn began(&self, client: usize) -> Option<u64> {
        self.clients[client].visit.as_ref().map(|visit| visit.began_ns)
    }

    /// `client` begins a visit.
    pub fn begin(&mut self, client: usize, now_ns: u64) -> Ask {
        let plan = match self.clients[client].script.pop_front() {
            Some(visit) => visit,
            None => self.draw_visit(client, now_ns),
        };
        let cart = plan.cart as usize;
        let is_blind = plan.does == Deed::AddBlindly;
        self.clients[client].plan = Some(plan);
        let doing = if is_blind { Doing::Writing(self.decide_blindly(client, cart)) } else { Doing::Reading };
        self.start(client, cart, now_ns, doing)
    }

    /// Where a visit goes, and whether it reads first. The rest is drawn when it comes to that.
    fn draw_visit(&mut self, client: usize, now_ns: u64) -> VisitSpec {
        let carts = self.keys.len();
        let stream = &mut self.clients[client].stream;
        let cart = stream.index(carts) as u32;
        let does = if stream.happens(self.blind.chance()) { Deed::AddBlindly } else { Deed::Add };
        let (at, client) = (Span::from_ns(now_ns), client as u32 + 1);
        VisitSpec { at, client, cart, does, item: 0, read: None, write: None }
    }

    /// What the visit of `client` does: `drawn`, unless the scenario says it.
    fn deed(&mut self, client: usize, drawn: Deed) -> Deed {
        let Some(plan) = &mut self.clients[client].plan else { return drawn };
        if !self.scripted && plan.does != Deed::AddBlindly {
            plan.does = drawn;
        }
        plan.does
    }

    /// Which item the visit of `client` removes: the one `drawn`, unless the scenario says it.
    fn item(&mut self, client: usize, drawn: usize) -> usize {
        let Some(plan) = &mut self.clients[client].plan else { return drawn };
        if !self.scripted {
            plan.item = if plan.does == Deed::Remove { drawn as u32 } else { 0 };
            return drawn;
        }
        plan.item as usize
    }

    /// How `client` asks: drawn, unless the scenario says it.
    fn request(&mut self, client: usize, is_read: bool) -> RequestSpec {
        let state = &mut self.clients[client];
        let plan = state.plan.as_mut();
        if self.scripted
            && let Some(VisitSpec { read, write, .. }) = plan.as_deref()
            && let Some(said) = if is_read { *read } else { write.or(*read) }
        {
            return said;
        }
        let node = state.stream.index(self.nodes) as u32 + 1;
        let strict = state.stream.happens(self.strict.chance());
        let primary = state.stream.happens(self.primary.chance());
        let drawn = RequestSpec { node, strict, primary };
        if let Some(plan) = plan {
            *(if is_read { &mut plan.read } else { &mut plan.write }) = Some(drawn);
        }
        drawn
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

    fn start(&mut self, client: usize, cart: usize, now_ns: u64, doing: Doing) -> Ask {
        let RequestSpec { node, strict, primary } = self.request(client, matches!(doing, Doing::Reading));
        let state = &mut self.clients[client];
        state.requests += 1;
        let request = RequestId((client as u128) << 64 | u128::from(state.requests));
        if let Doing::Writing(pending) = &doing {
            self.truth.carried(pending.id, request);
        }
        state.visit = Some(Visit {
            cart,
            began_ns: now_ns,
            request,
            attempts: 1,
            node: node as usize - 1,
            maybe_done: false,
            doing,
            sloppy: !strict,
            primary: primary.then_some(Quorum::Majority),
        });
        self.ask(client)
    }

    fn ask(&self, client: usize) -> Ask {
        let visit = self.clients[client].visit.as_ref().expect("a client asks during a visit");
        let op = match &visit.doing {
            Doing::Reading => ClientOp::Get(ReadOptions {
                sloppy: visit.sloppy,
                pr: visit.primary,
                notfound_ok: Some(visit.primary.is_none()),
                ..ReadOptions::default()
            }),
            Doing::Writing(pending) => ClientOp::Put {
                context: pending.context.clone(),
                value: pending.value.clone(),
                options: WriteOptions { sloppy: visit.sloppy, pw: visit.primary, ..WriteOptions::default() },
            },
        };
        Ask { node: visit.node, request: visit.request, key: self.keys[visit.cart].clone(), op }
    }

    fn succeeded(&mut self, client: usize, now_ns: u64, answer: &Answer) -> Next {
        let Some(visit) = self.clients[client].visit.take() else { return Next::Rest };
        let took_us = (now_ns - visit.began_ns) / 1_000;
        match visit.doing {
            Doing::Reading => {
                self.gets.succeeded(took_us);
                let pending = self.decide(client, visit.cart, &answer.siblings);
                Next::Ask(self.start(client, visit.cart, now_ns, Doing::Writing(pending)))
            }
            Doing::Writing(pending) => {
                self.puts.succeeded(took_us);
                let by = answer.by.iter().map(ToString::to_string).collect();
                self.record(client, visit.cart, pending, Outcome::Acked, now_ns, by);
                self.part(client, now_ns)
            }
        }
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
            Doing::Reading => self.gets.failed(end),
            Doing::Writing(pending) => {
                self.puts.failed(end);
                let outcome = if visit.maybe_done { Outcome::Unknown } else { Outcome::Refused };
                self.record(client, visit.cart, pending, outcome, now_ns, Vec::new());
            }
        }
        self.part(client, now_ns)
    }

    /// Deletes the cart, or reconciles what was read by union and changes it.
    fn decide(&mut self, client: usize, cart: usize, read: &Siblings) -> Pending {
        let seen = self.truth.of_siblings(read).collect();
        let context = read.context();
        // Drawn whether or not the scenario says it.
        let drawn = self.clients[client].stream.happens(self.delete.chance());
        if self.deed(client, if drawn { Deed::Delete } else { Deed::Add }) == Deed::Delete {
            let id = self.truth.begin(cart, &seen, true);
            return Pending { id, context, value: Value::Tombstone, seen, what: "deletes the cart".into() };
        }
        self.fill(client, cart, context, seen, items_of(read))
    }

    /// Adds an item without having read the cart.
    fn decide_blindly(&mut self, client: usize, cart: usize) -> Pending {
        self.fill(client, cart, Context::EMPTY, BTreeSet::new(), BTreeSet::new())
    }

    fn fill(
        &mut self,
        client: usize,
        cart: usize,
        context: Context,
        seen: BTreeSet<WriteId>,
        mut items: BTreeSet<u64>,
    ) -> Pending {
        let id = self.truth.begin(cart, &seen, false);
        let what = self.change(client, &mut items, id.0);
        let mut value = BytesMut::with_capacity(8 * (1 + items.len()));
        value.put_u64_le(id.0);
        items.iter().for_each(|item| value.put_u64_le(*item));
        Pending { id, context, value: Value::Data(value.freeze()), seen, what }
    }

    /// Adds item `new` to the cart, or takes something out. What was done, for people.
    fn change(&mut self, client: usize, items: &mut BTreeSet<u64>, new: u64) -> String {
        let drawn = self.clients[client].stream.happens(self.remove.chance());
        let removes = self.deed(client, if drawn { Deed::Remove } else { Deed::Add }) == Deed::Remove;
        if items.len() >= ITEMS_MAX {
            let count = items.len();
            items.clear();
            return format!("checks out {count} items");
        }
        let drawn = self.clients[client].stream.index(items.len().max(1));
        let victim = items.iter().nth(self.item(client, drawn)).copied();
        match victim {
            Some(item) if removes => {
                items.remove(&item);
                format!("removes item {item}")
            }
            _ => {
                items.insert(new);
                format!("adds item {new}")
            }
        }
    }

    fn record(
        &mut self,
        client: usize,
        cart: usize,
        pending: Pending,
        outcome: Outcome,
        ended_ns: u64,
        acked_by: Vec<String>,
    ) {
        let Pending { id, seen, what, value, .. } = pending;
        let deletes = value == Value::Tombstone;
        let key = self.keys[cart].to_string();
        let client = client as u32 + 1;
        self.history.record(Operation { id, client, key, seen, deletes, what, outcome, ended_ns, acked_by });
    }
}

/// The union of what the versions of a cart hold. A value is the id of its write, then its items.
fn items_of(read: &Siblings) -> BTreeSet<u64> {
    let mut items = BTreeSet::new();
    for version in read.versions() {
        if let Value::Data(bytes) = &version.value {
            let words = bytes.chunks_exact(8).skip(1);
            items.extend(
                words.map(|word| u64::from_le_bytes(word.try_into().expect("chunks of eight bytes"))),
            );
        }
    }
    items
}
