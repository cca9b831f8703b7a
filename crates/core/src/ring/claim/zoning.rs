//! Which zone each partition goes to, where that takes more than exchanging a few: a dynamic programme along the
//! ring.
//!
//! When there are about as many zones as N, the zones of one window say nearly all about those of the next, and one
//! partition more for a zone may shift the others for half a ring. What has to be remembered on the way along
//! the ring is only the zones of the last N - 1 partitions, few enough to try all. That zones get their shares is
//! brought about by prices: a zone that got too much becomes dearer in the next lap (Lagrange's relaxation).

use alloc::vec::Vec;

use super::share::Share;

/// The price of a move. Prices are whole numbers.
const MOVE: i64 = 256;

/// The price of a zone that a window is short of.
const MISSING: i64 = 64 * MOVE;

/// How often prices are adjusted.
const LAPS: usize = 24;

/// Most states times zones times partitions of a lap.
const WORK_MAX: usize = 1 << 18;

/// What is wrong with a sequence of zones: zones missing in windows, partitions beyond shares, moves.
type Fault = (u64, u64, u64);

/// A sequence of zones that names as many distinct ones in `window` partitions as there can be and respects the
/// `shares`, near to `before`. `start` closes the ring where nothing better is known. None when it would take too
/// long.
pub(super) fn zoning(
    before: &[Option<usize>],
    start: &[usize],
    shares: &[Share],
    window: usize,
) -> Option<Vec<usize>> {
    let states = shares.len().checked_pow(u32::try_from(window).ok()? - 1)?;
    if states.checked_mul(shares.len())?.checked_mul(before.len())? > WORK_MAX {
        return None;
    }
    let mut programme =
        Programme { before, shares, window, states, prices: alloc::vec![Price::default(); shares.len()] };
    let mut found: Vec<Vec<usize>> = Vec::with_capacity(LAPS);
    for lap in 0..LAPS {
        let zones = programme.lap(found.last().map_or(start, Vec::as_slice), lap * before.len() / LAPS);
        programme.adjust(&zones);
        found.push(zones);
    }
    let mut best = found.iter().map(|zones| (programme.fault(zones), zones.clone())).min()?;
    for zones in found.iter().chain(&found) {
        if let Some(spliced) = programme.splice(&best.1, zones) {
            best = best.min(spliced);
        }
    }
    Some(best.1)
}

/// What a partition of a zone costs, and by how much that was changed last.
#[derive(Clone, Copy, Debug, Default)]
struct Price {
    price: i64,
    change: i64,
}

impl Price {
    /// Longer steps on the way to the right price, shorter ones about it.
    fn adjust(&mut self, direction: i64) {
        let step = match self.change.signum() * direction {
            0 => MOVE / 2,
            1 => (self.change.abs() * 3 / 2).min(8 * MOVE),
            _ => (self.change.abs() / 2).max(1),
        };
        self.change = if direction == 0 { self.change } else { step * direction };
        self.price += step * direction;
    }
}

struct Programme<'a> {
    before: &'a [Option<usize>],
    shares: &'a [Share],
    window: usize,
    /// How many sequences of N - 1 zones there are. A state is one of them, as a number in base Z, the latest last.
    states: usize,
    prices: Vec<Price>,
}

