//! `Overlap`: while ownership moves, the quorums of neighbouring states of the ring meet.
//!
//! *From what happens*: a put that was acknowledged by h homes at least in each set of homes that it went by, and a get
//! that began after that and is answered by hr homes of the set that it reads from, must meet wherever h + hr > N,
//! whatever happened to the ring in between: the get shows the write, or something that has seen it.
//!
//! *From the ring*: whenever a node goes by another state of the ring, the states that running nodes go by are compared
//! with each other and with those that their unanswered requests go by: the homes that gets of one ask must contain a set
//! of homes that puts of the other must be met by, in each partition.
//!
//! Neither is promised after two operators' commits have met, of which one is given up, or an old copy of a disk was put
//! back; nor are writes that were
//! acknowledged before a fault took data from a node, or a node from the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cartwheel_check::WriteId;
use cartwheel_core::id::{CallId, NodeId, RequestId};
use cartwheel_core::ring::{Partition, PreferenceList, Ring, RingVersion};
use cartwheel_core::{Answer, Key};

use super::reaped::Reaped;
use super::{Findings, Promise, Scene, seconds};
use crate::lookup::Lookup;
use crate::workload::Places;

/// Which homes have acknowledged what, and which states of the ring there have been.
#[derive(Debug, Default)]
pub struct Overlap {
    rings: BTreeMap<RingVersion, Ring>,
    compared: BTreeSet<(RingVersion, RingVersion)>,
    /// Two commits have met, or an old state of the ring has come back.
    contested: bool,
    acked: Lookup<Key, Arc<Acked>>,
    puts: Lookup<(NodeId, RequestId), Ring>,
    gets: Lookup<(NodeId, CallId), Began>,
}

/// Writes of one key.
#[derive(Clone, Debug, Default)]
struct Acked {
    /// Any of them.
    example: Option<WriteId>,
    /// By the number of homes that have acknowledged them in each set.
    by_homes: Vec<Places>,
}

#[derive(Debug)]
struct Began {
    at_ns: u64,
    key: Key,
    ring: Ring,
    acked: Arc<Acked>,
}

impl Overlap {
    /// A put reaches `node`, which may coordinate it.
    pub fn put_began(&mut self, scene: &Scene<'_>, node: NodeId, request: RequestId) {
        if let Some(ring) = scene.ring(node) {
            self.puts.get_or_insert_with((node, request), || ring.clone());
        }
    }

    /// `node` answers it: those in `by` hold `write`.
    pub fn acknowledged(
        &mut self,
        scene: &Scene<'_>,
        (node, request): (NodeId, RequestId),
        key: &Key,
        write: WriteId,
        by: &[NodeId],
    ) {
        let (Some(then), Some(now)) = (self.puts.get(&(node, request)), scene.ring(node)) else { return };
        let (Some(place), false) = (scene.truth.place(write), self.contested) else { return };
        let sets = [then, now].into_iter().flat_map(|ring| sets(ring, ring.partition(key.token()), scene.n));
        let homes = sets.map(|set| count(set.homes(), by)).min().unwrap_or(0);
        // A get under way keeps what there was when it began.
        let acked = Arc::make_mut(self.acked.get_or_insert_with(key.clone(), Arc::default));
        acked.example = Some(write);
        acked.by_homes.resize_with(usize::from(scene.n) + 1, Places::default);
        acked.by_homes[homes.min(usize::from(scene.n))].insert(place);
    }

    /// A get reaches `node`.
    pub fn get_began(&mut self, scene: &Scene<'_>, node: NodeId, call: CallId, key: &Key) {
        let (Some(ring), Some(acked)) = (scene.ring(node), self.acked.get(key)) else { return };
        let began = Began { at_ns: scene.at_ns, key: key.clone(), ring: ring.clone(), acked: acked.clone() };
        self.gets.insert((node, call), began);
    }

