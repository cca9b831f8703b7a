//! Looking at the world, at the end of a run or at a moment before it.

use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::ring::Ring;
use cartwheel_core::storage::StorageOp;
use cartwheel_core::version::Version;

use super::{Event, Process, Simulator};
use crate::clock;
use crate::oracle::Scene;
use crate::replay::{
    HintsFor, KeyCopies, KeyPlace, NodeState, Question, RecordState, ReplayError, Situation, UnderWay,
    VersionState, View, seconds,
};
use crate::report::Report;
use crate::scenario::{Scenario, Span};
use crate::trace::{
    Carried, Fate, Recorder, Recording, request_name, siblings_in_words, value_in_words, version_in_words,
};

/// As [`run`](super::run), and a recording of the run. Recording changes nothing: the digest is the same.
pub fn run_recorded(scenario: &Scenario, seed: u64) -> (Report, Recording) {
    let mut simulator = Simulator::new(scenario, seed);
    simulator.record();
    simulator.run();
    let recording = simulator.recording();
    (simulator.report(), recording)
}

/// Runs `scenario` until the moment of the question, and shows what is asked for; and the recording until then.
pub fn replay(
    scenario: &Scenario,
    seed: u64,
    question: &Question,
) -> Result<(Situation, Recording), ReplayError> {
    let mut simulator = Simulator::new(scenario, seed);
    let key = question.key.as_deref().map(|asked| find_key(simulator.clients.keys(), asked)).transpose()?;
    let node = question
        .node
        .as_deref()
        .map(|asked| find_node(simulator.processes.len() as u32, asked))
        .transpose()?;
    simulator.until_ns = question.until.map_or(u64::MAX, Span::ns);
    simulator.record();
    simulator.run();
    let is_over = simulator.is_over();
    let end_ns = simulator.end_ns();
    if let Some(asked) = question.until.filter(|asked| is_over && asked.ns() > end_ns) {
        return Err(ReplayError::After { asked, end_ns });
    }
    let recording = simulator.recording();
    let at_ns = if is_over { end_ns } else { simulator.until_ns };
    let mut situation = simulator.situation(&recording, at_ns, key.as_ref(), node);
    if is_over {
        let report = simulator.report();
        situation.verdict = Some(format!("{}: {}", report.verdict, report.summary()));
        situation.findings = report.explanations();
    }
    Ok((situation, recording))
}

fn find_node(nodes: u32, asked: &str) -> Result<u32, ReplayError> {
    let number = asked.strip_prefix('n').unwrap_or(asked).parse().ok();
    let known = number.filter(|number| (1..=nodes).contains(number));
    known.map(|number: u32| number - 1).ok_or_else(|| ReplayError::Node { asked: asked.to_owned(), nodes })
}

fn find_key(keys: &[Key], asked: &str) -> Result<Key, ReplayError> {
    let is_called = |key: &&Key| key.to_string() == asked || key.key().escape_ascii().to_string() == asked;
    match keys.iter().filter(is_called).collect::<Vec<_>>()[..] {
        [key] => Ok(key.clone()),
        _ => {
            Err(ReplayError::Key { asked: asked.to_owned(), keys: keys.iter().map(Key::to_string).collect() })
        }
    }
}

