//! What clients write: what a visit makes of what it has read.

use cartwheel_core::Answer;
use cartwheel_core::version::Value;

use super::client::{Pending, Seen};
use super::clients::Clients;
use super::value::{Items, value};
use crate::scenario::{Deed, KindSpec, Probability};

/// A cart with so many items is checked out: all items are removed.
const ITEMS_MAX: usize = 32;

impl Clients {
    /// Keeps what `client` was shown of a key, for updates without a read.
    pub(super) fn remember(&mut self, client: usize, key: usize, shown: &Answer) {
        if let KindSpec::Ycsb { .. } = self.kind {
            let seen = self.seen(shown);
            self.clients[client].memory.insert(key, seen);
        }
    }

    fn seen(&self, shown: &Answer) -> Seen {
        Seen { context: shown.context(), writes: self.truth.of_siblings(&shown.siblings).collect() }
    }

    /// Deletes the key, or reconciles what was read by union and changes it.
    pub(super) fn decide(&mut self, client: usize, key: usize, read: &Answer) -> Pending {
        let seen = self.seen(read);
        let planned = self.clients[client].plan.as_ref().map_or(Deed::Add, |plan| plan.does);
        let drawn = match self.kind {
            // Drawn whether or not the scenario says it.
            KindSpec::Cart { .. } if self.clients[client].stream.happens(self.delete.chance()) => {
                Deed::Delete
            }
            KindSpec::Cart { .. } => Deed::Add,
            _ => planned,
        };
        if self.deed(client, drawn) == Deed::Delete {
            let id = self.truth.begin(key, &seen.writes, true);
            let what = format!("deletes the {}", self.kind.noun());
            return Pending { id, value: Value::Tombstone, seen, what };
        }
        self.fill(client, key, seen, Items::of(&read.siblings))
    }

    pub(super) fn fill(&mut self, client: usize, key: usize, seen: Seen, mut items: Items) -> Pending {
        let id = self.truth.begin(key, &seen.writes, false);
        let what = match self.kind {
            KindSpec::Cart { remove, .. } => self.change_cart(client, remove, &mut items, id.0),
            _ => self.kind.change(&mut items, id),
        };
        Pending { id, value: value(id, &items), seen, what }
    }

    /// Adds item `new` to the cart, or takes something out. What was done, for people.
    fn change_cart(&mut self, client: usize, remove: Probability, items: &mut Items, new: u64) -> String {
        let drawn = self.clients[client].stream.happens(remove.chance());
        let removes = self.deed(client, if drawn { Deed::Remove } else { Deed::Add }) == Deed::Remove;
        if items.len() >= ITEMS_MAX {
            let count = items.len();
            items.clear();
            return format!("checks out {count} items");
        }
        let drawn = self.clients[client].stream.index(items.len().max(1));
        let victim = items.nth(self.item(client, drawn));
        match victim {
            Some(item) if removes => {
                items.remove(item);
                format!("removes item {item}")
            }
            _ => {
                items.insert(new);
                format!("adds item {new}")
            }
        }
    }
}
