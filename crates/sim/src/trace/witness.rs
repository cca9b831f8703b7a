//! A recording of real nodes, of what each of them heard and said by itself. Nobody saw the network between them: which message
//! that was heard is which that was said is found out by what they say, and how far clocks are apart by this, that nothing
//! is heard before it was said.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::Hash;

use cartwheel_core::canonical::CanonicalBytes;
use cartwheel_core::id::{CallId, NodeId, OpId};
use cartwheel_core::message::Message;
use cartwheel_core::replica::Update;
use cartwheel_core::storage::{StorageCompletion, StorageOp, StorageRequest, Ticket};
use cartwheel_core::{ClientOp, ClientReply, ClientRequest, Input, Key, Output};
use xxhash_rust::xxh3::xxh3_64;

use super::recording::{
    Attempt, Carried, Down, Fate, Held, Lane, Recording, Sample, Step, Talk, Waited, What,
};
use super::words::{self, Said, Whose};
use crate::workload::Truth;

/// What is to be seen of all that happened.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// From this time on, in nanoseconds.
    pub from_ns: u64,
    /// Until then.
    pub until_ns: u64,
    /// Only what is about one of these keys; nothing: all of it.
    pub keys: Vec<Key>,
    /// At most so many steps: the last ones.
    pub steps_max: usize,
}

/// What real nodes tell, one after the other. Each counts its time from the same beginning, by its own clock.
#[derive(Debug)]
pub struct Witness {
    nodes: BTreeMap<NodeId, u32>,
    names: Vec<String>,
    shown: Shown,
    truth: Truth,
    steps: Vec<Step>,
    said: Vec<(u64, Carried)>,
    heard: Vec<(u64, Carried)>,
    requests: Vec<Waited>,
    /// Clients' requests that run, by node.
    calls: BTreeMap<(u32, CallId), usize>,
    /// What the operations of each node are about: answers do not say it.
    ops: BTreeMap<(u32, OpId), Key>,
    /// What each disk was told to change and has not said to have done.
    updates: BTreeMap<(u32, Ticket), (Key, Update)>,
    downs: Vec<Down>,
    /// When each node was last heard of.
    last_ns: BTreeMap<u32, u64>,
    /// Time, node, hints held.
    hints: Vec<(u64, u32, u32)>,
    siblings: Vec<(u64, u32)>,
}

/// What came of it.
#[derive(Debug)]
pub struct Testimony {
    /// All that is shown, in the order of time.
    pub recording: Recording,
    /// How much was added to the clock of each node, in nanoseconds.
    pub offsets_ns: Vec<u64>,
    /// Whether some message is shown as heard before it was said nevertheless: clocks have jumped.
    pub is_contradictory: bool,
    /// Earlier steps that there was no room for.
    pub left_out: u64,
}

impl Witness {
    /// Of these nodes, each with its name.
    pub fn new(nodes: &[(NodeId, String)], shown: Shown) -> Self {
        Self {
            nodes: nodes.iter().map(|(node, _)| *node).zip(0..).collect(),
            names: nodes.iter().map(|(_, name)| name.clone()).collect(),
            shown,
            truth: Truth::unknown(),
            steps: Vec::new(),
            said: Vec::new(),
            heard: Vec::new(),
            requests: Vec::new(),
            calls: BTreeMap::new(),
            ops: BTreeMap::new(),
            updates: BTreeMap::new(),
            downs: Vec::new(),
            last_ns: BTreeMap::new(),
            hints: Vec::new(),
            siblings: Vec::new(),
        }
    }

    fn place(&self, node: NodeId) -> Option<u32> {
        self.nodes.get(&node).copied()
    }

    /// Whether what happens at `at_ns` may be seen, or may be needed to understand what is seen up to `before_ns` later.
    pub fn may_show(&self, at_ns: u64, before_ns: u64) -> bool {
        (self.shown.from_ns.saturating_sub(before_ns)..=self.shown.until_ns).contains(&at_ns)
    }