impl Simulator<'_> {
    /// From now on, what happens is written down.
    pub(super) fn record(&mut self) {
        let (nodes, clients) = (self.processes.len() as u32, self.clients.clients() as u32);
        self.recorder = Some(Box::new(Recorder::new(nodes, clients)));
    }

    /// Who writes down what happens, if anybody does, and what there is to see.
    pub(super) fn recorder(&mut self) -> Option<(&mut Recorder, Scene<'_>)> {
        let recorder = self.recorder.as_deref_mut()?;
        let scene = Scene {
            at_ns: self.now,
            rings: &self.rings,
            n: self.scenario.cluster.n,
            truth: self.clients.truth(),
            processes: &self.processes,
            network: &self.network,
        };
        Some((recorder, scene))
    }

    /// What was written down so far.
    pub(super) fn recording(&mut self) -> Recording {
        let Some(mut recorder) = self.recorder.take() else { return Recording::default() };
        for (due_ns, event) in self.queue.iter() {
            match event {
                Event::Request { request, .. } => recorder.will_be_heard(request.call, due_ns),
                Event::Answer { call, .. } => recorder.will_be_answered(*call, due_ns),
                _ => {}
            }
        }
        let end = if self.is_over() { self.end_ns() } else { self.until_ns };
        recorder.finish(end)
    }

    /// Whether the run has ended by itself, or its time is up.
    fn is_over(&self) -> bool {
        self.converged || self.until_ns >= self.time_ns() || self.queue.is_empty()
    }

    /// When a run that is over ended.
    fn end_ns(&self) -> u64 {
        if self.converged { self.now } else { self.time_ns() }
    }

    fn time_ns(&self) -> u64 {
        self.scenario.duration.ns() + self.scenario.settle.ns()
    }

    fn situation(
        &self,
        recording: &Recording,
        at_ns: u64,
        key: Option<&Key>,
        node: Option<u32>,
    ) -> Situation {
        let ring = self.ring_in_force();
        let place = key.map(|key| self.place(&ring, key));
        let shown = (0..self.processes.len() as u32).filter(|other| node.is_none_or(|node| node == *other));
        let nodes = shown.map(|node| self.node_state(recording, node, key, place.as_ref())).collect();
        Situation {
            scenario: self.scenario.name.clone(),
            seed: self.seed,
            flaw: self.scenario.flaw.map(|flaw| flaw.to_string()),
            at_ns,
            is_over: self.is_over(),
            faults_strike: recording.peace_ns.is_none(),
            trace_digest: format!("{:032x}", self.digest.value()),
            ring: ring.version().to_string(),
            keys: if key.is_none() { self.key_copies(&ring) } else { Vec::new() },
            key: place,
            nodes,
            under_way: under_way(recording, key, node),
            verdict: None,
            findings: Vec::new(),
        }
    }

    fn place(&self, ring: &Ring, key: &Key) -> KeyPlace {
        let placement = ring.placement(key.token(), self.scenario.cluster.n);
        let homes = placement.homes();
        let fallbacks = placement.list.fallbacks().iter().filter(|node| !homes.contains(node));
        KeyPlace {
            key: key.to_string(),
            fallbacks: fallbacks.map(NodeId::to_string).collect(),
            homes: homes.iter().map(NodeId::to_string).collect(),
        }
    }

    fn key_copies(&self, ring: &Ring) -> Vec<KeyCopies> {
        let copies = |key: &Key| {
            let held = |process: &Process| process.disk.read(key);
            let homes = ring.preference_list(key.token(), self.scenario.cluster.n);
            let mut digests: Vec<_> = homes
                .homes()
                .iter()
                .map(|home| held(&self.processes[home.0 as usize - 1]).digest())
                .collect();
            digests.dedup();
            let numbered = self.processes.iter().zip(1..).filter(|(process, _)| process.exists);
            let copies = numbered
                .filter(|(process, _)| !held(process).is_empty())
                .map(|(process, number)| {
                    (NodeId(number).to_string(), siblings_in_words(&held(process), self.clients.truth()))
                })
                .collect();
            KeyCopies { key: key.to_string(), copies, agrees: digests.len() <= 1 }
        };
        self.clients.keys().iter().map(copies).filter(|copies| !copies.copies.is_empty()).collect()
    }

    fn node_state(
        &self,
        recording: &Recording,
        node: u32,
        key: Option<&Key>,
        place: Option<&KeyPlace>,
    ) -> NodeState {
        let process = &self.processes[node as usize];
        let is_up = process.node.is_some();
        let stopped = recording.downs.iter().rev().find(|down| down.node == node && down.until_ns.is_none());
        let since_ns = if is_up { process.started_ns } else { stopped.map_or(0, |down| down.from_ns) };
        let hint = |(home, total): (NodeId, cartwheel_core::replica::HintTotal)| HintsFor {
            home: home.to_string(),
            keys: total.keys,
            bytes: total.bytes,
        };
        NodeState {
            node: NodeId(u64::from(node) + 1).to_string(),
            exists: process.exists,
            is_up,
            since_ns,
            boot: process.disk.boots,
            record: key.zip(place).map(|(key, place)| self.record_state(node, key, place)),
            hints: process.disk.hint_totals().into_iter().map(hint).collect(),
            view: process.node.as_ref().map(View::of),
        }
    }

    fn record_state(&self, node: u32, key: &Key, place: &KeyPlace) -> RecordState {
        let name = NodeId(u64::from(node) + 1).to_string();
        let disk = &self.processes[node as usize].disk;
        let record = disk.record(key).cloned().unwrap_or_default();
        let role = match () {
            () if place.homes.contains(&name) => "home",
            () if place.fallbacks.contains(&name) => "fallback",
            () => "stranger",
        };
        RecordState {
            role: role.into(),
            siblings: record.siblings.versions().iter().map(|version| self.version_state(version)).collect(),
            is_durable: disk.durable(key) == record.siblings,
            counts_on: record.kept.map(|dot| dot.to_string()),
            owed_to: record.owed.iter().map(NodeId::to_string).collect(),
            disk_waits: self.disk_waits(node, key),
        }
    }

    fn version_state(&self, version: &Version) -> VersionState {
        let value = value_in_words(&version.value, self.clients.truth());
        VersionState {
            write: Some(version_in_words(version, self.clients.truth())),
            dot: version.dot.to_string(),
            past: version.past.entries().iter().map(ToString::to_string).collect(),
            is_tombstone: version.value == cartwheel_core::version::Value::Tombstone,
            value,
            request: request_name(version.request),
            written_at: clock::since_epoch(version.written_at),
        }
    }

    /// What the disk of `node` was asked about `key` and has not done, in the order in which it will.
    fn disk_waits(&self, node: u32, key: &Key) -> Vec<String> {
        let process = &self.processes[node as usize];
        let mut begun: Vec<(u64, String)> = Vec::new();
        for (due, event) in self.queue.iter() {
            if let Event::Storage { node: at, life, request } = event
                && (*at, *life) == (node, process.life)
            {
                begun.extend(asked_of_disk(&request.op, key).map(|what| (due, what)));
            }
        }
        begun.sort();
        let begun = begun.into_iter().map(|(due, what)| format!("{what}, done at {}", seconds(due)));
        let waiting = process.device.waiting().filter_map(|request| asked_of_disk(&request.op, key));
        begun.chain(waiting.map(|what| format!("{what}, waits for its turn"))).collect()
    }
}

