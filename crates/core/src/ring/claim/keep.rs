//! The plain way from one assignment to the next: vacant partitions are filled, nodes that have too little take
//! from those that have too much, wherever that does no harm. What cannot be done so is left to the search.

use alloc::vec::Vec;

use super::share::{Counts, Share};
use super::table::Table;

/// How many other vacant partitions are tried for an exchange.
const EXCHANGES: usize = 64;

/// The owners `before`; for vacant partitions the heirs, and where there is none whoever lacks most.
pub(super) fn filled(before: &[Option<usize>], heirs: &[Option<usize>], shares: &[Share]) -> Vec<usize> {
    let mut counts = Counts::new(shares);
    let known = || before.iter().zip(heirs).map(|(before, heir)| before.or(*heir));
    for node in known().flatten() {
        counts.add(node, 1);
    }
    known()
        .map(|node| {
            node.unwrap_or_else(|| {
                let neediest = counts.neediest(0..shares.len()).unwrap_or(0);
                counts.add(neediest, 1);
                neediest
            })
        })
        .collect()
}

/// Exchanges the owners of vacant partitions where that is better.
pub(super) fn exchange(table: &mut Table<'_>) {
    let vacant: Vec<usize> = (0..table.len()).filter(|&at| table.before[at].is_none()).collect();
    for (index, &at) in vacant.iter().enumerate() {
        for &other in vacant[index + 1..].iter().chain(&vacant[..index]).take(EXCHANGES) {
            let (cost, here, there) = (table.cost(), table.owners()[at], table.owners()[other]);
            table.give(at, there);
            table.give(other, here);
            if table.cost() >= cost {
                table.give(other, there);
                table.give(at, here);
            }
        }
    }
}

/// Lets nodes that lack partitions take some from others, evenly spread over the ring: first from those that have
/// too many, which have to give them away in any case.
pub(super) fn take(table: &mut Table<'_>) {
    for from_excess in [true, false] {
        for node in 0..table.nodes.len() {
            take_for(table, node, |table, owner| !from_excess || table.excess(owner) > 0);
        }
    }
}

fn take_for(table: &mut Table<'_>, node: usize, gives: impl Fn(&Table<'_>, usize) -> bool) {
    let stride = (table.len() as u64 / table.shares.nodes[node].ceil().max(1)) as usize;
    let (mut cursor, mut misses) = (0, 0);
    while table.lack(node) > 0 && misses < table.len() {
        let at = cursor % table.len();
        let (cost, owner) = (table.cost(), table.owners()[at]);
        if owner != node && gives(table, owner) {
            table.give(at, node);
            if table.cost() < cost {
                cursor += stride.max(table.window());
                misses = 0;
                continue;
            }
            table.give(at, owner);
        }
        cursor += 1;
        misses += 1;
    }
}

/// Lets nodes that have too many partitions give some away.
pub(super) fn hand_out(table: &mut Table<'_>) {
    for at in 0..table.len() {
        let owner = table.owners()[at];
        for node in 0..table.nodes.len() {
            if table.excess(owner) == 0 {
                break;
            }
            let cost = table.cost();
            table.give(at, node);
            if table.cost() < cost {
                break;
            }
            table.give(at, owner);
        }
    }
}
