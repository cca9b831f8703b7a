//! Parts of the way to an assignment, by themselves: what they say about a ring can be worked out by hand.

use alloc::vec::Vec;

use quickcheck::quickcheck;

use super::super::{Problem, layout, shift};
use super::judge::claimants;
use crate::flaw::Flaw;

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

/// The circle that promises most makes nothing better, as gifts near each other may do harm. It is taken back and not tried again, so
/// that another one makes moves fewer.
#[test]
fn a_circle_of_gifts_that_does_no_good_is_refused_and_another_is_found() {
    let moves = |zones, n, before: [usize; 16]| {
        let problem = Problem::new(&claimants(1..=9, zones), 16, n);
        let before = before.map(Some);
        let mut table = problem.table(&before, (0..16).map(|at| at % 9).collect());
        let start = table.cost();
        shift::circles(&mut table);
        assert!(table.cost().sound(start), "{:?}", table.cost());
        [start.moves, table.cost().moves]
    };
    assert_eq!(moves(4, 2, [3, 7, 8, 8, 4, 5, 6, 7, 8, 0, 6, 2, 3, 4, 5, 6]), [5, 4]);
    assert_eq!(moves(2, 4, [0, 2, 8, 3, 6, 4, 2, 7, 8, 0, 6, 8, 6, 4, 5, 2]), [9, 6]);
    assert_eq!(moves(4, 2, [0, 1, 2, 0, 4, 5, 6, 1, 5, 0, 1, 8, 3, 8, 8, 3]), [7, 4]);
    assert_eq!(moves(2, 2, [8, 0, 0, 3, 4, 5, 6, 7, 6, 0, 1, 2, 3, 4, 5, 6]), [4, 3]);
    assert_eq!(moves(2, 4, [6, 2, 3, 8, 6, 5, 6, 0, 7, 0, 8, 2, 3, 6, 5, 6]), [9, 7]);
}

const NODES: usize = 6;
const PARTITIONS: usize = 16;

/// A ring with faults, of two nodes in each of three zones, as it is or as the museum counts.
fn faulty_ring(n: u8, start: &[u8], ignores_wrap: bool) -> (Problem, Vec<usize>) {
    let flaw = ignores_wrap.then_some(Flaw::ClaimIgnoresWrap);
    let clusters = claimants(1..=NODES as u64, 3);
    let problem = Problem { flaw, ..Problem::new(&clusters, PARTITIONS as u32, 1 + n % 7) };
    let owner = |at| usize::from(start.get(at).copied().unwrap_or(at as u8)) % NODES;
    (problem, (0..PARTITIONS).map(owner).collect())
}

quickcheck! {
    /// Each group owns as many partitions of a layout as it is to have, however few these are.
    fn layouts_have_the_counts_they_are_given(counts: Vec<u8>, wider: u8) -> bool {
        let counts: Vec<u64> = counts.into_iter().take(6).map(|count| u64::from(count % 12)).collect();
        let n = counts.len() + 1 + usize::from(wider % 3);
        [layout::columns(&counts), layout::every_round(&counts, n)].iter().all(|owners| {
            let count = |group| owners.iter().filter(|owner| **owner == group).count() as u64;
            (0..counts.len()).map(count).eq(counts.iter().copied())
        })
    }

    /// However partitions change hands, a table's cost is what counting it anew would give.
    fn costs_are_kept_as_they_would_be_counted(
        n: u8, start: Vec<u8>, gives: Vec<(u8, u8)>, ignores_wrap: bool
    ) -> bool {
        let (problem, owners) = faulty_ring(n, &start, ignores_wrap);
        let before: Vec<Option<usize>> = owners.iter().map(|&owner| (owner > 0).then_some(owner)).collect();
        let mut table = problem.table(&before, owners);
        gives.into_iter().all(|(at, node)| {
            table.give(usize::from(at) % PARTITIONS, usize::from(node) % NODES);
            table.cost() == problem.table(&before, table.owners().to_vec()).cost()
        })
    }

    /// Who clashes with a neighbour is in a window that is short of a node; the museum's windows end where the ring does.
    fn partitions_clash_that_are_in_one_window(n: u8, start: Vec<u8>, ignores_wrap: bool) -> bool {
        let (problem, owners) = faulty_ring(n, &start, ignores_wrap);
        let before = alloc::vec![None; PARTITIONS];
        let table = problem.table(&before, owners.clone());
        let starts = if ignores_wrap { PARTITIONS + 1 - problem.window } else { PARTITIONS };
        let window = |start: usize| (start..start + problem.window).map(|at| at % PARTITIONS);
        (0..PARTITIONS).all(|at| {
            let clashes = (0..starts)
                .filter(|&start| window(start).any(|other| other == at))
                .any(|start| window(start).any(|other| other != at && owners[other] == owners[at]));
            table.clashes(at) == clashes
        })
    }
}
