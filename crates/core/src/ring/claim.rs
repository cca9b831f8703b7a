//! Which node owns which partition.
//!
//! The ring is laid out in rounds: each round names every node once, in the same order, so that a node's
//! partitions are a whole round apart. When Q is not a multiple of the number of nodes, some rounds must be
//! shorter: a node is left out of them, and the nodes around it come closer together. Each left-out node costs one
//! partition of distance to the nodes between two leavings, so they are spread over the rounds, at most
//! `nodes - n` to a round, in the order of the nodes: then no window ever sees more than one round's worth.

use alloc::vec::Vec;

use crate::id::NodeId;

/// Assigns `partitions` partitions to `members` (sorted, distinct, not empty): every node gets its share to
/// within one, and any `n` consecutive partitions, wrap included, sit on distinct nodes wherever this layout can
/// do it; preference lists skip repeated nodes in any case. Pure.
pub fn claim(members: &[NodeId], partitions: u32, n: u8) -> Vec<NodeId> {
    let nodes = members.len();
    let partitions = partitions as usize;
    let rounds = partitions.div_ceil(nodes);
    let left_out = rounds * nodes - partitions;
    let per_round = nodes.saturating_sub(usize::from(n)).max(1);
    let mut owners = Vec::with_capacity(partitions);
    for round in 0..rounds {
        let skip = left_out_of(round, rounds, left_out, per_round);
        for (index, &member) in members.iter().enumerate() {
            if !skip.contains(&index) {
                owners.push(member);
            }
        }
    }
    owners
}

/// The nodes left out of `round`: nodes `0..left_out` are each left out of one round, in ascending order, spread as
/// evenly as `per_round` allows.
fn left_out_of(round: usize, rounds: usize, left_out: usize, per_round: usize) -> core::ops::Range<usize> {
    // Groups of at most `per_round` nodes, as small as the number of rounds allows.
    let group = left_out.div_ceil(rounds).max(1).min(per_round.max(left_out.div_ceil(rounds)));
    let groups = left_out.div_ceil(group);
    // Group g goes to round floor(g * rounds / groups); invert that.
    let g = (round * groups).div_ceil(rounds);
    if g < groups && g * rounds / groups == round { g * group..((g + 1) * group).min(left_out) } else { 0..0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::Ring;

    fn members(count: u64) -> Vec<NodeId> {
        (1..=count).map(NodeId).collect()
    }

    /// The first pair of equal owners within `n` consecutive partitions, wrap included.
    fn clash(owners: &[NodeId], n: usize) -> Option<usize> {
        (0..owners.len()).find(|&at| (1..n).any(|by| owners[at] == owners[(at + by) % owners.len()]))
    }

    #[test]
    fn consecutive_partitions_sit_on_distinct_nodes_and_shares_differ_by_at_most_one() {
        for bits in 3..=8 {
            let partitions = 1_u32 << bits;
            for count in 1..=12_u64 {
                for n in 1..=5_u8 {
                    let owners = claim(&members(count), partitions, n);
                    assert_eq!(owners.len(), partitions as usize);
                    let shares: Vec<usize> = members(count)
                        .iter()
                        .map(|member| owners.iter().filter(|owner| *owner == member).count())
                        .collect();
                    let spread = shares.iter().max().unwrap() - shares.iter().min().unwrap();
                    assert!(spread <= 1, "Q={partitions} S={count} N={n}: {shares:?}");
                    // As many nodes as N leave no room to be left out of a round; neither do few, short rounds.
                    let rounds = u64::from(partitions).div_ceil(count);
                    let left_out = rounds * count - u64::from(partitions);
                    let possible = left_out == 0
                        || (count > u64::from(n) && left_out.div_ceil(count - u64::from(n)) < rounds);
                    let clash = clash(&owners, usize::from(n).min(count as usize));
                    assert!(
                        !possible || clash.is_none(),
                        "Q={partitions} S={count} N={n}: {clash:?} {owners:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn homes_are_distinct_nodes_always() {
        for bits in 3..=8 {
            for count in 1..=12_u64 {
                for n in 1..=5_u8 {
                    let ring = Ring::new(&members(count), 1 << bits, n).unwrap();
                    for partition in 0..1_u64 << bits {
                        let list = ring.preference_list(crate::ring::Token(partition << (64 - bits)), n);
                        let owners = (count as usize).min(1 << bits);
                        assert_eq!(list.homes().len(), usize::from(n).min(owners));
                        assert_eq!(list.nodes().len(), owners, "every owner can stand in");
                        let mut distinct = list.nodes().to_vec();
                        distinct.sort_unstable();
                        distinct.dedup();
                        assert_eq!(distinct.len(), list.nodes().len());
                        assert_eq!(list.homes()[0], ring.owner(crate::ring::Partition(partition as u32)));
                    }
                }
            }
        }
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let mut reversed = members(7);
        reversed.reverse();
        assert_eq!(Ring::new(&members(7), 64, 3), Ring::new(&reversed, 64, 3));
    }

    #[test]
    fn impossible_rings_are_refused() {
        use crate::ring::RingError;
        assert_eq!(Ring::new(&members(3), 7, 3), Err(RingError::Partitions { asked: 7 }));
        assert_eq!(Ring::new(&members(3), 4, 3), Err(RingError::Partitions { asked: 4 }));
        assert_eq!(Ring::new(&[], 8, 3), Err(RingError::NoMembers));
        assert_eq!(Ring::new(&[NodeId(1), NodeId(1)], 8, 3), Err(RingError::DuplicateMember(NodeId(1))));
    }
}
