//! How many moves more than the fewest [`claim`] makes, at most: its moves against a bound that cannot be passed.
//!
//! The bound is Lagrange's relaxation of the shares. For any prices of nodes, the cheapest assignment whose windows
//! are as distinct as those of the one that is judged costs no more than that one does, less what fair shares cost at
//! the most. What is cheapest, a dynamic programme along the ring knows exactly. The prices are searched for; bad ones
//! only make the bound lower. Even with the best ones it may be lower than what can be had.
//!
//! Where there are N zones or more, windows are of zones, and of each zone the cheapest node. Otherwise they are of
//! nodes. With more zones than N, what the bound leaves open is tried: see [`Zones`].

use alloc::vec::Vec;

use super::super::table::Cost;
use super::super::{Claimant, Problem, claim, present};
use super::zones::Zones;
use crate::id::NodeId;

/// Prices are whole numbers.
pub(super) const MOVE: i64 = 1 << 12;
const ZONE_MISSING: i64 = 64 * MOVE;
const NODE_MISSING: i64 = 16 * ZONE_MISSING;
pub(super) const NEVER: i64 = i64::MAX / 2;

/// A change of a ring, with nodes by index.
pub(super) struct Change {
    pub(super) problem: Problem,
    before: Vec<Option<usize>>,
    pub(super) cost: Cost,
    owners: Vec<usize>,
}

impl Change {
    pub(super) fn new(before: &[NodeId], claimants: &[Claimant], n: u8) -> (Self, Vec<NodeId>) {
        let mut claimants = claimants.to_vec();
        claimants.sort_unstable_by_key(|claimant| claimant.node);
        let after = claim(before, &claimants, before.len() as u32, n);
        let problem = Problem::new(&claimants, before.len() as u32, n);
        let before = present(before, &claimants);
        let owners: Vec<usize> = present(&after, &claimants).into_iter().flatten().collect();
        let cost = problem.table(&before, owners.clone()).cost();
        (Self { problem, before, cost, owners }, after)
    }

    /// By how many moves the claim may be above the fewest; less than the `least` that matters counts as nothing.
    pub(super) fn excess(&self, least: u64, laps: usize) -> u64 {
        let moves = self.cost.moves;
        let plain = moves.saturating_sub(self.problem.ideal(&self.before).moves);
        if plain < least {
            return 0;
        }
        let relaxation = Relaxation::new(self);
        let target = (moves - least) as i64 * MOVE;
        let mut bound = i64::MIN;
        for prices in self.guesses() {
            bound = bound.max(relaxation.bound(prices, target, laps));
            if bound > target {
                return 0;
            }
        }
        if relaxation.proves(moves - least) {
            return 0;
        }
        plain.min(moves - bound.max(0).cast_unsigned().div_ceil(MOVE.cast_unsigned()))
    }

    /// Prices to begin with: none; nodes that were given partitions of others are cheap; and those dear who gave.
    fn guesses(&self) -> [Vec<i64>; 4] {
        let moved = || {
            let pairs = self.before.iter().zip(&self.owners);
            pairs.filter_map(|(before, &owner)| {
                before.filter(|&before| before != owner).map(|from| (from, owner))
            })
        };
        let nodes = 0..self.problem.nodes.len();
        let took = |node: usize| i64::from(moved().any(|(_, to)| to == node));
        let gave = |node: usize| i64::from(moved().any(|(from, _)| from == node));
        [
            nodes.clone().map(|_| 0).collect(),
            nodes.clone().map(|node| -MOVE * took(node)).collect(),
            nodes.clone().map(|node| MOVE * gave(node)).collect(),
            nodes.map(|node| MOVE / 2 * (gave(node) - took(node))).collect(),
        ]
    }
}

struct Relaxation<'a> {
    change: &'a Change,
    /// The group of each node: its zone or itself.
    group_of: Vec<usize>,
    groups: usize,
    /// States are sequences of N - 1 groups, windows of N, as numbers in base G.
    states: usize,
    missing: Vec<i64>,
    /// What the judged assignment pays for its windows.
    missing_allowed: i64,
    limits: Vec<(i64, i64)>,
}