    /// Whether it is to be seen.
    fn is_shown(&self, at_ns: u64, keys: &[Key]) -> bool {
        let is_asked = self.shown.keys.is_empty() || keys.iter().any(|key| self.shown.keys.contains(key));
        (self.shown.from_ns..=self.shown.until_ns).contains(&at_ns) && is_asked
    }

    fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    fn plain(&mut self, at_ns: u64, node: u32, what: What, keys: Vec<Key>, text: String) {
        let (message, request, held) = (None, None, None);
        self.step(Step { at_ns, lane: Lane::Node(node), what, message, keys, request, text, held });
    }

    /// `node` starts.
    pub fn starts(&mut self, at_ns: u64, node: NodeId, text: String) {
        let Some(node) = self.place(node) else { return };
        if let Some(last) = self.last_ns.insert(node, at_ns) {
            self.downs.push(Down { node, from_ns: last, until_ns: Some(at_ns) });
        }
        self.calls.retain(|(of, _), _| *of != node);
        self.updates.retain(|(of, _), _| *of != node);
        if (self.shown.from_ns..=self.shown.until_ns).contains(&at_ns) {
            self.plain(at_ns, node, What::Up, Vec::new(), text);
        }
    }

    /// The recording of a boot of `node` ends.
    pub fn ends(&mut self, at_ns: u64, node: NodeId, text: String) {
        let Some(node) = self.place(node) else { return };
        self.last_ns.insert(node, at_ns);
        if (self.shown.from_ns..=self.shown.until_ns).contains(&at_ns) {
            self.plain(at_ns, node, What::Down, Vec::new(), text);
        }
    }

    /// What `node` holds for others now.
    pub fn owes(&mut self, at_ns: u64, node: NodeId, hints: u32) {
        let Some(node) = self.place(node) else { return };
        self.hints.push((at_ns, node, hints));
    }

    /// `node` is handed `input`.
    pub fn hears(&mut self, at_ns: u64, node: NodeId, input: &Input) {
        let Some(node) = self.place(node) else { return };
        self.last_ns.insert(node, at_ns);
        match input {
            Input::Peer { from, message } => self.message_heard(at_ns, node, *from, message),
            Input::Client(request) => self.asked(at_ns, node, request),
            Input::Storage(completion) => self.stored(at_ns, node, completion),
            Input::Admin(request) => {
                let text = words::debug(&request.op);
                if self.is_shown(at_ns, &[]) {
                    self.plain(at_ns, node, What::Operator, Vec::new(), text);
                }
            }
            Input::Coverage(request) => {
                if self.is_shown(at_ns, &[]) {
                    self.plain(at_ns, node, What::Note, Vec::new(), words::listing(&request.op));
                }
            }
            Input::Timeout => {
                if self.is_shown(at_ns, &[]) {
                    self.plain(at_ns, node, What::Timer, Vec::new(), "a time has come".into());
                }
            }
        }
    }

    /// The keys that a message is about, answers included.
    fn keys(&mut self, said: &Said, from: u32, to: Option<u32>) -> Vec<Key> {
        let Some((op, whose)) = said.op else { return said.keys.clone() };
        let owner = if whose == Whose::Senders { Some(from) } else { to };
        if let (Whose::Senders, [key]) = (whose, said.keys.as_slice()) {
            self.ops.insert((from, op), key.clone());
        }
        let Some(owner) = owner.filter(|_| said.keys.is_empty()) else { return said.keys.clone() };
        self.ops.get(&(owner, op)).into_iter().cloned().collect()
    }

    fn message_heard(&mut self, at: u64, node: u32, from: NodeId, message: &Message) {
        let said = words::said(message, &self.truth);
        let Some(from) = self.place(from) else { return };
        let keys = self.keys(&said, from, Some(node));
        if self.is_shown(at, &keys) {
            let carried = carried(said, keys, (from, node), at, Fate::Heard(at));
            self.heard.push((name_of(from, node, message), carried));
        }
    }

