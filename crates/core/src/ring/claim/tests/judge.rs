//! What is right and wrong with a table of owners, from first principles.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::super::{Claimant, claim};
use crate::id::NodeId;

/// Nodes of weight 1, dealt out to `zones` zones.
pub(super) fn claimants(ids: impl IntoIterator<Item = u64>, zones: u64) -> Vec<Claimant> {
    ids.into_iter().map(|id| Claimant { node: NodeId(id), weight: 1, zone: id % zones }).collect()
}

pub(super) struct Judge {
    pub(super) claimants: Vec<Claimant>,
    partitions: usize,
    n: usize,
    slack: usize,
}

impl Judge {
    pub(super) fn new(claimants: &[Claimant], partitions: u32, n: u8) -> Self {
        Self { claimants: claimants.to_vec(), partitions: partitions as usize, n: usize::from(n), slack: 0 }
    }

    /// Accepts one partition more or less than the fair share, rounded. Where the heaviest nodes fill their places in
    /// every window, a search may end there, if rarely.
    pub(super) fn lenient(self) -> Self {
        Self { slack: 1, ..self }
    }

    fn zone(&self, node: NodeId) -> u64 {
        self.claimants.iter().find(|claimant| claimant.node == node).expect("a claimant").zone
    }

    fn zones(&self) -> BTreeSet<u64> {
        self.claimants.iter().map(|claimant| claimant.zone).collect()
    }

    fn missing<T: Ord>(&self, owners: &[NodeId], groups: usize, group: impl Fn(NodeId) -> T) -> usize {
        let short = |from: usize| {
            let window = (from..from + self.n).map(|at| group(owners[at % owners.len()]));
            self.n.min(groups) - window.collect::<BTreeSet<T>>().len()
        };
        (0..owners.len()).map(short).sum()
    }

    /// Nodes that windows of N partitions are short of, in all.
    pub(super) fn nodes_missing(&self, owners: &[NodeId]) -> usize {
        self.missing(owners, self.claimants.len(), |node| node)
    }

    pub(super) fn zones_missing(&self, owners: &[NodeId]) -> usize {
        self.missing(owners, self.zones().len(), |node| self.zone(node))
    }

    /// Fewest and most partitions of each of so many groups for windows to be without fault; None if they cannot be.
    fn limits(&self, groups: usize) -> Option<(usize, usize)> {
        let (down, up) = (self.partitions / self.n, self.partitions.div_ceil(self.n));
        let (least, most) =
            (if groups <= self.n { up } else { 0 }, if groups >= self.n { down } else { self.partitions });
        (groups * least <= self.partitions && groups * most >= self.partitions).then_some((least, most))
    }

    pub(super) fn can_be_distinct(&self) -> bool {
        self.limits(self.claimants.len()).is_some()
    }

    /// Whether nothing is known that would keep windows from naming all zones.
    fn zones_can_be_distinct(&self) -> bool {
        let (Some((_, most)), Some((least, _))) =
            (self.limits(self.claimants.len()), self.limits(self.zones().len()))
        else {
            return false;
        };
        self.zones().iter().all(|&zone| self.nodes_of(zone).count() * most >= least)
    }

    fn nodes_of(&self, zone: u64) -> impl Iterator<Item = &Claimant> {
        self.claimants.iter().filter(move |claimant| claimant.zone == zone)
    }

    fn weight<'a>(claimants: impl IntoIterator<Item = &'a Claimant>) -> usize {
        claimants.into_iter().map(|claimant| usize::from(claimant.weight)).sum()
    }

    /// The fair share, rounded down and up; None where distinctness does not leave everybody his.
    pub(super) fn fair(&self, weight: usize) -> Option<(usize, usize)> {
        let all = Self::weight(&self.claimants);
        let within = |weight: usize, limits: (usize, usize)| {
            limits.0 * all <= weight * self.partitions && weight * self.partitions <= limits.1 * all
        };
        let (nodes, zones) = (self.limits(self.claimants.len())?, self.limits(self.zones().len())?);
        let fits = self.zones_can_be_distinct()
            && self.claimants.iter().all(|claimant| within(usize::from(claimant.weight), nodes))
            && self.zones().iter().all(|&zone| within(Self::weight(self.nodes_of(zone)), zones));
        fits.then(|| (weight * self.partitions / all, (weight * self.partitions).div_ceil(all)))
    }

    /// What every table must be.
    pub(super) fn check(&self, owners: &[NodeId]) {
        let context =
            || alloc::format!("Q={} N={} {:?}: {owners:?}", self.partitions, self.n, self.claimants);
        assert_eq!(owners.len(), self.partitions);
        assert_eq!(self.nodes_missing(owners) == 0, self.can_be_distinct(), "{}", context());
        assert!(self.zones_missing(owners) == 0 || !self.zones_can_be_distinct(), "{}", context());
        for claimant in &self.claimants {
            let count = owners.iter().filter(|owner| **owner == claimant.node).count();
            if let Some((down, up)) = self.fair(usize::from(claimant.weight)) {
                let (least, most) = (down.saturating_sub(self.slack), up + self.slack);
                assert!((least..=most).contains(&count), "{:?} has {count}: {}", claimant.node, context());
            }
        }
    }

    /// Partitions taken from nodes that stay.
    pub(super) fn moves(&self, before: &[NodeId], after: &[NodeId]) -> usize {
        let stays = |node: NodeId| self.claimants.iter().any(|claimant| claimant.node == node);
        before.iter().zip(after).filter(|(before, after)| before != after && stays(**before)).count()
    }

    /// The fewest moves to fair shares, whatever it does to windows; None where shares cannot be fair.
    pub(super) fn moves_least(&self, before: &[NodeId]) -> Option<usize> {
        let (mut over, mut under, mut held) = (0, 0, 0);
        for claimant in &self.claimants {
            let count = before.iter().filter(|owner| **owner == claimant.node).count();
            let (down, up) = self.fair(usize::from(claimant.weight))?;
            over += count.saturating_sub(up);
            under += down.saturating_sub(count);
            held += count;
        }
        let vacant = before.len() - held;
        Some(over.max(under.saturating_sub(vacant)))
    }

    /// Claims anew and checks the outcome.
    pub(super) fn check_change(&self, before: &[NodeId]) -> Vec<NodeId> {
        let after = claim(before, &self.claimants, self.partitions as u32, self.n as u8);
        self.check(&after);
        if let Some(least) = self.moves_least(before) {
            let moves = self.moves(before, &after);
            assert!(
                moves + self.slack * self.claimants.len() >= least,
                "{moves} moves, where {least} were thought to be the fewest"
            );
        }
        after
    }
}
