//! What zones alone say of the fewest moves.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::relaxed::{MOVE, NEVER, adjust};

/// More ways at a time than that are not tried.
const LEDGERS_MAX: usize = 20_000;

/// All ways round the ring that might take no more than so many moves, by zones alone: each zone has as many partitions
/// as its nodes together, and a partition that stays in its zone has not moved. What is left after what the relaxation
/// rules out is few enough to try.
pub(super) struct Zones<'a> {
    /// The zone before of each partition.
    pub(super) before: Vec<Option<usize>>,
    /// Fewest and most partitions of each zone.
    pub(super) limits: Vec<(i64, i64)>,
    /// How many sequences of N - 1 zones there are: states, numbers in base Z.
    pub(super) states: usize,
    /// N.
    pub(super) window: usize,
    /// For each window, as a number in base Z, whether it is at fault: more than 0.
    pub(super) missing: &'a [i64],
}

/// For each number of partitions passed, the least cost from each state to the end.
type Rest = Vec<Vec<i64>>;

impl Zones<'_> {
    /// Whether it takes more than `most` moves, wherever the ring begins.
    pub(super) fn take_more_than(&self, most: u64) -> bool {
        let target = most as i64 * MOVE;
        let mut prices = alloc::vec![0; self.limits.len()];
        let starts: Vec<usize> = (0..self.states)
            .filter(|state| (0..self.limits.len()).any(|zone| self.may(*state, zone)))
            .collect();
        starts.into_iter().all(|start| {
            let bound = self.price(start, &mut prices, target);
            bound > target || !self.reaches(start, &prices, target)
        })
    }

    /// Whether the window is without fault.
    fn may(&self, state: usize, zone: usize) -> bool {
        self.missing[state * self.limits.len() + zone] == 0
    }

    fn step(&self, prices: &[i64], at: usize, zone: usize) -> i64 {
        prices[zone] + if self.before[at].is_some_and(|before| before != zone) { MOVE } else { 0 }
    }

    fn after(&self, state: usize, zone: usize) -> usize {
        (state * self.limits.len() + zone) % self.states
    }

    fn rest(&self, start: usize, prices: &[i64]) -> Rest {
        let mut rest = alloc::vec![alloc::vec![NEVER; self.states]];
        rest[0][start] = 0;
        for at in (0..self.before.len()).rev() {
            let later = rest.last().expect("the end");
            let on = |state: usize, zone: usize| self.step(prices, at, zone) + later[self.after(state, zone)];
            let best = |state: usize| {
                let zones = (0..self.limits.len()).filter(|zone| self.may(state, *zone));
                zones.map(|zone| on(state, zone)).min().unwrap_or(NEVER).min(NEVER)
            };
            let next = (0..self.states).map(best).collect();
            rest.push(next);
        }
        rest.reverse();
        rest
    }

    /// Makes `prices` good ones for rings that begin at `start`; their bound.
    fn price(&self, start: usize, prices: &mut Vec<i64>, target: i64) -> i64 {
        let most = |(price, limit): (&i64, &(i64, i64))| (price * limit.0).max(price * limit.1);
        let (mut best, mut length) = ((i64::MIN, prices.clone()), 16);
        for lap in 0..120 {
            let rest = self.rest(start, prices);
            let bound = rest[0][start] - prices.iter().zip(&self.limits).map(most).sum::<i64>();
            if bound > best.0 {
                best = (bound, prices.clone());
            } else if lap % 6 == 5 {
                length = (length * 3 / 4).max(1);
                prices.clone_from(&best.1);
            }
            if best.0 > target {
                break;
            }
            let step = (target + MOVE - bound).clamp(MOVE / 4, 64 * MOVE) * length / 16;
            let counts = self.cheapest(start, prices, &rest, lap);
            adjust(prices, &self.limits, &counts, step);
        }
        *prices = best.1;
        best.0
    }

    /// How many partitions each zone has in the cheapest ring.
    fn cheapest(&self, start: usize, prices: &[i64], rest: &Rest, lap: usize) -> Vec<i64> {
        let (mut counts, mut state) = (alloc::vec![0; self.limits.len()], start);
        for at in 0..self.before.len() {
            let zones = (0..self.limits.len()).map(|zone| (zone + at + lap) % self.limits.len());
            let cost = |zone: &usize| self.step(prices, at, *zone) + rest[at + 1][self.after(state, *zone)];
            let Some(zone) = zones.filter(|zone| self.may(state, *zone)).min_by_key(cost) else { break };
            counts[zone] += 1;
            state = self.after(state, zone);
        }
        counts
    }

    /// Whether some ring that begins at `start` may take no more moves than `target` is worth; certain if not.
    fn reaches(&self, start: usize, prices: &[i64], target: i64) -> bool {
        let rest = self.rest(start, prices);
        let mut ledgers: BTreeMap<(usize, Vec<i64>), i64> =
            BTreeMap::from([((start, alloc::vec![0; self.limits.len()]), 0)]);
        for at in 0..self.before.len() {
            let left = (self.before.len() - at - 1) as i64;
            let mut next = BTreeMap::new();
            for ((state, counts), cost) in &ledgers {
                for zone in (0..self.limits.len()).filter(|zone| self.may(*state, *zone)) {
                    let (mut counts, after) = (counts.clone(), self.after(*state, zone));
                    counts[zone] += 1;
                    let cost = cost + self.step(prices, at, zone) - prices[zone];
                    let Some(spare) = self.spare(&counts, prices, left) else { continue };
                    if cost + rest[at + 1][after] - spare <= target {
                        let known = next.entry((after, counts)).or_insert(cost);
                        *known = cost.min(*known);
                    }
                }
            }
            ledgers = next;
            if ledgers.len() > LEDGERS_MAX {
                return true;
            }
        }
        !ledgers.is_empty()
    }

    /// What the partitions to come can be worth at most; None if they cannot give all zones their share.
    fn spare(&self, counts: &[i64], prices: &[i64], left: i64) -> Option<i64> {
        let window = self.window as i64;
        let each = (left + window - 1) / window;
        let open =
            || counts.iter().zip(&self.limits).map(|(count, limit)| (limit.0 - count, limit.1 - count));
        let lacking: i64 = open().map(|(least, _)| least.max(0)).sum();
        let room: i64 = open().map(|(_, most)| most.min(each)).sum();
        let fits = open().all(|(least, most)| least <= each && most >= 0) && lacking <= left && room >= left;
        let worth = |((least, most), price): ((i64, i64), &i64)| (price * least.max(0)).max(price * most);
        fits.then(|| open().zip(prices).map(worth).sum())
    }
}