/// The cheapest node of each group for a partition.
type Entry = Vec<(i64, usize)>;

impl<'a> Relaxation<'a> {
    fn new(change: &'a Change) -> Self {
        let problem = &change.problem;
        let by_zone = problem.zones >= problem.window;
        let nodes = problem.nodes.len();
        let (groups, node_missing) = if by_zone { (problem.zones, 0) } else { (nodes, NODE_MISSING) };
        let zone = |group: usize| if by_zone { group } else { problem.zone_of(group) };
        let states = groups.pow(problem.window as u32 - 1);
        let short = |wanted: usize, mut names: Vec<usize>| {
            names.sort_unstable();
            names.dedup();
            wanted.min(problem.window).saturating_sub(names.len()) as i64
        };
        let missing = |window: usize| {
            let digit = |place: u32| window / groups.pow(place) % groups;
            let digits = || (0..problem.window as u32).map(digit);
            node_missing * short(nodes, digits().collect())
                + ZONE_MISSING * short(problem.zones, digits().map(zone).collect())
        };
        let limit = |share: &super::super::share::Share| (share.floor() as i64, share.ceil() as i64);
        let cost = change.cost;
        Self {
            change,
            group_of: (0..nodes).map(|node| if by_zone { problem.zone_of(node) } else { node }).collect(),
            groups,
            states,
            missing: (0..states * groups).map(missing).collect(),
            missing_allowed: node_missing * cost.nodes_missing as i64
                + ZONE_MISSING * cost.zones_missing as i64,
            limits: problem.shares.nodes.iter().map(limit).collect(),
        }
    }

    /// Whether windows of zones alone show that it takes more than `most` moves.
    fn proves(&self, most: u64) -> bool {
        let problem = &self.change.problem;
        if problem.zones <= problem.window || self.change.cost.zones_missing > 0 {
            return false;
        }
        let mut limits = alloc::vec![(0, 0); problem.zones];
        for (node, (least, most)) in self.limits.iter().enumerate() {
            let limit: &mut (i64, i64) = &mut limits[problem.zone_of(node)];
            *limit = (limit.0 + least, limit.1 + most);
        }
        let before =
            self.change.before.iter().map(|before| before.map(|node| problem.zone_of(node))).collect();
        let (states, window, missing) = (self.states, problem.window, self.missing.as_slice());
        Zones { before, limits, states, window, missing }.take_more_than(most)
    }

    /// The best bound that is found from `prices` on; no better than it takes to be above `target`.
    fn bound(&self, mut prices: Vec<i64>, target: i64, laps: usize) -> i64 {
        let mut best = (i64::MIN, prices.clone());
        let mut length = 16;
        for lap in 0..laps {
            let entries = self.entries(&prices, lap);
            let (cost, counts) = self.open_round(&entries, lap);
            let bound = cost - self.allowed(&prices);
            if bound > best.0 {
                best = (bound, prices.clone());
            } else if lap % 6 == 5 {
                length = (length * 3 / 4).max(1);
                prices.clone_from(&best.1);
            }
            if best.0 > target {
                return best.0;
            }
            let step = (target + MOVE - bound).clamp(MOVE / 4, 64 * MOVE) * length / 16;
            adjust(&mut prices, &self.limits, &counts, step);
        }
        let closed = self.closed_round(&self.entries(&best.1, 0));
        closed - self.allowed(&best.1)
    }

    /// What fair shares, and windows no better than those of the judged assignment, can cost at most.
    fn allowed(&self, prices: &[i64]) -> i64 {
        let most = |(price, limit): (&i64, &(i64, i64))| (price * limit.0).max(price * limit.1);
        self.missing_allowed + prices.iter().zip(&self.limits).map(most).sum::<i64>()
    }

