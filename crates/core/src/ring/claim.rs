//! Which node owns which partition.
//!
//! An assignment is judged by four things, and the first in which two assignments differ decides:
//!
//! 1. **Distinct nodes.** Any N consecutive partitions, wrap included, sit on N distinct nodes (on all nodes, where
//!    there are fewer). With S nodes that is possible exactly when no node has to own more than Q / N partitions,
//!    rounded down (S > N), when N divides Q (S = N), or when S nodes fit into each of Q / N rounds, rounded up
//!    (S < N). Where it is not possible, preference lists skip repeated nodes: homes are distinct in any case.
//! 2. **Distinct zones.** The same for zones.
//! 3. **Balance.** Each node owns its share, rounded up or down: its weight over all weights, unless 1 or 2 leave
//!    no room for that. A node cannot own more than Q / N, a zone of one node can own no more than that node, and
//!    where there are N zones or fewer each of them must own Q / N at least. What is cut off is shared out among the
//!    others by weight.
//! 4. **Moves.** As few partitions as possible are taken from nodes that stay.
//!
//! The first is certain: wherever it is possible it is reached, by layouts that are known to have it. The
//! second and third were reached, wherever they are known to be possible, in all that the tests tried; but for single
//! partitions of a share, in long histories of nodes with weights. As for moves, a change starts from the assignment before:
//! vacant partitions are filled, nodes that lack partitions take them from nodes that have too many. A node that
//! joins more than N others in one zone takes exactly its share, and nothing else moves. Where that leaves something
//! to wish for, a search goes on from there, bounded and deterministic, and no proof: the tests try tiny rings one by
//! one, and compare others with a bound that cannot be passed (at most one move more in one zone, two in three or four
//! zones, for up to 32 partitions). Three things cost moves and cannot be helped:
//!
//! - A node leaves a ring of hardly more than N nodes: its neighbours may not take over its partitions, so that
//!   one partition more has to move for most of them.
//! - A zone comes near Q / N (four zones and N = 3, and one of them grows): its partitions end up N apart with
//!   hardly a gap, so that one more shifts the others for a good part of the ring. Zones that grow together, or as
//!   many zones as N, avoid it. Above some 4,096 partitions in four zones, such a change may be laid out afresh.
//! - A ring of N nodes or fewer changes. There, however, every node is a home of every key, and an owner that changes
//!   is an entry that changes, not data that moves.

mod keep;
mod layout;
mod search;
mod share;
mod table;
#[cfg(test)]
mod tests;
mod zoning;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Ordering;

use self::share::{Counts, Shares};
use self::table::{Cost, Table};
use crate::id::NodeId;

/// A node that partitions are shared out to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimant {
    /// The node.
    pub node: NodeId,
    /// Its share relative to the others; at least 1 (0 counts as 1).
    pub weight: u16,
    /// Nodes of one zone fail together. An opaque name, 0 like any other.
    pub zone: u64,
}

/// A claimant whose zone is an index.
#[derive(Clone, Copy, Debug)]
struct Zoned {
    weight: u16,
    zone: usize,
}

/// Shares `partitions` partitions out to `claimants`, which are distinct and in any order, for any `n` consecutive
/// ones to be distinct; the module says what is promised. `before` names the present owner of each partition, or
/// nothing for a new ring; owners that are no claimants have left. Pure: the same for the same input, everywhere.
///
/// Equal claimants of one zone share a new ring out in rounds. A claimant that takes the place of one that left, with
/// the same share, takes over exactly its partitions.
///
/// # Panics
///
/// If there is no claimant, one is named twice, or `before` is a table of another size.
pub fn claim(before: &[NodeId], claimants: &[Claimant], partitions: u32, n: u8) -> Vec<NodeId> {
    assert!(!claimants.is_empty(), "partitions need an owner");
    assert!(before.is_empty() || before.len() == partitions as usize, "a table of another ring");
    let mut claimants = claimants.to_vec();
    claimants.sort_unstable_by_key(|claimant| claimant.node);
    assert!(claimants.windows(2).all(|pair| pair[0].node != pair[1].node), "a claimant is named twice");
    let problem = Problem::new(&claimants, partitions, n);
    let owners = if before.is_empty() {
        problem.lay_out()
    } else {
        let present = present(before, &claimants);
        let heirs = problem.heirs(before, &present);
        problem.change(&present, &heirs)
    };
    owners.into_iter().map(|owner| claimants[owner].node).collect()
}

