//! Parts of the way to an assignment, by themselves: what they say about a ring can be worked out by hand.

use super::super::Problem;
use super::judge::claimants;

fn problem(nodes: u64, partitions: u32, n: u8) -> Problem {
    Problem::new(&claimants(1..=nodes, 1), partitions, n)
}

/// Of eight partitions each of three nodes can have every third, and two are left over; four nodes have every fourth. Five
/// nodes cannot be in each window of seven: one of them would need three places in eight, three apart.
#[test]
fn distinct_is_what_fits_around_the_ring() {
    for (nodes, partitions, n) in [(4, 8, 3), (4, 8, 4), (5, 8, 3), (2, 8, 3), (4, 8, 5), (8, 8, 8)] {
        assert!(problem(nodes, partitions, n).can_be_distinct(), "{nodes} of {partitions}, N = {n}");
    }
    for (nodes, partitions, n) in [(3, 8, 3), (5, 8, 5), (5, 8, 7), (3, 16, 3)] {
        assert!(!problem(nodes, partitions, n).can_be_distinct(), "{nodes} of {partitions}, N = {n}");
    }
}

/// With as many nodes as N, what is left over at the end of the ring makes a seam: `rest * (N - rest)`.
#[test]
fn a_seam_is_what_no_assignment_avoids() {
    let seam = |nodes, partitions, n| {
        let problem = problem(nodes, partitions, n);
        problem.ideal(&alloc::vec![None; partitions as usize]).nodes_missing
    };
    assert_eq!([seam(3, 8, 3), seam(5, 8, 5), seam(4, 8, 4), seam(4, 8, 3)], [2, 6, 0, 0]);
}
