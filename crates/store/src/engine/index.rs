//! The index: which keys a bucket has, and the index entries of their values.
//!
//! Changed in the batch that changes the record, so it is exact after any crash. What entries a value has is told by an
//! [`Indexer`], a pure function of the client API's; that a key is there at all is an entry, too. A marker says of which
//! format the index is, by which indexer, and after how many commits it was exact last. So one that is missing, of
//! another making, or that a release kept not up which knew of no index, is found out when the directory is opened, and
//! built anew of the records: once, before the node takes part.
//!
//! A record that cannot be read is not in an index that is built. It is indexed as soon as it is mended; what an index
//! still says of it until then is taken out then.

use std::collections::BTreeSet;
use std::ops::Bound;

use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::coverage::{Entry, Found, Indexer, PAGE_BYTES_MAX, Query, Scan, Span, index_entries};
use cartwheel_core::membership::Bucket;
use cartwheel_core::replica::Record;
use cartwheel_core::storage::StorageError;
use cartwheel_wire::{IndexKey, decode_index_key, index_key_fits, index_prefix};
use fjall::{OwnedWriteBatch, PersistMode, Readable, Snapshot};

use super::{Engine, is_damage, stored};
use crate::error::OpenError;

/// In `meta`: what the index is, and as of which commit.
pub const MARKER: &str = "index";

/// Of what is in the index, and of the marker.
const FORMAT: u8 = 1;

/// Entries that one commit of the building adds.
const BUILD_BATCH: usize = 4_096;

/// A page looks at so many entries, whether or not they are of keys that are asked for.
const LOOKED_AT_MAX: usize = 16_384;

/// What index entries values have.
#[derive(Clone, Copy, Debug)]
pub struct Indexing {
    /// Tells two indexers apart: an index by another one is built anew.
    pub version: u32,
    /// The entries of one value.
    pub indexer: Indexer,
}

impl Default for Indexing {
    /// Values have no entries. Keys are listed all the same.
    fn default() -> Self {
        Self { version: 0, indexer: |_| Vec::new() }
    }
}

impl Indexing {
    /// The marker of an index that is exact after so many commits.
    pub fn marker(self, commits: u64) -> Vec<u8> {
        let mut marker = vec![FORMAT];
        marker.extend(self.version.to_be_bytes());
        marker.extend(commits.to_be_bytes());
        marker
    }

    /// The disk keys of all entries of `key`. Those that no disk key is long enough for are left out, loudly: client
    /// APIs refuse them.
    fn entries(self, key: &Key, record: Option<&Record>) -> BTreeSet<Bytes> {
        let Some(record) = record.filter(|record| record.siblings.is_found()) else { return BTreeSet::new() };
        let mut entries: BTreeSet<Bytes> = [IndexKey::there(key).encode()].into();
        for (field, term) in index_entries(&record.siblings, self.indexer) {
            if field.is_empty() || !index_key_fits(key, &field, &term) {
                tracing::error!(%key, bytes = term.len(), "left out an index entry that is too long");
                continue;
            }
            entries.insert(IndexKey::of(key, &field, &term).encode());
        }
        entries
    }
}

/// Where an entry stands, and what it says.
struct Place {
    key: Key,
    entry: Entry,
}

impl Engine {
    /// What `before` becoming `now` means for the index.
    pub(super) fn index_entries(
        &self,
        batch: &mut OwnedWriteBatch,
        key: &Key,
        before: Option<&Record>,
        now: Option<&Record>,
    ) {
        // Most changes are of copies that become what others are, and of what is owed.
        if before.map(|record| &record.siblings) == now.map(|record| &record.siblings) {
            return;
        }
        let (before, now) = (self.indexing.entries(key, before), self.indexing.entries(key, now));
        before.difference(&now).for_each(|entry| batch.remove(&self.index, &entry[..]));
        now.difference(&before).for_each(|entry| batch.insert(&self.index, &entry[..], []));
    }

