//! `Placement`: each state of the ring shares the partitions out as claim promises, and at the end everything is where
//! it belongs.
//!
//! A ring that comes into force gives each partition N distinct homes wherever there are N owners; ownership moves to
//! active members only (one that is declared dead meanwhile is replaced when that is over); and as all members keep equal shares here, any N consecutive partitions, wrap included, have distinct
//! owners wherever that is possible, and nobody owns two more than another. At the end each record is on the disk of a
//! home of it (those that have gone are not looked at).

use std::collections::{BTreeMap, BTreeSet};

use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::Cluster;
use cartwheel_core::ring::{Partition, Phase, Ring, RingVersion};

use super::{Findings, Promise, Scene, name, seconds};

/// States of the ring that were looked at.
#[derive(Debug, Default)]
pub struct Placement {
    judged: BTreeSet<RingVersion>,
}

impl Placement {
    /// `node` goes by another state of the ring.
    pub fn ring_changed(&mut self, scene: &Scene<'_>, node: NodeId, findings: &mut Findings) {
        let process = &scene.processes[node.0 as usize - 1];
        let Some(cluster) = process.node.as_ref().map(|node| node.status().cluster()) else { return };
        let version = cluster.ring.version();
        if version.epoch.0 == 0 || !self.judged.insert(version) {
            return;
        }
        let owners = cluster.ring.next_owners().unwrap_or(cluster.ring.owners());
        let has_spread =
            (0..cluster.ring.partitions()).map(Partition).all(|at| is_spread(&cluster.ring, at, scene.n));
        let spread = (!has_spread).then(|| "a partition has fewer homes than N".to_string());
        let problem = spread
            .or_else(|| {
                let begins = cluster.ring.phase() == Some(Phase::Copying);
                begins.then(|| strangers(cluster, owners)).flatten()
            })
            .or_else(|| has_equal_shares(cluster).then(|| unequal(owners, usize::from(scene.n))).flatten());
        if let Some(problem) = problem {
            let at = seconds(scene.at_ns);
            findings.add(Promise::Placement, || {
                format!("{node} goes by {version} since {at}, in which {problem}")
            });
        }
    }

    /// The run is over, and all have come to rest by `ring`.
    pub fn finish(scene: &Scene<'_>, ring: &Ring, findings: &mut Findings) {
        for (node, process) in (0..).map(name).zip(scene.processes) {
            let status = process.node.as_ref().map(|running| running.status());
            let is_gone = status
                .is_none_or(|status| status.cluster().status(node).is_none_or(|status| status.is_gone()));
            if !process.exists || is_gone {
                continue;
            }
            let stray = |key: &&Key| !ring.is_home(node, key.token(), scene.n);
            if let Some(key) = process.disk.keys().find(stray) {
                findings.add(Promise::Placement, || {
                    format!("at the end {node} holds {key} and is no home of it")
                });
            }
        }
    }
}

fn is_spread(ring: &Ring, at: Partition, n: u8) -> bool {
    let owners = |owners: &[NodeId]| owners.iter().collect::<BTreeSet<_>>().len().min(usize::from(n));
    let placement = ring.partition_placement(at, n);
    let fits = |homes: &[NodeId]| {
        let distinct: BTreeSet<_> = homes.iter().collect();
        distinct.len() == homes.len()
            && homes.len()
                >= owners(ring.base_owners()).min(owners(ring.next_owners().unwrap_or(ring.owners())))
    };
    fits(placement.list.homes()) && placement.joint.is_none_or(|joint| fits(joint.homes()))
}

fn strangers(cluster: &Cluster, owners: &[NodeId]) -> Option<String> {
    let is_member = |owner: &&NodeId| cluster.status(**owner).is_some_and(|status| status.is_active());
    let stranger = owners.iter().find(|owner| !is_member(owner))?;
    Some(format!("{stranger} owns a partition and is no member"))
}

fn has_equal_shares(cluster: &Cluster) -> bool {
    let mut shares = cluster.claimants().filter_map(|node| Some(&cluster.members.get(&node)?.share.value));
    let first = shares.next();
    shares.all(|share| Some(share) == first)
}

/// How an assignment to nodes with equal shares falls short of what claim promises.
fn unequal(owners: &[NodeId], n: usize) -> Option<String> {
    let mut owned: BTreeMap<NodeId, usize> = BTreeMap::new();
    owners.iter().for_each(|owner| *owned.entry(*owner).or_default() += 1);
    let (nodes, partitions) = (owned.len(), owners.len());
    let can_be_apart =
        if nodes == n { partitions % n == 0 } else { partitions.div_ceil(nodes) <= partitions / n };
    let meet = |at: &usize| (1..n).any(|step| owners[*at] == owners[(at + step) % partitions]);
    if nodes < n || n == 1 {
        return None;
    }
    if can_be_apart && let Some(at) = (0..partitions).find(meet) {
        return Some(format!("{} owns two of {n} neighbouring partitions, from {at} on", owners[at]));
    }
    let (least, most) = (owned.values().min()?, owned.values().max()?);
    (can_be_apart && most - least > 1)
        .then(|| format!("one node owns {most} partitions and another one {least}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(nodes: &[u64], n: usize) -> Option<String> {
        unequal(&nodes.iter().copied().map(NodeId).collect::<Vec<_>>(), n)
    }

    #[test]
    fn neighbours_wrap_around_and_shares_differ_by_one() {
        assert_eq!(judged(&[1, 2, 3, 4, 1, 2, 3, 4], 3), None);
        assert_eq!(
            judged(&[1, 2, 3, 4, 2, 3, 4, 1], 2),
            Some("n1 owns two of 2 neighbouring partitions, from 7 on".into())
        );
        assert_eq!(
            judged(&[1, 2, 1, 2, 1, 3, 1, 4], 2),
            Some("one node owns 4 partitions and another one 1".into())
        );
        assert_eq!(
            judged(&[1, 2, 3, 1, 2, 3, 1, 2], 3),
            None,
            "three nodes cannot, and eight is no multiple of three"
        );
    }

    #[test]
    fn a_stranger_owns_nothing() {
        let members = [NodeId(1), NodeId(2)];
        let ring = Ring::new(&members, 8, 2).unwrap();
        let cluster = Cluster::founded(&members, ring, 2, &BTreeMap::new());
        assert_eq!(strangers(&cluster, &members), None);
        assert_eq!(
            strangers(&cluster, &[NodeId(1), NodeId(3)]),
            Some("n3 owns a partition and is no member".into())
        );
    }
}
