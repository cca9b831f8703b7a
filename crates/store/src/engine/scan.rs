//! Looking through many records at once: for hints, for a partition, for tombstones, for keys of leaves.

use std::collections::BTreeMap;
use std::ops::Bound;

use cartwheel_core::Key;
use cartwheel_core::anti_entropy::{Leaf, TreeHash, TreeNode};
use cartwheel_core::id::NodeId;
use cartwheel_core::replica::{HintTotal, Record};
use cartwheel_core::ring::{Partition, Token};
use cartwheel_core::storage::{Name, Page, StorageError};
use cartwheel_core::version::{Digest, Siblings};
use cartwheel_wire::limits::KEYS_PER_STEP_MAX;
use cartwheel_wire::{decode_key, encode_key};
use fjall::Readable;

use super::{DiskRange, Engine, hint_key, stored, token_range, tombstones, unseal_or_log};

/// A page that has gathered values of so many bytes takes no further record.
const PAGE_BYTES_MAX: u64 = 1 << 20;

/// What is held of one partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Keys.
    pub records: u64,
    /// Those of them that have nothing but tombstones.
    pub tombstones: u64,
    /// Those of them that are owed to another node.
    pub owed: u64,
    /// Bytes of all values.
    pub bytes: u64,
    /// The root of its hash tree: equal where the same versions of the same keys are held. Nothing where no tree could be made.
    pub root: Option<TreeHash>,
}

impl Engine {
    /// The keys in some leaves of `partition`, each with the name of its versions. Too many for one message are an
    /// error.
    pub fn leaf_keys(
        &self,
        partition: Partition,
        leaves: &[Leaf],
    ) -> Result<Vec<(Key, Digest)>, StorageError> {
        let trees = self.trees_of(partition)?;
        let snapshot = self.db.snapshot();
        let mut keys = Vec::new();
        for leaf in leaves {
            let (first, last) = leaf.tokens(partition, trees.partitions());
            for entry in snapshot.range(&self.records, token_range(first, last)) {
                let (disk_key, sealed) = entry.into_inner().map_err(|error| self.read_failed(&error))?;
                let stored = stored(&disk_key, &sealed).filter(|(_, record)| !record.siblings.is_empty());
                keys.extend(stored.map(|(key, record)| (key, record.siblings.digest())));
                if keys.len() > KEYS_PER_STEP_MAX {
                    return Err(StorageError::Failed);
                }
            }
        }
        Ok(keys)
    }

    /// How much is owed to each home.
    pub fn hint_totals(&self) -> Result<Vec<(NodeId, HintTotal)>, StorageError> {
        let mut totals: BTreeMap<NodeId, HintTotal> = BTreeMap::new();
        let snapshot = self.db.snapshot();
        let everything = (Bound::<Vec<u8>>::Unbounded, Bound::Unbounded);
        for entry in snapshot.range(&self.hints, everything) {
            let hint = entry.key().map_err(|error| self.read_failed(&error))?;
            let Some((home, disk_key)) = hint.split_first_chunk::<8>() else { continue };
            let home = NodeId(u64::from_be_bytes(*home));
            let sealed = snapshot.get(&self.records, disk_key).map_err(|error| self.read_failed(&error))?;
            let Some((_, siblings)) = hinted(home, disk_key, sealed.as_deref()) else { continue };
            let total = totals.entry(home).or_default();
            total.keys += 1;
            total.bytes += siblings.value_bytes();
        }
        Ok(totals.into_iter().collect())
    }

    /// Keys owed to `home` with their versions, in key order, after `after`; fewer than `limit` only at the end.
    pub fn scan_hints(
        &self,
        home: NodeId,
        after: Option<&Key>,
        limit: u32,
    ) -> Result<Vec<(Key, Siblings)>, StorageError> {
        if self.is_fenced() {
            return Err(StorageError::Failed);
        }
        let prefix = home.0.to_be_bytes();
        let from = match after {
            Some(key) => Bound::Excluded(hint_key(home, &encode_key(key))),
            None => Bound::Included(prefix.to_vec()),
        };
        // One snapshot for index and records: what the index names is there.
        let snapshot = self.db.snapshot();
        let mut owed = Vec::new();
        for entry in snapshot.range(&self.hints, (from, Bound::Unbounded)) {
            let hint = entry.key().map_err(|error| self.read_failed(&error))?;
            let Some(disk_key) = hint.strip_prefix(&prefix).filter(|_| owed.len() < limit as usize) else {
                break;
            };
            let sealed = snapshot.get(&self.records, disk_key).map_err(|error| self.read_failed(&error))?;
            owed.extend(hinted(home, disk_key, sealed.as_deref()));
        }
        Ok(owed)
    }

    /// A page of the records of `partition` that nobody is owed, in key order.
    pub fn scan_partition(
        &self,
        partition: Partition,
        after: Option<&Key>,
        limit: u32,
    ) -> Result<Page, StorageError> {
        let (from, to) = self.range_of(partition)?;
        let from = after.map_or(from, |key| Bound::Excluded(encode_key(key).to_vec()));
        let mut page = Gathering::new(limit);
        let snapshot = self.db.snapshot();
        for entry in snapshot.range(&self.records, (from, to)) {
            let (disk_key, sealed) = entry.into_inner().map_err(|error| self.read_failed(&error))?;
            let Some((key, record)) = stored(&disk_key, &sealed) else { continue };
            if record.owed.is_empty() && !page.takes(key, record.siblings) {
                break;
            }
        }
        Ok(page.end())
    }