/// The owners before as indices of `claimants`; None where they left.
fn present(before: &[NodeId], claimants: &[Claimant]) -> Vec<Option<usize>> {
    let index = |node| claimants.binary_search_by_key(&node, |claimant| claimant.node).ok();
    before.iter().map(|&node| index(node)).collect()
}

struct Problem {
    nodes: Vec<Zoned>,
    zones: usize,
    shares: Shares,
    partitions: usize,
    window: usize,
}

impl Problem {
    fn new(claimants: &[Claimant], partitions: u32, n: u8) -> Self {
        let mut zones: Vec<u64> = claimants.iter().map(|claimant| claimant.zone).collect();
        zones.sort_unstable();
        zones.dedup();
        let zoned = |claimant: &Claimant| Zoned {
            weight: claimant.weight.max(1),
            zone: zones.partition_point(|&zone| zone < claimant.zone),
        };
        let nodes: Vec<Zoned> = claimants.iter().map(zoned).collect();
        let partitions = partitions as usize;
        let window = usize::from(n).clamp(1, partitions);
        let shares = Shares::of(&nodes, zones.len(), partitions as u64, window as u64);
        Self { nodes, zones: zones.len(), shares, partitions, window }
    }

    /// A new ring.
    fn lay_out(&self) -> Vec<usize> {
        let before = alloc::vec![None; self.partitions];
        let ideal = self.ideal(&before);
        let equal = self.nodes.windows(2).all(|pair| pair[0].weight == pair[1].weight);
        if self.zones == 1 && equal {
            let owners = layout::rounds(self.nodes.len(), self.partitions, self.window);
            if !self.can_be_distinct() || self.table(&before, owners.clone()).cost() <= ideal {
                return owners;
            }
        }
        let mut table = self.table(&before, self.fresh());
        search::improve(&mut table, ideal, self.effort(), 1);
        self.distinct(table, ideal).owners().to_vec()
    }

    /// The ring after its nodes have changed.
    fn change(&self, before: &[Option<usize>], heirs: &[Option<usize>]) -> Vec<usize> {
        let ideal = self.ideal(before);
        let mut kept = self.table(before, keep::filled(before, heirs, &self.shares.nodes));
        if self.stays(kept.cost(), ideal, before, heirs) {
            return kept.owners().to_vec();
        }
        keep::exchange(&mut kept);
        search::repair(&mut kept, self.effort());
        keep::take(&mut kept);
        keep::hand_out(&mut kept);
        search::improve(&mut kept, ideal, self.effort(), 1);
        if !kept.cost().sound(ideal) {
            search::improve(&mut kept, ideal, self.effort(), 6);
        }
        if kept.cost() > ideal
            && let Some(owners) = self.rezoned(before, &kept)
        {
            let mut rezoned = self.table(before, owners);
            search::improve(&mut rezoned, ideal, self.effort(), 3);
            kept = kept.better(rezoned);
        }
        if !kept.cost().sound(ideal) {
            let mut fresh = self.table(before, self.fresh());
            search::improve(&mut fresh, ideal, self.effort(), 1);
            kept = kept.better(fresh);
        } else if kept.cost() > ideal {
            search::improve(&mut kept, ideal, self.effort(), 1);
        }
        self.distinct(kept, ideal).owners().to_vec()
    }

