//! An assignment under construction, and what is wrong with it.

use alloc::vec::Vec;

use super::Zoned;
use super::share::Shares;
use crate::flaw::Flaw;

/// What is wrong with an assignment; the less the better, and what is named first matters more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    /// Over all windows of N partitions: how many nodes fewer than there could be.
    pub(super) nodes_missing: u64,
    /// The same for zones.
    pub(super) zones_missing: u64,
    /// Partitions by which nodes are away from their share, rounded either way.
    pub(super) imbalance: u64,
    /// Partitions taken from nodes that stay.
    pub(super) moves: u64,
}

impl Cost {
    /// Whether this is as good as `other` in everything but moves.
    pub(super) fn sound(self, other: Self) -> bool {
        Self { moves: 0, ..self } <= Self { moves: 0, ..other }
    }

    /// Whether windows are no worse than with `other`.
    pub(super) fn as_distinct(self, other: Self) -> bool {
        (self.nodes_missing, self.zones_missing) <= (other.nodes_missing, other.zones_missing)
    }
}

/// Who owns what, by index of the sorted claimants; keeps its [`Cost`] up to date.
#[derive(Clone)]
pub(super) struct Table<'a> {
    pub(super) nodes: &'a [Zoned],
    pub(super) shares: &'a Shares,
    /// The owner to keep where possible.
    pub(super) before: &'a [Option<usize>],
    owners: Vec<usize>,
    counts: Vec<u64>,
    /// The share of each node, rounded down and up.
    limits: Vec<(u64, u64)>,
    window: usize,
    flaw: Option<Flaw>,
    cost: Cost,
}

impl<'a> Table<'a> {
    /// A table of `owners`. Wants `window` consecutive partitions to be distinct.
    pub(super) fn new(
        nodes: &'a [Zoned],
        shares: &'a Shares,
        before: &'a [Option<usize>],
        owners: Vec<usize>,
        window: usize,
        flaw: Option<Flaw>,
    ) -> Self {
        let mut counts = alloc::vec![0; nodes.len()];
        for &owner in &owners {
            counts[owner] += 1;
        }
        let limits = shares.nodes.iter().map(|share| (share.floor(), share.ceil())).collect();
        let cost = Cost::default();
        let mut table = Self { nodes, shares, before, owners, counts, limits, window, flaw, cost };
        let zones = shares.zones.len();
        table.cost = Cost {
            nodes_missing: table.missing(nodes.len(), |owner| owner),
            zones_missing: table.missing(zones, |owner| nodes[owner].zone),
            imbalance: (0..nodes.len()).map(|node| table.imbalance(node)).sum(),
            moves: (0..table.owners.len()).filter(|&at| table.moved(at)).count() as u64,
        };
        table
    }

    pub(super) fn cost(&self) -> Cost {
        self.cost
    }

    /// The better of two tables; `self` of equals.
    pub(super) fn better(self, other: Self) -> Self {
        if other.cost < self.cost { other } else { self }
    }

    pub(super) fn owners(&self) -> &[usize] {
        &self.owners
    }

    pub(super) fn len(&self) -> usize {
        self.owners.len()
    }

    /// Within how many consecutive partitions owners should be distinct.
    pub(super) fn window(&self) -> usize {
        self.window
    }

    /// By how much `node` has less than its share, rounded down.
    pub(super) fn lack(&self, node: usize) -> u64 {
        self.limits[node].0.saturating_sub(self.counts[node])
    }

    /// By how much `node` has more than its share, rounded up.
    pub(super) fn excess(&self, node: usize) -> u64 {
        self.counts[node].saturating_sub(self.limits[node].1)
    }

    /// Whether `node` has more than its share, rounded down.
    pub(super) fn can_spare(&self, node: usize) -> bool {
        self.counts[node] > self.limits[node].0
    }

    /// Whether `node` has less than its share, rounded up.
    pub(super) fn has_room(&self, node: usize) -> bool {
        self.counts[node] < self.limits[node].1
    }

    fn imbalance(&self, node: usize) -> u64 {
        self.lack(node) + self.excess(node)
    }

    /// Whether the partition was taken from a node that stays.
    pub(super) fn moved(&self, at: usize) -> bool {
        self.before[at].is_some_and(|before| before != self.owners[at])
    }

    /// Gives partition `at` to `node`.
    pub(super) fn give(&mut self, at: usize, node: usize) {
        let from = self.owners[at];
        if from == node {
            return;
        }
        let (zone, zone_from) = (self.nodes[node].zone, self.nodes[from].zone);
        self.cost.nodes_missing += self.alone(at, |owner| owner == from);
        self.cost.nodes_missing -= self.alone(at, |owner| owner == node);
        if zone != zone_from {
            let nodes = self.nodes;
            self.cost.zones_missing += self.alone(at, |owner| nodes[owner].zone == zone_from);
            self.cost.zones_missing -= self.alone(at, |owner| nodes[owner].zone == zone);
        }
        self.cost.imbalance -= self.imbalance(from) + self.imbalance(node);
        self.cost.moves -= u64::from(self.moved(at));
        self.counts[from] -= 1;
        self.counts[node] += 1;
        self.owners[at] = node;
        self.cost.imbalance += self.imbalance(from) + self.imbalance(node);
        self.cost.moves += u64::from(self.moved(at));
    }

    /// Whether another partition within the window of `at` has the same owner.
    pub(super) fn clashes(&self, at: usize) -> bool {
        let owner = self.owners[at];
        let (back, forth) = self.reach(at);
        (1..forth).any(|by| self.owners[self.forth(at, by)] == owner)
            || (1..back).any(|by| self.owners[self.back(at, by)] == owner)
    }

    /// How many partitions, `at` among them, there are to its left and to its right within a window: the ring has no
    /// ends.
    fn reach(&self, at: usize) -> (usize, usize) {
        if self.flaw == Some(Flaw::ClaimIgnoresWrap) {
            return (self.window.min(at + 1), self.window.min(self.len() - at));
        }
        (self.window, self.window)
    }

    /// How many windows there are.
    fn windows(&self) -> usize {
        if self.flaw == Some(Flaw::ClaimIgnoresWrap) {
            return self.len() + 1 - self.window;
        }
        self.len()
    }

    pub(super) fn forth(&self, at: usize, by: usize) -> usize {
        let at = at + by;
        if at < self.owners.len() { at } else { at - self.owners.len() }
    }

    pub(super) fn back(&self, at: usize, by: usize) -> usize {
        if at >= by { at - by } else { at + self.owners.len() - by }
    }

    /// In how many windows `at` is the only partition that is one of `same`.
    fn alone(&self, at: usize, same: impl Fn(usize) -> bool) -> u64 {
        let (back, forth) = self.reach(at);
        let before = (1..back).find(|&by| same(self.owners[self.back(at, by)]));
        let after = (1..forth).find(|&by| same(self.owners[self.forth(at, by)]));
        let reach = before.unwrap_or(back) + after.unwrap_or(forth);
        reach.saturating_sub(self.window) as u64
    }

    fn missing(&self, groups: usize, group: impl Fn(usize) -> usize) -> u64 {
        let wanted = groups.min(self.window);
        let mut last = alloc::vec![usize::MAX; groups];
        (0..self.windows())
            .map(|start| {
                let mut distinct = 0;
                for by in 0..self.window {
                    let group = group(self.owners[self.forth(start, by)]);
                    if last[group] != start {
                        last[group] = start;
                        distinct += 1;
                    }
                }
                (wanted - distinct.min(wanted)) as u64
            })
            .sum()
    }
}
