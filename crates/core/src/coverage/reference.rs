//! What a [`Scan`] means, as a pure function of everything that is stored.
//!
//! Simulated disks answer with it; the real store has indexes and is tested against it.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{ENTRIES_PER_PAGE_MAX, Entry, Found, PAGE_BYTES_MAX, Query, Scan};
use crate::key::Key;
use crate::version::{Siblings, Value};

/// The index entries that a value has: field and term. Of one that it cannot read it says nothing. Pure: what it says of
/// a value must never change, or indexes are wrong.
pub type Indexer = fn(&Bytes) -> Vec<(Bytes, Bytes)>;

impl Scan {
    /// The answer to it where `records` are stored, of a ring of `partitions`.
    pub fn of<'a>(
        &self,
        records: impl Iterator<Item = (&'a Key, &'a Siblings)>,
        partitions: u32,
        indexer: Indexer,
    ) -> Found {
        let here = records
            .filter(|(key, siblings)| siblings.is_found() && self.covers(key.token().partition(partitions)));
        let all: BTreeSet<Entry> = here.flat_map(|(key, held)| self.entries(key, held, indexer)).collect();
        let after = |entry: &Entry| self.after.as_ref().is_none_or(|after| after < entry);
        let mut rest = all.into_iter().filter(after);
        let (mut entries, mut bytes): (Vec<Entry>, usize) = (Vec::new(), 0);
        while entries.len() < self.most() && bytes < PAGE_BYTES_MAX {
            let Some(entry) = rest.next() else { break };
            bytes += entry.bytes();
            entries.push(entry);
        }
        let next = rest.next().and_then(|_| entries.last().cloned());
        Found { entries, next }
    }

    /// How many entries a page has at most.
    pub fn most(&self) -> usize {
        (self.limit as usize).clamp(1, ENTRIES_PER_PAGE_MAX)
    }

    /// The lines that one key is good for.
    fn entries(&self, key: &Key, held: &Siblings, indexer: Indexer) -> Vec<Entry> {
        let copy = Bytes::copy_from_slice;
        let is_of = |bucket: &crate::membership::Bucket| {
            (key.bucket_type(), key.bucket()) == (&bucket.bucket_type[..], &bucket.name[..])
        };
        match &self.query {
            Query::Buckets { bucket_type } if key.bucket_type() == &bucket_type[..] => {
                alloc::vec![Entry { term: Bytes::new(), key: copy(key.bucket()) }]
            }
            Query::Keys { bucket, span } if is_of(bucket) && span.contains(key.key()) => {
                alloc::vec![Entry { term: Bytes::new(), key: copy(key.key()) }]
            }
            Query::Index { bucket, field, span } if is_of(bucket) => {
                let terms = index_entries(held, indexer).into_iter();
                let terms = terms.filter(|(of, term)| of == field && span.contains(term));
                terms.map(|(_, term)| Entry { term, key: copy(key.key()) }).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The index entries of a key: those of all its concurrent values, each once.
pub fn index_entries(held: &Siblings, indexer: Indexer) -> BTreeSet<(Bytes, Bytes)> {
    let data = held.versions().iter().filter_map(|version| match &version.value {
        Value::Data(data) => Some(data),
        // Data types have none.
        _ => None,
    });
    data.flat_map(indexer).collect()
}
