//! One lap: the cheapest sequence of groups at given prices.

use alloc::vec::Vec;

use super::{BREADTH, MOVE, NODE_MISSING, Programme, ZONE_MISSING};

/// No step leads to this state, so far.
const NONE: usize = usize::MAX;

/// A state, the window that led there (a state and the group after it, as a number in base G), and the cost so far.
#[derive(Clone, Copy)]
struct Step {
    state: usize,
    window: usize,
    cost: i64,
}

impl Programme {
    /// The cheapest sequence whose N - 1 groups up to partition `cut` are those of `known`.
    pub(super) fn lap(&self, known: &[usize], cut: usize, lap: usize) -> Vec<usize> {
        let (partitions, groups) = (self.before.len(), self.groups());
        let first = self.state_before(known, cut);
        let mut walk = Walk::new(self);
        let mut trail: Vec<Vec<Step>> = Vec::with_capacity(partitions);
        let mut steps = alloc::vec![Step { state: first, window: 0, cost: 0 }];
        for by in 0..partitions {
            let at = (cut + by) % partitions;
            let entry: Vec<i64> =
                (0..groups).map(|group| self.price(at, group) + dither(lap, at, group)).collect();
            let forced = by + self.window > partitions;
            let next = walk.advance(&steps, &entry, forced.then(|| known[at]));
            trail.push(core::mem::replace(&mut steps, next));
        }
        trail.push(steps);
        let mut sequence = alloc::vec![0; partitions];
        let mut state = first;
        for by in (0..partitions).rev() {
            let step = trail[by + 1].iter().find(|step| step.state == state);
            let window = step.expect("a step is remembered as long as another leads on from it").window;
            sequence[(cut + by) % partitions] = window % groups;
            state = window / groups;
        }
        sequence
    }

    /// The N - 1 groups before partition `cut`.
    pub(super) fn state_before(&self, groups: &[usize], cut: usize) -> usize {
        let back = |by: usize| groups[(cut + groups.len() - by) % groups.len()];
        (1..self.window).rev().fold(0, |state, by| state * self.groups() + back(by))
    }

    /// The state after `state` and then `group`.
    pub(super) fn state_after(&self, state: usize, group: usize) -> usize {
        if self.window == 1 { 0 } else { state % (self.states / self.groups()) * self.groups() + group }
    }

    /// What it costs to give a partition to a group, apart from what its window is short of.
    pub(super) fn price(&self, at: usize, group: usize) -> i64 {
        let moved = self.before[at].is_some_and(|before| before != group);
        self.prices[group] + i64::from(moved) * MOVE
    }
}

/// A small part of a move, as if at random. Groups that are exactly as cheap as each other would change places in all
/// partitions at once; so they do it in some, and in others the next lap.
fn dither(lap: usize, at: usize, group: usize) -> i64 {
    let mixed = ((lap as u64) << 40 ^ (at as u64) << 16 ^ group as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 58).cast_signed()
}

struct Walk<'a> {
    programme: &'a Programme,
    /// Where the step to a state is in the list that is being made.
    index: Vec<usize>,
    /// Groups and zones of the state at hand.
    seen: Vec<bool>,
    seen_zones: Vec<bool>,
}

impl<'a> Walk<'a> {
    fn new(programme: &'a Programme) -> Self {
        Self {
            programme,
            index: alloc::vec![NONE; programme.states],
            seen: alloc::vec![false; programme.groups()],
            seen_zones: alloc::vec![false; programme.zones],
        }
    }

    /// The cheapest steps to each state, over one partition with the cost `entry` for each group; the cheapest of
    /// them if they are many.
    fn advance(&mut self, steps: &[Step], entry: &[i64], forced: Option<usize>) -> Vec<Step> {
        let groups = self.programme.groups();
        let choice = forced.map_or(0..groups, |group| group..group + 1);
        let wanted = groups.min(self.programme.window);
        let wanted_zones = self.programme.zones.min(self.programme.window);
        let mut next: Vec<Step> = Vec::with_capacity(steps.len() * 2);
        for step in steps {
            let (distinct, distinct_zones) = self.mark(step.state);
            for group in choice.clone() {
                let nodes = distinct + usize::from(!self.seen[group]);
                let zones = distinct_zones + usize::from(!self.seen_zones[self.programme.zone_of[group]]);
                let missing = wanted.saturating_sub(nodes) as i64 * NODE_MISSING
                    + wanted_zones.saturating_sub(zones) as i64 * ZONE_MISSING;
                let state = self.programme.state_after(step.state, group);
                let cost = step.cost + entry[group] + missing;
                let step = Step { state, window: step.state * groups + group, cost };
                match next.get_mut(self.index[state]) {
                    Some(known) if known.cost <= cost => {}
                    Some(known) => *known = step,
                    None => {
                        self.index[state] = next.len();
                        next.push(step);
                    }
                }
            }
            self.unmark(step.state);
        }
        for step in &next {
            self.index[step.state] = NONE;
        }
        if next.len() > BREADTH {
            next.select_nth_unstable_by_key(BREADTH, |step| (step.cost, step.state));
            next.truncate(BREADTH);
        }
        next
    }

    /// Notes what groups and zones there are in a state, and counts them.
    fn mark(&mut self, state: usize) -> (usize, usize) {
        let (mut rest, mut distinct, mut distinct_zones) = (state, 0, 0);
        for _ in 1..self.programme.window {
            let group = rest % self.programme.groups();
            let zone = self.programme.zone_of[group];
            distinct += usize::from(!core::mem::replace(&mut self.seen[group], true));
            distinct_zones += usize::from(!core::mem::replace(&mut self.seen_zones[zone], true));
            rest /= self.programme.groups();
        }
        (distinct, distinct_zones)
    }

    fn unmark(&mut self, state: usize) {
        let mut rest = state;
        for _ in 1..self.programme.window {
            let group = rest % self.programme.groups();
            self.seen[group] = false;
            self.seen_zones[self.programme.zone_of[group]] = false;
            rest /= self.programme.groups();
        }
    }
}
