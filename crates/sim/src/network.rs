//! Directed links: latency, loss, duplication, and cuts.

use std::collections::BTreeMap;

use crate::latency::Latency;
use crate::scenario::NetworkSpec;
use crate::streams::{Component, Stream, Streams};

/// All links between nodes. Messages overtake each other as their latencies will have it.
#[derive(Debug)]
pub struct Network {
    spec: NetworkSpec,
    streams: Streams,
    nodes: usize,
    links: Vec<Option<Stream>>,
    /// How many cuts block a link.
    blocked: BTreeMap<(u32, u32), u32>,
    faultless: bool,
    /// Messages that were lost, by chance or in a cut.
    pub lost: u64,
    /// Messages that were delivered twice.
    pub duplicated: u64,
}

impl Network {
    /// All links of `nodes` nodes, none cut.
    pub fn new(spec: NetworkSpec, nodes: usize, streams: Streams) -> Self {
        let links = vec![None; nodes * nodes];
        Self {
            spec,
            streams,
            nodes,
            links,
            blocked: BTreeMap::new(),
            faultless: false,
            lost: 0,
            duplicated: 0,
        }
    }

    /// When the copies of a message sent now arrive: after so many nanoseconds each. None: lost.
    pub fn send(&mut self, from: u32, to: u32) -> impl Iterator<Item = u64> + use<> {
        let streams = self.streams;
        let slot = &mut self.links[from as usize * self.nodes + to as usize];
        let stream = slot.get_or_insert_with(|| streams.stream(Component::Link { from, to }));
        // Draw everything, whatever comes of it: a cut must not shift the luck of later messages.
        let first = self.spec.latency.sample(stream);
        let is_lost = stream.happens(self.spec.loss.chance());
        let is_doubled = stream.happens(self.spec.duplication.chance());
        let second = self.spec.latency.sample(stream);
        if self.blocked.contains_key(&(from, to)) || (is_lost && !self.faultless) {
            self.lost += 1;
            return [None, None].into_iter().flatten();
        }
        let doubled = is_doubled && !self.faultless;
        self.duplicated += u64::from(doubled);
        [Some(first), doubled.then_some(second)].into_iter().flatten()
    }

    /// Blocks `from` → `to` until it is unblocked as often.
    pub fn block(&mut self, from: u32, to: u32) {
        *self.blocked.entry((from, to)).or_default() += 1;
    }

    /// Takes one block of `from` → `to` away.
    pub fn unblock(&mut self, from: u32, to: u32) {
        if let Some(count) = self.blocked.get_mut(&(from, to)) {
            *count -= 1;
            if *count == 0 {
                self.blocked.remove(&(from, to));
            }
        }
    }

    /// No more loss, duplication or cuts.
    pub fn heal(&mut self) {
        self.blocked.clear();
        self.faultless = true;
    }

    /// The latency of a healthy link.
    pub fn latency(&self) -> &Latency {
        &self.spec.latency
    }
}
