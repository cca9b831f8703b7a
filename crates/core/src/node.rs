//! [`Node`]: owns the machines and hands each input to the one it concerns.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::anti_entropy::{Answers, Exchanges};
use crate::background::BackgroundStatus;
use crate::boundary::{ClientError, ClientOp, ClientRequest, Event, Input, Outbox, ReadOptions};
use crate::config::{Boot, Config};
use crate::coordinator::quorum::Needs;
use crate::coordinator::{self, Asker, Caller, Checked, ConditionalPut, Forwards, Gets, PutRequest, Puts};
use crate::cx::{Cx, Env};
use crate::deadlines::Timer;
use crate::desk::{Applied, Waiter};
use crate::id::{CallId, NodeId, OpId, RequestId};
use crate::key::Key;
use crate::membership;
use crate::message::{
    AntiEntropyMessage, ForwardMessage, LivenessMessage, Message, ReplicaError, ReplicaMessage,
};
use crate::replica::{Change, HintTotal, Hints, Refused, Serve, Write};
use crate::storage::{StorageCompletion, StorageError, Ticket};
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
    gets: Gets,
    puts: Puts,
    forwards: Forwards,
    hints: Hints,
    exchanges: Exchanges,
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
        let mut node = Self {
            env: Env::new(config, boot),
            gets: Gets::default(),
            puts: Puts::default(),
            forwards: Forwards::default(),
            hints: Hints::default(),
            exchanges: Exchanges::default(),
        };
        let mut cx = Cx { now, env: &mut node.env, out };
        node.hints.start(&mut cx);
        node.exchanges.start(&mut cx);
        node
    }

    /// The only way in: one thing happened at `now`. What is to be done about it is added to `out`.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Outbox) {
        let (mut cx, mut machines) = self.split(now, out);
        let cx = &mut cx;
        match input {
            Input::Client(request) => machines.on_client(cx, request),
            Input::Peer { from, message } => machines.on_peer(cx, from, message),
            Input::Storage(completion) => machines.on_storage(cx, completion),
            Input::Timeout => machines.on_timeout(cx),
        }
    }

    /// When to call [`Node::handle`] with [`Input::Timeout`] next.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.env.deadlines.next()
    }

    /// What it is doing.
    pub fn status(&self) -> Status<'_> {
        Status { node: self }
    }

    fn split<'a>(&'a mut self, now: Now, out: &'a mut Outbox) -> (Cx<'a>, Machines<'a>) {
        let Self { env, gets, puts, forwards, hints, exchanges } = self;
        (Cx { now, env, out }, Machines { gets, puts, forwards, hints, exchanges })
    }
}

impl Status<'_> {
    /// This node.
    pub fn node(&self) -> NodeId {
        self.node.env.config.node
    }

    /// Client requests being coordinated or forwarded.
    pub fn requests_running(&self) -> usize {
        self.node.gets.running() + self.node.puts.running() + self.node.forwards.running()
    }

    /// Storage requests in flight.
    pub fn storage_in_flight(&self) -> usize {
        self.node.env.desk.in_flight()
    }

    /// Peers that left requests unanswered.
    pub fn suspected(&self) -> Vec<NodeId> {
        self.node.env.liveness.suspected().collect()
    }

    /// What this node owes to others: keys, and bytes of values.
    pub fn hints(&self) -> Vec<(NodeId, HintTotal)> {
        self.node.env.owed.totals()
    }

    /// How much background work is allowed, and what that rests on; `None` when it is not held back.
    pub fn background(&self) -> Option<BackgroundStatus> {
        self.node.env.background.status()
    }

    /// Whether no exchange of hash trees is under way.
    pub fn anti_entropy_idle(&self) -> bool {
        self.node.exchanges.is_idle()
    }

    /// Whether no hint is known to wait for delivery and none is being delivered.
    pub fn hints_idle(&self) -> bool {
        self.node.hints.is_idle()
    }
}

struct Machines<'a> {
    gets: &'a mut Gets,
    puts: &'a mut Puts,
    forwards: &'a mut Forwards,
    hints: &'a mut Hints,
    exchanges: &'a mut Exchanges,
}

