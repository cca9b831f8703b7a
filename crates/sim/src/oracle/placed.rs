//! `Placement`, `HandoffSafe` and `RingConverge`: where data may be, when it may be dropped, and what all must agree on.

use std::collections::BTreeSet;

use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::{Cluster, MemberStatus};
use cartwheel_core::ring::{Partition, Ring};
use cartwheel_core::version::Siblings;

use super::durable::Claim;
use super::losses::Losses;
use super::{Findings, Promise, Scene, seconds};

/// Faults that struck a home so long ago, in nanoseconds, are an excuse for not holding what it had said that it holds.
const EXCUSED_NS: u64 = 10_000_000_000;

/// `node`, which is no home of `key`, drops `before` because all homes are said to hold it: do they?
pub fn dropped(
    scene: &Scene<'_>,
    losses: &Losses,
    node: NodeId,
    key: &Key,
    before: &Siblings,
    findings: &mut Findings,
) {
    let since_ns = scene.at_ns.saturating_sub(EXCUSED_NS);
    let holds = |home| Claim { node: home, key, state: before, since_ns }.holds(scene, losses);
    judge_drop(scene.at_ns, node, key, &scene.kept_by(node, key), holds, findings);
}

fn judge_drop(
    at_ns: u64,
    node: NodeId,
    key: &Key,
    homes: &[NodeId],
    holds: impl Fn(NodeId) -> bool,
    findings: &mut Findings,
) {
    for home in homes.iter().filter(|home| !holds(**home)) {
        findings.add(Promise::HandoffSafe, || {
            format!("{node} dropped {key} at {}, but {home} does not hold it durably", seconds(at_ns))
        });
    }
}

/// At the end: nothing is where it does not belong, and the ring is one that the members can be held to.
pub fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    let mut rings = BTreeSet::new();
    for process in scene.processes {
        let Some(status) = process.node.as_ref().map(cartwheel_core::Node::status) else { continue };
        let (node, cluster) = (status.node(), status.cluster());
        if !cluster.status(node).is_some_and(MemberStatus::is_active) {
            continue;
        }
        rings.insert(cluster.ring.version());
        for key in process.disk.keys() {
            if !cluster.ring.is_home(node, key.token(), scene.n) {
                findings.add(Promise::Placement, || format!("{node} holds {key}, and is no home of it"));
            }
        }
        judge_ring(node, cluster, scene.n, findings);
    }
    if rings.len() > 1 {
        findings.add(Promise::RingConverge, || format!("there are {} rings at the end", rings.len()));
    }
}

fn judge_ring(node: NodeId, cluster: &Cluster, n: u8, findings: &mut Findings) {
    let ring = &cluster.ring;
    if ring.phase().is_some() {
        findings.add(Promise::RingConverge, || format!("{node} is in {ring:?}, which is still moving"));
    }
    let gone = |owner: &&NodeId| cluster.status(**owner).is_none_or(MemberStatus::is_gone);
    if let Some(owner) = ring.owners().iter().find(gone) {
        findings
            .add(Promise::RingConverge, || format!("{node} takes {owner} for an owner, which is no member"));
    }
    if let Some(partition) = crowded(ring, n) {
        findings.add(Promise::Placement, || format!("{partition:?} of {node}'s {ring:?} has too few homes"));
    }
}

/// A partition with fewer homes than there could be.
fn crowded(ring: &Ring, n: u8) -> Option<Partition> {
    let owners: BTreeSet<&NodeId> = ring.owners().iter().collect();
    let most = usize::from(n).min(owners.len());
    let homes = |partition: &Partition| {
        let homes: BTreeSet<NodeId> =
            ring.partition_preference_list(*partition, n).homes().iter().copied().collect();
        homes.len()
    };
    (0..ring.partitions()).map(Partition).find(|partition| homes(partition) < most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::key;
    use cartwheel_core::version::Policy;

    #[test]
    fn a_ring_that_is_moving_or_owned_by_strangers_has_not_converged() {
        let founders: Vec<NodeId> = (1..=3).map(NodeId).collect();
        let ring = Ring::new(&founders, 8, 3).unwrap();
        let mut cluster = Cluster::founded(&founders, ring, 3, &std::collections::BTreeMap::new());
        let mut findings = Findings::new(Policy::KeepSiblings);
        judge_ring(NodeId(1), &cluster, 3, &mut findings);
        assert_eq!(findings.examples(Promise::RingConverge), [] as [String; 0]);
        cluster.members.remove(&NodeId(2));
        judge_ring(NodeId(1), &cluster, 3, &mut findings);
        assert!(findings.examples(Promise::RingConverge)[0].contains("takes n2 for an owner"));
    }

    #[test]
    fn what_a_home_does_not_hold_is_not_dropped() {
        let homes = [1, 2, 3].map(NodeId);
        let mut findings = Findings::new(Policy::KeepSiblings);
        judge_drop(2_000_000_000, NodeId(9), &key(), &homes, |home| home != NodeId(2), &mut findings);
        let found = findings.examples(Promise::HandoffSafe);
        assert_eq!(found.len(), 1);
        assert!(found[0].ends_with("at 2.000 s, but n2 does not hold it durably"), "{found:?}");
    }
}
