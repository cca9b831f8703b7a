//! An assignment with few moves, where that takes more than exchanging a few: dynamic programmes along the ring.
//!
//! Where there is little room (about as many nodes, or zones, as N), the owners of one window say nearly all about
//! those of the next, and one partition more for somebody may shift the others for half a ring. No chain of small
//! improvements leads there. But all that has to be remembered on the way along the ring are the owners of the last
//! N - 1 partitions: few enough to try all, or the cheapest.
//!
//! Owners are *groups* here: the zones, where there are N or more (distinct zones are distinct nodes, and inside a
//! zone anybody will do), otherwise the nodes. Shares are brought about by prices (Lagrange's relaxation): a group
//! that got too much becomes dearer in the next lap. No price leads to a number of partitions when one more and one
//! less are both cheaper. So laps that went different ways are crossed with each other, and where there are few groups
//! a last lap counts partitions, guided by the prices.

mod cross;
mod lap;
mod ledger;

use alloc::vec::Vec;

use super::Zoned;
use super::share::Shares;

/// The price of a move. Prices are whole numbers.
const MOVE: i64 = 1024;

/// The price of a zone that a window is short of, and of a node.
const ZONE_MISSING: i64 = 64 * MOVE;
const NODE_MISSING: i64 = 16 * ZONE_MISSING;

/// How many states, the cheapest, a lap remembers of each partition.
const BREADTH: usize = 256;

/// How many laps there are, within how many tried continuations, and what is too much for the fewest laps.
const LAPS: core::ops::RangeInclusive<usize> = 8..=64;
const EFFORT: usize = 6 << 20;
const EFFORT_MAX: usize = 256 << 20;

/// Most sequences of N - 1 groups.
const STATES_MAX: usize = 1 << 18;

/// After how many laps without a better bound the steps of prices become shorter.
const PATIENCE: usize = 4;

/// So many laps that cost no less than the best sequence found, rounded up, are taken for a sign that nothing better
/// is left. Zones are more rigid, and where the ring is cut may make all the difference: they go on.
const ENOUGH: usize = 8;

/// What is wrong with a sequence of groups: groups missing in windows (a node is worse than many zones), partitions
/// beyond shares, moves. In this order.
type Fault = (u64, u64, u64);

/// A sequence of groups, one for each partition, and what is wrong with it.
type Judged = (Fault, Vec<usize>);

pub(super) struct Programme {
    /// Which group owned each partition, if it is still there.
    before: Vec<Option<usize>>,
    /// Fewest and most partitions of each group.
    limits: Vec<(u64, u64)>,
    /// The zone of each group.
    zone_of: Vec<usize>,
    zones: usize,
    window: usize,
    /// How many sequences of N - 1 groups there are. A state is one of them, as a number in base G, the latest last.
    states: usize,
    laps: usize,
    prices: Vec<i64>,
}

impl Programme {
    /// None when it would take too long. `by_zone` or by node.
    fn new(
        nodes: &[Zoned],
        shares: &Shares,
        before: &[Option<usize>],
        window: usize,
        by_zone: bool,
    ) -> Option<Self> {
        let zones = shares.zones.len();
        let groups = if by_zone { zones } else { nodes.len() };
        let states = groups.checked_pow(u32::try_from(window).ok()? - 1)?;
        let work = states.min(BREADTH) * groups * before.len();
        if states > STATES_MAX || work * LAPS.start() > EFFORT_MAX {
            return None;
        }
        let group = |node: usize| if by_zone { nodes[node].zone } else { node };
        let mut limits = alloc::vec![(0, 0); groups];
        for (node, share) in shares.nodes.iter().enumerate() {
            let (least, most) = limits[group(node)];
            limits[group(node)] = (least + share.floor(), most + share.ceil());
        }
        if groups > window {
            tighten(&mut limits, before.len() as u64, (before.len() / window) as u64);
        }
        let zone_of =
            if by_zone { (0..zones).collect() } else { nodes.iter().map(|node| node.zone).collect() };
        Some(Self {
            before: before.iter().map(|before| before.map(group)).collect(),
            limits,
            zone_of,
            zones,
            window,
            states,
            laps: (EFFORT / work).clamp(*LAPS.start(), *LAPS.end()),
            prices: alloc::vec![0; groups],
        })
    }