/// What `op` asks of `key`, in words.
fn asked_of_disk(op: &StorageOp, key: &Key) -> Option<String> {
    match op {
        StorageOp::Read { key: read } if read == key => Some("to read it".into()),
        StorageOp::Apply { key: changed, update } if changed == key => {
            let kind = format!("{update:?}");
            Some(format!("to {}", kind.split([' ', '{']).next().unwrap_or_default().to_lowercase()))
        }
        _ => None,
    }
}

/// Messages about `key`, or about any key; from or to `node`, or between any two.
fn under_way(recording: &Recording, key: Option<&Key>, node: Option<u32>) -> Vec<UnderWay> {
    let node = node.map(crate::trace::Lane::Node);
    let is_meant = |message: &&Carried| {
        let Carried { from, to, keys, .. } = message;
        key.map_or(!keys.is_empty(), |key| keys.contains(key))
            && node.is_none_or(|node| node == *from || node == *to)
    };
    let said = |message: &Carried| {
        let Fate::UnderWay(due_ns) = message.fate else { return None };
        Some(UnderWay {
            from: message.from.to_string(),
            to: message.to.to_string(),
            kind: message.kind.to_owned(),
            text: message.text.clone(),
            keys: message.keys.iter().map(Key::to_string).collect(),
            sent_ns: message.sent_ns,
            due_ns,
        })
    };
    recording.messages.iter().filter(is_meant).filter_map(said).collect()
}
