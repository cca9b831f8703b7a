//! Watches a run and writes down what happens. It draws no randomness and schedules nothing: a run is the same with it.

use std::collections::{BTreeMap, VecDeque};

use cartwheel_core::id::{CallId, NodeId, OpId};
use cartwheel_core::message::Message;
use cartwheel_core::replica::{Change, Refused, Update};
use cartwheel_core::{Answer, ClientError, ClientOp, ClientRequest, Event, Input, Key, Output};

use super::recording::{
    Attempt, Band, Carried, Down, Fate, Held, Lane, Recording, Sample, Step, Talk, Waited, What,
};
use super::words::{self, Said, Whose};
use crate::oracle::Scene;
use crate::scenario::Fault;

/// How often disks are looked at.
const SAMPLED_EVERY_NS: u64 = 50_000_000;

/// What is known of a call.
#[derive(Clone, Copy, Debug)]
struct Call {
    client: u32,
    /// The message that carries the request.
    asks: usize,
    /// The message that carries the answer.
    answers: Option<usize>,
    /// Its place among the requests.
    waited: usize,
    /// The client has crashed: it hears no answer.
    is_hung_up: bool,
}

/// Writes a [`Recording`].
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    recording: Recording,
    /// Messages between nodes that will arrive at a time, in the order in which they were sent.
    under_way: BTreeMap<(u32, u32, u64), VecDeque<usize>>,
    calls: BTreeMap<CallId, Call>,
    /// The requests of all clients, by name.
    waited: BTreeMap<u128, usize>,
    /// What the operations of each node are about: answers do not say it.
    ops: BTreeMap<(u32, OpId), Key>,
    sampled_ns: Option<u64>,
}

impl Recorder {
    /// Of a world of so many nodes and clients.
    pub fn new(nodes: u32, clients: u32) -> Self {
        Self { recording: Recording { nodes, clients, ..Recording::default() }, ..Self::default() }
    }

    /// The run ended at `at_ns`.
    pub fn finish(mut self, at_ns: u64) -> Recording {
        self.recording.end_ns = at_ns;
        for fault in &mut self.recording.faults {
            fault.until_ns = fault.until_ns.min(self.recording.peace_ns.unwrap_or(at_ns)).max(fault.at_ns);
        }
        self.recording
    }

    /// The request of `call` will reach its node then.
    pub fn will_be_heard(&mut self, call: CallId, due_ns: u64) {
        let asks = self.calls.get(&call).map(|call| call.asks);
        self.is_due(asks, due_ns);
    }

    /// The answer to `call` will reach its client then.
    pub fn will_be_answered(&mut self, call: CallId, due_ns: u64) {
        let answers = self.calls.get(&call).and_then(|call| call.answers);
        self.is_due(answers, due_ns);
    }

    fn is_due(&mut self, message: Option<usize>, due_ns: u64) {
        let Some(message) = message.and_then(|message| self.recording.messages.get_mut(message)) else {
            return;
        };
        if message.fate == Fate::UnderWay(None) {
            message.fate = Fate::UnderWay(Some(due_ns));
        }
    }

    fn keys(&self, said: &Said, from: u32, to: u32) -> Vec<Key> {
        let Some((op, whose)) = said.op else { return said.keys.clone() };
        let owner = if whose == Whose::Senders { from } else { to };
        let known = || self.ops.get(&(owner, op)).into_iter().cloned().collect();
        if said.keys.is_empty() { known() } else { said.keys.clone() }
    }

    fn step(&mut self, at_ns: u64, lane: Lane, what: What) -> &mut Step {
        let steps = &mut self.recording.steps;
        let (message, keys, request, text, held) = (None, Vec::new(), None, String::new(), None);
        steps.push(Step { at_ns, lane, what, message, keys, request, text, held });
        let last = steps.len() - 1;
        &mut steps[last]
    }

    /// A step that a message takes.
    fn carry(&mut self, at_ns: u64, lane: Lane, what: What, message: usize) {
        let Carried { keys, request, copy_of, .. } = &self.recording.messages[message];
        let (keys, request) = (keys.clone(), *request);
        let text = if copy_of.is_some() && what != What::Send { "a second copy" } else { "" };
        let text = match self.recording.messages[message].text.as_str() {
            _ if text.is_empty() => String::new(),
            said => format!("{said} ({text})"),
        };
        let step = self.step(at_ns, lane, what);
        step.message = Some(message);
        (step.keys, step.request, step.text) = (keys, request, text);
    }

