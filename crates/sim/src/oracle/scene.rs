use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::ring::Ring;

use crate::disk::Disk;
use crate::network::Network;
use crate::simulator::Process;
use crate::workload::Truth;

/// How long a state of the ring that nobody goes by any more may still have answers under way, in nanoseconds.
const REMEMBERED_NS: u64 = 5_000_000_000;

/// What an oracle may look at beside what happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    /// True time.
    pub at_ns: u64,
    pub rings: &'a Rings,
    pub n: u8,
    pub truth: &'a Truth,
    pub processes: &'a [Process],
    pub network: &'a Network,
}

/// The states of the ring that nodes go by, or went by a moment ago, each with when it was met last.
#[derive(Debug)]
pub(crate) struct Rings(Vec<(Ring, u64)>);

impl Rings {
    /// Everybody goes by `founding`.
    pub fn new(founding: Ring) -> Self {
        Self(vec![(founding, 0)])
    }

    /// Somebody goes by `ring`.
    pub fn met(&mut self, at_ns: u64, ring: &Ring) {
        match self.0.iter_mut().find(|(known, _)| known == ring) {
            Some((_, last)) => *last = at_ns,
            None => self.0.push((ring.clone(), at_ns)),
        }
    }

    /// Those that nobody has gone by for long are forgotten, but for the last one.
    pub fn forget(&mut self, at_ns: u64) {
        let latest = self.0.iter().map(|(_, last)| *last).max().unwrap_or(0);
        self.0.retain(|(_, last)| *last == latest || *last + REMEMBERED_NS > at_ns);
    }
}

impl<'a> Scene<'a> {
    /// The disk of `node`, up or down.
    pub fn disk(&self, node: NodeId) -> &'a Disk {
        &self.processes[node.0 as usize - 1].disk
    }

    /// The homes that `node` asks for `key`.
    pub fn asked_by(&self, node: NodeId, key: &Key) -> Vec<NodeId> {
        let core = self.processes.get(node.0 as usize - 1).and_then(|process| process.node.as_ref());
        let ring = core.map(|core| &core.status().cluster().ring);
        ring.map_or_else(
            || self.homes(key),
            |ring| ring.preference_list(key.token(), self.n).homes().to_vec(),
        )
    }

    /// The homes that `node` knows of for `key`, now or next.
    pub fn kept_by(&self, node: NodeId, key: &Key) -> Vec<NodeId> {
        let core = self.processes.get(node.0 as usize - 1).and_then(|process| process.node.as_ref());
        let ring = core.map(|core| &core.status().cluster().ring);
        ring.map_or_else(|| self.homes(key), |ring| ring.placement(key.token(), self.n).homes())
    }

    /// Who keeps `key`, by any state of the ring that an answer may go by.
    pub fn homes(&self, key: &Key) -> Vec<NodeId> {
        let all = self.rings.0.iter().flat_map(|(ring, _)| ring.placement(key.token(), self.n).homes());
        let mut homes: Vec<NodeId> = all.collect();
        homes.sort_unstable();
        homes.dedup();
        homes
    }
}