    /// `found`, if there is nothing but moves to wish for. Otherwise the better of it and what a search comes to from
    /// a layout that is certainly distinct and balanced, though without regard to zones and moves.
    fn distinct<'a>(&'a self, found: Table<'a>, ideal: Cost) -> Table<'a> {
        if found.cost().sound(ideal) || self.nodes.len() <= self.window || !self.can_be_distinct() {
            return found;
        }
        let mut table = self.table(found.before, layout::columns(&self.counts()));
        search::improve(&mut table, ideal, self.effort(), 3);
        found.better(table)
    }

    /// Whether to leave the ring as it is but for heirs: it is balanced, and not distinct only where it cannot be.
    fn stays(&self, cost: Cost, ideal: Cost, before: &[Option<usize>], heirs: &[Option<usize>]) -> bool {
        let filled = before.iter().zip(heirs).all(|(before, heir)| before.is_some() || heir.is_some());
        let distinct = cost.nodes_missing == 0 || !self.can_be_distinct();
        filled && distinct && cost.zones_missing <= ideal.zones_missing && cost.imbalance == 0
    }

    /// For each vacant partition, who takes the place of the node that left it: a claimant that owns nothing yet and
    /// should own as many partitions as that node did.
    fn heirs(&self, before: &[NodeId], present: &[Option<usize>]) -> Vec<Option<usize>> {
        let mut left: BTreeMap<NodeId, u64> = BTreeMap::new();
        let mut newcomers = alloc::vec![true; self.nodes.len()];
        for (&node, present) in before.iter().zip(present) {
            match present {
                Some(index) => newcomers[*index] = false,
                None => *left.entry(node).or_default() += 1,
            }
        }
        let mut heirs: BTreeMap<NodeId, usize> = BTreeMap::new();
        for (node, count) in left {
            let share = |heir: usize| self.shares.nodes[heir].floor()..=self.shares.nodes[heir].ceil();
            let heir = (0..newcomers.len()).find(|&heir| newcomers[heir] && share(heir).contains(&count));
            if let Some(heir) = heir {
                newcomers[heir] = false;
                heirs.insert(node, heir);
            }
        }
        let heir = |(node, present): (&NodeId, &Option<usize>)| {
            if present.is_none() { heirs.get(node).copied() } else { None }
        };
        before.iter().zip(present).map(heir).collect()
    }

    /// Whether any N partitions can sit on as many nodes as there are, at most N.
    fn can_be_distinct(&self) -> bool {
        let nodes = self.nodes.len();
        if nodes < self.window {
            nodes * self.partitions.div_ceil(self.window) <= self.partitions
        } else {
            nodes * (self.partitions / self.window) >= self.partitions
        }
    }

    /// What no assignment is better than, though maybe none is as good.
    fn ideal(&self, before: &[Option<usize>]) -> Cost {
        let mut held = alloc::vec![0_u64; self.nodes.len()];
        for &node in before.iter().flatten() {
            held[node] += 1;
        }
        let vacant = before.iter().filter(|before| before.is_none()).count() as u64;
        let shares = || held.iter().zip(&self.shares.nodes);
        let given: u64 = shares().map(|(&held, share)| held.saturating_sub(share.ceil())).sum();
        let taken: u64 = shares().map(|(&held, share)| share.floor().saturating_sub(held)).sum();
        Cost {
            nodes_missing: self.missing_least(self.nodes.len()),
            zones_missing: self.missing_least(self.zones),
            imbalance: 0,
            moves: given.max(taken.saturating_sub(vacant)),
        }
    }

    /// How few groups the windows are short of. With as many groups as a window has places, a ring without fault
    /// repeats every N partitions; what is left over at the end makes a seam.
    fn missing_least(&self, groups: usize) -> u64 {
        let rest = self.partitions % self.window;
        if groups == self.window { (rest * (self.window - rest)) as u64 } else { 0 }
    }

