//! A node's disk: it takes time, a crash loses what was not synced, and it can be wiped.
//!
//! Updates take effect in the order of their tickets, through the core's own [`Update::apply`]; a sync covers what
//! had taken effect when it began, and the next one gathers meanwhile, as the real committer does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use cartwheel_core::Key;
use cartwheel_core::anti_entropy::{Leaf, MerkleTree, TreeHash, TreeNode};
use cartwheel_core::coverage::{Found, Indexer, Scan};
use cartwheel_core::id::{NodeId, StoreId};
use cartwheel_core::membership::Cluster;
use cartwheel_core::replica::{Change, HintTotal, Record, Refused, Update};
use cartwheel_core::ring::{Partition, Token};
use cartwheel_core::storage::{Name, Page, StorageError, Ticket};
use cartwheel_core::version::{Digest, Siblings};

use crate::streams::Draws;

/// What a node's disk holds.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Minted when the disk was new or wiped.
    pub store: StoreId,
    /// How often the node was started on it.
    pub boots: u64,
    records: BTreeMap<Key, Record>,
    /// One hash tree for each partition that anything is held of.
    trees: BTreeMap<Partition, MerkleTree>,
    partitions: u32,
    /// Keys of which nothing but tombstones is held, and which nobody is owed.
    tombstones: BTreeSet<Key>,
    /// The hint index.
    owed: BTreeMap<NodeId, BTreeSet<Key>>,
    /// The first boot since which every stop was clean.
    pub continuous_since: u64,
    /// The last stop was clean: everything was synced, and a marker says so until the next start.
    pub stopped_cleanly: bool,
    /// Records that fail their checksums: nothing else can be said of them.
    damaged: BTreeSet<Key>,
    /// What to put back, newest last, if a crash comes before the next sync.
    unsynced: Vec<Unsynced>,
    /// Syncs are reported and not done.
    pub lies: bool,
    /// The last ticket covered by the running sync.
    syncing: Option<Ticket>,
    /// The cluster's state as kept last: a small file of its own, written and synced at once.
    pub cluster: Option<Arc<Cluster>>,
}

#[derive(Clone, Debug)]
struct Unsynced {
    ticket: Ticket,
    key: Key,
    before: Option<Record>,
    /// It failed its checksum before.
    was_damaged: bool,
    /// A sync that was not done has been said to cover it.
    is_claimed: bool,
}

/// The first `limit` of these records.
fn page<'a>(records: impl Iterator<Item = (&'a Key, &'a Record)>, limit: u32) -> Page {
    let mut records = records.map(|(key, record)| (key.clone(), record.siblings.clone()));
    let page: Vec<(Key, Siblings)> = records.by_ref().take(limit as usize).collect();
    let next = records.next().and_then(|_| page.last().map(|(key, _)| key.clone()));
    Page { records: page, next }
}

impl Disk {
    /// An empty disk of a node in a ring of `partitions`.
    pub fn new(store: StoreId, partitions: u32) -> Self {
        Self {
            store,
            boots: 0,
            continuous_since: 0,
            stopped_cleanly: false,
            records: BTreeMap::new(),
            trees: BTreeMap::new(),
            partitions,
            tombstones: BTreeSet::new(),
            owed: BTreeMap::new(),
            damaged: BTreeSet::new(),
            unsynced: Vec::new(),
            lies: false,
            syncing: None,
            cluster: None,
        }
    }

    /// Everything that is kept of `key`.
    pub fn record(&self, key: &Key) -> Option<&Record> {
        self.records.get(key)
    }

    /// The versions of `key`.
    pub fn read(&self, key: &Key) -> Siblings {
        self.records.get(key).map(|record| record.siblings.clone()).unwrap_or_default()
    }

    /// The versions of `key` that a crash at this moment is sure to leave, as the disk has it.
    pub fn durable(&self, key: &Key) -> Siblings {
        match self.unsynced.iter().find(|entry| !entry.is_claimed && entry.key == *key) {
            Some(entry) => entry.before.as_ref().map(|record| record.siblings.clone()).unwrap_or_default(),
            None => self.read(key),
        }
    }

    /// The partitions whose trees differ from ones that are built anew.
    pub fn wrong_trees(&self) -> Vec<Partition> {
        let mut built: BTreeMap<Partition, MerkleTree> = BTreeMap::new();
        for (key, record) in &self.records {
            let tree = built.entry(key.token().partition(self.partitions)).or_default();
            tree.replace(key, &Siblings::default(), &record.siblings, self.partitions);
        }
        let empty = MerkleTree::default();
        let tree =
            |of: &BTreeMap<Partition, MerkleTree>, partition| of.get(partition).unwrap_or(&empty).clone();
        let all: BTreeSet<&Partition> = self.trees.keys().chain(built.keys()).collect();
        let wrong = all.into_iter().filter(|at| tree(&self.trees, at) != tree(&built, at));
        wrong.copied().collect()
    }

