//! The task that owns the [`Node`]: everything that happens goes in here, one thing after another, and what the node
//! wants done goes out from here.

mod admin;
mod listings;
mod types;

use std::collections::BTreeMap;
use std::time::Duration;

use cartwheel_core::id::{CallId, NodeId, RequestId};
use cartwheel_core::membership::{Bucket, Metadata};
use cartwheel_core::replica::HintTotal;
use cartwheel_core::storage::StorageCompletion;
use cartwheel_core::time::Instant;
use cartwheel_core::{Answer, ClientError, ClientOp, ClientRequest, Event, Input, Key, Node, Outbox, Output};
use cartwheel_riak::props::{Held, Owner};
use cartwheel_store::StoreHandle;
use tokio::sync::{mpsc, oneshot};

use crate::cluster::ClusterReport;
use crate::contact::Addresses;
use crate::counters::Counters;
use crate::events::EventLog;
use crate::flight::Flight;
use crate::listener::Heard;
use crate::peers::Peers;
use crate::report::{About, BackgroundReport, HintReport, Keeper, PeerReport, Report};
use crate::runtime::Clock;
use crate::sabotage::Sabotage;
use crate::security::Shared;
use crate::stop::Stopping;
use crate::strangers::StrangersReport;
use crate::types::TypeReport;

pub(crate) use admin::{AdminAsk, AdminCall, AskedOp};
pub(crate) use listings::{ListingAsk, ListingSteps};

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

/// What an operator asks.
#[derive(Debug)]
pub(crate) enum Question {
    /// How are you?
    Status(oneshot::Sender<Report>),
    /// What do you know of the cluster?
    Cluster(oneshot::Sender<ClusterReport>),
    /// Change it.
    Admin(AdminAsk),
    /// Who keeps a key?
    Keepers(Key, oneshot::Sender<Vec<Keeper>>),
    /// What holds for a bucket, or for the buckets of a type? `None`: there is no such type, or clients do not find it.
    Props(Owner, oneshot::Sender<Option<Held>>),
    /// What does the cluster keep for its nodes?
    Metadata(oneshot::Sender<Metadata>),
    /// Which bucket types are there?
    Types(oneshot::Sender<Vec<TypeReport>>),
    /// List what all nodes hold.
    List(ListingAsk),
}

/// What happens to a node, by where it comes from.
pub(crate) struct Inputs {
    pub asks: mpsc::Receiver<Ask>,
    pub heard: mpsc::Receiver<Heard>,
    /// Unbounded, because the store must never wait for us while we wait for it; the core's `storage_inflight_max`
    /// bounds what can be in it.
    pub completions: mpsc::UnboundedReceiver<StorageCompletion>,
    pub questions: mpsc::Receiver<Question>,
    pub stop: Stopping,
}

/// Why a node cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The store failed and refuses everything until it is opened anew, which takes a new start. Going on would make
    /// this node one that answers every request at once, with an error.
    StoreFailed,
    /// The store is an old copy.
    Outdated { seen: u64, number: u64 },
}

pub(crate) struct Server {
    pub node: Node,
    pub clock: Clock,
    pub out: Outbox,
    pub store: StoreHandle,
    pub peers: Peers,
    pub about: About,
    pub counters: Counters,
    pub events: EventLog,
    pub flight: Flight,
    pub calls: BTreeMap<CallId, oneshot::Sender<Result<Answer, ClientError>>>,
    pub admin_calls: BTreeMap<CallId, AdminCall>,
    pub listings: BTreeMap<CallId, ListingSteps>,
    pub next_call: u64,
    pub ended: Option<Ended>,
    pub sabotage: Option<Sabotage>,
    /// Where those who let clients in find what the cluster says of them.
    pub security: Shared,
}

