//! Crossing two sequences: the better parts of both.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Fault, Judged, Programme};

/// Up to so many stretches are exchanged in pairs, too: one that takes and one that gives.
const PAIRED_MAX: usize = 48;

/// A stretch on which two sequences differ, and what changes when the one follows the other there. Both agree on
/// the N - 1 partitions before either end, so that no window sees two stretches.
struct Stretch {
    from: usize,
    to: usize,
    change: Change,
}

#[derive(Clone, Default)]
struct Change {
    missing: i64,
    moved: i64,
    counts: Vec<(usize, i64)>,
}

/// A sequence between two others, by what is wrong with it.
struct Child<'a> {
    programme: &'a Programme,
    missing: i64,
    moved: i64,
    counts: Vec<i64>,
}

impl Child<'_> {
    /// `sign` is 1 to follow the other sequence, -1 to follow the first again.
    fn apply(&mut self, change: &Change, sign: i64) {
        self.missing += sign * change.missing;
        self.moved += sign * change.moved;
        for &(group, by) in &change.counts {
            self.counts[group] += sign * by;
        }
    }

    fn fault(&self) -> Fault {
        let away = |(&count, &(least, most)): (&i64, &(u64, u64))| {
            let count = count.cast_unsigned();
            count.saturating_sub(most) + least.saturating_sub(count)
        };
        let imbalance = self.counts.iter().zip(&self.programme.limits).map(away).sum();
        (self.missing.cast_unsigned(), imbalance, self.moved.cast_unsigned())
    }
}

impl Programme {
    /// The best that is come by when `best` follows `other` on one stretch after the other, or on two at once, as long
    /// as that makes it better.
    pub(super) fn cross(&self, best: Judged, other: &[usize]) -> Judged {
        let (fault, mut groups) = best;
        let stretches = self.stretches(&groups, other);
        let mut child = Child {
            programme: self,
            missing: fault.0.cast_signed(),
            moved: fault.2.cast_signed(),
            counts: self.counts(&groups).into_iter().map(u64::cast_signed).collect(),
        };
        let mut signs = alloc::vec![1; stretches.len()];
        let mut least = fault;
        while let Some((fault, chosen)) = best_exchange(&mut child, &stretches, &signs, least) {
            for index in chosen {
                child.apply(&stretches[index].change, signs[index]);
                signs[index] = -signs[index];
            }
            least = fault;
        }
        for stretch in stretches.iter().zip(signs).filter(|(_, sign)| *sign < 0).map(|(stretch, _)| stretch) {
            for at in (stretch.from..stretch.to).map(|at| at % other.len()) {
                groups[at] = other[at];
            }
        }
        let whole = self.fault(other);
        if whole < least { (whole, other.to_vec()) } else { (least, groups) }
    }

    fn stretches(&self, one: &[usize], other: &[usize]) -> Vec<Stretch> {
        let partitions = one.len();
        let back = |at: usize, by: usize| (at + partitions - by) % partitions;
        let agree = |at: &usize| (1..self.window).all(|by| one[back(*at, by)] == other[back(*at, by)]);
        let joints: Vec<usize> = (0..partitions).filter(agree).collect();
        let Some(&first) = joints.first() else { return Vec::new() };
        let ends = joints[1..].iter().copied().chain([first + partitions]);
        let differ = |&(from, to): &(usize, usize)| {
            (from..to).any(|at| one[at % partitions] != other[at % partitions])
        };
        let stretch = |(from, to)| Stretch { from, to, change: self.change(one, other, from..to) };
        joints.iter().copied().zip(ends).filter(differ).map(stretch).collect()
    }

    fn change(&self, one: &[usize], other: &[usize], stretch: core::ops::Range<usize>) -> Change {
        let mut counts: BTreeMap<usize, i64> = BTreeMap::new();
        let mut change = Change::default();
        for at in stretch.map(|at| at % one.len()) {
            change.missing +=
                self.missing_at(other, at).cast_signed() - self.missing_at(one, at).cast_signed();
            change.moved += self.moved_at(other, at).cast_signed() - self.moved_at(one, at).cast_signed();
            *counts.entry(other[at]).or_default() += 1;
            *counts.entry(one[at]).or_default() -= 1;
        }
        change.counts = counts.into_iter().filter(|(_, by)| *by != 0).collect();
        change
    }
}

/// The stretches to exchange next, and what is wrong then; none if nothing is better than `least`.
fn best_exchange(
    child: &mut Child<'_>,
    stretches: &[Stretch],
    signs: &[i64],
    least: Fault,
) -> Option<(Fault, Vec<usize>)> {
    let mut best: Option<(Fault, Vec<usize>)> = None;
    let mut offer = |fault: Fault, chosen: &[usize]| {
        if fault < best.as_ref().map_or(least, |best| best.0) {
            best = Some((fault, chosen.to_vec()));
        }
    };
    for (one, stretch) in stretches.iter().enumerate() {
        child.apply(&stretch.change, signs[one]);
        offer(child.fault(), &[one]);
        let others = if stretches.len() <= PAIRED_MAX { one + 1..stretches.len() } else { 0..0 };
        for other in others {
            child.apply(&stretches[other].change, signs[other]);
            offer(child.fault(), &[one, other]);
            child.apply(&stretches[other].change, -signs[other]);
        }
        child.apply(&stretch.change, -signs[one]);
    }
    best
}
