//! Pruning pasts (the paper's section 4.4).
//!
//! A past grows by one entry for each actor that ever coordinated the key, so a coordinator cuts it down to a bound
//! when it issues a dot, and only then: a version's past never changes afterwards, so replicas cannot disagree about
//! it. What is cut may bring an old version back beside the new one when a replica turns up that still holds it (a
//! false sibling); no write is ever lost by it.

use alloc::vec::Vec;

use super::dot::{Actor, Dot};
use super::vector::VersionVector;

/// `past` cut down to `entries_max` entries, but never below `parents`: cutting a version that is being replaced right
/// now would bring it back at once.
///
/// The paper cuts the oldest entry by a clock. Here actors of which the same node has minted a later one go first,
/// for they never count again; then those with the lowest counts.
pub(crate) fn pruned(past: &VersionVector, parents: &[Actor], entries_max: usize) -> VersionVector {
    let entries = past.entries();
    if entries.len() <= entries_max {
        return past.clone();
    }
    // Entries are in the order of their actors, and those by node: a later actor of the same node comes right behind.
    // A client can send a past of thousands of entries, so each is looked at once.
    let nexts = entries.iter().skip(1).map(|dot| Some(dot.actor.node)).chain([None]);
    let ranked = entries.iter().zip(nexts).map(|(dot, next)| {
        let is_superseded = next == Some(dot.actor.node);
        (parents.contains(&dot.actor), !is_superseded, dot.counter, dot.actor)
    });
    let mut order: Vec<(bool, bool, u64, Actor)> = ranked.collect();
    order.sort_unstable();
    let spare = order.iter().filter(|(is_parent, ..)| !is_parent).count();
    order.drain(..(entries.len() - entries_max).min(spare));
    // In the order of actors again, so that each is appended.
    order.sort_unstable_by_key(|&(_, _, _, actor)| actor);
    order.into_iter().map(|(_, _, counter, actor)| Dot { actor, counter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{NodeId, StoreId};
    use quickcheck::quickcheck;

    fn dot(node: u64, mint: u64, counter: u64) -> Dot {
        Dot { actor: Actor { node: NodeId(node), store: StoreId(1), boot: 1, mint }, counter }
    }

    #[test]
    fn actors_that_never_count_again_go_first_then_low_counts_and_parents_stay() {
        let past: VersionVector =
            [dot(1, 1, 90), dot(1, 2, 5), dot(2, 1, 3), dot(3, 1, 4)].into_iter().collect();
        let cut = |parents: &[Actor], max| pruned(&past, parents, max).entries().to_vec();
        assert_eq!(cut(&[], 4), past.entries());
        assert_eq!(cut(&[], 3), [dot(1, 2, 5), dot(2, 1, 3), dot(3, 1, 4)]);
        assert_eq!(cut(&[], 2), [dot(1, 2, 5), dot(3, 1, 4)]);
        assert_eq!(cut(&[dot(2, 1, 3).actor], 2), [dot(1, 2, 5), dot(2, 1, 3)]);
        assert_eq!(cut(&[dot(1, 1, 90).actor, dot(2, 1, 3).actor], 1), [dot(1, 1, 90), dot(2, 1, 3)]);
    }

    /// By the definition: whether the same node has minted a later actor is asked of each entry by itself.
    fn pruned_slowly(past: &VersionVector, parents: &[Actor], entries_max: usize) -> VersionVector {
        let entries = past.entries();
        let is_superseded = |dot: &Dot| {
            entries.iter().any(|later| later.actor.node == dot.actor.node && later.actor > dot.actor)
        };
        let mut order: Vec<Dot> = entries.to_vec();
        order.sort_by_key(|dot| (parents.contains(&dot.actor), !is_superseded(dot), dot.counter, dot.actor));
        let spare = entries.iter().filter(|dot| !parents.contains(&dot.actor)).count();
        order.drain(..entries.len().saturating_sub(entries_max).min(spare));
        order.into_iter().collect()
    }

    quickcheck! {
        fn each_entry_is_looked_at_once_and_the_same_ones_go(
            entries: Vec<(u8, u8, u8)>,
            parents: Vec<(u8, u8)>,
            max: u8
        ) -> bool {
            let past: VersionVector =
                entries.iter().map(|&(n, m, c)| dot((n % 5).into(), (m % 5).into(), u64::from(c) + 1)).collect();
            let parents: Vec<Actor> =
                parents.iter().map(|&(n, m)| dot((n % 5).into(), (m % 5).into(), 1).actor).collect();
            let max = usize::from(max % 16);
            pruned(&past, &parents, max) == pruned_slowly(&past, &parents, max)
        }

        fn what_is_left_was_there(entries: Vec<(u8, u8, u8)>, parent: u8, max: u8) -> bool {
            let past: VersionVector =
                entries.iter().map(|&(n, m, c)| dot((n % 5).into(), (m % 5).into(), u64::from(c) + 1)).collect();
            let parents = [dot((parent % 5).into(), 1, 1).actor];
            let cut = pruned(&past, &parents, max.into());
            let kept_parents = parents.iter().all(|&actor| cut.counter(actor) == past.counter(actor));
            past.covers(&cut)
                && kept_parents
                && cut.entries().len() >= past.entries().len().min(max.into())
                && cut.entries().len() <= past.entries().len().min(usize::from(max).max(1))
        }
    }
}