    /// `node` wants something done.
    pub fn wants(&mut self, at_ns: u64, node: NodeId, output: &Output) {
        let Some(node) = self.place(node) else { return };
        match output {
            Output::Send { to, message } => {
                let said = words::said(message, &self.truth);
                let to = self.place(*to);
                let keys = self.keys(&said, node, to);
                let Some(to) = to.filter(|_| self.is_shown(at_ns, &keys)) else { return };
                let carried = carried(said, keys, (node, to), at_ns, Fate::UnderWay(None));
                self.said.push((name_of(node, to, message), carried));
            }
            Output::Reply(reply) => self.answered(at_ns, node, reply),
            Output::Event(event) => {
                let (key, text) = words::noted(event);
                let keys: Vec<Key> = key.into_iter().cloned().collect();
                if self.is_shown(at_ns, &keys) {
                    self.plain(at_ns, node, What::Note, keys, text);
                }
            }
            Output::AdminReply(reply) => {
                let text = words::debug(&reply.result);
                if self.is_shown(at_ns, &[]) {
                    self.plain(at_ns, node, What::Operator, Vec::new(), text);
                }
            }
            Output::StartOver { seen, number } => {
                let text = format!(
                    "its disk is an old copy: peers have seen boot {seen}, and this is boot {number}"
                );
                self.plain(at_ns, node, What::Note, Vec::new(), text);
            }
            Output::Storage(StorageRequest { ticket, op: StorageOp::Apply { key, update } }) => {
                self.updates.insert((node, *ticket), (key.clone(), update.clone()));
            }
            Output::Coverage(reply) => {
                if self.is_shown(at_ns, &[]) {
                    self.plain(at_ns, node, What::Note, Vec::new(), words::listed(reply));
                }
            }
            Output::Storage(_) | Output::Contact { .. } => {}
        }
    }

    fn stored(&mut self, at: u64, node: u32, completion: &StorageCompletion) {
        let StorageCompletion::Applied { ticket, result } = completion else { return };
        let Some((key, update)) = self.updates.remove(&(node, *ticket)) else { return };
        let keys = vec![key];
        if !self.is_shown(at, &keys) {
            return;
        }
        let (text, held) = match result {
            Ok(result) => {
                let siblings = result.as_ref().map_or(0, |change| change.siblings.versions().len() as u32);
                self.siblings.push((at, siblings));
                let held = result.is_ok().then_some(Held { siblings, hints: 0 });
                (words::applied(&update, result, &self.truth), held)
            }
            Err(error) => (format!("the disk fails: {error:?}"), None),
        };
        let request = if let Update::Coordinate { write, .. } = &update { Some(write.request) } else { None };
        let (lane, what, message) = (Lane::Node(node), What::Store, None);
        self.step(Step { at_ns: at, lane, what, message, keys, request, text, held });
    }

    /// Nobody saw when the client asked: it is shown as it was heard.
    fn asked(&mut self, at: u64, node: u32, request: &ClientRequest) {
        let keys = [request.key.clone()];
        if !self.is_shown(at, &keys) {
            return;
        }
        let (kind, text) = words::asked(request, &self.truth);
        let outcome = "no answer yet".into();
        let attempt = Attempt { node, began_ns: at, ended_ns: None, succeeded: false, outcome };
        self.requests.push(Waited {
            request: request.request,
            client: node,
            key: request.key.clone(),
            kind: if let ClientOp::Get(_) = request.op { "get" } else { "put" },
            began_ns: at,
            attempts: vec![attempt],
        });
        let waited = self.requests.len() - 1;
        self.calls.insert((node, request.call), waited);
        self.client_message(at, (Lane::Client(node), Lane::Node(node)), kind, text, waited);
    }

    fn answered(&mut self, at: u64, node: u32, reply: &ClientReply) {
        let Some(waited) = self.calls.remove(&(node, reply.call)) else { return };
        let (kind, text) = words::answered(&reply.result, &self.truth);
        if let Some(attempt) = self.requests[waited].attempts.last_mut() {
            attempt.ended_ns = Some(at);
            attempt.succeeded = reply.result.is_ok();
            attempt.outcome = reply.result.as_ref().map_or_else(ToString::to_string, |_| "ok".into());
        }
        self.client_message(at, (Lane::Node(node), Lane::Client(node)), kind, text, waited);
    }

