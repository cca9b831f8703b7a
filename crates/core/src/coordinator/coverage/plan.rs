//! Which node answers for which partitions: pure.
//!
//! The fewest nodes would be the answer to a set cover, which is hard; the greedy one is within a small factor of it, and
//! on a ring where each node holds N consecutive partitions of its own it comes out at about a 1/N of the nodes, as
//! Riak's coverage plans do.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::id::NodeId;
use crate::ring::Partition;

/// What one node is asked about, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub node: NodeId,
    pub partitions: Vec<Partition>,
}

/// Nobody can be asked about this partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Uncovered(pub Partition);

/// Shares out `wanted` so that each partition is asked of one of its `homes`. The node that holds most of what is left
/// comes first; of equals `me`, which needs no message, then whoever comes after it, so that not every listing of a
/// cluster goes to the same nodes.
pub(super) fn plan(
    wanted: &[Partition],
    me: NodeId,
    homes: impl Fn(Partition) -> Vec<NodeId>,
) -> Result<Vec<Assignment>, Uncovered> {
    let homes: Vec<Vec<NodeId>> = wanted.iter().map(|partition| homes(*partition)).collect();
    let mut held: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
    for (at, homes) in homes.iter().enumerate() {
        if homes.is_empty() {
            return Err(Uncovered(wanted[at]));
        }
        for home in homes {
            held.entry(*home).or_default().push(at);
        }
    }
    let mut left: BTreeMap<NodeId, usize> = held.iter().map(|(node, at)| (*node, at.len())).collect();
    let mut is_covered = alloc::vec![false; wanted.len()];
    let mut plan = Vec::new();
    while let Some(node) = next(&left, me) {
        let here = held.remove(&node).unwrap_or_default();
        let new: Vec<usize> = here.into_iter().filter(|at| !is_covered[*at]).collect();
        for at in &new {
            is_covered[*at] = true;
            for home in &homes[*at] {
                left.entry(*home).and_modify(|count| *count -= 1);
            }
        }
        left.remove(&node);
        plan.push(Assignment { node, partitions: new.into_iter().map(|at| wanted[at]).collect() });
    }
    Ok(plan)
}

/// The node that holds most of what is left.
fn next(left: &BTreeMap<NodeId, usize>, me: NodeId) -> Option<NodeId> {
    let turn = |node: NodeId| node.0.wrapping_sub(me.0);
    let some = left.iter().filter(|(_, count)| **count > 0);
    some.max_by_key(|(node, count)| (**count, core::cmp::Reverse(turn(**node)))).map(|(node, _)| *node)
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;
    use crate::ring::Ring;

    fn nodes(count: u64) -> Vec<NodeId> {
        (1..=count).map(NodeId).collect()
    }

    fn cover(count: u64, n: u8, me: u64, down: &BTreeSet<NodeId>) -> Result<Vec<Assignment>, Uncovered> {
        let ring = Ring::new(&nodes(count), 64, n).unwrap();
        let all: Vec<Partition> = (0..64).map(Partition).collect();
        let homes = |partition| {
            let list = ring.partition_preference_list(partition, n);
            list.homes().iter().copied().filter(|home| !down.contains(home)).collect()
        };
        plan(&all, NodeId(me), homes)
    }

    quickcheck::quickcheck! {
        /// Every partition is asked of one home that may be asked; where there is none, that is said.
        fn every_partition_is_asked_of_one_home(count: u64, n: u8, me: u64, down: Vec<u64>) -> bool {
            let (count, n) = (1 + count % 12, 1 + n % 5);
            let down: BTreeSet<NodeId> = down.into_iter().map(|node| NodeId(1 + node % count)).collect();
            let ring = Ring::new(&nodes(count), 64, n).unwrap();
            let homes = |partition| ring.partition_preference_list(partition, n).homes().to_vec();
            let is_down = |partition| homes(partition).iter().all(|home| down.contains(home));
            match cover(count, n, 1 + me % count, &down) {
                Err(Uncovered(partition)) => is_down(partition),
                Ok(plan) => {
                    let mut asked: Vec<Partition> =
                        plan.iter().flat_map(|one| one.partitions.clone()).collect();
                    asked.sort_unstable();
                    let of_homes = plan.iter().all(|Assignment { node, partitions }| {
                        !partitions.is_empty()
                            && !down.contains(node)
                            && partitions.is_sorted()
                            && partitions.iter().all(|partition| homes(*partition).contains(node))
                    });
                    let distinct: BTreeSet<NodeId> = plan.iter().map(|one| one.node).collect();
                    of_homes
                        && distinct.len() == plan.len()
                        && asked == (0..64).map(Partition).collect::<Vec<_>>()
                }
            }
        }

        /// What it asks of its last node, nobody before could have answered; so it never asks more nodes than there are
        /// partitions to ask for, and each is asked for something of its own.
        fn nobody_is_asked_for_nothing(wanted: Vec<u32>, holds: Vec<(u64, u32)>) -> bool {
            let wanted: BTreeSet<Partition> = wanted.into_iter().map(|at| Partition(at % 32)).collect();
            let wanted: Vec<Partition> = wanted.into_iter().collect();
            let homes = |partition: Partition| {
                let of = holds.iter().filter(|(_, at)| at % 32 == partition.0);
                let of: BTreeSet<NodeId> = of.map(|(node, _)| NodeId(node % 9)).collect();
                of.into_iter().collect()
            };
            match plan(&wanted, NodeId(0), homes) {
                Err(Uncovered(partition)) => wanted.contains(&partition) && homes(partition).is_empty(),
                Ok(plan) => plan.len() <= wanted.len().min(9) && plan.iter().all(|one| !one.partitions.is_empty()),
            }
        }
    }

    #[test]
    fn few_nodes_are_enough() {
        let everybody = BTreeSet::new();
        assert_eq!(cover(3, 3, 2, &everybody).unwrap().len(), 1, "each holds everything");
        assert_eq!(cover(3, 3, 2, &everybody).unwrap()[0].node, NodeId(2), "whoever is asked answers itself");
        let asked = cover(12, 3, 1, &everybody).unwrap().len();
        assert!((4..=6).contains(&asked), "{asked} of 12 nodes, which hold a quarter each");
        let asked = cover(6, 1, 1, &everybody).unwrap().len();
        assert_eq!(asked, 6, "with one home each, all of them");
    }

    #[test]
    fn what_nobody_holds_is_named() {
        let down = [NodeId(1), NodeId(2), NodeId(3)].into();
        assert_eq!(cover(3, 3, 1, &down), Err(Uncovered(Partition(0))));
        let down = [NodeId(1), NodeId(2)].into();
        assert_eq!(cover(3, 3, 1, &down).unwrap()[0].node, NodeId(3));
    }
}