    /// `node` says something to a peer. It arrives when `arrivals` say; the network may make a second copy.
    pub fn sends(
        &mut self,
        scene: &Scene<'_>,
        from: u32,
        to: u32,
        message: &Message,
        arrivals: [Option<u64>; 2],
    ) {
        let said = words::said(message, scene.truth);
        let keys = self.keys(&said, from, to);
        if let (Some((op, Whose::Senders)), [key]) = (said.op, keys.as_slice()) {
            self.ops.insert((from, op), key.clone());
        }
        let original = self.recording.messages.len();
        let [first, second] = arrivals;
        let fate = first.map_or(Fate::Lost, |due| Fate::UnderWay(Some(due)));
        let carried = |fate, copy_of, text| Carried {
            from: Lane::Node(from),
            to: Lane::Node(to),
            kind: said.kind,
            talk: said.talk,
            keys: keys.clone(),
            request: said.request,
            text,
            sent_ns: scene.at_ns,
            fate,
            copy_of,
        };
        let mut copies = vec![(first, carried(fate, None, said.text.clone()))];
        if let Some(due) = second {
            copies.push((second, carried(Fate::UnderWay(Some(due)), Some(original), said.text.clone())));
        }
        for (index, (due, copy)) in copies.into_iter().enumerate() {
            self.recording.messages.push(copy);
            if let Some(due) = due {
                self.under_way.entry((from, to, due)).or_default().push_back(original + index);
            }
        }
        self.carry(scene.at_ns, Lane::Node(from), What::Send, original);
    }

    /// `node` is handed `input`. If it is down, it does not hear it.
    pub fn hears(&mut self, scene: &Scene<'_>, node: u32, input: &Input) {
        self.sample(scene);
        let (at, lane) = (scene.at_ns, Lane::Node(node));
        let is_up = scene.processes[node as usize].node.is_some();
        match input {
            Input::Peer { from, .. } => self.arrives(at, (from.0 - 1) as u32, node, is_up),
            Input::Client(request) => {
                if let Some(Call { asks, .. }) = self.calls.get(&request.call).copied() {
                    self.recording.messages[asks].fate = Fate::Heard(at);
                    self.carry(at, lane, What::Receive, asks);
                }
            }
            Input::Admin(request) if is_up => {
                self.step(at, lane, What::Operator).text = words::debug(&request.op);
            }
            Input::Timeout if is_up => self.step(at, lane, What::Timer).text = "a time has come".into(),
            Input::Storage(completion) if is_up => {
                let text = words::debug(completion);
                let kind = text.split([' ', '{']).next().unwrap_or_default().to_owned();
                self.step(at, lane, What::Disk).text = kind;
            }
            Input::Coverage(request) if is_up => {
                self.step(at, lane, What::Note).text = words::listing(&request.op);
            }
            Input::Admin(_) | Input::Timeout | Input::Storage(_) | Input::Coverage(_) => {}
        }
    }

    /// What one node sent another and arrives now finds it standing still until then.
    pub fn waits(&mut self, at: u64, (from, to): (u32, u32), until: u64) {
        if let Some(message) = self.due_now(at, from, to) {
            self.recording.messages[message].fate = Fate::UnderWay(Some(until));
            self.under_way.entry((from, to, until)).or_default().push_back(message);
        }
    }

    fn due_now(&mut self, at: u64, from: u32, to: u32) -> Option<usize> {
        let due = (from, to, at);
        let waiting = self.under_way.get_mut(&due)?;
        let message = waiting.pop_front();
        if waiting.is_empty() {
            self.under_way.remove(&due);
        }
        message
    }

    fn arrives(&mut self, at: u64, from: u32, to: u32, is_up: bool) {
        let Some(message) = self.due_now(at, from, to) else { return };
        let (fate, what) =
            if is_up { (Fate::Heard(at), What::Receive) } else { (Fate::Unheard(at), What::Unheard) };
        self.recording.messages[message].fate = fate;
        self.carry(at, Lane::Node(to), what, message);
    }

