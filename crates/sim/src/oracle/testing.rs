//! Small histories, by hand.

use cartwheel_check::WriteId;
use cartwheel_core::Key;
use cartwheel_core::id::{NodeId, RequestId, StoreId};
use cartwheel_core::ring::Ring;
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Actor, Dot, Siblings, Value, Version};

use super::{Rings, Scene};
use crate::network::Network;
use crate::scenario::NetworkSpec;
use crate::streams::Streams;
use crate::workload::Truth;

pub fn key() -> Key {
    Key::new(b"b", b"k")
}

pub fn dot(node: u64, counter: u64) -> Dot {
    Dot { actor: Actor { node: NodeId(node), store: StoreId(1), boot: 1, mint: 1 }, counter }
}

/// A version made by request `request`, whose writer had been shown `past`.
pub fn version(dot: Dot, past: &[Dot], request: u128) -> Version {
    let past = past.iter().copied().collect();
    Version { dot, past, request: RequestId(request), written_at: WallTime(0), value: Value::Tombstone }
}

pub fn siblings(versions: &[Version]) -> Siblings {
    Siblings::from_versions(versions.to_vec())
}

/// A cluster without processes, and writes to one cart. Write `w1` is carried by request 1, and so on.
pub struct Stage {
    rings: Rings,
    truth: Truth,
    network: Network,
}

impl Stage {
    pub fn new(nodes: u64) -> Self {
        let members: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
        let network = Network::new(NetworkSpec::default(), nodes as usize, Streams::new(1));
        Self { rings: Rings::new(Ring::new(&members, 8, 3).unwrap()), truth: Truth::default(), network }
    }

    pub fn write(&mut self, seen: &[WriteId]) -> WriteId {
        let id = self.truth.begin(0, &seen.iter().copied().collect(), true);
        self.truth.carried(id, RequestId(id.0.into()));
        id
    }

    pub fn scene(&self, at_ns: u64) -> Scene<'_> {
        Scene { at_ns, rings: &self.rings, n: 3, truth: &self.truth, processes: &[], network: &self.network }
    }
}
