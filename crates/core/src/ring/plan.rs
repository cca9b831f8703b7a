//! What a new assignment would change: shown to an operator before it is committed.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Partition;
use crate::id::NodeId;

/// A partition that changes its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Which partition.
    pub partition: Partition,
    /// Its owner before.
    pub from: NodeId,
    /// Its owner afterwards.
    pub to: NodeId,
}

/// How many partitions a node owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// The node.
    pub node: NodeId,
    /// Partitions that it owns before; 0 for a newcomer.
    pub before: u32,
    /// Partitions that it owns afterwards; 0 for one that leaves.
    pub after: u32,
}

/// The difference between two assignments of one ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moves {
    /// The partitions that change their owners, in order.
    pub moves: Vec<Move>,
    /// Every node that owns something before or afterwards, in order.
    pub shares: Vec<Shares>,
}

impl Moves {
    /// Compares the owners of all partitions before and after.
    ///
    /// # Panics
    ///
    /// If the tables are not of one size: the number of partitions is fixed when a cluster is created.
    pub fn between(before: &[NodeId], after: &[NodeId]) -> Self {
        assert_eq!(before.len(), after.len(), "tables of different rings");
        let mut counts: BTreeMap<NodeId, (u32, u32)> = BTreeMap::new();
        for (&from, &to) in before.iter().zip(after) {
            counts.entry(from).or_default().0 += 1;
            counts.entry(to).or_default().1 += 1;
        }
        let moves = (0..)
            .map(Partition)
            .zip(before.iter().zip(after))
            .filter(|(_, (from, to))| from != to)
            .map(|(partition, (&from, &to))| Move { partition, from, to })
            .collect();
        let shares =
            counts.into_iter().map(|(node, (before, after))| Shares { node, before, after }).collect();
        Self { moves, shares }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn owners(ids: &[u8]) -> Vec<NodeId> {
        ids.iter().map(|&id| NodeId(u64::from(id % 8))).collect()
    }

    #[test]
    fn a_plan_names_moves_newcomers_and_leavers() {
        let plan = Moves::between(&owners(&[1, 2, 1, 2]), &owners(&[1, 3, 1, 1]));
        let moved = |partition, from, to| Move {
            partition: Partition(partition),
            from: NodeId(from),
            to: NodeId(to),
        };
        assert_eq!(plan.moves, [moved(1, 2, 3), moved(3, 2, 1)]);
        let shares: Vec<(u64, u32, u32)> =
            plan.shares.iter().map(|share| (share.node.0, share.before, share.after)).collect();
        assert_eq!(shares, [(1, 2, 3), (2, 2, 0), (3, 0, 1)]);
    }

    quickcheck! {
        fn moves_lead_from_before_to_after(table: Vec<(u8, u8)>) -> bool {
            let (before, after): (Vec<u8>, Vec<u8>) = table.into_iter().unzip();
            let (mut before, after) = (owners(&before), owners(&after));
            let plan = Moves::between(&before, &after);
            for change in &plan.moves {
                assert_eq!(before[change.partition.index()], change.from);
                before[change.partition.index()] = change.to;
            }
            let gained: i64 =
                plan.shares.iter().map(|share| i64::from(share.after) - i64::from(share.before)).sum();
            before == after && gained == 0
        }
    }
}