impl Server {
    /// Runs until it is told to stop, and has finished what it can; gives the store back to be closed.
    pub async fn run(mut self, mut inputs: Inputs) -> Result<StoreHandle, Ended> {
        self.carry_out();
        let mut drained_by = None;
        loop {
            self.fire_if_due();
            self.flight.flush();
            if drained_by.is_some_and(|at| self.is_drained(at)) {
                return Ok(self.store);
            }
            let wake = [self.node.next_timeout(), drained_by].into_iter().flatten().min();
            let (mut asks, mut heard, mut completions) = (Vec::new(), Vec::new(), Vec::new());
            tokio::select! {
                _ = inputs.completions.recv_many(&mut completions, BATCH_MAX) => {}
                _ = inputs.heard.recv_many(&mut heard, BATCH_MAX), if is_open(&inputs.heard) => {}
                _ = inputs.asks.recv_many(&mut asks, BATCH_MAX), if is_open(&inputs.asks) => {}
                Some(question) = inputs.questions.recv() => self.answer(question),
                () = self.clock.sleep_until(wake) => {}
                () = inputs.stop.wait(), if drained_by.is_none() => {
                    drained_by = Some(self.clock.now().monotonic + DRAIN_MAX);
                }
            }
            let failed = completions.contains(&StorageCompletion::SyncFailed);
            completions.into_iter().for_each(|completion| self.input(Input::Storage(completion)));
            if failed {
                return Err(Ended::StoreFailed);
            }
            heard.into_iter().for_each(|heard| self.hear(heard));
            asks.into_iter().for_each(|ask| self.ask(ask));
            if let Some(ended) = self.ended {
                return Err(ended);
            }
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

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Caller(caller) => self.peers.on_caller(&caller),
            Heard::Message { from, message } => self.input(Input::Peer { from, message }),
        }
    }

    /// Whoever asked may have gone: then the answer is for nobody.
    fn answer(&mut self, question: Question) {
        match question {
            Question::Status(answer) => drop(answer.send(self.report())),
            Question::Cluster(answer) => drop(answer.send(self.cluster_report())),
            Question::Admin(ask) => self.administer(ask),
            Question::Keepers(key, answer) => drop(answer.send(self.keepers(&key))),
            Question::Props(owner, answer) => drop(answer.send(self.held(&owner))),
            Question::Metadata(answer) => drop(answer.send(self.node.status().cluster().metadata.clone())),
            Question::Types(answer) => drop(answer.send(self.types())),
            Question::List(ask) => self.list(ask),
        }
    }

    fn next_call(&mut self) -> CallId {
        self.next_call += 1;
        CallId(self.next_call)
    }

    fn ask(&mut self, ask: Ask) {
        // A client that has gone already is owed nothing, and its put was not begun.
        if ask.answer.is_closed() {
            return;
        }
        let call = self.next_call();
        self.calls.insert(call, ask.answer);
        let Ask { request, key, op, timeout, .. } = ask;
        self.input(Input::Client(ClientRequest { call, request, key, op, timeout }));
    }

    fn input(&mut self, input: Input) {
        let now = self.clock.now();
        self.flight.hears(now, &input);
        self.node.handle(now, input, &mut self.out);
        self.flight.wants(self.out.outputs(), self.node.next_timeout());
        self.carry_out();
    }

    fn carry_out(&mut self) {
        // Taken out while it is drained, because some outputs concern the whole server.
        let mut out = std::mem::take(&mut self.out);
        for output in out.drain() {
            match output {
                Output::Reply(reply) => {
                    if let Some(answer) = self.calls.remove(&reply.call) {
                        // A client that hung up does not hear its answer.
                        drop(answer.send(reply.result));
                    }
                }
                Output::AdminReply(reply) => self.answer_operator(reply),
                Output::Coverage(reply) => self.listed(reply),
                Output::Contact { node, contact } => self.peers.on_contact(node, &contact),
                Output::Send { to, message } => self.peers.send(to, message),
                Output::Storage(request) => self.store.submit(request),
                Output::Event(event) => self.on_event(&event),
                Output::StartOver { seen, number } => self.ended = Some(Ended::Outdated { seen, number }),
            }
        }
        self.out = out;
    }