    /// A programme of zones.
    pub(super) fn of_zones(
        nodes: &[Zoned],
        shares: &Shares,
        before: &[Option<usize>],
        window: usize,
    ) -> Option<Self> {
        Self::new(nodes, shares, before, window, true)
    }

    /// A programme of nodes.
    pub(super) fn of_nodes(
        nodes: &[Zoned],
        shares: &Shares,
        before: &[Option<usize>],
        window: usize,
    ) -> Option<Self> {
        Self::new(nodes, shares, before, window, false)
    }

    /// The best sequence that was found, no worse than `start`.
    pub(super) fn run(mut self, start: &[usize]) -> Vec<usize> {
        let mut best: Judged = (self.fault(start), start.to_vec());
        let mut found: Vec<Vec<usize>> = Vec::with_capacity(self.laps);
        let mut steps = Steps { bound: i64::MIN, prices: self.prices.clone(), stale: 0, length: 16 };
        let mut enough = 0;
        for lap in 0..self.laps {
            // Where the ring is cut, N - 1 groups stay what they were: every lap cuts somewhere else.
            let cut = (lap * 5 % self.laps) * self.before.len() / self.laps;
            let groups = self.lap(found.last().map_or(start, Vec::as_slice), cut, lap);
            let cost = self.relaxed(&groups);
            if found.last() != Some(&groups) {
                best = self.cross(best, &groups);
            }
            let gap = best.0.2.cast_signed() * MOVE - cost;
            enough += usize::from(gap < MOVE && best.0.1 == 0);
            if enough == ENOUGH && self.groups() > self.zones {
                return best.1;
            }
            self.prices = steps.recall(cost, core::mem::take(&mut self.prices));
            let step = gap.clamp(MOVE / 2, 64 * MOVE) * steps.length / 16;
            self.adjust(&self.counts(&groups), step);
            found.push(groups);
        }
        found.sort_unstable();
        found.dedup();
        for groups in &found {
            best = self.cross(best, groups);
        }
        self.prices = steps.prices;
        self.balanced(best).1
    }

    fn groups(&self) -> usize {
        self.limits.len()
    }

    /// What `groups` cost, were shares no law but a matter of prices. The least over all sequences is a bound for
    /// the cost of those that respect shares.
    fn relaxed(&self, groups: &[usize]) -> i64 {
        let (missing, _, moves) = self.fault(groups);
        let faults = missing.cast_signed() * ZONE_MISSING + moves.cast_signed() * MOVE;
        let excess = |((&price, count), &(least, most)): ((&i64, u64), &(u64, u64))| {
            let at = |limit: u64| price * limit.cast_signed();
            at(count) - at(least).max(at(most))
        };
        faults + self.prices.iter().zip(self.counts(groups)).zip(&self.limits).map(excess).sum::<i64>()
    }

    /// Makes groups that got too much dearer, and those that got too little cheaper: the further off, the more.
    fn adjust(&mut self, counts: &[u64], step: i64) {
        let slope = |((price, &count), &(least, most)): ((&i64, &u64), &(u64, u64))| {
            let off = |limit: u64| count.cast_signed() - limit.cast_signed();
            match price.signum() {
                1 => off(most),
                -1 => off(least),
                _ => off(most).max(0) + off(least).min(0),
            }
        };
        let slopes: Vec<i64> = self.prices.iter().zip(counts).zip(&self.limits).map(slope).collect();
        let norm = slopes.iter().map(|slope| slope * slope).sum::<i64>().max(1);
        for (price, slope) in self.prices.iter_mut().zip(slopes) {
            let next = *price + step * slope / norm;
            // Between too dear and too cheap lies free.
            *price = if next.signum() * price.signum() < 0 { 0 } else { next };
        }
    }