impl Machines<'_> {
    fn on_client(&mut self, cx: &mut Cx, request: ClientRequest) {
        let ClientRequest { call, request, key, op, timeout } = request;
        let give_up = cx.time() + timeout.unwrap_or(cx.env.config.request_timeout);
        let started = match self.admit(cx) {
            Err(overloaded) => Err(overloaded),
            Ok(()) => self.start(cx, call, request, key, op, give_up),
        };
        if let Err(error) = started {
            cx.reply(call, Err(error));
        }
    }

    fn admit(&self, cx: &Cx) -> Result<(), ClientError> {
        let config = &cx.env.config;
        let running = self.gets.running() + self.puts.running() + self.forwards.running();
        if running >= config.requests_max as usize {
            Err(ClientError::Overloaded { limit: config.requests_max })
        } else if !cx.storage_has_room() {
            Err(ClientError::Overloaded { limit: config.storage_inflight_max })
        } else {
            Ok(())
        }
    }

    fn start(
        &mut self,
        cx: &mut Cx,
        call: CallId,
        request: RequestId,
        key: Key,
        op: ClientOp,
        give_up: Instant,
    ) -> Result<(), ClientError> {
        match op {
            ClientOp::Get(options) => {
                let needs = Needs::of_read(&options, &cx.env.config).map_err(ClientError::Invalid)?;
                self.gets.start(cx, Asker::Client(call), key, options, needs, give_up);
            }
            ClientOp::Put { context, value, options } => {
                let needs = Needs::of_write(&options, &cx.env.config).map_err(ClientError::Invalid)?;
                let write = Write { request, context, value, written_at: cx.now.wall };
                let put = PutRequest { key, write, needs, give_up };
                let caller = Caller::Client(call);
                match options.condition {
                    None => self.put(cx, caller, put),
                    Some(condition) => self.check(cx, ConditionalPut { caller, condition, put })?,
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, cx: &mut Cx, caller: Caller, put: PutRequest) {
        if cx.preference_list(&put.key, put.needs.n).homes().contains(&cx.me()) {
            self.puts.start(cx, caller, put);
        } else {
            let returned = self.forwards.start(cx, caller, put);
            self.coordinate_returned(cx, returned);
        }
    }

    /// Reads before a conditional put, with the default R.
    fn check(&mut self, cx: &mut Cx, put: ConditionalPut) -> Result<(), ClientError> {
        let options = ReadOptions { n: Some(put.put.needs.n), ..ReadOptions::default() };
        let needs = Needs::of_read(&options, &cx.env.config).map_err(ClientError::Invalid)?;
        let (key, give_up) = (put.put.key.clone(), put.put.give_up);
        self.gets.start(cx, Asker::Condition(Box::new(put)), key, options, needs, give_up);
        Ok(())
    }

    /// The get before a conditional put is done.
    fn on_checked(&mut self, cx: &mut Cx, checked: Checked) {
        let Some((conditional, result)) = checked else { return };
        let ConditionalPut { caller, condition, put } = *conditional;
        let error = match result {
            Ok(answer) => condition.unfit(&answer.siblings).map(ClientError::Unfit),
            Err(error) => Some(error),
        };
        match error {
            None => self.put(cx, caller, put),
            Some(error) => coordinator::answer_caller(cx, caller, Err(error)),
        }
    }

    fn coordinate_returned(&mut self, cx: &mut Cx, returned: Option<(Caller, PutRequest)>) {
        if let Some((caller, put)) = returned {
            self.puts.start(cx, caller, put);
        }
    }

    fn on_peer(&mut self, cx: &mut Cx, from: NodeId, message: Message) {
        if cx.env.liveness.heard(from, cx.time()) {
            cx.event(Event::Alive { node: from });
        }
        match message {
            Message::Replica(message) => self.on_replica(cx, from, message),
            Message::Forward(message) => self.on_forward(cx, from, message),
            Message::AntiEntropy(message) => self.on_anti_entropy(cx, from, message),
            Message::Liveness(LivenessMessage::Ping) => {
                cx.send(from, Message::Liveness(LivenessMessage::Pong));
            }
            Message::Liveness(LivenessMessage::Pong) => {}
        }
    }

    fn on_replica(&mut self, cx: &mut Cx, from: NodeId, message: ReplicaMessage) {
        match message {
            ReplicaMessage::Read { op, key } => Serve::on_read(cx, from, op, key),
            ReplicaMessage::ReadReply { op, result } => {
                if !self.exchanges.on_read_reply(cx, op, &result) {
                    let checked = self.gets.on_read_reply(cx, from, op, result);
                    self.on_checked(cx, checked);
                }
            }
            ReplicaMessage::Write { op, key, siblings, owed } => {
                Serve::on_write(cx, from, op, key, siblings, owed);
            }
            ReplicaMessage::WriteReply { op, result } => self.on_write_reply(cx, from, op, result),
        }
    }

    fn on_write_reply(&mut self, cx: &mut Cx, from: NodeId, op: OpId, result: Result<(), ReplicaError>) {
        // Anything else is an answer to a put that has ended, or to a read repair.
        let _known = self.puts.on_write_reply(cx, from, op, result)
            || self.hints.on_write_reply(cx, from, op, result)
            || self.exchanges.on_write_reply(cx, op);
    }

    fn on_anti_entropy(&mut self, cx: &mut Cx, from: NodeId, message: AntiEntropyMessage) {
        match message {
            AntiEntropyMessage::Compare { op, partition, nodes } => {
                Answers::on_compare(cx, from, op, partition, nodes);
            }
            AntiEntropyMessage::Differ { op, nodes } => self.exchanges.on_differ(cx, from, op, &nodes),
            AntiEntropyMessage::Keys { op, partition, leaves, keys } => {
                Answers::on_keys(cx, from, op, partition, leaves, keys);
            }
            AntiEntropyMessage::KeysDiffer { op, keys } => self.exchanges.on_keys_differ(cx, from, op, keys),
        }
    }

    fn on_forward(&mut self, cx: &mut Cx, from: NodeId, message: ForwardMessage) {
        match message {
            ForwardMessage::Request { op, request, key, context, value, needs, time_left } => {
                let write = Write { request, context, value, written_at: cx.now.wall };
                let put = PutRequest { key, write, needs, give_up: cx.time() + time_left };
                self.on_forwarded(cx, Caller::Peer { node: from, op }, put);
            }
            ForwardMessage::Accepted { op } => self.forwards.on_accepted(cx, from, op),
            ForwardMessage::Reply { op, result } => {
                let returned = self.forwards.on_reply(cx, from, op, result);
                self.coordinate_returned(cx, returned);
            }
        }
    }

    fn on_forwarded(&mut self, cx: &mut Cx, caller: Caller, put: PutRequest) {
        let Caller::Peer { node, op } = caller else { return };
        let admitted =
            self.admit(cx).and_then(|()| put.needs.validate(&cx.env.config).map_err(ClientError::Invalid));
        match admitted {
            Ok(_) => {
                cx.send(node, Message::Forward(ForwardMessage::Accepted { op }));
                self.puts.start(cx, caller, put);
            }
            Err(error) => {
                cx.send(node, Message::Forward(ForwardMessage::Reply { op, result: Err(error) }));
            }
        }
    }

    fn on_timeout(&mut self, cx: &mut Cx) {
        while let Some(timer) = cx.env.deadlines.pop_due(cx.now.monotonic) {
            match timer {
                Timer::Get(op) => {
                    let checked = self.gets.on_timer(cx, op);
                    self.on_checked(cx, checked);
                }
                Timer::Put(op) => self.puts.on_timer(cx, op),
                Timer::Forward(op) => {
                    let returned = self.forwards.on_timer(cx, op);
                    self.coordinate_returned(cx, returned);
                }
                Timer::Hints(home) => self.hints.on_timer(cx, home),
                Timer::AntiEntropy => self.exchanges.on_timer(cx),
                Timer::Probe => membership::on_probe_timer(cx),
            }
        }
    }

    fn on_storage(&mut self, cx: &mut Cx, completion: StorageCompletion) {
        match completion {
            StorageCompletion::Read { ticket, result } => match cx.env.desk.complete(ticket) {
                Some(Waiter::Get(op)) => {
                    let checked = self.gets.on_local_read(cx, op, result);
                    self.on_checked(cx, checked);
                }
                Some(Waiter::Read { from, op }) => Serve::on_read_done(cx, from, op, result),
                Some(Waiter::ExchangeRead { op, key }) => self.exchanges.on_local_read(cx, op, key, result),
                other => unexpected("read", other.as_ref()),
            },
            StorageCompletion::Hints { ticket, result } => match cx.env.desk.complete(ticket) {
                Some(Waiter::HintScan { home }) => self.hints.on_scanned(cx, home, result),
                other => unexpected("hint scan", other.as_ref()),
            },
            StorageCompletion::TreeHashes { ticket, result } => match cx.env.desk.complete(ticket) {
                Some(Waiter::ExchangeHashes { op }) => self.exchanges.on_hashes(cx, op, result),
                Some(Waiter::AnswerHashes { from, op, theirs }) => {
                    Answers::on_hashes(cx, from, op, &theirs, result);
                }
                other => unexpected("tree hash", other.as_ref()),
            },
            StorageCompletion::LeafKeys { ticket, result } => match cx.env.desk.complete(ticket) {
                Some(Waiter::ExchangeKeys { op, leaves }) => self.exchanges.on_keys(cx, op, leaves, result),
                Some(Waiter::AnswerKeys { from, op, theirs }) => {
                    Answers::on_leaf_keys(cx, from, op, theirs, result);
                }
                other => unexpected("leaf listing", other.as_ref()),
            },
            StorageCompletion::Applied { ticket, result } => self.on_applied(cx, ticket, result),
            StorageCompletion::Synced { through } => {
                for applied in cx.env.desk.synced(through) {
                    self.on_durable(cx, applied);
                }
            }
            StorageCompletion::SyncFailed => {
                cx.event(Event::StorageFailed);
                for applied in cx.env.desk.sync_failed() {
                    self.on_update_failed(cx, applied.waiter, StorageError::Failed);
                }
            }
        }
    }

    fn on_applied(
        &mut self,
        cx: &mut Cx,
        ticket: Ticket,
        result: Result<Result<Change, Refused>, StorageError>,
    ) {
        let Some((waiter, key)) = cx.env.desk.complete_update(ticket) else {
            return unexpected("update", None);
        };
        match (result, waiter) {
            (Err(error), waiter) => {
                cx.event(Event::StorageFailed);
                self.on_update_failed(cx, waiter, error);
            }
            (Ok(settled), Waiter::HintSettle { home, delivered }) => {
                self.hints.on_settled(cx, home, key, delivered, settled.ok().as_ref());
            }
            (Ok(Ok(change)), waiter) => {
                let put = if let Waiter::Put(op) = waiter { Some(op) } else { None };
                let (newly_owed, bytes) = (change.newly_owed, change.siblings.value_bytes());
                cx.env.desk.await_sync(ticket, Applied { waiter, newly_owed, bytes, key });
                if let Some(op) = put {
                    self.puts.on_applied(cx, op, &change);
                }
            }
            (Ok(Err(Refused::NotFound)), waiter) => self.on_update_failed(cx, waiter, StorageError::Failed),
        }
    }

    fn on_durable(&mut self, cx: &mut Cx, applied: Applied) {
        let Applied { waiter, newly_owed, bytes, key } = applied;
        if let Some(home) = newly_owed {
            self.hints.on_stored(cx, home, key, bytes);
        }
        match waiter {
            Waiter::Put(op) => self.puts.on_durable(cx, op),
            Waiter::PutOwe { op, home } => self.puts.on_owed(cx, op, home),
            Waiter::Write { from, op } => Serve::on_write_durable(cx, from, op),
            Waiter::Nobody => {}
            other => unexpected("sync", Some(&other)),
        }
    }

    fn on_update_failed(&mut self, cx: &mut Cx, waiter: Waiter, error: StorageError) {
        match waiter {
            Waiter::Put(op) => self.puts.on_local_failure(cx, op),
            Waiter::PutOwe { op, home } => self.puts.on_owed(cx, op, home),
            Waiter::Write { from, op, .. } => Serve::on_write_failed(cx, from, op, error),
            Waiter::HintSettle { home, .. } => self.hints.on_settle_failed(cx, home),
            Waiter::Nobody => {}
            other => unexpected("failed update", Some(&other)),
        }
    }
}

/// The driver broke the storage contract; going on would acknowledge what may not be kept.
#[track_caller]
fn unexpected(what: &str, waiter: Option<&Waiter>) {
    panic!("storage completion of a {what} that belongs to {waiter:?}");
}
