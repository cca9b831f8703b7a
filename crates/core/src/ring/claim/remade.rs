//! From an assignment to one with fewer moves, by way of a [`Programme`].

use alloc::vec::Vec;

use super::programme::Programme;
use super::share::Counts;
use super::table::{Cost, Table};
use super::{Problem, search, shift};

impl Problem {
    /// The better of `kept` and what a dynamic programme makes of it.
    pub(super) fn programmed<'a>(&'a self, mut kept: Table<'a>, ideal: Cost) -> Table<'a> {
        if kept.cost() > ideal {
            shift::circles(&mut kept);
        }
        if kept.cost() <= ideal {
            return kept;
        }
        let Some(owners) = self.by_zone(&kept).or_else(|| self.by_node(&kept)) else { return kept };
        let mut table = self.table(kept.before, owners);
        shift::circles(&mut table);
        search::improve(&mut table, ideal, self.effort(), 3);
        shift::circles(&mut table);
        kept.better(table)
    }

    /// A programme of zones where distinct zones are distinct nodes, or nodes are too many; nodes are filled in.
    fn by_zone(&self, kept: &Table<'_>) -> Option<Vec<usize>> {
        let apart = self.zones >= self.window;
        if self.zones == 1 || !apart && self.of_nodes(kept.before).is_some() {
            return None;
        }
        let zones: Vec<usize> = kept.owners().iter().map(|&owner| self.zone_of(owner)).collect();
        let programme = Programme::of_zones(&self.nodes, &self.shares, kept.before, self.window)?;
        self.filled_in(kept.before, &programme.run(&zones))
    }

    fn by_node(&self, kept: &Table<'_>) -> Option<Vec<usize>> {
        Some(self.of_nodes(kept.before)?.run(kept.owners()))
    }

    fn of_nodes(&self, before: &[Option<usize>]) -> Option<Programme> {
        Programme::of_nodes(&self.nodes, &self.shares, before, self.window)
    }

    /// Nodes for these zones: those before where they fit.
    fn filled_in(&self, before: &[Option<usize>], zones: &[usize]) -> Option<Vec<usize>> {
        let mut counts = Counts::new(&self.shares.nodes);
        let stayers: Vec<Option<usize>> = before
            .iter()
            .zip(zones)
            .map(|(before, &zone)| {
                let node = before.filter(|&node| self.zone_of(node) == zone && counts.has_room(node))?;
                counts.add(node, 1);
                Some(node)
            })
            .collect();
        let fill = |(stayer, &zone): (Option<usize>, &usize)| {
            let inside = || (0..self.nodes.len()).filter(|&node| self.zone_of(node) == zone);
            let node = stayer.or_else(|| counts.neediest(inside()))?;
            counts.add(node, u64::from(stayer.is_none()));
            Some(node)
        };
        stayers.into_iter().zip(zones).map(fill).collect()
    }
}
