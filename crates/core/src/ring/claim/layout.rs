//! How a new ring is laid out.
//!
//! Equal nodes of one zone take turns in rounds: each round names every node once, in the same order, so that a
//! node's partitions are a whole round apart. When Q is not a multiple of the number of nodes, some rounds must be
//! shorter: a node is left out of them, and the nodes around it come closer together. Each left-out node costs one
//! partition of distance to the nodes between two leavings, so they are spread over the rounds, at most
//! `nodes - n` to a round, in the order of the nodes: then no window ever sees more than one round's worth.
//!
//! Groups of unequal shares (nodes with weights, zones) go by columns: there are as many rounds as the greatest
//! share, and each group takes the same place of one round after the other, the next group following where the last
//! one ended. A group's partitions are then a round apart, or more; and when nobody has more than Q / N, a round is
//! no shorter than N.

use alloc::vec::Vec;

/// The equal `nodes` (by number) in rounds.
pub(super) fn rounds(nodes: usize, partitions: usize, n: usize) -> Vec<usize> {
    let rounds = partitions.div_ceil(nodes);
    let left_out = rounds * nodes - partitions;
    let per_round = nodes.saturating_sub(n).max(1);
    let mut owners = Vec::with_capacity(partitions);
    for round in 0..rounds {
        let skip = left_out_of(round, rounds, left_out, per_round);
        owners.extend((0..nodes).filter(|node| !skip.contains(node)));
    }
    owners
}

/// The nodes left out of `round`: nodes `0..left_out` are each left out of one round, in ascending order, spread as
/// evenly as `per_round` allows.
fn left_out_of(round: usize, rounds: usize, left_out: usize, per_round: usize) -> core::ops::Range<usize> {
    // Groups of at most `per_round` nodes, as small as the number of rounds allows.
    let group = left_out.div_ceil(rounds).max(1).min(per_round.max(left_out.div_ceil(rounds)));
    let groups = left_out.div_ceil(group);
    // Group g goes to round floor(g * rounds / groups); invert that.
    let g = (round * groups).div_ceil(rounds);
    if g < groups && g * rounds / groups == round { g * group..((g + 1) * group).min(left_out) } else { 0..0 }
}

/// Groups that own `counts` partitions each, by columns.
pub(super) fn columns(counts: &[u64]) -> Vec<usize> {
    let mut groups: Vec<usize> = (0..counts.len()).collect();
    groups.sort_by_key(|&group| (core::cmp::Reverse(counts[group]), group));
    let Some(rounds) = groups.first().map(|&group| counts[group] as usize).filter(|&rounds| rounds > 0)
    else {
        return Vec::new();
    };
    let mut by_round = alloc::vec![Vec::new(); rounds];
    let cells = groups.iter().flat_map(|&group| (0..counts[group]).map(move |_| group));
    for (cell, group) in cells.enumerate() {
        by_round[cell % rounds].push(group);
    }
    by_round.concat()
}

/// Fewer groups than the `n` partitions of a window, so that each is to turn up in every window: rounds no longer
/// than N that name every group at the same place, and then, evenly spread, what groups have beyond that.
pub(super) fn every_round(counts: &[u64], n: usize) -> Vec<usize> {
    let partitions = counts.iter().sum::<u64>() as usize;
    let rounds = partitions.div_ceil(n);
    let once = |count: u64| count.min(rounds as u64);
    let mut more = spread(&counts.iter().map(|&count| count - once(count)).collect::<Vec<_>>()).into_iter();
    let mut owners = Vec::with_capacity(partitions);
    for round in 0..rounds {
        let end = (round + 1) * partitions / rounds;
        // A group that has too little for every round takes part in the first ones.
        owners.extend((0..counts.len()).filter(|&group| (round as u64) < once(counts[group])));
        owners.extend(more.by_ref().take(end.saturating_sub(owners.len())));
    }
    owners.extend(more);
    owners
}

/// Groups that own `counts` partitions each, every group's as evenly spread as the others let it.
fn spread(counts: &[u64]) -> Vec<usize> {
    let mut turns: Vec<(u64, u64, usize)> = Vec::new();
    for (group, &count) in counts.iter().enumerate() {
        // Turn t of c comes at (2t + 1) / 2c of the way round; compared by cross-multiplication.
        turns.extend((0..count).map(|turn| (2 * turn + 1, count, group)));
    }
    turns.sort_by(|left, right| (left.0 * right.1, left.2).cmp(&(right.0 * left.1, right.2)));
    turns.into_iter().map(|(_, _, group)| group).collect()
}
