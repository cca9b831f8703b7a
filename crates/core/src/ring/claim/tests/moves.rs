//! Moves against their bound: one node that joins or leaves, and random histories.

use alloc::vec::Vec;

use super::super::claim;
use super::claimants;
use super::relaxed::Change;
use crate::rng::CoreRng;

/// Q, S, Z, whether a node joins, moves, excess.
type Case = (u32, u64, u64, bool, u64, u64);

/// The changes by one node that may take more than one move too many.
fn above(zones: u64, n: u8, bits: core::ops::RangeInclusive<u32>, nodes: u64) -> Vec<Case> {
    let mut above = Vec::new();
    for (bits, count) in bits.flat_map(|bits| (1..=nodes).map(move |count| (bits, count))) {
        let before = claim(&[], &claimants(1..=count, zones), 1 << bits, n);
        for (joins, cluster) in
            [(true, claimants(1..=count + 1, zones)), (false, claimants(2..=count, zones))]
        {
            if cluster.is_empty() {
                continue;
            }
            let (change, _) = Change::new(&before, &cluster, n);
            let excess = change.excess(2, 60);
            if excess > 1 {
                above.push((1 << bits, count, zones, joins, change.cost.moves, excess));
            }
        }
    }
    above
}

#[test]
fn nodes_of_one_zone_make_few_moves() {
    assert_eq!(above(1, 3, 3..=8, 12), []);
}

#[test]
fn nodes_of_two_zones_make_few_moves() {
    // Seven nodes, four of them in one zone: undecided.
    assert_eq!(above(2, 3, 3..=8, 12), [(256, 6, 2, true, 42, 2)]);
}

#[test]
fn nodes_of_three_zones_make_few_moves() {
    // As many zones as N, and Q no multiple: there is a seam, and windows cannot all be distinct.
    assert_eq!(above(3, 3, 3..=8, 12), [(128, 5, 3, false, 2, 2)]);
}

#[test]
fn nodes_of_four_zones_make_few_moves() {
    assert_eq!(above(4, 3, 3..=8, 12), []);
}

#[test]
fn with_another_n_moves_are_few() {
    let mut all = Vec::new();
    for zones in 1..=4 {
        all.extend(above(zones, 1, 3..=6, 12));
        all.extend(above(zones, 2, 3..=6, 12));
        all.extend(above(zones, 4, 3..=5, 7));
    }
    // Three nodes become four, which all are homes of everything.
    assert_eq!(all, [(32, 3, 3, true, 17, 2)]);
}

#[test]
fn histories_make_few_moves() {
    let mut rng = CoreRng::new(*b"random nodes that join and leave");
    let mut draw = |bound: u64| ((rng.next_u64() >> 32) * bound) >> 32;
    let mut above = Vec::new();
    for run in 0..24 {
        let (bits, zones) = (3 + run % 6, 1 + run / 6 % 4);
        let mut ids: Vec<u64> = (1..=4 + draw(6)).collect();
        let mut owners = claim(&[], &claimants(ids.clone(), zones), 1 << bits, 3);
        for step in 0..6 {
            if ids.len() < 12 && (ids.len() < 4 || draw(2) == 0) {
                ids.push(100 + 12 * step + draw(12));
            } else {
                ids.swap_remove(draw(ids.len() as u64) as usize);
            }
            let (change, after) = Change::new(&owners, &claimants(ids.clone(), zones), 3);
            let excess = change.excess(2, 60);
            if excess > 1 {
                above.push((1_u32 << bits, ids.len(), change.problem.zones, change.cost.moves, excess));
            }
            owners = after;
        }
    }
    // Three zones: a seam again. Four: a zone near Q / N, and its partitions hardly more than N apart.
    assert_eq!(above, [(64, 3, 3, 21, 2), (256, 9, 4, 113, 11), (256, 7, 4, 85, 39), (256, 7, 3, 41, 41)]);
}