impl Programme<'_> {
    /// The cheapest sequence whose N - 1 zones up to partition `cut` are those of `known`.
    fn lap(&self, known: &[usize], cut: usize) -> Vec<usize> {
        let (partitions, zones) = (self.before.len(), self.shares.len());
        let place = |by: usize| (cut + by) % partitions;
        let forced = |by: usize| known[place(by)];
        let first = (1..self.window).rev().fold(0, |state, by| state * zones + forced(partitions - by));
        let missing = self.missing();
        let mut costs = alloc::vec![i64::MAX; self.states];
        costs[first] = 0;
        let mut trail: Vec<Vec<usize>> = Vec::with_capacity(partitions);
        for by in 0..partitions {
            let mut next = alloc::vec![i64::MAX; self.states];
            let mut from = alloc::vec![0; self.states];
            for (state, &cost) in costs.iter().enumerate().filter(|(_, cost)| **cost < i64::MAX) {
                for zone in 0..zones {
                    let window = state * zones + zone;
                    let cost = cost + missing[window] + self.price(place(by), zone);
                    if cost < next[window % self.states] {
                        next[window % self.states] = cost;
                        from[window % self.states] = window;
                    }
                }
            }
            costs = next;
            trail.push(from);
        }
        let mut sequence = alloc::vec![0; partitions];
        let mut state = first;
        for by in (0..partitions).rev() {
            let window = trail[by][state];
            sequence[place(by)] = window % zones;
            state = window / zones;
        }
        sequence
    }

    /// For each window, as a number in base Z, the price of what it is short of.
    fn missing(&self) -> Vec<i64> {
        let zones = self.shares.len();
        let wanted = zones.min(self.window);
        let distinct = |window: usize| {
            let mut digits: Vec<usize> = (0..self.window)
                .scan(window, |rest, _| Some(core::mem::replace(rest, *rest / zones) % zones))
                .collect();
            digits.sort_unstable();
            digits.dedup();
            digits.len()
        };
        (0..self.states * zones)
            .map(|window| MISSING * wanted.saturating_sub(distinct(window)) as i64)
            .collect()
    }

    fn price(&self, at: usize, zone: usize) -> i64 {
        let moved = self.before[at].is_some_and(|before| before != zone);
        self.prices[zone].price + i64::from(moved) * MOVE + self.dither(at, zone)
    }

    /// Up to a sixteenth of a move, as if at random. Zones that are exactly as cheap as each other would change
    /// places in all partitions at once; so they do it in one after the other.
    fn dither(&self, at: usize, zone: usize) -> i64 {
        let mixed = ((at * self.shares.len() + zone) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 60).cast_signed()
    }

    fn counts(&self, zones: &[usize]) -> Vec<u64> {
        let mut counts = alloc::vec![0; self.shares.len()];
        for &zone in zones {
            counts[zone] += 1;
        }
        counts
    }

    /// Makes zones that got too much dearer, and those that got too little cheaper.
    fn adjust(&mut self, zones: &[usize]) {
        let counts = self.counts(zones);
        for ((price, share), count) in self.prices.iter_mut().zip(self.shares).zip(counts) {
            price.adjust(i64::from(count > share.ceil()) - i64::from(count < share.floor()));
        }
    }

    fn fault(&self, zones: &[usize]) -> Fault {
        let each = |at| (self.missing_at(zones, at), self.moved_at(zones, at));
        let (missing, moved): (Vec<u64>, Vec<u64>) = (0..zones.len()).map(each).unzip();
        (missing.iter().sum(), self.imbalance(&self.counts(zones)), moved.iter().sum())
    }

    fn imbalance(&self, counts: &[u64]) -> u64 {
        let away = |(&count, share): (&u64, &Share)| {
            count.saturating_sub(share.ceil()) + share.floor().saturating_sub(count)
        };
        counts.iter().zip(self.shares).map(away).sum()
    }

    /// How many zones the window that ends with partition `at` is short of.
    fn missing_at(&self, zones: &[usize], at: usize) -> u64 {
        let wanted = self.shares.len().min(self.window);
        let zone = |by: usize| zones[(at + zones.len() - by) % zones.len()];
        let distinct = (0..self.window).filter(|&by| (0..by).all(|later| zone(later) != zone(by))).count();
        wanted.saturating_sub(distinct) as u64
    }

    fn moved_at(&self, zones: &[usize], at: usize) -> u64 {
        u64::from(self.before[at].is_some_and(|before| before != zones[at]))
    }

    /// The best sequence that follows `one`, but `other` on one stretch. Both must agree on the N - 1 partitions
    /// before either end of it, so that no window sees the joint. This is how a zone comes by a number of partitions
    /// that no price leads to, because one less and one more are both cheaper.
    fn splice(&self, one: &[usize], other: &[usize]) -> Option<(Fault, Vec<usize>)> {
        let partitions = one.len();
        let agree = |at: usize| {
            (1..self.window).all(|by| {
                one[(at + partitions - by) % partitions] == other[(at + partitions - by) % partitions]
            })
        };
        let joints: Vec<bool> = (0..partitions).map(agree).collect();
        let (missing, _, moved) = self.fault(one);
        let (missing, moved) = (missing.cast_signed(), moved.cast_signed());
        let change = |at: usize| {
            let missing = |zones| self.missing_at(zones, at).cast_signed();
            let moved = |zones| self.moved_at(zones, at).cast_signed();
            (missing(other) - missing(one), moved(other) - moved(one))
        };
        let changes: Vec<(i64, i64)> = (0..partitions).map(change).collect();
        let mut best: Option<(Fault, usize, usize)> = None;
        for from in (0..partitions).filter(|&at| joints[at] && one[at] != other[at]) {
            let (mut missing, mut moved, mut counts) = (missing, moved, self.counts(one));
            for length in 1..partitions {
                let at = (from + length - 1) % partitions;
                missing += changes[at].0;
                moved += changes[at].1;
                counts[one[at]] -= 1;
                counts[other[at]] += 1;
                if joints[(at + 1) % partitions] {
                    let fault = (missing.cast_unsigned(), self.imbalance(&counts), moved.cast_unsigned());
                    if best.is_none_or(|(least, ..)| fault < least) {
                        best = Some((fault, from, length));
                    }
                }
            }
        }
        best.map(|(fault, from, length)| {
            let mut spliced = one.to_vec();
            for at in (from..from + length).map(|at| at % partitions) {
                spliced[at] = other[at];
            }
            (fault, spliced)
        })
    }
}