    /// The entries of a record that cannot be read: what they are is in the index alone.
    pub(super) fn unindex_entries(&self, batch: &mut OwnedWriteBatch, key: &Key) -> Result<(), fjall::Error> {
        let prefix = index_prefix(&[key.bucket_type(), key.bucket()]);
        for entry in self.db.snapshot().prefix(&self.index, &prefix) {
            let entry = entry.key()?;
            if decode_index_key(&entry).is_ok_and(|parts| parts[4] == key.key()) {
                batch.remove(&self.index, entry);
            }
        }
        Ok(())
    }

    /// Builds the index if it is not exact, or of another making.
    pub fn complete_index(&self) -> Result<(), OpenError> {
        self.build_index().map_err(|error| match is_damage(&error) {
            true => OpenError::Blocks { path: self.path().to_owned() },
            false => OpenError::engine(self.path())(error),
        })
    }

    fn build_index(&self) -> fjall::Result<()> {
        let marker = self.meta.get(MARKER)?;
        if marker.is_some_and(|marker| marker[..] == self.indexing.marker(self.commits())[..]) {
            return Ok(());
        }
        self.meta.remove(MARKER)?;
        self.db.persist(PersistMode::SyncAll)?;
        self.index.clear()?;
        let (mut keys, mut batch, mut waiting) = (0_u64, self.db.batch(), 0);
        for entry in self.db.snapshot().iter(&self.records) {
            let (disk_key, sealed) = entry.into_inner()?;
            let Some((key, record)) = stored(&disk_key, &sealed) else { continue };
            let entries = self.indexing.entries(&key, Some(&record));
            keys += u64::from(!entries.is_empty());
            waiting += entries.len();
            entries.iter().for_each(|entry| batch.insert(&self.index, &entry[..], []));
            if waiting >= BUILD_BATCH {
                std::mem::replace(&mut batch, self.db.batch()).commit()?;
                waiting = 0;
            }
        }
        batch.insert(&self.meta, MARKER, self.indexing.marker(self.commits()));
        batch.commit()?;
        self.db.persist(PersistMode::SyncAll)?;
        if keys > 0 {
            tracing::info!(keys, "built the index of keys and of secondary indexes");
        }
        Ok(())
    }

    /// A page of what `scan` looks for.
    pub fn scan(&self, scan: &Scan) -> Result<Found, StorageError> {
        self.must_work()?;
        let snapshot = self.db.snapshot();
        match &scan.query {
            Query::Buckets { bucket_type } => self.scan_buckets(&snapshot, bucket_type, scan),
            Query::Keys { bucket, span } => self.scan_entries(&snapshot, bucket, b"", span, scan),
            Query::Index { bucket, field, span } => self.scan_entries(&snapshot, bucket, field, span, scan),
        }
    }

    fn scan_entries(
        &self,
        snapshot: &Snapshot,
        bucket: &Bucket,
        field: &[u8],
        span: &Span,
        scan: &Scan,
    ) -> Result<Found, StorageError> {
        let of_field = [&bucket.bucket_type[..], &bucket.name, field];
        let prefix = index_prefix(&of_field);
        let begins = |parts: &[&[u8]]| index_prefix(&[&of_field[..], parts].concat()).to_vec();
        let is_of_keys = field.is_empty();
        let first = if is_of_keys { begins(&[b"", &span.from]) } else { begins(&[&span.from]) };
        let after = scan.after.as_ref().map(|after| begins(&[&after.term, &after.key]));
        let from = after.filter(|after| *after >= first).map_or(Bound::Included(first), Bound::Excluded);
        let mut page = Gathering::new(scan);
        for found in snapshot.range(&self.index, (from, Bound::Unbounded)) {
            let found = found.key().map_err(|error| self.read_failed(&error))?;
            if !found.starts_with(&prefix) {
                break;
            }
            let Some(Place { key, entry }) = place(&found) else { continue };
            let spanned = if is_of_keys { &entry.key } else { &entry.term };
            if span.to.as_ref().is_some_and(|to| spanned > to) {
                break;
            }
            if page.is_full() {
                return Ok(page.cut());
            }
            page.looked_at(1, entry, self.is_asked(scan, &key));
        }
        Ok(page.end())
    }