    /// `node` answers it.
    pub fn get_answered(
        &mut self,
        scene: &Scene<'_>,
        (node, call): (NodeId, CallId),
        answer: Option<&Answer>,
        reaped: &Reaped,
        findings: &mut Findings,
    ) {
        let Some(began) = self.gets.remove(&(node, call)) else { return };
        let (Some(answer), Some(now), false) = (answer, scene.ring(node), self.contested) else { return };
        let partition = now.partition(began.key.token());
        let read = |ring: &Ring| reads(ring, partition, scene.n);
        let homes = [&began.ring, now].map(|ring| count(read(ring).homes(), &answer.by)).into_iter().min();
        let mut shown = scene.truth.known_to(scene.truth.of_siblings(&answer.siblings));
        reaped.excused(&began.key).into_iter().for_each(|excused| shown.join(excused));
        let Some(write) = began.acked.missing(scene, &shown, homes.unwrap_or(0)) else { return };
        findings.add(Promise::Overlap, || {
            let by: Vec<String> = answer.by.iter().map(ToString::to_string).collect();
            format!(
                "a read of {} that began at {} was answered by {node} at {} in the name of {}, a quorum of the homes of \
                 {}, without {write}, which a quorum of all homes had acknowledged before, or anything that had seen it",
                began.key,
                seconds(began.at_ns),
                seconds(scene.at_ns),
                by.join("+"),
                now.version()
            )
        });
    }

    /// A fault took data: what was acknowledged of `key`, or of everything, need not be where it was.
    pub fn lost(&mut self, key: Option<&Key>) {
        let is_lost = |of: &Key| key.is_none_or(|key| key == of);
        self.acked.retain(|of, _| !is_lost(of));
        self.gets.retain(|_, began| !is_lost(&began.key));
    }

    /// An old copy of a disk was put back, with an old state of the ring on it.
    pub fn disk_restored(&mut self) {
        self.contested = true;
    }

    /// `node` crashed: nobody is answered any more.
    pub fn crashed(&mut self, node: NodeId) {
        self.gets.retain(|(at, _), _| *at != node);
        self.puts.retain(|(at, _), _| *at != node);
    }

    /// `node` goes by another state of the ring: every two that are in use are compared.
    pub fn ring_changed(&mut self, scene: &Scene<'_>, node: NodeId, findings: &mut Findings) {
        let Some(ring) = scene.ring(node) else { return };
        self.met(ring);
        let (readers, writers) = in_use(scene);
        for reader in &readers {
            for writer in writers.iter().filter(|writer| *writer != reader) {
                self.compare(scene, *reader, *writer, findings);
            }
        }
    }

    fn met(&mut self, ring: &Ring) {
        let version = ring.version();
        let rivals = self.rings.keys().any(|known| known.epoch == version.epoch && *known != version);
        self.contested |= rivals;
        self.rings.insert(version, ring.clone());
    }

    /// Gets that go by `reader` and puts that go by `writer`.
    fn compare(
        &mut self,
        scene: &Scene<'_>,
        reader: RingVersion,
        writer: RingVersion,
        findings: &mut Findings,
    ) {
        if self.contested || !self.compared.insert((reader, writer)) {
            return;
        }
        let (Some(read), Some(written)) = (self.rings.get(&reader), self.rings.get(&writer)) else { return };
        let Some(partition) = apart(read, written, scene.n) else { return };
        findings.add(Promise::Overlap, || {
            format!(
                "at {} gets still go by {reader} and puts by {writer}, whose quorums of partition {} need not meet",
                seconds(scene.at_ns),
                partition.0
            )
        });
    }
}

impl Acked {
    fn missing(&self, scene: &Scene<'_>, shown: &Places, homes: usize) -> Option<WriteId> {
        let met = self.by_homes.iter().enumerate().filter(|(acked, _)| acked + homes > usize::from(scene.n));
        let place = met.into_iter().find_map(|(_, writes)| writes.without(shown).next())?;
        scene.truth.beside(self.example?, place)
    }
}