    /// `node` wants something done. What it sends is told to [`Self::sends`].
    pub fn says(&mut self, scene: &Scene<'_>, node: u32, output: &Output) {
        let (at, lane) = (scene.at_ns, Lane::Node(node));
        match output {
            Output::Reply(reply) => {
                let heeded = self.calls.get(&reply.call).copied().filter(|call| !call.is_hung_up);
                let Some(call) = heeded else { return };
                let message = self.recording.messages.len();
                let (kind, text) = words::answered(&reply.result, scene.truth);
                let (from, to) = (lane, Lane::Client(call.client));
                self.client_message(at, from, to, kind, text, call.waited);
                if let Some(call) = self.calls.get_mut(&reply.call) {
                    call.answers = Some(message);
                }
            }
            Output::Event(event) => self.notes(at, lane, event),
            Output::AdminReply(reply) => {
                self.step(at, lane, What::Operator).text = words::debug(&reply.result);
            }
            Output::StartOver { seen, number } => {
                self.step(at, lane, What::Note).text = format!(
                    "its disk is an old copy: peers have seen boot {seen}, and this is boot {number}"
                );
            }
            Output::Coverage(reply) => self.step(at, lane, What::Note).text = words::listed(reply),
            Output::Send { .. } | Output::Storage(_) | Output::Contact { .. } => {}
        }
    }

    fn notes(&mut self, at: u64, lane: Lane, event: &Event) {
        let (key, text) = words::noted(event);
        let keys = key.into_iter().cloned().collect();
        let step = self.step(at, lane, What::Note);
        (step.keys, step.text) = (keys, text);
    }

    fn client_message(
        &mut self,
        at: u64,
        from: Lane,
        to: Lane,
        kind: &'static str,
        text: String,
        waited: usize,
    ) {
        let Waited { key, request, .. } = &self.recording.requests[waited];
        let (keys, request) = (vec![key.clone()], Some(*request));
        let message = self.recording.messages.len();
        let (talk, fate, copy_of) = (Talk::Client, Fate::UnderWay(None), None);
        let carried = Carried { from, to, kind, talk, keys, request, text, sent_ns: at, fate, copy_of };
        self.recording.messages.push(carried);
        self.carry(at, from, What::Send, message);
    }

    /// `client` sends a request to `node`.
    pub fn asks(&mut self, scene: &Scene<'_>, client: usize, node: u32, request: &ClientRequest) {
        let client = client as u32;
        let (kind, text) = words::asked(request, scene.truth);
        let waited = *self.waited.entry(request.request.0).or_insert_with(|| {
            self.recording.requests.push(Waited {
                request: request.request,
                client,
                key: request.key.clone(),
                kind: if let ClientOp::Get(_) = request.op { "get" } else { "put" },
                began_ns: scene.at_ns,
                attempts: Vec::new(),
            });
            self.recording.requests.len() - 1
        });
        let attempt = Attempt {
            node,
            began_ns: scene.at_ns,
            ended_ns: None,
            succeeded: false,
            outcome: "no answer yet".into(),
        };
        self.recording.requests[waited].attempts.push(attempt);
        let asks = self.recording.messages.len();
        self.client_message(scene.at_ns, Lane::Client(client), Lane::Node(node), kind, text, waited);
        self.calls.insert(request.call, Call { client, asks, answers: None, waited, is_hung_up: false });
    }

    /// The node that was to answer `call` is gone. If it never heard the request, nobody does.
    pub fn breaks(&mut self, scene: &Scene<'_>, call: CallId) {
        let Some(Call { asks, .. }) = self.calls.get(&call).copied() else { return };
        let message = &mut self.recording.messages[asks];
        if let (Fate::UnderWay(_), to) = (message.fate, message.to) {
            message.fate = Fate::Unheard(scene.at_ns);
            self.carry(scene.at_ns, to, What::Unheard, asks);
        }
    }

    /// The client that made `call` has crashed. What was to be the answer is not heard.
    pub fn hangs_up(&mut self, scene: &Scene<'_>, call: CallId) {
        let Some(call) = self.calls.get_mut(&call) else { return };
        call.is_hung_up = true;
        let (Call { client, answers, waited, .. }, at) = (*call, scene.at_ns);
        if let Some(answer) = answers {
            self.recording.messages[answer].fate = Fate::Unheard(at);
        }
        let Waited { request, key, attempts, .. } = &mut self.recording.requests[waited];
        let (request, keys) = (*request, vec![key.clone()]);
        if let Some(attempt) = attempts.last_mut() {
            (attempt.ended_ns, attempt.outcome) = (Some(at), "the client crashed".into());
        }
        let step = self.step(at, Lane::Client(client), What::Broken);
        (step.keys, step.request) = (keys, Some(request));
        step.text = "the client crashes; it will ask again".into();
    }