    fn on_event(&mut self, event: &Event) {
        self.counters.count(event);
        match event {
            Event::Suspected { node } => self.reconnect(*node),
            Event::Alive { node } => self.peers.call_again(*node),
            Event::MemberChanged { node, status } => self.peers.on_status(*node, *status),
            Event::MetadataChanged => self.security.publish(self.node.status().cluster()),
            _ => {}
        }
        self.events.log(event, |node| self.peers.name(node));
    }

    /// The homes of `key` in order, and for those that are suspected who stands in.
    fn keepers(&self, key: &Key) -> Vec<Keeper> {
        let status = self.node.status();
        let (ring, n) = (&status.cluster().ring, status.rules(&Bucket::of(key)).n);
        let first = ring.partition(key.token()).index();
        let list = ring.preference_list(key.token(), n);
        let suspected = status.suspected();
        let mut standing_in = list.fallbacks().iter().filter(|node| !suspected.contains(node));
        let owners = ring.owners();
        let keeper = |home: &NodeId| {
            // Its partition nearest to the key's, from there on.
            let steps = (0..owners.len()).find(|step| owners[(first + step) % owners.len()] == *home)?;
            let is_home = !suspected.contains(home);
            let node = if is_home { *home } else { *standing_in.next()? };
            let partition = u32::try_from((first + steps) % owners.len()).ok()?;
            Some(Keeper { partition, node: self.as_riak_names(node), is_home })
        };
        list.homes().iter().filter_map(keeper).collect()
    }

    /// A node as Riak's clients know nodes: `riak@HOST`, of which they take the host. One that is called NAME@HOST is
    /// called that.
    fn as_riak_names(&self, node: NodeId) -> String {
        let name = self.peers.name(node);
        let status = self.node.status();
        let member = status.cluster().members.get(&node);
        match member.and_then(|member| Addresses::parse(&member.contact.value.address)) {
            Some(Addresses { peer, .. }) if !name.contains('@') => format!("riak@{}", peer.to_call().0),
            _ => name,
        }
    }

    fn reconnect(&mut self, node: NodeId) {
        self.peers.reconnect(node);
        if self.sabotage == Some(Sabotage::CallsRenumbered) {
            self.next_call = self.calls.keys().next().map_or(self.next_call, |oldest| oldest.0 - 1);
        }
    }

    fn report(&self) -> Report {
        let status = self.node.status();
        let name = |node: NodeId| self.peers.name(node);
        let names = |nodes: Vec<NodeId>| nodes.into_iter().map(name).collect();
        let member = status.cluster().status(status.node());
        Report {
            about: self.about.clone(),
            serves: status.serves(),
            member: member.map_or_else(|| "unknown".to_owned(), |status| status.to_string()),
            ring: status.cluster().ring.version().to_string(),
            membership_idle: status.membership_idle(),
            requests_running: status.requests_running(),
            storage_in_flight: status.storage_in_flight(),
            suspected: names(status.suspected()),
            down: names(status.down()),
            hints: status
                .hints()
                .into_iter()
                .map(|(home, HintTotal { keys, bytes })| HintReport { home: name(home), keys, bytes })
                .collect(),
            hints_idle: status.hints_idle(),
            anti_entropy_idle: status.anti_entropy_idle(),
            keys_repaired: status.keys_repaired(),
            fetches: status.fetches(),
            recovering: status.recovering(),
            handoff_open: status.handoff_open(),
            records_given: status.records_given(),
            reaped: status.reaped(),
            background: status.background().map(BackgroundReport::of),
            counters: self.counters,
            flight: self.flight.report(),
            peers: self.peers.iter().map(PeerReport::of).collect(),
            // Known where connections come in, and added there.
            certificates: Vec::new(),
            strangers: StrangersReport::default(),
        }
    }
}

/// Whether anything can still come. A channel that is at its end answers at once, again and again.
fn is_open<T>(channel: &mpsc::Receiver<T>) -> bool {
    !(channel.is_closed() && channel.is_empty())
}
