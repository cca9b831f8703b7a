//! The conversation with the store: requests go out, completions come back in any order, or never.
//!
//! The contract, for whoever executes it:
//!
//! 1. Updates of one key take effect in the order of their tickets. A read sees every update of its key whose
//!    completion was handed to the core before the read was requested.
//! 2. Each request completes exactly once, or the node crashed.
//! 3. `Synced { through }` only after a sync that covers every update with a ticket up to and including `through`.
//! 4. After a failed sync the store refuses everything until it is reopened.
//! 5. The core bounds what is in flight ([`Config::storage_inflight_max`](crate::Config)).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::anti_entropy::{Leaf, TreeHash, TreeNode};
use crate::coverage::{Found, Scan};
use crate::id::NodeId;
use crate::key::Key;
use crate::membership::Cluster;
use crate::replica::{Change, Refused, Update};
use crate::ring::Partition;
use crate::version::{Digest, Siblings};

/// The name of one storage request; rises by one with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A request to the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StorageRequest {
    /// Its name, which the completion carries back.
    pub ticket: Ticket,
    /// What to do.
    pub op: StorageOp,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StorageOp {
    /// Read one key's versions.
    Read {
        /// The key.
        key: Key,
    },
    /// Run [`Update::apply`] on one key's record.
    Apply {
        /// The key.
        key: Key,
        /// The change.
        update: Update,
    },
    /// List keys that are owed to `home`, in key order.
    ScanHints {
        /// The node they are owed to.
        home: NodeId,
        /// Only keys after this one.
        after: Option<Key>,
        /// At most so many.
        limit: u32,
    },
    /// The hashes of nodes of a partition's [`MerkleTree`](crate::anti_entropy::MerkleTree), which equals what is
    /// stored at all times.
    TreeHashes {
        /// The partition.
        partition: Partition,
        /// The nodes.
        nodes: Vec<TreeNode>,
    },
    /// The keys stored in some leaves of a partition.
    LeafKeys {
        /// The partition.
        partition: Partition,
        /// The leaves.
        leaves: Vec<Leaf>,
    },
    /// A page of the records of a partition that nobody is owed, in key order.
    ScanPartition {
        /// The partition.
        partition: Partition,
        /// Only keys after this one.
        after: Option<Key>,
        /// At most so many.
        limit: u32,
    },
    /// A page of the keys of which nothing but tombstones is stored, and which nobody is owed, in key order.
    ScanTombstones {
        /// Only keys after this one.
        after: Option<Key>,
        /// At most so many.
        limit: u32,
    },
    /// What is stored of each of these keys, by name.
    Names {
        /// The keys.
        keys: Vec<Key>,
    },
    /// Keep the cluster's state, in place of the one before.
    SaveCluster {
        /// The state.
        cluster: Arc<Cluster>,
    },
    /// The partitions of which anything is stored.
    Occupied,
    /// A page of the keys, buckets or index entries of what is stored, those of keys of which nothing but tombstones is
    /// stored left out.
    Scan {
        /// Which.
        scan: Box<Scan>,
    },
}

/// A page of records.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// The records' keys and versions. Bounded in bytes as well as in number, but never empty while there is more.
    pub records: Vec<(Key, Siblings)>,
    /// Where the next page starts: after this key. `None`: this was the last page.
    pub next: Option<Key>,
}

/// What is stored of one key, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The name of its versions; `None`: nothing is stored.
    pub digest: Option<Digest>,
    /// Whether somebody is owed it.
    pub is_owed: bool,
}

/// What the store answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StorageCompletion {
    /// Answer to [`StorageOp::Read`]. A key that is not stored has no versions.
    Read {
        /// The request.
        ticket: Ticket,
        /// The versions stored.
        result: Result<Siblings, StorageError>,
    },
    /// Answer to [`StorageOp::Apply`]: done, visible to later reads, **not yet durable**.
    Applied {
        /// The request.
        ticket: Ticket,
        /// What the update did. An error or a refusal is final: no `Synced` is awaited for it.
        result: Result<Result<Change, Refused>, StorageError>,
    },
    /// Answer to [`StorageOp::ScanHints`].
    Hints {
        /// The request.
        ticket: Ticket,
        /// Keys owed, with their versions; fewer than asked for means that there are no more.
        result: Result<Vec<(Key, Siblings)>, StorageError>,
    },
    /// Answer to [`StorageOp::TreeHashes`].
    TreeHashes {
        /// The request.
        ticket: Ticket,
        /// One hash for each node asked for, in order.
        result: Result<Vec<TreeHash>, StorageError>,
    },
    /// Answer to [`StorageOp::LeafKeys`].
    LeafKeys {
        /// The request.
        ticket: Ticket,
        /// The keys, each with the name of its versions.
        result: Result<Vec<(Key, Digest)>, StorageError>,
    },
    /// Answer to [`StorageOp::ScanPartition`] and [`StorageOp::ScanTombstones`].
    Page {
        /// The request.
        ticket: Ticket,
        /// The page.
        result: Result<Page, StorageError>,
    },
    /// Answer to [`StorageOp::Names`].
    Names {
        /// The request.
        ticket: Ticket,
        /// One for each key asked for, in order.
        result: Result<Vec<Name>, StorageError>,
    },
    /// Answer to [`StorageOp::SaveCluster`]: durable, unlike an update that is `Applied`.
    Saved {
        /// The request.
        ticket: Ticket,
        /// Whether it is.
        result: Result<(), StorageError>,
    },
    /// Answer to [`StorageOp::Occupied`].
    Occupied {
        /// The request.
        ticket: Ticket,
        /// The partitions, in order.
        result: Result<Vec<Partition>, StorageError>,
    },
    /// Every update with a ticket up to and including `through` that was applied is durable.
    Synced {
        /// The watermark.
        through: Ticket,
    },
    /// A sync failed: updates applied but not yet synced may or may not survive. Everything is refused from now on.
    SyncFailed,
    /// Answer to [`StorageOp::Scan`].
    Found {
        /// The request.
        ticket: Ticket,
        /// The page.
        result: Result<Found, StorageError>,
    },
}

/// The store could not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageError {
    /// An I/O error, or refused after an earlier failed sync. Nothing was changed.
    Failed,
    /// What is stored under this key fails its checksum. It was not changed.
    Corrupt,
}
