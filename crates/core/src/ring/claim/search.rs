//! The search for a better assignment: simulated annealing without floats, from a fixed seed.
//!
//! The steps are Kempe chains, after the way in which maps are recoloured: a partition changes from node a to
//! node b; the partitions of b that this brings too close change to a; the partitions of a that *this* brings too
//! close change to b; and so on. What was distinct stays distinct, however tight the ring, so that the search walks
//! among good assignments in place of climbing out of one and, with luck, into the next.

use alloc::vec::Vec;

use super::table::{Cost, Table};
use crate::rng::CoreRng;

/// Draws in sixteenths of a move's worth: where the search starts, and where it ends.
const WARM: u64 = 40;
const COLD: u64 = 3;

/// How often a draw is repeated that found a partition with nothing to gain.
const PICKS: usize = 12;

/// Makes `table` better until its cost is `ideal` or `effort` partitions have changed hands on the way.
pub(super) fn improve(table: &mut Table<'_>, ideal: Cost, effort: u64, severity: u64) {
    let mut search = Search::new(table.len());
    // A ring too great for the effort never cools down: only downhill, then.
    let warm = if effort / table.len() as u64 >= 50 { WARM } else { COLD };
    let mut best = (table.cost(), table.owners().to_vec());
    let mut spent = 0;
    while spent < effort && best.0 > ideal {
        let heat = warm - (warm - COLD) * spent / effort;
        let cost = table.cost();
        search.step(table);
        spent += 1 + search.changed.len() as u64;
        if !search.accepts(weigh(cost, severity), weigh(table.cost(), severity), heat) {
            search.undo(table);
            spent += search.changed.len() as u64;
        } else if table.cost() < best.0 {
            best = (table.cost(), table.owners().to_vec());
        }
    }
    for (at, &owner) in best.1.iter().enumerate() {
        table.give(at, owner);
    }
}

/// Takes partitions that clash in turn, and to each applies the chain that is best. Stops early where `effort`
/// partitions have changed hands.
pub(super) fn repair(table: &mut Table<'_>, effort: u64) {
    let mut search = Search::new(table.len());
    let mut spent = 0;
    for at in 0..table.len() {
        if spent > effort || !table.clashes(at) {
            continue;
        }
        let (mut best, from) = ((table.cost(), None), table.owners()[at]);
        for node in (0..table.nodes.len()).filter(|&node| node != from) {
            search.begin();
            search.chain(table, at, node);
            if table.cost() < best.0 {
                best = (table.cost(), Some(node));
            }
            search.undo(table);
            spent += 2 * search.changed.len() as u64;
        }
        if let Some(node) = best.1 {
            search.begin();
            search.chain(table, at, node);
        }
    }
}

/// What the search minds, in sixteenths of a move. Less steep than the order of [`Cost`], or it would never cross
/// from one good assignment to another.
fn weigh(cost: Cost, severity: u64) -> u64 {
    16 * (severity * (12 * cost.nodes_missing + 6 * cost.zones_missing + 5 * cost.imbalance) + cost.moves)
}

struct Search {
    rng: CoreRng,
    /// Partitions that this step changed, and who owned them.
    changed: Vec<(usize, usize)>,
    /// The round in which a partition was last changed.
    mark: Vec<u64>,
    round: u64,
}

impl Search {
    fn new(partitions: usize) -> Self {
        let rng = CoreRng::new(*b"the same claim on all platforms.");
        Self { rng, changed: Vec::new(), mark: alloc::vec![0; partitions], round: 0 }
    }

    fn begin(&mut self) {
        self.changed.clear();
        self.round += 1;
    }

    fn below(&mut self, bound: usize) -> usize {
        let draw = (self.rng.next_u64() >> 32) * bound as u64;
        usize::try_from(draw >> 32).unwrap_or(0)
    }

