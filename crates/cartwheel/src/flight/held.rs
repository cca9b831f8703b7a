//! What a node's disk holds of a key, as far as a recording tells: records are in the store, and only what passed between the
//! store and the core is recorded.

use std::collections::{BTreeMap, BTreeSet};

use cartwheel_core::id::NodeId;
use cartwheel_core::replica::{Settled, Update};
use cartwheel_core::storage::{StorageCompletion, StorageOp, StorageRequest, Ticket};
use cartwheel_core::version::{Dot, Siblings};
use cartwheel_core::{Event, Input, Key, Output};

/// What the disk was asked about the key.
enum Asked {
    Read,
    Apply(Update),
}

/// What one node is known to hold of a key.
pub struct Held {
    /// That may be meant: one of them.
    keys: Vec<Key>,
    /// The last state that passed; `None`: none did.
    pub siblings: Option<Siblings>,
    /// The last update, until it is durable.
    pub unsynced: Option<Ticket>,
    pub counts_on: Option<Dot>,
    pub owed_to: BTreeSet<NodeId>,
    asked: BTreeMap<Ticket, Asked>,
}

impl Held {
    pub fn new(keys: Vec<Key>) -> Self {
        let (siblings, unsynced, counts_on) = (None, None, None);
        Self { keys, siblings, unsynced, counts_on, owed_to: BTreeSet::new(), asked: BTreeMap::new() }
    }

    /// The node starts again, on what its disk holds.
    pub fn starts(&mut self) {
        self.asked.clear();
    }

    fn is_it(&self, key: &Key) -> bool {
        self.keys.contains(key)
    }

    /// What the disk was asked and has not answered.
    pub fn disk_waits(&self) -> Vec<String> {
        let words = |asked: &Asked| match asked {
            Asked::Read => "to read it".to_owned(),
            Asked::Apply(update) => {
                let kind = format!("{update:?}");
                format!("to {}", kind.split([' ', '{']).next().unwrap_or_default().to_lowercase())
            }
        };
        self.asked.values().map(words).collect()
    }

    /// The node wants something done.
    pub fn wants(&mut self, output: &Output) {
        match output {
            Output::Storage(StorageRequest { ticket, op: StorageOp::Read { key } }) if self.is_it(key) => {
                self.asked.insert(*ticket, Asked::Read);
            }
            Output::Storage(StorageRequest { ticket, op: StorageOp::Apply { key, update } })
                if self.is_it(key) =>
            {
                self.asked.insert(*ticket, Asked::Apply(update.clone()));
            }
            Output::Event(Event::HintStored { home, key }) if self.is_it(key) => {
                self.owed_to.insert(*home);
            }
            Output::Event(Event::HintDelivered { home, key } | Event::HintRedirected { home, key })
                if self.is_it(key) =>
            {
                self.owed_to.remove(home);
            }
            _ => {}
        }
    }

    /// The node is handed something.
    pub fn hears(&mut self, input: &Input) {
        let Input::Storage(completion) = input else { return };
        match completion {
            StorageCompletion::Read { ticket, result } => {
                let asked = self.asked.remove(ticket);
                if let (Some(Asked::Read), Ok(siblings)) = (asked, result) {
                    self.siblings = Some(siblings.clone());
                }
            }
            StorageCompletion::Applied { ticket, result } => {
                let asked = self.asked.remove(ticket);
                if let (Some(Asked::Apply(update)), Ok(Ok(change))) = (asked, result) {
                    self.counts_on = change.dot.or(self.counts_on);
                    self.siblings =
                        Some(if self.drops(&update) { Siblings::default() } else { change.siblings.clone() });
                    self.unsynced = Some(*ticket);
                }
            }
            StorageCompletion::Hints { result: Ok(records), .. } => self.listed(records),
            StorageCompletion::Page { result: Ok(page), .. } => self.listed(&page.records),
            StorageCompletion::Synced { through } => {
                self.unsynced = self.unsynced.filter(|ticket| ticket > through);
            }
            _ => {}
        }
    }

    fn listed(&mut self, records: &[(Key, Siblings)]) {
        if let Some((_, siblings)) = records.iter().find(|(key, _)| self.is_it(key)) {
            self.siblings = Some(siblings.clone());
        }
    }

    /// Whether the record is gone after an update that was applied.
    fn drops(&self, update: &Update) -> bool {
        match update {
            Update::Drop { .. } => true,
            Update::Settle { home, settled: Settled::DropRecord, .. } => {
                self.owed_to.iter().all(|owed| owed == home)
            }
            _ => false,
        }
    }
}