    fn entries(&self, prices: &[i64], lap: usize) -> Vec<Entry> {
        let entry = |(at, before): (usize, &Option<usize>)| {
            let mut entry = alloc::vec![(NEVER, 0); self.groups];
            // Of equals another one each time.
            for node in (0..prices.len()).map(|node| (node + at + lap) % prices.len()) {
                let moved = before.is_some_and(|before| before != node);
                let best = &mut entry[self.group_of[node]];
                *best = (*best).min_by_cost((prices[node] + if moved { MOVE } else { 0 }, node));
            }
            entry
        };
        self.change.before.iter().enumerate().map(entry).collect()
    }

    fn next(&self, window: usize) -> usize {
        window % self.states
    }

    /// The cheapest sequence that need not close to a ring, and the partitions of each node.
    fn open_round(&self, entries: &[Entry], lap: usize) -> (i64, Vec<i64>) {
        let mut costs = alloc::vec![0; self.states];
        let mut choices: Vec<Vec<usize>> = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate().rev() {
            let best = |state: usize| {
                let cost = |group: usize| {
                    let window = state * self.groups + group;
                    (self.missing[window] + entry[group].0 + costs[self.next(window)], group)
                };
                let turn = (at + lap) % self.groups;
                (turn..self.groups).chain(0..turn).map(cost).reduce(Least::min_by_cost).expect("a group")
            };
            let (next, choice) = (0..self.states).map(best).unzip();
            costs = next;
            choices.push(choice);
        }
        let (cost, mut state) = costs.iter().copied().zip(0..).min().expect("a state");
        let mut counts = alloc::vec![0; self.limits.len()];
        for (entry, choice) in entries.iter().zip(choices.iter().rev()) {
            let group = choice[state];
            counts[entry[group].1] += 1;
            state = self.next(state * self.groups + group);
        }
        (cost, counts)
    }

    /// The cost of the cheapest ring.
    fn closed_round(&self, entries: &[Entry]) -> i64 {
        let mut open = alloc::vec![0; self.states];
        for entry in entries.iter().rev() {
            let cost = |window: usize| {
                self.missing[window] + entry[window % self.groups].0 + open[self.next(window)]
            };
            let best = |state: usize| (0..self.groups).map(|group| cost(state * self.groups + group)).min();
            open = (0..self.states).filter_map(best).collect();
        }
        let mut starts: Vec<(i64, usize)> = open.into_iter().zip(0..).collect();
        starts.sort_unstable();
        let mut best = NEVER;
        for (open, start) in starts {
            if open < best {
                best = best.min(self.round_from(entries, start));
            }
        }
        best
    }

    fn round_from(&self, entries: &[Entry], start: usize) -> i64 {
        let mut costs = alloc::vec![NEVER; self.states];
        costs[start] = 0;
        for entry in entries {
            let mut next = alloc::vec![NEVER; self.states];
            for (state, cost) in costs.iter().enumerate().filter(|(_, cost)| **cost < NEVER) {
                for (group, (price, _)) in entry.iter().enumerate() {
                    let window = state * self.groups + group;
                    let to = &mut next[self.next(window)];
                    *to = (*to).min(cost + self.missing[window] + price);
                }
            }
            costs = next;
        }
        costs[start]
    }
}

/// A step towards prices at which counts are within limits.
pub(super) fn adjust(prices: &mut [i64], limits: &[(i64, i64)], counts: &[i64], step: i64) {
    let slope = |((price, count), limit): ((&i64, &i64), &(i64, i64))| match price.signum() {
        1 => count - limit.1,
        -1 => count - limit.0,
        _ => (count - limit.1).max(0) + (count - limit.0).min(0),
    };
    let slopes: Vec<i64> = prices.iter().zip(counts).zip(limits).map(slope).collect();
    let norm = slopes.iter().map(|slope| slope * slope).sum::<i64>().max(1);
    for (price, slope) in prices.iter_mut().zip(slopes) {
        let next = *price + step * slope / norm;
        *price = if next.signum() * price.signum() < 0 { 0 } else { next };
    }
}

trait Least {
    fn min_by_cost(self, other: Self) -> Self;
}

impl Least for (i64, usize) {
    /// The first of equals.
    fn min_by_cost(self, other: Self) -> Self {
        if other.0 < self.0 { other } else { self }
    }
}