    fn client_message(
        &mut self,
        at: u64,
        (from, to): (Lane, Lane),
        kind: &'static str,
        text: String,
        waited: usize,
    ) {
        let Waited { key, request, .. } = &self.requests[waited];
        let (keys, request) = (vec![key.clone()], Some(*request));
        let (talk, fate, copy_of) = (Talk::Client, Fate::Heard(at), None);
        // A name that no other message has: it is said and heard at once.
        let message = Carried { from, to, kind, talk, keys, request, text, sent_ns: at, fate, copy_of };
        self.said.push((0, message));
    }

    /// Everything in the order of time, by clocks that fit together.
    pub fn finish(mut self) -> Testimony {
        let pairs = self.pairs();
        let (offsets_ns, is_contradictory) = self.offsets(&pairs);
        self.pair_up(&pairs);
        let shift = |lane: Lane| match lane {
            Lane::Node(node) | Lane::Client(node) => offsets_ns.get(node as usize).copied().unwrap_or(0),
            Lane::World => 0,
        };
        let mut messages: Vec<Carried> = self.said.into_iter().map(|(_, message)| message).collect();
        for message in &mut messages {
            message.sent_ns += shift(message.from);
            if let Fate::Heard(at) = &mut message.fate {
                *at += shift(message.to);
            }
        }
        messages.sort_by_key(|message| message.sent_ns);
        let mut steps = self.steps;
        steps.iter_mut().for_each(|step| step.at_ns += shift(step.lane));
        for (index, message) in messages.iter().enumerate() {
            steps.extend(steps_of(index, message));
        }
        // What is heard comes before what is done about it at the same moment.
        steps.sort_by_key(|step| (step.at_ns, step.what != What::Receive));
        let left_out = steps.len().saturating_sub(self.shown.steps_max);
        steps.drain(..left_out);
        let last = |at: u64, step: &Step| at.max(step.at_ns);
        let end_ns = steps.iter().fold(0, last);
        let at_of = |node: u32, at: u64| at + shift(Lane::Node(node));
        for waited in &mut self.requests {
            waited.began_ns = at_of(waited.client, waited.began_ns);
            for attempt in &mut waited.attempts {
                attempt.ended_ns = attempt.ended_ns.map(|at| at_of(waited.client, at));
            }
        }
        let downs = self.downs.into_iter().map(|down| Down {
            from_ns: at_of(down.node, down.from_ns),
            until_ns: down.until_ns.map(|at| at_of(down.node, at)),
            ..down
        });
        let begin_ns = steps.first().map_or(0, |step| step.at_ns);
        let mut recording = Recording {
            nodes: self.names.len() as u32,
            clients: self.names.len() as u32,
            names: self.names,
            steps,
            messages,
            requests: self.requests,
            downs: downs.collect(),
            samples: samples(self.hints, self.siblings, &offsets_ns),
            begin_ns,
            end_ns,
            ..Recording::default()
        };
        keep_since(&mut recording, begin_ns);
        name_nodes(&mut recording, &self.nodes);
        Testimony { recording, offsets_ns, is_contradictory, left_out: left_out as u64 }
    }

