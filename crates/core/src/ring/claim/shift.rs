//! Gifts in a circle: one node gives a partition to the next, which gives another to the next, and so on round to the
//! first, or to one that has room. Shares stay as they are, and so does distinctness; moves become fewer. As single
//! gifts, the same would have to go through assignments that are worse.
//!
//! What a gift costs is known beforehand, so that the best circle is a matter of shortest paths (Bellman and Ford's)
//! from node to node.

use alloc::vec::Vec;

use super::table::Table;

/// How many gifts are looked at in all.
const EFFORT: usize = 1 << 22;

/// Most circles.
const CIRCLES_MAX: usize = 64;

/// What it is worth, in moves, that a node has its share.
const SHARE: i64 = 8;

/// A partition to give away, and how many moves more that makes.
#[derive(Clone, Copy)]
struct Gift {
    at: usize,
    moves: i64,
}

/// Lets nodes give in circles while that makes moves fewer, or shares fairer.
pub(super) fn circles(table: &mut Table<'_>) {
    let nodes = table.nodes.len();
    let mut refused = alloc::vec![false; table.len() * nodes];
    for _ in 0..(EFFORT / refused.len()).min(CIRCLES_MAX) {
        let gifts = gifts(table, &refused);
        let Some(circle) = circle(table, &gifts) else { return };
        let steps: Vec<(usize, usize, usize)> = circle
            .into_iter()
            .filter_map(|(from, to)| gifts[from * nodes + to].map(|gift| (gift.at, from, to)))
            .collect();
        let cost = table.cost();
        for &(at, _, to) in &steps {
            table.give(at, to);
        }
        // Gifts near each other may do harm that none of them does alone.
        if table.cost() >= cost {
            for &(at, from, to) in steps.iter().rev() {
                table.give(at, from);
                refused[at * nodes + to] = true;
            }
        }
    }
}

/// For each pair of nodes the best gift of the one to the other that does no harm to distinctness.
fn gifts(table: &mut Table<'_>, refused: &[bool]) -> Vec<Option<Gift>> {
    let nodes = table.nodes.len();
    let mut gifts: Vec<Option<Gift>> = alloc::vec![None; nodes * nodes];
    for at in 0..table.len() {
        let (from, cost, home) = (table.owners()[at], table.cost(), table.before[at]);
        for to in (0..nodes).filter(|&to| to != from && !refused[at * nodes + to]) {
            let away = |node| i64::from(home.is_some_and(|home| home != node));
            let moves = away(to) - away(from);
            if gifts[from * nodes + to].is_some_and(|gift| gift.moves <= moves) {
                continue;
            }
            table.give(at, to);
            if table.cost().as_distinct(cost) {
                gifts[from * nodes + to] = Some(Gift { at, moves });
            }
            table.give(at, from);
        }
    }
    gifts
}

/// A circle of nodes, as pairs of giver and receiver, that pays. It may lead through the pool: from a node that has
/// room to one that can spare a partition.
fn circle(table: &Table<'_>, gifts: &[Option<Gift>]) -> Option<Vec<(usize, usize)>> {
    let nodes = table.nodes.len();
    let pool = nodes;
    let mut edges: Vec<(usize, usize, i64)> = Vec::new();
    for from in 0..nodes {
        let gift = |to: usize| gifts[from * nodes + to].map(|gift| (from, to, gift.moves));
        edges.extend((0..nodes).filter_map(gift));
        let worth = |fair: bool| if fair { 0 } else { -SHARE };
        if table.can_spare(from) {
            edges.push((pool, from, worth(table.excess(from) == 0)));
        }
        if table.has_room(from) {
            edges.push((from, pool, worth(table.lack(from) == 0)));
        }
    }
    let mut distance = alloc::vec![0_i64; nodes + 1];
    let mut giver: Vec<Option<usize>> = alloc::vec![None; nodes + 1];
    let mut last = None;
    for _ in 0..=nodes {
        last = None;
        for &(from, to, cost) in &edges {
            if distance[from] + cost < distance[to] {
                distance[to] = distance[from] + cost;
                giver[to] = Some(from);
                last = Some(to);
            }
        }
        last?;
    }
    // What still became shorter in the last round is on a circle, or behind one.
    let start = (0..=nodes).try_fold(last?, |node, _| giver[node])?;
    let (mut node, mut circle) = (start, Vec::new());
    loop {
        let from = giver[node]?;
        if from != pool && node != pool {
            circle.push((from, node));
        }
        node = from;
        if node == start {
            return Some(circle);
        }
    }
}
