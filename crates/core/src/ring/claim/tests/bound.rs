//! The fewest moves of tiny rings: all assignments, tried one by one.

use alloc::vec::Vec;

use super::super::claim;
use super::judge::{Judge, claimants};
use crate::id::NodeId;

/// A change, with nodes and zones by index.
struct Change {
    before: Vec<Option<usize>>,
    zones: Vec<usize>,
    /// Fewest and most partitions of each node.
    shares: Vec<(usize, usize)>,
    n: usize,
}

impl Change {
    /// None where shares cannot be fair, or windows not distinct.
    fn new(judge: &Judge, before: &[NodeId], n: u8) -> Option<Self> {
        let claimants = &judge.claimants;
        let index = |node| claimants.iter().position(|claimant| claimant.node == node);
        let share = |weight| judge.fair(usize::from(weight));
        Some(Self {
            before: before.iter().map(|&node| index(node)).collect(),
            zones: claimants.iter().map(|claimant| claimant.zone as usize).collect(),
            shares: claimants.iter().map(|claimant| share(claimant.weight)).collect::<Option<_>>()?,
            n: usize::from(n),
        })
    }

    fn nodes(&self) -> usize {
        self.shares.len()
    }

    /// Whether these N owners name N nodes, and as many zones as there can be.
    fn distinct(&self, window: &[usize]) -> bool {
        let count = |mut groups: Vec<usize>| {
            groups.sort_unstable();
            groups.dedup();
            groups.len()
        };
        let zones = |nodes: &[usize]| count(nodes.iter().map(|&node| self.zones[node]).collect());
        let all: Vec<usize> = (0..self.nodes()).collect();
        count(window.to_vec()) == self.n.min(self.nodes()) && zones(window) == self.n.min(zones(&all))
    }

    /// The fewest moves, by trying everything that is not worse than `best`.
    fn fewest(&self, owners: &mut Vec<usize>, moves: usize, best: &mut usize) {
        let at = owners.len();
        if moves >= *best {
            return;
        }
        if at == self.before.len() {
            let around: Vec<usize> = owners.iter().chain(&owners[..self.n - 1]).copied().collect();
            let fair = (0..self.nodes())
                .all(|node| owners.iter().filter(|owner| **owner == node).count() >= self.shares[node].0);
            if fair && around.windows(self.n).all(|window| self.distinct(window)) {
                *best = moves;
            }
            return;
        }
        for node in 0..self.nodes() {
            let full = owners.iter().filter(|owner| **owner == node).count() == self.shares[node].1;
            owners.push(node);
            if !full && (at + 1 < self.n || self.distinct(&owners[at + 1 - self.n..])) {
                let moved = self.before[at].is_some_and(|before| before != node);
                self.fewest(owners, moves + usize::from(moved), best);
            }
            owners.pop();
        }
    }
}

/// The changes by one node of a ring of 1..=count nodes, and the moves that [`claim`] makes.
fn changes(count: u64, zones: u64, partitions: u32, n: u8) -> Vec<(Change, usize)> {
    let before = claim(&[], &claimants(1..=count, zones), partitions, n);
    let clusters = [claimants(1..=count + 1, zones), claimants(2..=count, zones)];
    let measure = |cluster: Vec<_>| {
        let judge = Judge::new(&cluster, partitions, n);
        let after = judge.check_change(&before);
        Some((Change::new(&judge, &before, n)?, judge.moves(&before, &after)))
    };
    clusters.into_iter().filter_map(measure).collect()
}

#[test]
fn tiny_rings_take_the_fewest_moves_that_there_are() {
    let mut more = Vec::new();
    for (count, zones, n) in
        (2..=5).flat_map(|count| (1..=3).flat_map(move |zones| (1..=4).map(move |n| (count, zones, n))))
    {
        for (change, moves) in changes(count, zones, 8, n) {
            let mut fewest = 9;
            change.fewest(&mut Vec::new(), 0, &mut fewest);
            if moves != fewest {
                more.push((count, zones, n, change.nodes(), moves, fewest));
            }
        }
    }
    assert_eq!(more, []);
}
