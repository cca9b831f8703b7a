//! A lap that counts: besides the last N - 1 groups it remembers how many partitions each group has so far.
//!
//! There are too many such ledgers to try all of them. Those that promise most are followed: by what they cost so far,
//! and by what the rest of the ring costs at least, at the prices that were found.

use alloc::vec::Vec;

use super::{Judged, Programme, ZONE_MISSING};

/// How many ledgers are followed at a time.
const BEAM: usize = 256;

/// At how many places, evenly spaced, the ring is cut.
const CUTS: usize = 4;

/// Counts are packed into one number: most groups, and bits of each.
const GROUPS_MAX: usize = 8;
const BITS: usize = 16;

/// Most states whose costs to the end of the ring are kept for each partition.
const STATES_MAX: usize = 256;

/// Not to be had.
const NEVER: i64 = i64::MAX / 4;

#[derive(Clone, Copy)]
struct Ledger {
    state: usize,
    counts: u128,
    /// Which of the ledgers one partition before this one follows.
    last: usize,
    cost: i64,
    /// The least that the whole lap can cost.
    bound: i64,
}

impl Ledger {
    fn count(&self, group: usize) -> u64 {
        (self.counts >> (BITS * group)) as u64 & ((1 << BITS) - 1)
    }
}

/// The places of one lap, and what follows from them.
struct Course {
    cut: usize,
    /// The state at both ends.
    ends: usize,
    /// By partitions passed and state: the least cost of the way to the end.
    rest: Vec<i64>,
    /// For each window, as a number in base G, the price of what it is short of.
    missing: Vec<i64>,
}

impl Programme {
    /// `best`, or what is better and was found by counting.
    pub(super) fn balanced(&self, mut best: Judged) -> Judged {
        if self.groups() > GROUPS_MAX || self.states > STATES_MAX || self.before.len() >= 1 << BITS {
            return best;
        }
        for part in 0..CUTS {
            let course = self.course(&best.1, part * self.before.len() / CUTS);
            if let Some(groups) = self.counted(&course) {
                best = self.cross(best, &groups);
            }
        }
        best
    }

    fn course(&self, known: &[usize], cut: usize) -> Course {
        let (partitions, groups) = (self.before.len(), self.groups());
        let price = |window: usize| {
            let digits: Vec<usize> = (0..self.window)
                .scan(window, |rest, _| Some(core::mem::replace(rest, *rest / groups) % groups))
                .collect();
            ZONE_MISSING * self.missing_at(&digits, self.window - 1).cast_signed()
        };
        let missing: Vec<i64> = (0..self.states * groups).map(price).collect();
        let ends = self.state_before(known, cut);
        let mut course =
            Course { cut, ends, missing, rest: alloc::vec![NEVER; (partitions + 1) * self.states] };
        course.rest[partitions * self.states + ends] = 0;
        for passed in (0..partitions).rev() {
            for state in 0..self.states {
                let on = |group| {
                    self.step(&course, passed, state, group) + self.rest(&course, passed + 1, state, group)
                };
                course.rest[passed * self.states + state] =
                    (0..groups).map(on).min().unwrap_or(NEVER).min(NEVER);
            }
        }
        course
    }

    /// What it costs to go from `state` on to `group`.
    fn step(&self, course: &Course, passed: usize, state: usize, group: usize) -> i64 {
        let at = (course.cut + passed) % self.before.len();
        self.price(at, group) + course.missing[state * self.groups() + group]
    }

    /// What the way from there to the end costs at least.
    fn rest(&self, course: &Course, passed: usize, state: usize, group: usize) -> i64 {
        course.rest[passed * self.states + self.state_after(state, group)]
    }

    /// The best sequence that gives all groups their shares, among those that were followed.
    fn counted(&self, course: &Course) -> Option<Vec<usize>> {
        let partitions = self.before.len();
        let mut ledgers = alloc::vec![Ledger { state: course.ends, counts: 0, last: 0, cost: 0, bound: 0 }];
        let mut trail: Vec<Vec<(usize, usize)>> = Vec::with_capacity(partitions);
        for passed in 0..partitions {
            ledgers = self.follow(course, passed, &ledgers);
            trail.push(ledgers.iter().map(|ledger| (ledger.last, ledger.state)).collect());
        }
        // At the end prices no longer matter.
        let moves = |ledger: &Ledger| {
            let paid = (0..self.groups()).map(|group| self.prices[group] * ledger.count(group).cast_signed());
            ledger.cost - paid.sum::<i64>()
        };
        let mut index = (0..ledgers.len()).min_by_key(|&index| moves(&ledgers[index]))?;
        let mut sequence = alloc::vec![0; partitions];
        for (passed, ledgers) in trail.iter().enumerate().rev() {
            let (last, state) = ledgers[index];
            sequence[(course.cut + passed) % partitions] = state % self.groups();
            index = last;
        }
        Some(sequence)
    }

    fn follow(&self, course: &Course, passed: usize, ledgers: &[Ledger]) -> Vec<Ledger> {
        let to_come = self.before.len() - passed - 1;
        // Who comes too late for its share can be told early, as nobody owns more than one partition of a window.
        let more_at_most = if self.groups() > self.window { to_come.div_ceil(self.window) } else { to_come };
        let mut next: Vec<Ledger> = Vec::with_capacity(ledgers.len() * self.groups());
        for (last, ledger) in ledgers.iter().enumerate() {
            for group in (0..self.groups()).filter(|&group| ledger.count(group) < self.limits[group].1) {
                let rest = self.rest(course, passed + 1, ledger.state, group);
                let cost = ledger.cost + self.step(course, passed, ledger.state, group);
                let state = self.state_after(ledger.state, group);
                let counts = ledger.counts + (1 << (BITS * group));
                let next_ledger = Ledger { state, counts, last, cost, bound: cost + rest };
                if rest < NEVER && self.can_be_balanced(&next_ledger, to_come, more_at_most) {
                    next.push(next_ledger);
                }
            }
        }
        next.sort_unstable_by_key(|ledger| (ledger.state, ledger.counts, ledger.cost, ledger.last));
        next.dedup_by_key(|ledger| (ledger.state, ledger.counts));
        if next.len() > BEAM {
            next.select_nth_unstable_by_key(BEAM, |ledger| (ledger.bound, ledger.state, ledger.counts));
            next.truncate(BEAM);
        }
        next
    }

    /// Whether what groups lack can still be had from the partitions to come.
    fn can_be_balanced(&self, ledger: &Ledger, to_come: usize, more_at_most: usize) -> bool {
        let lack = |group: usize| self.limits[group].0.saturating_sub(ledger.count(group));
        let lacking: u64 = (0..self.groups()).map(lack).sum();
        lacking <= to_come as u64 && (0..self.groups()).all(|group| lack(group) <= more_at_most as u64)
    }
}

const _: () = assert!(GROUPS_MAX * BITS <= 128, "counts fit into one number");