    /// Messages whose name was said once and heard once: which is which is beyond doubt.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let once = |list: &[(u64, Carried)]| {
            let mut places: BTreeMap<u64, Option<usize>> = BTreeMap::new();
            for (place, (name, _)) in list.iter().enumerate().filter(|(_, (name, _))| *name != 0) {
                places.entry(*name).and_modify(|place| *place = None).or_insert(Some(place));
            }
            places
        };
        let (said, heard) = (once(&self.said), once(&self.heard));
        let pair = |(name, said): (u64, Option<usize>)| Some((said?, (*heard.get(&name)?)?));
        said.into_iter().filter_map(pair).collect()
    }

    /// What to add to each clock, so that nothing is heard before it was said: as little as that allows, to as few as that allows.
    fn offsets(&self, pairs: &[(usize, usize)]) -> (Vec<u64>, bool) {
        // The least that a message took from one node to another, by their clocks.
        let mut least: BTreeMap<(u32, u32), i128> = BTreeMap::new();
        for &(said, heard) in pairs {
            let (message, Fate::Heard(at)) = (&self.said[said].1, self.heard[heard].1.fate) else { continue };
            let (Lane::Node(from), Lane::Node(to)) = (message.from, message.to) else { continue };
            let took = i128::from(at) - i128::from(message.sent_ns);
            least.entry((from, to)).and_modify(|least| *least = took.min(*least)).or_insert(took);
        }
        let mut offsets = vec![0_i128; self.names.len()];
        for _ in 0..=self.names.len() {
            let mut is_settled = true;
            for (&(from, to), &took) in &least {
                let earliest = offsets[from as usize] - took;
                if offsets[to as usize] < earliest {
                    offsets[to as usize] = earliest;
                    is_settled = false;
                }
            }
            if is_settled {
                let offsets = offsets.into_iter().map(|offset| u64::try_from(offset).unwrap_or(0)).collect();
                return (offsets, false);
            }
        }
        (vec![0; self.names.len()], true)
    }

    /// Gives each message that was said the time at which it was heard. Of several that say the same, the last one that may
    /// have been heard by then was. What was only heard is shown as said at that time.
    fn pair_up(&mut self, pairs: &[(usize, usize)]) {
        let mut done: BTreeSet<usize> = BTreeSet::new();
        for &(said, heard) in pairs {
            self.said[said].1.fate = self.heard[heard].1.fate;
            done.insert(heard);
        }
        let mut open: BTreeMap<u64, VecDeque<usize>> = BTreeMap::new();
        let mut in_order: Vec<usize> = (0..self.said.len()).collect();
        in_order.sort_by_key(|place| self.said[*place].1.sent_ns);
        for place in in_order {
            let (name, message) = &self.said[place];
            if *name != 0 && matches!(message.fate, Fate::UnderWay(_)) {
                open.entry(*name).or_default().push_back(place);
            }
        }
        let heard = std::mem::take(&mut self.heard);
        for (place, (name, message)) in heard.into_iter().enumerate() {
            let Fate::Heard(at) = message.fate else { continue };
            if done.contains(&place) {
                continue;
            }
            let waiting = open.get_mut(&name);
            let mut found = None;
            if let Some(waiting) = waiting {
                while waiting.front().is_some_and(|said| self.said[*said].1.sent_ns <= at) {
                    found = waiting.pop_front();
                }
            }
            match found {
                Some(said) => self.said[said].1.fate = Fate::Heard(at),
                None => {
                    let text = format!("{} (when it was sent is not known)", message.text);
                    self.said.push((0, Carried { text: text.trim_start().to_owned(), ..message }));
                }
            }
        }
        self.give_up();
    }

    /// What was said to a node that was heard of later, and that it did not hear, is lost.
    fn give_up(&mut self) {
        for (name, message) in &mut self.said {
            let Lane::Node(to) = message.to else { continue };
            let is_over = self.last_ns.get(&to).is_some_and(|last| *last > message.sent_ns + 1_000_000_000);
            if *name != 0 && matches!(message.fate, Fate::UnderWay(_)) && is_over {
                message.fate = Fate::Lost;
            }
        }
    }
}

/// What a message is called: where it goes and all that it says. Never 0.
fn name_of(from: u32, to: u32, message: &Message) -> u64 {
    let mut bytes = CanonicalBytes::default();
    (from, to, message).hash(&mut bytes);
    xxh3_64(bytes.as_slice()).max(1)
}

