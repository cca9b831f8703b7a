//! The task that owns the [`Node`]: everything that happens goes in here, one thing after another, and what the node
//! wants done goes out from here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cartwheel_core::id::{CallId, NodeId, RequestId};
use cartwheel_core::message::Message;
use cartwheel_core::replica::HintTotal;
use cartwheel_core::storage::StorageCompletion;
use cartwheel_core::time::Instant;
use cartwheel_core::{Answer, ClientError, ClientOp, ClientRequest, Event, Input, Key, Node, Outbox, Output};
use cartwheel_store::StoreHandle;
use tokio::sync::{mpsc, oneshot};

use crate::counters::Counters;
use crate::peer::Peer;
use crate::report::{About, HintReport, PeerReport, Report};
use crate::runtime::Clock;
use crate::stop::Stopping;

/// Inputs taken from one channel before the others get their turn.
const BATCH_MAX: usize = 256;
/// Client requests that wait for the node's attention.
pub(crate) const ASKS_MAX: u16 = 1024;
/// Peer messages that wait for it; beyond that, peers wait.
pub(crate) const MESSAGES_MAX: usize = 4096;
/// How long a stopping node waits for what it has begun.
const DRAIN_MAX: Duration = Duration::from_secs(3);

/// A client's request, and where the answer goes.
#[derive(Debug)]
pub(crate) struct Ask {
    pub request: RequestId,
    pub key: Key,
    pub op: ClientOp,
    pub timeout: Option<Duration>,
    pub answer: oneshot::Sender<Result<Answer, ClientError>>,
}

/// What happens to a node, by where it comes from.
pub(crate) struct Inputs {
    pub asks: mpsc::Receiver<Ask>,
    pub messages: mpsc::Receiver<(NodeId, Message)>,
    /// Unbounded, because the store must never wait for us while we wait for it; the core's `storage_inflight_max`
    /// bounds what can be in it.
    pub completions: mpsc::UnboundedReceiver<StorageCompletion>,
    pub reports: mpsc::Receiver<oneshot::Sender<Report>>,
    pub stop: Stopping,
}

/// The store failed and refuses everything until it is opened anew, which takes a new start. Going on would make this
/// node one that answers every request at once, with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store failed")]
pub(crate) struct StoreFailed;

pub(crate) struct Server {
    pub node: Node,
    pub clock: Clock,
    pub out: Outbox,
    pub store: StoreHandle,
    pub peers: BTreeMap<NodeId, Arc<Peer>>,
    pub about: About,
    pub counters: Counters,
    pub calls: BTreeMap<CallId, oneshot::Sender<Result<Answer, ClientError>>>,
    pub next_call: u64,
}

impl Server {
    /// Runs until it is told to stop, and has finished what it can; gives the store back to be closed.
    pub async fn run(mut self, mut inputs: Inputs) -> Result<StoreHandle, StoreFailed> {
        self.carry_out();
        let mut drained_by = None;
        loop {
            self.fire_if_due();
            if drained_by.is_some_and(|at| self.is_drained(at)) {
                return Ok(self.store);
            }
            let wake = [self.node.next_timeout(), drained_by].into_iter().flatten().min();
            let (mut asks, mut messages, mut completions) = (Vec::new(), Vec::new(), Vec::new());
            tokio::select! {
                _ = inputs.completions.recv_many(&mut completions, BATCH_MAX) => {}
                _ = inputs.messages.recv_many(&mut messages, BATCH_MAX), if is_open(&inputs.messages) => {}
                _ = inputs.asks.recv_many(&mut asks, BATCH_MAX), if is_open(&inputs.asks) => {}
                Some(report) = inputs.reports.recv() => drop(report.send(self.report())),
                () = self.clock.sleep_until(wake) => {}
                () = inputs.stop.wait(), if drained_by.is_none() => {
                    drained_by = Some(self.clock.now().monotonic + DRAIN_MAX);
                }
            }
            let failed = completions.contains(&StorageCompletion::SyncFailed);
            completions.into_iter().for_each(|completion| self.input(Input::Storage(completion)));
            if failed {
                return Err(StoreFailed);
            }
            messages.into_iter().for_each(|(from, message)| self.input(Input::Peer { from, message }));
            asks.into_iter().for_each(|ask| self.ask(ask));
        }
    }

