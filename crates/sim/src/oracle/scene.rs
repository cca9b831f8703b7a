use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::ring::{PreferenceList, Ring};

use crate::disk::Disk;
use crate::network::Network;
use crate::simulator::Process;
use crate::workload::Truth;

/// What an oracle may look at beside what happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    /// True time.
    pub at_ns: u64,
    pub ring: &'a Ring,
    pub n: u8,
    pub truth: &'a Truth,
    pub processes: &'a [Process],
    pub network: &'a Network,
}

impl<'a> Scene<'a> {
    /// The disk of `node`, up or down.
    pub fn disk(&self, node: NodeId) -> &'a Disk {
        &self.processes[node.0 as usize - 1].disk
    }

    /// Who keeps `key`.
    pub fn homes(&self, key: &Key) -> PreferenceList {
        self.ring.preference_list(key.token(), self.n)
    }
}
