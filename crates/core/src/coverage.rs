//! Questions that concern many keys at once: which keys has a bucket, which buckets are there, which keys have an index
//! entry. What is asked, and what the answers are made of.
//!
//! No node can answer alone. The coordinator ([`Input::Coverage`](crate::Input::Coverage)) asks for every partition one of
//! its homes, so few nodes that together hold everything: a *cover*. Each answers page by page, in order, and the
//! coordinator merges what comes into one sorted list without duplicates.
//!
//! **What a listing promises.** It is Riak's, a read with R = 1: each key is looked for at one of its homes. What that
//! home holds when it is asked is listed; a write that it missed, and that is still owed to it or that anti-entropy has
//! not brought yet, is not. A key that nobody writes or deletes during the listing, and that all its homes hold, is
//! listed exactly once. A home that lost its disk and has not recovered a partition is not asked about it.
//!
//! Terms and keys are bytes, and sorted as bytes. What a term means is the client API's business.

mod reference;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::id::{CallId, OpId};
use crate::membership::Bucket;
use crate::ring::Partition;

pub use reference::{Indexer, index_entries};

/// Most entries of one page, and of one part of an answer.
pub const ENTRIES_PER_PAGE_MAX: usize = 1_000;

/// A page that has gathered so many bytes of terms and keys takes no further entry.
pub const PAGE_BYTES_MAX: usize = 64 << 10;

/// Listings that a node coordinates at once.
pub const LISTINGS_MAX: u32 = 128;

/// How long a listing may take that names no timeout: Riak's default.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// What is looked for. Deleted keys are not there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// The buckets of a type that have a key: their names, each as the key of an [`Entry`] without a term.
    Buckets {
        /// The type.
        bucket_type: Bytes,
    },
    /// The keys of a bucket: entries without a term.
    Keys {
        /// The bucket.
        bucket: Bucket,
        /// Which keys.
        span: Span,
    },
    /// The entries of a secondary index of a bucket.
    Index {
        /// The bucket.
        bucket: Bucket,
        /// The index.
        field: Bytes,
        /// Which terms.
        span: Span,
    },
}

/// A range of terms or keys; both ends belong to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first.
    pub from: Bytes,
    /// The last; `None`: there is no end.
    pub to: Option<Bytes>,
}

impl Query {
    /// The bucket type.
    pub fn bucket_type(&self) -> &[u8] {
        match self {
            Self::Buckets { bucket_type } => bucket_type,
            Self::Keys { bucket, .. } | Self::Index { bucket, .. } => &bucket.bucket_type,
        }
    }
}

impl Span {
    /// Whether `term` is in it.
    pub fn contains(&self, term: &[u8]) -> bool {
        self.from[..] <= *term && self.to.as_ref().is_none_or(|to| *term <= to[..])
    }
}

/// One line of an answer. Sorted by term, then key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The index term; empty where no index was asked for.
    pub term: Bytes,
    /// The key, or the bucket.
    pub key: Bytes,
}

impl Entry {
    /// What it counts for in a page, in bytes.
    pub fn bytes(&self) -> usize {
        self.term.len() + self.key.len()
    }
}

/// One step of a node's answer: what its store is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scan {
    /// What is looked for.
    pub query: Query,
    /// Only keys of these partitions, in order.
    pub partitions: Arc<[Partition]>,
    /// Only entries after this one.
    pub after: Option<Entry>,
    /// At most so many; at most [`ENTRIES_PER_PAGE_MAX`] in any case.
    pub limit: u32,
}

impl Scan {
    /// Whether keys of `partition` are looked for.
    pub fn covers(&self, partition: Partition) -> bool {
        self.partitions.binary_search(&partition).is_ok()
    }
}

/// What a store found, in order, without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Found {
    /// Bounded in number and in bytes. It may be empty while there is more: a store does not look for ever.
    pub entries: Vec<Entry>,
    /// Where to go on: after this one. `None`: that was all.
    pub next: Option<Entry>,
}

/// What a client asks of a node about many keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CoverageRequest {
    /// The driver's name for the call.
    pub call: CallId,
    /// What to do.
    pub op: CoverageOp,
}

/// A listing is begun, then taken part by part. The next part is looked for when the last one has been taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CoverageOp {
    /// Begin it, and give the first part.
    Begin(Box<Listing>),
    /// The last part was taken: give the next one.
    Next,
    /// Nobody waits for it any more.
    Cancel,
}

/// What is to be listed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listing {
    /// What to look for.
    pub query: Query,
    /// Only what comes after this one.
    pub after: Option<Entry>,
    /// At most so many entries; `None`: all.
    pub limit: Option<u32>,
    /// How long it may take as a whole. `None`: [`TIMEOUT`].
    pub timeout: Option<Duration>,
}

/// A part of a listing, or why there is none. The last part, and an error, end it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CoverageReply {
    /// The call.
    pub call: CallId,
    /// What was found.
    pub result: Result<Part, CoverageError>,
}

/// Some entries, in order, all after those of the parts before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Nothing follows: there is no more, or as many as were asked for have been given.
    pub is_last: bool,
}

/// Why a listing ended before its time. What was given before stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoverageError {
    /// No home of this partition answers. Riak says `insufficient_vnodes_available`.
    Uncovered {
        /// One of those partitions.
        partition: Partition,
    },
    /// The time was up.
    Timeout,
    /// Too many listings, or too many other requests, at this node; nothing was done.
    Overloaded {
        /// The bound that was reached.
        limit: u32,
    },
    /// This node is not a member of the cluster (yet, or any more); nothing was done.
    NotAMember,
    /// There is no such bucket type; nothing was done.
    NoType,
}

impl core::fmt::Display for CoverageError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Uncovered { partition } => {
                write!(f, "no home of partition {} answers; the listing is not complete", partition.0)
            }
            Self::Timeout => write!(f, "the time was up; the listing is not complete"),
            Self::Overloaded { limit } => {
                write!(f, "too many requests at this node (limit {limit}); nothing was done")
            }
            Self::NotAMember => write!(f, "this node is not a member of the cluster; nothing was done"),
            Self::NoType => write!(f, "there is no such active bucket type; nothing was done"),
        }
    }
}

impl core::error::Error for CoverageError {}

/// What a node and the one that covers say to each other. `op` is the latter's and is echoed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CoverageMessage {
    /// Look for this in what you hold.
    Ask {
        /// The coordinator's operation.
        op: OpId,
        /// How many homes a key of those has that are looked for.
        n: u8,
        /// What to look for.
        scan: Box<Scan>,
    },
    /// This is what I found.
    Answer {
        /// The coordinator's operation.
        op: OpId,
        /// The page.
        result: Result<Found, Refusal>,
    },
}

/// Why a node does not answer for what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It is no home of these partitions, or does not hold again what it should: others have to be asked for them.
    NotHere(Vec<Partition>),
    /// Too much in flight, or it does not know yet where it stands.
    Overloaded,
    /// Its store failed.
    StorageFailed,
}
