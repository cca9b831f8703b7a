//! The promises of [`claim`], judged by code that shares nothing with it but the [`Claimant`].

mod bound;
mod frozen;
mod judge;
mod laws;
mod moves;
mod parts;
mod relaxed;
mod zones;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use self::judge::{Judge, claimants};
use super::{Claimant, claim};
use crate::id::NodeId;
use crate::ring::Ring;

fn members(count: u64) -> Vec<NodeId> {
    (1..=count).map(NodeId).collect()
}

#[test]
fn new_rings_are_distinct_and_balanced() {
    for bits in 3..=8 {
        for count in 1..=12 {
            for zones in 1..=4 {
                for n in 1..=5 {
                    let judge = Judge::new(&claimants(1..=count, zones), 1 << bits, n);
                    judge.check(&claim(&[], &judge.claimants, 1 << bits, n));
                }
            }
        }
    }
}

/// All sizes up to 64; of the greater ones, those with the most usual N. The random laws see the rest.
#[test]
fn one_node_joins_or_leaves() {
    for bits in 3..=8 {
        for count in 1..=12 {
            for zones in 1..=4 {
                for n in (1..=5).filter(|&n| bits <= 6 || n == 3 && count % 3 == 0) {
                    let before = claim(&[], &claimants(1..=count, zones), 1 << bits, n);
                    let joined = Judge::new(&claimants(1..=count + 1, zones), 1 << bits, n);
                    let after = joined.check_change(&before);
                    // Out of a ring of just N nodes, or of one with a fault, more has to move.
                    let sound = joined.nodes_missing(&before) == 0 && joined.can_be_distinct();
                    if zones == 1 && count > u64::from(n) && sound {
                        let mut moved = before.iter().zip(&after).filter(|(before, after)| before != after);
                        assert!(moved.all(|(_, after)| *after == NodeId(count + 1)), "all to the newcomer");
                        assert_eq!(Some(joined.moves(&before, &after)), joined.moves_least(&before));
                    }
                    if count > 1 {
                        Judge::new(&claimants(2..=count, zones), 1 << bits, n).check_change(&before);
                    }
                }
            }
        }
    }
}

#[test]
fn equal_nodes_of_one_zone_take_turns() {
    let owners = claim(&[], &claimants(1..=5, 1), 16, 3);
    let turns: Vec<u64> = owners.iter().map(|node| node.0).collect();
    assert_eq!(turns, [2, 3, 4, 5, 1, 3, 4, 5, 1, 2, 4, 5, 1, 2, 3, 5]);
}

#[test]
fn three_zones_keep_three_replicas_apart() {
    // 64 is no multiple of 3: one seam, where two windows see two zones. Nothing better exists.
    let nine = Judge::new(&claimants(1..=9, 3), 64, 3);
    let owners = claim(&[], &nine.claimants, 64, 3);
    assert_eq!((nine.nodes_missing(&owners), nine.zones_missing(&owners)), (0, 2));
    // A fourth node for one zone takes from the nodes of that zone alone.
    let ten = Judge::new(&claimants(1..=10, 3), 64, 3);
    let after = ten.check_change(&owners);
    assert_eq!((ten.zones_missing(&after), ten.moves(&owners, &after)), (2, 5));
    let zone = |node: NodeId| node.0 % 3;
    assert!(owners.iter().zip(&after).all(|(&before, &after)| zone(before) == zone(after)));
}

#[test]
fn a_node_of_double_weight_owns_twice_as_much() {
    let mut five = claimants(1..=5, 1);
    five[2].weight = 2;
    let owners = claim(&[], &five, 96, 3);
    let count = |id| owners.iter().filter(|owner| **owner == NodeId(id)).count();
    assert_eq!((count(1), count(2), count(3)), (16, 16, 32), "{owners:?}");
    five[2].weight = 1000;
    let owners = claim(&[], &five, 96, 3);
    assert_eq!(owners.iter().filter(|owner| **owner == NodeId(3)).count(), 32, "no more than Q / N");
}

#[test]
fn a_replacement_takes_over_exactly_what_was_left() {
    for (count, zones, n) in [(3, 1, 3), (5, 1, 3), (9, 3, 3), (12, 4, 3), (4, 1, 5), (6, 2, 3)] {
        let before = claim(&[], &claimants(1..=count, zones), 64, n);
        // 2 + 12 z is in the zone of 2 for each number of zones.
        let replaced: Vec<Claimant> = claimants((1..=count).map(|id| if id == 2 { 122 } else { id }), zones);
        let after = claim(&before, &replaced, 64, n);
        let expected: Vec<NodeId> =
            before.iter().map(|&node| if node == NodeId(2) { NodeId(122) } else { node }).collect();
        assert_eq!(after, expected, "S={count} Z={zones} N={n}");
    }
}

/// However it came about: everybody has a share, and the neighbours are the same node twice.
#[test]
fn a_balanced_ring_that_is_not_distinct_is_mended() {
    let before: Vec<NodeId> = (0..8).map(|at| NodeId(1 + at / 2)).collect();
    let judge = Judge::new(&claimants(1..=4, 1), 8, 3);
    assert!(judge.nodes_missing(&before) > 0);
    assert_eq!(judge.nodes_missing(&judge.check_change(&before)), 0);
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
                    let distinct: BTreeSet<NodeId> = list.nodes().iter().copied().collect();
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

/// Two nodes of a zone whose shares fill nearly all of its places: dealt out by themselves they follow each other too closely, and
/// no exchange of two partitions mends it.
#[test]
fn a_new_ring_whose_small_zone_is_nearly_full_keeps_zones_apart() {
    let nodes = [(2, 0), (1, 1), (1, 0), (1, 0), (2, 1), (1, 0)];
    let node =
        |(id, &(weight, zone)): (usize, &(u16, u64))| Claimant { node: NodeId(id as u64), weight, zone };
    let nodes: Vec<Claimant> = nodes.iter().enumerate().map(node).collect();
    Judge::new(&nodes, 256, 3).check(&claim(&[], &nodes, 256, 3));
}