    /// A tree forgets one key that is stored: what `TreeTruth` must find.
    #[cfg(test)]
    pub fn forget_in_trees(&mut self, key: &Key) {
        let held = self.read(key);
        if let Some(tree) = self.trees.get_mut(&key.token().partition(self.partitions)) {
            tree.replace(key, &held, &Siblings::default(), self.partitions);
        }
    }

    /// The keys owed to each home.
    pub fn owed(&self) -> &BTreeMap<NodeId, BTreeSet<Key>> {
        &self.owed
    }

    /// How many keys it holds nothing but tombstones of, and owes to nobody.
    pub fn tombstones(&self) -> usize {
        self.tombstones.len()
    }

    /// The keys of which something is held.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.records.keys()
    }

    /// How many hints it holds.
    pub fn hints(&self) -> usize {
        self.owed.values().map(BTreeSet::len).sum()
    }

    /// How much it owes to each home.
    pub fn hint_totals(&self) -> Vec<(NodeId, HintTotal)> {
        let total = |keys: &BTreeSet<Key>| HintTotal {
            keys: keys.len() as u64,
            bytes: keys.iter().map(|key| self.read(key).value_bytes()).sum(),
        };
        let owed = self.owed.iter().filter(|(_, keys)| !keys.is_empty());
        owed.map(|(home, keys)| (*home, total(keys))).collect()
    }

    /// Keys owed to `home` after `after`, at most `limit`.
    pub fn scan_hints(&self, home: NodeId, after: Option<&Key>, limit: u32) -> Vec<(Key, Siblings)> {
        let Some(keys) = self.owed.get(&home) else { return Vec::new() };
        let lower = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = keys.range((lower, Bound::Unbounded)).take(limit as usize);
        later.map(|key| (key.clone(), self.read(key))).collect()
    }

    /// The hashes of `nodes` of `partition`'s tree.
    pub fn tree_hashes(&self, partition: Partition, nodes: &[TreeNode]) -> Vec<TreeHash> {
        let empty = MerkleTree::default();
        let tree = self.trees.get(&partition).unwrap_or(&empty);
        nodes.iter().map(|node| tree.hash(*node)).collect()
    }

    /// The keys in some leaves of `partition`.
    pub fn leaf_keys(&self, partition: Partition, leaves: &[Leaf]) -> Vec<(Key, Digest)> {
        let of_leaf = |leaf: &Leaf| {
            let (first, last) = leaf.tokens(partition, self.partitions);
            let from = self.records.range(Key::before(first)..);
            // A key without versions is as if it were not there, for the trees, too.
            from.take_while(move |(key, _)| key.token() <= last)
                .filter(|(_, record)| !record.siblings.is_empty())
                .map(|(key, record)| (key.clone(), record.siblings.digest()))
        };
        leaves.iter().flat_map(of_leaf).collect()
    }

    /// A page of the records of `partition` that nobody is owed.
    pub fn scan_partition(&self, partition: Partition, after: Option<&Key>, limit: u32) -> Page {
        let bits = self.partitions.trailing_zeros();
        let first = if bits == 0 { 0 } else { u64::from(partition.0) << (64 - bits) };
        let start =
            after.map_or(Bound::Included(Key::before(Token(first))), |key| Bound::Excluded(key.clone()));
        let within = self.records.range((start, Bound::Unbounded));
        let within = within.take_while(|(key, _)| key.token().partition(self.partitions) == partition);
        page(within.filter(|(_, record)| record.owed.is_empty()), limit)
    }

    /// The partitions of which anything is held, in order.
    pub fn occupied(&self) -> Vec<Partition> {
        self.trees.keys().copied().collect()
    }

    /// What `scan` finds, with index entries by `indexer`.
    pub fn scan(&self, scan: &Scan, indexer: Indexer) -> Found {
        let records = self.records.iter().map(|(key, record)| (key, &record.siblings));
        scan.of(records, self.partitions, indexer)
    }

    /// A page of the keys of which nothing but tombstones is held, and which nobody is owed.
    pub fn scan_tombstones(&self, after: Option<&Key>, limit: u32) -> Page {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let keys = self.tombstones.range((start, Bound::Unbounded));
        page(keys.filter_map(|key| Some((key, self.records.get(key)?))), limit)
    }

    /// What is held of `key`, by name.
    pub fn name(&self, key: &Key) -> Name {
        let record = self.records.get(key);
        Name {
            digest: record.map(|record| record.siblings.digest()),
            is_owed: record.is_some_and(|record| !record.owed.is_empty()),
        }
    }

    /// Runs `update`; it is visible at once and durable after the next sync.
    pub fn apply(&mut self, ticket: Ticket, key: &Key, update: &Update) -> Result<Change, Refused> {
        let (after, change) = update.apply(self.records.get(key))?;
        let before = self.put(key, after.as_ref());
        let was_damaged = self.damaged.remove(key);
        self.unsynced.push(Unsynced { ticket, key: key.clone(), before, was_damaged, is_claimed: false });
        Ok(change)
    }

    /// Begins a sync of everything that has taken effect, unless one is running or there is nothing to sync.
    pub fn begin_sync(&mut self) -> bool {
        if self.syncing.is_some() {
            return false;
        }
        // One that lies is told once; one that has stopped lying may have old things to sync, and does at the next one.
        self.syncing = self.unsynced.last().filter(|last| !last.is_claimed).map(|last| last.ticket);
        self.syncing.is_some()
    }

    /// The running sync is done.
    pub fn end_sync(&mut self) -> Option<Ticket> {
        let through = self.syncing.take()?;
        let synced = self.unsynced.partition_point(|entry| entry.ticket <= through);
        if self.lies {
            self.unsynced[..synced].iter_mut().for_each(|entry| entry.is_claimed = true);
        } else {
            self.unsynced.drain(..synced);
        }
        Some(through)
    }

    /// Power fails: of what was not synced, some first part survives (a record that is torn fails its checksum, and
    /// everything after it goes with it). How many updates are lost, and the keys of those that were said to be synced.
    pub fn crash(&mut self, draws: &mut Draws) -> (usize, BTreeSet<Key>) {
        let mut betrayed = BTreeSet::new();
        self.syncing = None;
        let surviving = draws.between(0, self.unsynced.len() as u64) as usize;
        let lost = self.unsynced.len() - surviving;
        while self.unsynced.len() > surviving {
            if let Some(Unsynced { key, before, was_damaged, is_claimed, .. }) = self.unsynced.pop() {
                self.put(&key, before.as_ref());
                if was_damaged {
                    self.damaged.insert(key.clone());
                }
                if is_claimed {
                    betrayed.insert(key);
                }
            }
        }
        self.unsynced.clear();
        (lost, betrayed)
    }

    /// The node stops in good order: everything is synced, and the marker is left.
    pub fn stop(&mut self) {
        self.syncing = None;
        self.unsynced.clear();
        self.stopped_cleanly = true;
    }

    /// A copy of it as a crash at this moment would leave it, less what was not synced.
    pub fn snapshot(&self) -> Self {
        let mut copy = self.clone();
        while let Some(Unsynced { key, before, was_damaged, .. }) = copy.unsynced.pop() {
            copy.put(&key, before.as_ref());
            if was_damaged {
                copy.damaged.insert(key);
            }
        }
        copy.unsynced.clear();
        copy.syncing = None;
        copy.lies = false;
        copy
    }

    /// One key is gone, and nobody is told.
    pub fn wipe_key(&mut self, key: &Key) -> bool {
        let held = self.records.contains_key(key);
        self.put(key, None);
        self.unsynced.retain(|entry| entry.key != *key);
        held
    }

    /// The record of a key fails its checksum from now on: all that is left is that it was there.
    pub fn damage_key(&mut self, key: &Key) -> bool {
        let held = self.wipe_key(key);
        if held {
            self.damaged.insert(key.clone());
        }
        held
    }

    /// The versions of `key`, for its node: what fails its checksum is served to nobody.
    pub fn load(&self, key: &Key) -> Result<Siblings, StorageError> {
        if self.is_damaged(key) { Err(StorageError::Corrupt) } else { Ok(self.read(key)) }
    }

    /// Whether the record of `key` fails its checksum.
    pub fn is_damaged(&self, key: &Key) -> bool {
        self.damaged.contains(key)
    }

    /// Keeps `record`, and what follows from it. What was there before.
    fn put(&mut self, key: &Key, record: Option<&Record>) -> Option<Record> {
        let is_tombstone = record.is_some_and(|record| !record.siblings.is_found() && record.owed.is_empty());
        if is_tombstone {
            self.tombstones.insert(key.clone());
        } else {
            self.tombstones.remove(key);
        }
        let nothing = Record::default();
        let before = match record {
            Some(record) => self.records.insert(key.clone(), record.clone()),
            None => self.records.remove(key),
        };
        let (was, is) = (before.as_ref().unwrap_or(&nothing), record.unwrap_or(&nothing));
        let tree = self.trees.entry(key.token().partition(self.partitions)).or_default();
        tree.replace(key, &was.siblings, &is.siblings, self.partitions);
        for home in was.owed.iter().filter(|home| !is.owed.contains(home)) {
            if let Some(keys) = self.owed.get_mut(home) {
                keys.remove(key);
            }
        }
        for home in &is.owed {
            self.owed.entry(*home).or_default().insert(key.clone());
        }
        before
    }
}