fn carried(said: Said, keys: Vec<Key>, (from, to): (u32, u32), sent_ns: u64, fate: Fate) -> Carried {
    let Said { kind, talk, request, text, .. } = said;
    let (from, to) = (Lane::Node(from), Lane::Node(to));
    Carried { from, to, kind, talk, keys, request, text, sent_ns, fate, copy_of: None }
}

/// Where it is said, and where it is heard.
fn steps_of(index: usize, message: &Carried) -> impl Iterator<Item = Step> {
    let step = |at_ns, lane, what| Step {
        at_ns,
        lane,
        what,
        message: Some(index),
        keys: message.keys.clone(),
        request: message.request,
        text: String::new(),
        held: None,
    };
    let heard = match message.fate {
        Fate::Heard(at) => Some(step(at, message.to, What::Receive)),
        _ => None,
    };
    [step(message.sent_ns, message.from, What::Send)].into_iter().chain(heard)
}

/// One for each time that a node told what it owes: what all of them owed then, as far as it is known.
fn samples(
    mut hints: Vec<(u64, u32, u32)>,
    mut siblings: Vec<(u64, u32)>,
    offsets_ns: &[u64],
) -> Vec<Sample> {
    hints.iter_mut().for_each(|(at, node, _)| *at += offsets_ns[*node as usize]);
    hints.sort_unstable();
    siblings.sort_unstable();
    let mut siblings = siblings.into_iter().peekable();
    let mut owed = vec![0; offsets_ns.len()];
    let mut samples = Vec::new();
    for (at_ns, node, count) in hints {
        owed[node as usize] = count;
        let mut siblings_max = 0;
        while let Some((_, count)) = siblings.next_if(|(at, _)| *at <= at_ns) {
            siblings_max = siblings_max.max(count);
        }
        samples.push(Sample { at_ns, hints: owed.clone(), siblings_max });
    }
    samples
}

/// Drops what ended before, messages of steps that are left out included.
fn keep_since(recording: &mut Recording, begin_ns: u64) {
    let used: BTreeSet<usize> = recording.steps.iter().filter_map(|step| step.message).collect();
    let places: BTreeMap<usize, usize> = used.iter().copied().zip(0..).collect();
    let mut place = 0;
    recording.messages.retain(|_| {
        place += 1;
        used.contains(&(place - 1))
    });
    for step in &mut recording.steps {
        step.message = step.message.and_then(|message| places.get(&message).copied());
    }
    recording.requests.retain(|waited| waited.ended_ns().is_none_or(|at| at >= begin_ns));
    recording.downs.retain(|down| down.until_ns.is_none_or(|at| at >= begin_ns));
    recording.samples.retain(|sample| sample.at_ns >= begin_ns);
}