    fn counts(&self, groups: &[usize]) -> Vec<u64> {
        let mut counts = alloc::vec![0; self.groups()];
        for &group in groups {
            counts[group] += 1;
        }
        counts
    }

    fn fault(&self, groups: &[usize]) -> Fault {
        let missing = (0..groups.len()).map(|at| self.missing_at(groups, at)).sum();
        let moved = (0..groups.len()).map(|at| self.moved_at(groups, at)).sum();
        (missing, self.imbalance(&self.counts(groups)), moved)
    }

    fn imbalance(&self, counts: &[u64]) -> u64 {
        let away = |(&count, &(least, most)): (&u64, &(u64, u64))| {
            count.saturating_sub(most) + least.saturating_sub(count)
        };
        counts.iter().zip(&self.limits).map(away).sum()
    }

    /// How many zones the window that ends with partition `at` is short of; a node counts as many.
    fn missing_at(&self, groups: &[usize], at: usize) -> u64 {
        let short = |wanted: usize, name: &dyn Fn(usize) -> usize| {
            let group = |by: usize| name(groups[(at + groups.len() - by) % groups.len()]);
            let distinct =
                (0..self.window).filter(|&by| (0..by).all(|later| group(later) != group(by))).count();
            wanted.min(self.window).saturating_sub(distinct) as u64
        };
        let nodes = short(self.groups(), &|group| group) * (NODE_MISSING / ZONE_MISSING).cast_unsigned();
        nodes + short(self.zones, &|group| self.zone_of[group])
    }

    fn moved_at(&self, groups: &[usize], at: usize) -> u64 {
        u64::from(self.before[at].is_some_and(|before| before != groups[at]))
    }
}

/// Narrows limits to what the others leave, where nobody can own more than `most` of `partitions`.
fn tighten(limits: &mut [(u64, u64)], partitions: u64, most: u64) {
    if limits.iter().all(|limit| limit.0 <= most) && limits.len() as u64 * most >= partitions {
        limits.iter_mut().for_each(|limit| limit.1 = limit.1.min(most));
    }
    let (least, most) = limits.iter().fold((0, 0), |sum, limit| (sum.0 + limit.0, sum.1 + limit.1));
    for limit in limits {
        let (others_least, others_most) = (least - limit.0, most - limit.1);
        limit.0 = limit.0.max(partitions.saturating_sub(others_most)).min(limit.1);
        limit.1 = limit.1.min(partitions.saturating_sub(others_least)).max(limit.0);
    }
}

/// How far prices go in one step, and where they were best.
struct Steps {
    bound: i64,
    prices: Vec<i64>,
    stale: usize,
    /// In sixteenths of the way that would close the gap, were the bound a plane.
    length: i64,
}

impl Steps {
    /// The prices to go on from: those of the lap, which came to `bound`, or the best so far after some that were
    /// not better.
    fn recall(&mut self, bound: i64, prices: Vec<i64>) -> Vec<i64> {
        if bound > self.bound {
            (self.bound, self.stale) = (bound, 0);
            self.prices.clone_from(&prices);
            return prices;
        }
        self.stale += 1;
        if !self.stale.is_multiple_of(PATIENCE) {
            return prices;
        }
        self.length = (self.length * 3 / 4).max(1);
        self.prices.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::tighten;

    /// Three may own as much as they like of eight partitions, but no more than so many each.
    #[test]
    fn limits_are_what_the_others_leave() {
        let tightened = |most| {
            let mut limits = [(0, 8); 3];
            tighten(&mut limits, 8, most);
            limits
        };
        assert_eq!(tightened(3), [(2, 3); 3]);
        assert_eq!(tightened(2), [(0, 8); 3], "three times two are not enough");
    }
}
