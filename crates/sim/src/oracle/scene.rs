use std::cell::OnceCell;

use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::ring::Ring;
use cartwheel_core::version::Siblings;

use crate::disk::Disk;
use crate::network::Network;
use crate::simulator::Process;
use crate::workload::{Places, Truth};

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
pub(crate) struct Rings {
    met: Vec<(Ring, u64)>,
    /// The homes of each partition, by any of them, where they were asked for.
    homes: Vec<OnceCell<Vec<NodeId>>>,
}

impl Rings {
    /// Everybody goes by `founding`.
    pub fn new(founding: Ring) -> Self {
        let homes = vec![OnceCell::new(); founding.partitions() as usize];
        Self { met: vec![(founding, 0)], homes }
    }

    /// Somebody goes by `ring`.
    pub fn met(&mut self, at_ns: u64, ring: &Ring) {
        match self.met.iter_mut().find(|(known, _)| known == ring) {
            Some((_, last)) => *last = at_ns,
            None => {
                self.met.push((ring.clone(), at_ns));
                self.homes.fill(OnceCell::new());
            }
        }
    }

    /// Those that nobody has gone by for long are forgotten, but for the last one.
    pub fn forget(&mut self, at_ns: u64) {
        let (latest, before) = (self.met.iter().map(|(_, last)| *last).max().unwrap_or(0), self.met.len());
        self.met.retain(|(_, last)| *last == latest || *last + REMEMBERED_NS > at_ns);
        if self.met.len() < before {
            self.homes.fill(OnceCell::new());
        }
    }
}

impl<'a> Scene<'a> {
    /// The disk of `node`, up or down.
    pub fn disk(&self, node: NodeId) -> &'a Disk {
        &self.processes[node.0 as usize - 1].disk
    }

    /// The homes that `node` asks for `key`.
    pub fn asked_by(&self, node: NodeId, key: &Key) -> Vec<NodeId> {
        self.ring(node).map_or_else(
            || self.homes(key).to_vec(),
            |ring| ring.preference_list(key.token(), self.n).homes().to_vec(),
        )
    }

    /// Who keeps `key`, by each state of the ring that an answer may go by.
    pub fn homes_by_ring(&self, key: &Key) -> Vec<Vec<NodeId>> {
        self.rings.met.iter().map(|(ring, _)| ring.placement(key.token(), self.n).homes()).collect()
    }

    /// The state of the ring that `node` goes by, if it runs.
    pub fn ring(&self, node: NodeId) -> Option<&'a Ring> {
        let process = self.processes.get(node.0 as usize - 1)?;
        Some(&process.node.as_ref()?.status().cluster().ring)
    }

    /// What the disks that are part of the world hold of `key`: now, and after a crash at this moment.
    pub fn copies(&self, key: &Key) -> impl Iterator<Item = (NodeId, Siblings)> {
        let there = self.processes.iter().zip(1..).filter(|(process, _)| process.exists);
        there.flat_map(move |(process, node)| {
            [process.disk.read(key), process.disk.durable(key)].map(|held| (NodeId(node), held))
        })
    }

    /// The places of all that the writers of `state` had been shown, but for `state` itself.
    pub fn superseded_by(&self, state: &Siblings) -> Places {
        let mut own = Places::default();
        let places = self.truth.of_siblings(state).filter_map(|write| self.truth.place(write));
        places.for_each(|place| own.insert(place));
        let mut superseded = Places::default();
        let known = self.truth.known_to(self.truth.of_siblings(state));
        known.without(&own).for_each(|place| superseded.insert(place));
        superseded
    }

    /// Who keeps `key`, by any state of the ring that an answer may go by.
    pub fn homes(&self, key: &Key) -> &'a [NodeId] {
        let Rings { met, homes } = self.rings;
        let partition = key.token().partition(homes.len() as u32);
        homes[partition.0 as usize].get_or_init(|| {
            let all = met.iter().flat_map(|(ring, _)| ring.partition_placement(partition, self.n).homes());
            let mut homes: Vec<NodeId> = all.collect();
            homes.sort_unstable();
            homes.dedup();
            homes
        })
    }
}