    /// From bucket to bucket; of each as many keys as it takes to find one that is asked for.
    fn scan_buckets(
        &self,
        snapshot: &Snapshot,
        bucket_type: &[u8],
        scan: &Scan,
    ) -> Result<Found, StorageError> {
        let of_type = index_prefix(&[bucket_type]);
        let mut from = scan.after.as_ref().map_or(of_type.to_vec(), |after| beyond(bucket_type, &after.key));
        let mut page = Gathering::new(scan);
        loop {
            let Some(first) = snapshot.range(&self.index, from.clone()..).next() else {
                return Ok(page.end());
            };
            let first = first.key().map_err(|error| self.read_failed(&error))?;
            let first = first.starts_with(&of_type).then(|| place(&first)).flatten();
            let Some(Place { key, .. }) = first else { return Ok(page.end()) };
            if page.is_full() {
                return Ok(page.cut());
            }
            let (looked_at, is_asked) = self.has_asked(snapshot, key.bucket_type(), key.bucket(), scan)?;
            let entry = Entry { term: Bytes::new(), key: Bytes::copy_from_slice(key.bucket()) };
            page.looked_at(looked_at, entry, is_asked);
            from = beyond(bucket_type, key.bucket());
        }
    }

    /// Whether a bucket has a key that is asked for, and how many it took to know.
    fn has_asked(
        &self,
        snapshot: &Snapshot,
        bucket_type: &[u8],
        bucket: &[u8],
        scan: &Scan,
    ) -> Result<(usize, bool), StorageError> {
        let mut looked_at = 0;
        for found in snapshot.prefix(&self.index, index_prefix(&[bucket_type, bucket, b""])) {
            let found = found.key().map_err(|error| self.read_failed(&error))?;
            looked_at += 1;
            if place(&found).is_some_and(|place| self.is_asked(scan, &place.key)) {
                return Ok((looked_at, true));
            }
        }
        Ok((looked_at, false))
    }

    fn is_asked(&self, scan: &Scan, key: &Key) -> bool {
        let partitions = self.trees.get().map_or(0, super::Trees::partitions);
        partitions > 0 && scan.covers(key.token().partition(partitions))
    }
}

/// A page being filled.
struct Gathering {
    entries: Vec<Entry>,
    bytes: usize,
    most: usize,
    looked_at: usize,
    /// The last that was looked at.
    last: Option<Entry>,
}

impl Gathering {
    fn new(scan: &Scan) -> Self {
        Self { entries: Vec::new(), bytes: 0, most: scan.most(), looked_at: 0, last: None }
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= self.most || self.bytes >= PAGE_BYTES_MAX || self.looked_at >= LOOKED_AT_MAX
    }

    fn looked_at(&mut self, count: usize, entry: Entry, is_asked: bool) {
        self.looked_at += count;
        self.last = Some(entry.clone());
        if is_asked {
            self.bytes += entry.bytes();
            self.entries.push(entry);
        }
    }

    /// There is more.
    fn cut(self) -> Found {
        Found { entries: self.entries, next: self.last }
    }

    fn end(self) -> Found {
        Found { entries: self.entries, next: None }
    }
}

/// Sorts behind everything of a bucket, and before the next one: where a part ends, there is 00 01.
fn beyond(bucket_type: &[u8], bucket: &[u8]) -> Vec<u8> {
    let mut beyond = index_prefix(&[bucket_type, bucket]).to_vec();
    if let Some(end) = beyond.last_mut() {
        *end += 1;
    }
    beyond
}

/// What a disk key of the index stands for.
fn place(disk_key: &[u8]) -> Option<Place> {
    let parts = decode_index_key(disk_key)
        .inspect_err(|error| tracing::error!(%error, "skipped an unreadable index entry"))
        .ok()?;
    let [bucket_type, bucket, _, term, key] = parts;
    let of = Key::typed(&bucket_type, &bucket, &key);
    Some(Place { key: of, entry: Entry { term: term.into(), key: key.into() } })
}