/// People know nodes by their names.
fn name_nodes(recording: &mut Recording, nodes: &BTreeMap<NodeId, u32>) {
    let names: Vec<(String, &String)> =
        nodes.iter().map(|(node, place)| (node.to_string(), &recording.names[*place as usize])).collect();
    let named = |text: &mut String| {
        for (id, name) in &names {
            if text.contains(id.as_str()) {
                *text = text.replace(id.as_str(), name);
            }
        }
    };
    recording.steps.iter_mut().for_each(|step| named(&mut step.text));
    recording.messages.iter_mut().for_each(|message| named(&mut message.text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartwheel_core::message::{LivenessMessage, ReplicaMessage};
    use cartwheel_core::version::Siblings;

    const N1: NodeId = NodeId(7_000_000);
    const N2: NodeId = NodeId(8_000_000);
    const SECOND: u64 = 1_000_000_000;

    fn witness(keys: Vec<Key>) -> Witness {
        let shown = Shown { from_ns: 0, until_ns: u64::MAX, keys, steps_max: 100 };
        Witness::new(&[(N1, "one".into()), (N2, "two".into())], shown)
    }

    fn sends(to: NodeId, message: &Message) -> Output {
        Output::Send { to, message: message.clone() }
    }

    fn heard(from: NodeId, message: &Message) -> Input {
        Input::Peer { from, message: message.clone() }
    }

    fn read(op: u64, key: &[u8]) -> Message {
        Message::Replica(ReplicaMessage::Read { op: OpId(op), key: Key::new(b"carts", key) })
    }

    fn reply(op: u64) -> Message {
        Message::Replica(ReplicaMessage::ReadReply { op: OpId(op), result: Ok(Siblings::default()) })
    }

    #[test]
    fn nothing_is_heard_before_it_was_said() {
        let mut witness = witness(Vec::new());
        // The clock of the second node is behind by somewhat more than the message took.
        witness.wants(5 * SECOND, N1, &sends(N2, &read(1, b"a")));
        witness.hears(3 * SECOND, N2, &heard(N1, &read(1, b"a")));
        witness.wants(3 * SECOND, N2, &sends(N1, &reply(1)));
        witness.hears(6 * SECOND, N1, &heard(N2, &reply(1)));
        let Testimony { recording, offsets_ns, is_contradictory, .. } = witness.finish();
        assert_eq!((offsets_ns, is_contradictory), (vec![0, 2 * SECOND], false));
        let fates: Vec<_> =
            recording.messages.iter().map(|message| (message.sent_ns, message.fate)).collect();
        assert_eq!(fates, [(5 * SECOND, Fate::Heard(5 * SECOND)), (5 * SECOND, Fate::Heard(6 * SECOND))]);
        assert!(recording.steps.is_sorted_by_key(|step| step.at_ns));
        assert_eq!(recording.lane_name(recording.messages[1].from), "two");
    }

    #[test]
    fn clocks_that_no_shift_puts_right_are_left_alone() {
        let mut witness = witness(Vec::new());
        witness.wants(5 * SECOND, N1, &sends(N2, &read(1, b"a")));
        witness.hears(3 * SECOND, N2, &heard(N1, &read(1, b"a")));
        witness.wants(5 * SECOND, N2, &sends(N1, &read(2, b"a")));
        witness.hears(3 * SECOND, N1, &heard(N2, &read(2, b"a")));
        let Testimony { offsets_ns, is_contradictory, .. } = witness.finish();
        assert_eq!((offsets_ns, is_contradictory), (vec![0, 0], true));
    }

    #[test]
    fn of_messages_that_say_the_same_the_last_that_fits_was_heard_and_the_others_were_lost() {
        let ping = Message::Liveness(LivenessMessage::Ping);
        let mut witness = witness(Vec::new());
        for at in [1, 2, 4] {
            witness.wants(at * SECOND, N1, &sends(N2, &ping));
        }
        witness.hears(3 * SECOND, N2, &heard(N1, &ping));
        witness.hears(9 * SECOND, N2, &heard(N1, &read(9, b"of nobody knows when")));
        let recording = witness.finish().recording;
        let fates: Vec<_> = recording.messages.iter().map(|message| message.fate).collect();
        assert_eq!(fates, [Fate::Lost, Fate::Heard(3 * SECOND), Fate::Lost, Fate::Heard(9 * SECOND)]);
        assert!(
            recording.messages[3].text.contains("not known") && recording.messages[3].sent_ns == 9 * SECOND
        );
    }

    #[test]
    fn answers_are_about_the_key_of_their_questions_and_nothing_else_is_shown() {
        let mut witness = witness(vec![Key::new(b"carts", b"a")]);
        for (op, key) in [(1, b"a"), (2, b"b")] {
            witness.wants(op * SECOND, N1, &sends(N2, &read(op, key)));
            witness.hears(op * SECOND + 5, N2, &heard(N1, &read(op, key)));
            witness.wants(op * SECOND + 5, N2, &sends(N1, &reply(op)));
            witness.hears(op * SECOND + 9, N1, &heard(N2, &reply(op)));
        }
        let recording = witness.finish().recording;
        let kinds: Vec<_> = recording.messages.iter().map(|message| message.kind).collect();
        assert_eq!(kinds, ["read", "read-reply"]);
        assert_eq!(recording.steps(), 4);
    }
}