    /// A page of the keys of which nothing but tombstones is stored, and which nobody is owed, in key order.
    pub fn scan_tombstones(&self, after: Option<&Key>, limit: u32) -> Result<Page, StorageError> {
        self.must_work()?;
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(encode_key(key).to_vec()));
        let mut page = Gathering::new(limit);
        // One snapshot for index and records.
        let snapshot = self.db.snapshot();
        for entry in snapshot.range(&self.tombstones, (from, Bound::Unbounded)) {
            let disk_key = entry.key().map_err(|error| self.read_failed(&error))?;
            let sealed = snapshot.get(&self.records, &disk_key).map_err(|error| self.read_failed(&error))?;
            let Some((key, record)) = sealed.and_then(|sealed| stored(&disk_key, &sealed)) else { continue };
            // An index that an older release did not keep up names too much: only the record counts.
            if tombstones::is_reapable(&record) && !page.takes(key, record.siblings) {
                break;
            }
        }
        Ok(page.end())
    }

    /// What is stored of each of `keys`, by name.
    pub fn names(&self, keys: &[Key]) -> Result<Vec<Name>, StorageError> {
        let name = |record: Record| Name {
            digest: (!record.siblings.is_empty()).then(|| record.siblings.digest()),
            is_owed: !record.owed.is_empty(),
        };
        keys.iter().map(|key| Ok(name(self.read(key)?.unwrap_or_default()))).collect()
    }

    /// The partitions of which anything is stored, in order. One seek for each.
    pub fn occupied(&self) -> Result<Vec<Partition>, StorageError> {
        let partitions = self.trees.get().ok_or(StorageError::Failed)?.partitions();
        let snapshot = self.db.snapshot();
        let (mut occupied, mut next) = (Vec::new(), Partition(0));
        while next.0 < partitions {
            let (from, _) = self.range_of(next)?;
            let Some(entry) = snapshot.range(&self.records, (from, Bound::Unbounded)).next() else { break };
            let disk_key = entry.key().map_err(|error| self.read_failed(&error))?;
            // Whatever cannot be read counts, too.
            let token = disk_key
                .first_chunk::<8>()
                .map_or(Token(u64::MAX), |token| Token(u64::from_be_bytes(*token)));
            let partition = token.partition(partitions).max(next);
            occupied.push(partition);
            next = Partition(partition.0 + 1);
        }
        Ok(occupied)
    }

    /// What is held of each partition. Reads everything.
    pub fn holdings(&self) -> Result<Vec<Holding>, StorageError> {
        let partitions = self.trees.get().ok_or(StorageError::Failed)?.partitions();
        (0..partitions).map(|partition| self.holding(Partition(partition))).collect()
    }

    fn holding(&self, partition: Partition) -> Result<Holding, StorageError> {
        let trees = self.trees.get().ok_or(StorageError::Failed)?;
        let root = trees.knows(partition).then(|| trees.hashes(partition, &[TreeNode::ROOT])[0]);
        let mut holding = Holding { root, ..Holding::default() };
        for entry in self.db.snapshot().range(&self.records, self.range_of(partition)?) {
            let (disk_key, sealed) = entry.into_inner().map_err(|error| self.read_failed(&error))?;
            let Some((_, record)) = stored(&disk_key, &sealed) else { continue };
            holding.records += 1;
            holding.tombstones += u64::from(!record.siblings.is_found());
            holding.owed += u64::from(!record.owed.is_empty());
            holding.bytes += record.siblings.value_bytes();
        }
        Ok(holding)
    }

    /// The disk keys of `partition`, whether this node is a home of it or not.
    fn range_of(&self, partition: Partition) -> Result<DiskRange, StorageError> {
        self.must_work()?;
        let partitions = self.trees.get().ok_or(StorageError::Failed)?.partitions();
        if partition.0 >= partitions {
            return Err(StorageError::Failed);
        }
        let (first, _): (Token, _) = Leaf(0).tokens(partition, partitions);
        let (_, last) = Leaf(u16::MAX).tokens(partition, partitions);
        Ok(token_range(first, last))
    }

    pub(super) fn must_work(&self) -> Result<(), StorageError> {
        if self.is_fenced() { Err(StorageError::Failed) } else { Ok(()) }
    }
}

/// A page being filled, bounded in number and in bytes; the first record always fits.
struct Gathering {
    page: Page,
    limit: usize,
    bytes: u64,
}

impl Gathering {
    fn new(limit: u32) -> Self {
        Self { page: Page { records: Vec::new(), next: None }, limit: (limit as usize).max(1), bytes: 0 }
    }

    /// Takes a record; `false` if it is one too many, and so the proof that there is another page.
    fn takes(&mut self, key: Key, siblings: Siblings) -> bool {
        let Page { records, next } = &mut self.page;
        if records.len() >= self.limit || self.bytes >= PAGE_BYTES_MAX {
            *next = records.last().map(|(key, _)| key.clone());
            return false;
        }
        self.bytes += siblings.value_bytes();
        records.push((key, siblings));
        true
    }

    fn end(self) -> Page {
        self.page
    }
}

/// A hint of the index. One that cannot be followed is passed over, loudly: it must not keep the others from being
/// delivered.
fn hinted(home: NodeId, disk_key: &[u8], sealed: Option<&[u8]>) -> Option<(Key, Siblings)> {
    let key = decode_key(disk_key)
        .inspect_err(|error| tracing::error!(%home, %error, "skipped a hint for an unreadable key"))
        .ok()?;
    let Some(sealed) = sealed else {
        tracing::error!(%home, %key, "skipped a hint without a record");
        return None;
    };
    let record = unseal_or_log(&key, disk_key, sealed).ok()?;
    Some((key, record.siblings))
}
