//! A new ring of nodes with weights and zones.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::share::Counts;
use super::{Problem, layout};

impl Problem {
    /// A layout that takes no notice of who owns what.
    pub(super) fn fresh(&self) -> Vec<usize> {
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
    pub(super) fn counts(&self) -> Vec<u64> {
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
}