/// The states of the ring that nodes which take part begin gets by; and those that they put by, in unanswered requests,
/// too. (A get that began before a put owes it nothing.)
fn in_use(scene: &Scene<'_>) -> (BTreeSet<RingVersion>, BTreeSet<RingVersion>) {
    let running = scene.processes.iter().filter_map(|process| process.node.as_ref());
    let all: Vec<_> = running.map(|node| node.status()).filter(|status| status.serves()).collect();
    let newest = all.iter().map(|status| status.cluster()).max_by_key(|cluster| cluster.ring.version());
    let gone = |node| newest.and_then(|newest| newest.status(node)).is_some_and(|status| status.is_gone());
    let there = all.iter().filter(|status| !gone(status.node()));
    let pairs = there.map(|status| (status.cluster().ring.version(), status.oldest_ring()));
    let (readers, oldest): (BTreeSet<_>, BTreeSet<_>) = pairs.unzip();
    (readers.clone(), &readers | &oldest)
}

fn reads(ring: &Ring, partition: Partition, n: u8) -> PreferenceList {
    ring.partition_preference_list(partition, n)
}

/// The sets of homes that a put must be met by, each.
fn sets(ring: &Ring, partition: Partition, n: u8) -> impl Iterator<Item = PreferenceList> {
    let placement = ring.partition_placement(partition, n);
    [Some(placement.list), placement.joint].into_iter().flatten()
}

fn count(homes: &[NodeId], by: &[NodeId]) -> usize {
    by.iter().filter(|node| homes.contains(node)).count()
}

/// A partition of which gets by `reader` need not meet puts by `writer`.
fn apart(reader: &Ring, writer: &Ring, n: u8) -> Option<Partition> {
    (0..reader.partitions()).map(Partition).find(|partition| {
        let read = reads(reader, *partition, n);
        !sets(writer, *partition, n).any(|set| set.homes().iter().all(|home| read.homes().contains(home)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::Stage;
    use cartwheel_core::ring::RingEpoch;

    fn ring(epoch: u64, nodes: &[u64]) -> Ring {
        let owners = nodes.iter().copied().map(NodeId).cycle().take(8).collect();
        Ring::from_parts(RingEpoch(epoch), owners, None).unwrap()
    }

    #[test]
    fn neighbouring_states_meet_and_others_need_not() {
        let settled = ring(4, &[1, 2, 3]);
        let copying = settled.moving_to(ring(1, &[4, 5, 6]).owners().to_vec());
        let switching = copying.advanced();
        let both = |one: &Ring, other: &Ring| (apart(one, other, 3), apart(other, one, 3));
        assert_eq!(both(&settled, &copying), (None, None));
        assert_eq!(both(&copying, &switching), (None, None));
        assert_eq!(
            both(&settled, &switching),
            (None, Some(Partition(0))),
            "somebody still puts to old homes only"
        );
        assert_eq!(both(&copying, &switching.advanced()).0, Some(Partition(0)));
    }

    #[test]
    fn a_quorum_of_homes_misses_nothing_that_a_quorum_of_homes_holds() {
        let mut stage = Stage::new(3);
        let first = stage.write(&[]);
        let second = stage.write(&[first]);
        let scene = stage.scene(0);
        let place = |write| scene.truth.place(write).unwrap();
        let mut acked = Acked { example: Some(second), by_homes: vec![Places::default(); 4] };
        acked.by_homes[2].insert(place(second));
        let missing = |shown: &[WriteId], homes| {
            let mut places = Places::default();
            shown.iter().for_each(|write| places.insert(place(*write)));
            acked.missing(&scene, &places, homes)
        };
        assert_eq!(missing(&[first], 2), Some(second));
        assert_eq!(missing(&[first], 1), None, "2 + 1 homes of 3 need not meet");
        assert_eq!(missing(&[first, second], 3), None);
    }
}