    /// The client that made `call` is told.
    pub fn answers(&mut self, scene: &Scene<'_>, call: CallId, result: Option<&Result<Answer, ClientError>>) {
        let heeded = self.calls.remove(&call).filter(|call| !call.is_hung_up);
        let Some(Call { client, answers, waited, .. }) = heeded else { return };
        let (at, lane) = (scene.at_ns, Lane::Client(client));
        let Waited { request, key, attempts, .. } = &mut self.recording.requests[waited];
        let (request, keys) = (*request, vec![key.clone()]);
        if let Some(attempt) = attempts.last_mut() {
            attempt.ended_ns = Some(at);
            attempt.succeeded = matches!(result, Some(Ok(_)));
            attempt.outcome = match result {
                Some(Ok(_)) => "ok".into(),
                Some(Err(error)) => error.to_string(),
                None => "the connection broke".into(),
            };
        }
        match answers {
            Some(answer) if result.is_some() => {
                self.recording.messages[answer].fate = Fate::Heard(at);
                self.carry(at, lane, What::Receive, answer);
            }
            _ => {
                let step = self.step(at, lane, What::Broken);
                (step.keys, step.request) = (keys, Some(request));
                step.text = "the connection broke before an answer came".into();
            }
        }
    }

    /// The disk of `node` was told to do `update`.
    pub fn applied(
        &mut self,
        scene: &Scene<'_>,
        node: u32,
        key: &Key,
        update: &Update,
        result: &Result<Change, Refused>,
    ) {
        let disk = scene.disk(NodeId(u64::from(node) + 1));
        let text = words::applied(update, result, scene.truth);
        let siblings = disk.read(key).versions().len() as u32;
        let hints = disk.hints() as u32;
        let step = self.step(scene.at_ns, Lane::Node(node), What::Store);
        step.keys = vec![key.clone()];
        step.request = if let Update::Coordinate { write, .. } = update { Some(write.request) } else { None };
        (step.text, step.held) = (text, Some(Held { siblings, hints }));
    }

    /// A fault strikes.
    pub fn strikes(&mut self, scene: &Scene<'_>, fault: &Fault) {
        let text = words::fault(fault);
        let lasts = fault.clone().lasts_mut().map_or(0, |lasts| lasts.ns());
        let (at_ns, nodes) = (scene.at_ns, fault.nodes());
        let until_ns = at_ns.saturating_add(lasts);
        self.recording.faults.push(Band { text: text.clone(), at_ns, until_ns, nodes });
        self.step(scene.at_ns, Lane::World, What::Fault).text = text;
    }

    /// Faults cease.
    pub fn peace(&mut self, scene: &Scene<'_>) {
        self.recording.peace_ns = Some(scene.at_ns);
        self.step(scene.at_ns, Lane::World, What::Peace).text =
            "faults cease, and everything is mended".into();
    }

    /// `node` starts.
    pub fn starts(&mut self, scene: &Scene<'_>, node: u32, boot: u64) {
        let at = scene.at_ns;
        let downs = self.recording.downs.iter_mut();
        if let Some(down) = downs.rev().find(|down| down.node == node && down.until_ns.is_none()) {
            down.until_ns = Some(at);
        }
        self.step(at, Lane::Node(node), What::Up).text = format!("starts, boot {boot} of its disk");
    }

    /// `node` has stopped, one way or the other.
    pub fn stops(&mut self, scene: &Scene<'_>, node: u32) {
        self.recording.downs.push(Down { node, from_ns: scene.at_ns, until_ns: None });
        self.step(scene.at_ns, Lane::Node(node), What::Down).text = "is down".into();
    }

    fn sample(&mut self, scene: &Scene<'_>) {
        let at_ns = scene.at_ns;
        if self.sampled_ns.is_some_and(|last| at_ns < last + SAMPLED_EVERY_NS) {
            return;
        }
        self.sampled_ns = Some(at_ns);
        let mut most: BTreeMap<&Key, usize> = BTreeMap::new();
        for disk in scene.processes.iter().map(|process| &process.disk) {
            for key in disk.keys() {
                let most = most.entry(key).or_default();
                *most = (*most).max(disk.read(key).versions().len());
            }
        }
        let siblings_max = most.values().max().copied().unwrap_or(0) as u32;
        let hints = scene.processes.iter().map(|process| process.disk.hints() as u32).collect();
        self.recording.samples.push(Sample { at_ns, hints, siblings_max });
    }
}