    fn accepts(&mut self, before: u64, after: u64, heat: u64) -> bool {
        // The number of leading zeros is distributed as an exponential variable, in whole steps.
        after <= before + heat * u64::from(self.rng.next_u64().leading_zeros())
    }

    fn step(&mut self, table: &mut Table<'_>) {
        self.begin();
        let at = self.pick(table);
        let (from, to) = (table.owners()[at], self.recipient(table, at));
        if table.shares.zones.len() > 1 && self.below(4) == 0 {
            let by = 1 + self.below(table.window());
            let near = if self.below(2) == 0 { table.forth(at, by) } else { table.back(at, by) };
            let owner = table.owners()[near];
            self.give(table, at, owner);
            self.give(table, near, from);
            return;
        }
        if from == to {
            return;
        }
        let by_zone = table.shares.zones.len() >= table.window() && self.below(2) == 0;
        if self.below(8) == 0 {
            self.give(table, at, to);
        } else if by_zone {
            self.zone_chain(table, at, to);
        } else {
            self.chain(table, at, to);
        }
        // Half of the steps give one back, and so leave the shares alone.
        if self.below(2) == 0 {
            for _ in 0..PICKS {
                let back = self.below(table.len());
                if table.owners()[back] == to && self.mark[back] != self.round {
                    self.chain(table, back, from);
                    break;
                }
            }
        }
    }

    /// A partition, preferably one that has something to gain.
    fn pick(&mut self, table: &Table<'_>) -> usize {
        let mut at = 0;
        for _ in 0..PICKS {
            at = self.below(table.len());
            if table.moved(at) || table.excess(table.owners()[at]) > 0 || table.clashes(at) {
                break;
            }
        }
        at
    }

    /// Who might take partition `at`: its owner before, if that is another, or anybody.
    fn recipient(&mut self, table: &Table<'_>, at: usize) -> usize {
        match table.before[at] {
            Some(before) if table.moved(at) && self.below(2) == 0 => before,
            _ => self.below(table.nodes.len()),
        }
    }

    /// Gives `start` to `to`, and lets those whom this brings too close change places.
    fn chain(&mut self, table: &mut Table<'_>, start: usize, to: usize) {
        let reach = table.window().min(table.nodes.len());
        let from = table.owners()[start];
        let mut next = self.changed.len();
        self.give(table, start, to);
        while let Some(&(at, _)) = self.changed.get(next) {
            next += 1;
            let owner = table.owners()[at];
            let other = if owner == to { from } else { to };
            for by in 1..reach {
                for near in [table.forth(at, by), table.back(at, by)] {
                    if table.owners()[near] == owner && self.mark[near] != self.round {
                        self.give(table, near, other);
                    }
                }
            }
        }
    }

    /// The same where it is zones that have to be distinct: whoever is too close goes to the other zone, to its owner
    /// before if that is there.
    fn zone_chain(&mut self, table: &mut Table<'_>, start: usize, to: usize) {
        let from = table.owners()[start];
        let nodes = table.nodes;
        let mut next = self.changed.len();
        self.give(table, start, to);
        while let Some(&(at, _)) = self.changed.get(next) {
            next += 1;
            let zone = nodes[table.owners()[at]].zone;
            let other = if zone == nodes[to].zone { from } else { to };
            for by in 1..table.window() {
                for near in [table.forth(at, by), table.back(at, by)] {
                    if nodes[table.owners()[near]].zone == zone && self.mark[near] != self.round {
                        let home = table.before[near].filter(|&home| nodes[home].zone == nodes[other].zone);
                        self.give(table, near, home.unwrap_or(other));
                    }
                }
            }
        }
    }

    fn give(&mut self, table: &mut Table<'_>, at: usize, to: usize) {
        self.mark[at] = self.round;
        self.changed.push((at, table.owners()[at]));
        table.give(at, to);
    }

    fn undo(&mut self, table: &mut Table<'_>) {
        for &(at, owner) in self.changed.iter().rev() {
            table.give(at, owner);
        }
    }
}