    fn table<'a>(&'a self, before: &'a [Option<usize>], owners: Vec<usize>) -> Table<'a> {
        Table::new(&self.nodes, &self.shares, before, owners, self.window)
    }

    /// How many changes a search may try.
    fn effort(&self) -> u64 {
        20_000 + 100 * self.partitions.min(4096) as u64
    }

    fn zone_of(&self, node: usize) -> usize {
        self.nodes[node].zone
    }

    /// A layout that takes no notice of who owns what.
    fn fresh(&self) -> Vec<usize> {
        let counts = self.counts();
        match self.nodes.len().cmp(&self.window) {
            Ordering::Less => return layout::every_round(&counts, self.window),
            Ordering::Equal => return (0..self.partitions).map(|at| at % self.window).collect(),
            Ordering::Greater => {}
        }
        let mut by_zone = alloc::vec![0; self.zones];
        for (node, count) in counts.iter().enumerate() {
            by_zone[self.zone_of(node)] += count;
        }
        let zones = if self.zones < self.window {
            layout::every_round(&by_zone, self.window)
        } else {
            layout::columns(&by_zone)
        };
        let turns = |zone: usize| {
            let inside = |(node, &count): (usize, &u64)| if self.zone_of(node) == zone { count } else { 0 };
            layout::columns(&counts.iter().enumerate().map(inside).collect::<Vec<_>>()).into_iter()
        };
        let mut turns: Vec<_> = (0..self.zones).map(turns).collect();
        zones.into_iter().filter_map(|zone| turns[zone].next()).collect()
    }

    /// Whole numbers of partitions close to the shares: what rounding down leaves over goes to the zone that lacks
    /// most, and there to the node that lacks most.
    fn counts(&self) -> Vec<u64> {
        let mut counts = Counts::new(&self.shares.nodes);
        let mut by_zone = Counts::new(&self.shares.zones);
        for (node, share) in self.shares.nodes.iter().enumerate() {
            counts.add(node, share.floor());
            by_zone.add(self.zone_of(node), share.floor());
        }
        while counts.total() < self.partitions as u64 {
            let open = (0..self.nodes.len()).filter(|&node| counts.has_room(node));
            let neediest = open.reduce(|best, node| {
                let (zone, other) = (self.zone_of(node), self.zone_of(best));
                let more = if zone == other {
                    counts.lacks_more(node, best)
                } else {
                    by_zone.lacks_more(zone, other)
                };
                if more { node } else { best }
            });
            let Some(node) = neediest else { break };
            counts.add(node, 1);
            by_zone.add(self.zone_of(node), 1);
        }
        counts.into_inner()
    }

    /// New zones for all partitions, near to those before, with the nodes before where they fit.
    fn rezoned(&self, before: &[Option<usize>], kept: &Table<'_>) -> Option<Vec<usize>> {
        if self.zones == 1 {
            return None;
        }
        let zones_before: Vec<Option<usize>> =
            before.iter().map(|before| before.map(|node| self.zone_of(node))).collect();
        let zones_kept: Vec<usize> = kept.owners().iter().map(|&owner| self.zone_of(owner)).collect();
        let zones = zoning::zoning(&zones_before, &zones_kept, &self.shares.zones, self.window)?;
        let mut counts = Counts::new(&self.shares.nodes);
        let stayers: Vec<Option<usize>> = before
            .iter()
            .zip(&zones)
            .map(|(before, &zone)| {
                let node = before.filter(|&node| self.zone_of(node) == zone && counts.has_room(node))?;
                counts.add(node, 1);
                Some(node)
            })
            .collect();
        let fill = |(stayer, zone): (Option<usize>, usize)| {
            let inside = || (0..self.nodes.len()).filter(|&node| self.zone_of(node) == zone);
            let node = stayer.or_else(|| counts.neediest(inside()))?;
            counts.add(node, u64::from(stayer.is_none()));
            Some(node)
        };
        stayers.into_iter().zip(zones).map(fill).collect()
    }
}