    fn is_drained(&self, at_the_latest: Instant) -> bool {
        let status = self.node.status();
        let idle = status.requests_running() == 0 && status.storage_in_flight() == 0;
        idle || self.clock.now().monotonic >= at_the_latest
    }

    fn fire_if_due(&mut self) {
        if self.node.next_timeout().is_some_and(|at| at <= self.clock.now().monotonic) {
            self.input(Input::Timeout);
        }
    }

    fn ask(&mut self, ask: Ask) {
        // A client that has gone already is owed nothing, and its put was not begun.
        if ask.answer.is_closed() {
            return;
        }
        let call = CallId(self.next_call);
        self.next_call += 1;
        self.calls.insert(call, ask.answer);
        let Ask { request, key, op, timeout, .. } = ask;
        self.input(Input::Client(ClientRequest { call, request, key, op, timeout }));
    }

    fn input(&mut self, input: Input) {
        self.node.handle(self.clock.now(), input, &mut self.out);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        for output in self.out.drain() {
            match output {
                Output::Reply(reply) => {
                    if let Some(answer) = self.calls.remove(&reply.call) {
                        // A client that hung up does not hear its answer.
                        drop(answer.send(reply.result));
                    }
                }
                Output::Send { to, message } => {
                    if let Some(peer) = self.peers.get(&to) {
                        peer.send(message);
                    }
                }
                Output::Storage(request) => self.store.submit(request),
                Output::Event(event) => {
                    self.counters.count(&event);
                    if let Event::Suspected { node } = &event
                        && let Some(peer) = self.peers.get(node)
                    {
                        peer.reconnect();
                    }
                    log(&event, &self.peers);
                }
            }
        }
    }

    fn report(&self) -> Report {
        let status = self.node.status();
        let name =
            |node: NodeId| self.peers.get(&node).map_or_else(|| node.to_string(), |peer| peer.name.clone());
        Report {
            about: self.about.clone(),
            requests_running: status.requests_running(),
            storage_in_flight: status.storage_in_flight(),
            suspected: status.suspected().into_iter().map(name).collect(),
            hints: status
                .hints()
                .into_iter()
                .map(|(home, HintTotal { keys, bytes })| HintReport { home: name(home), keys, bytes })
                .collect(),
            hints_idle: status.hints_idle(),
            counters: self.counters,
            peers: self.peers.values().map(|peer| PeerReport::of(peer)).collect(),
        }
    }
}

/// Whether anything can still come. A channel that is at its end answers at once, again and again.
fn is_open<T>(channel: &mpsc::Receiver<T>) -> bool {
    !(channel.is_closed() && channel.is_empty())
}

/// What an operator wants to see goes to the log as it happens; what comes once per request only when asked for.
fn log(event: &Event, peers: &BTreeMap<NodeId, Arc<Peer>>) {
    let name = |node: &NodeId| peers.get(node).map_or_else(|| node.to_string(), |peer| peer.name.clone());
    match event {
        Event::SloppyWrite { key } => tracing::debug!(%key, "sloppy write"),
        Event::HintStored { home, key } => tracing::debug!(home = name(home), %key, "hint stored"),
        Event::HintRefused { home, key } => {
            tracing::debug!(home = name(home), %key, "hint refused: hint_bytes_max is reached");
        }
        Event::HintDelivered { home, key } => tracing::debug!(home = name(home), %key, "hint delivered"),
        Event::SiblingsRead { key, count } => tracing::debug!(%key, count, "siblings read"),
        Event::ReadRepair { key, node } => tracing::debug!(node = name(node), %key, "read repair"),
        Event::AntiEntropyRepair { key, peer } => {
            tracing::debug!(peer = name(peer), %key, "anti-entropy repair");
        }
        Event::Forwarded { key, to } => tracing::trace!(to = name(to), %key, "forwarded"),
        Event::RequestRepeated { request } => {
            tracing::debug!(request = format!("{:032x}", request.0), "request repeated");
        }
        Event::Suspected { node } => tracing::warn!(node = name(node), "suspected: others stand in for it"),
        Event::Alive { node } => tracing::info!(node = name(node), "alive again"),
        Event::BackgroundThrottled { rate, p99 } => {
            tracing::info!(rate, ?p99, "the foreground suffers: background work is held back");
        }
        Event::BackgroundRecovered => tracing::info!("background work goes at its full rate again"),
        Event::StorageFailed => tracing::error!("the store failed"),
    }
}
