#[cfg(test)]
mod tests;

use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::context::Context;
use super::dot::{Actor, Dot};
use super::prune::pruned;
use super::vector::VersionVector;
use crate::datatype::DataType;
use crate::hash::Hash128;
use crate::id::RequestId;
use crate::time::WallTime;

/// What one write wrote.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Bytes that mean something to the client API only.
    Data(Bytes),
    /// A delete. It is a version like any other, so that a concurrent write survives it.
    Tombstone,
    /// A value that merges by itself.
    DataType(Arc<DataType>),
}

/// One write: immutable, named by its dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// The write's name.
    pub dot: Dot,
    /// What the writer had been shown. Never contains `dot`.
    pub past: VersionVector,
    /// The client's request that made it.
    pub request: RequestId,
    /// The coordinator's clock at that moment: for humans, and for last-write-wins.
    pub written_at: WallTime,
    /// What was written.
    pub value: Value,
}

/// How concurrent versions of a key are treated. All replicas of a bucket use the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Keep every concurrent version; the reader reconciles them.
    #[default]
    KeepSiblings,
    /// Keep the version with the latest clock, ties by dot. **Loses acknowledged writes**: a write whose
    /// coordinator's clock is behind is dropped although nobody who wrote later had seen it.
    LastWriteWins,
    /// A museum piece ([`Flaw::TieByArrival`](crate::flaw::Flaw)): last-write-wins that keeps, of versions of the same
    /// moment, the one that came first.
    LastWriteWinsFirstOfEquals,
    /// Riak's `allow_mult = false`: keep every concurrent version, so that no merge loses one, but show only the one
    /// with the latest clock, ties by dot; and let a write replace whatever its coordinator holds, as if its client had
    /// seen it. **Loses acknowledged writes**: of two that were concurrent one is never shown, and the next write
    /// replaces both.
    OneValue,
}

/// Names the exact set of versions in a state: xxh3-128 over the dots, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub u128);

/// The concurrent versions of one key, ordered by dot; no version's past contains another's dot.
///
/// Cheap to clone. A state is *closed*: one that has seen a dot (as a version or in a past) has seen every
/// earlier dot of the same actor. That makes a version vector an exact past, and holds because only whole states
/// travel between nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Siblings(Arc<[Version]>);

impl Siblings {
    /// Puts versions that came from elsewhere (a peer, a disk) in order and drops what another one supersedes.
    pub fn from_versions(mut versions: Vec<Version>) -> Self {
        versions.sort_by_key(|version| version.dot);
        versions.dedup_by_key(|version| version.dot);
        let keep: Vec<bool> = versions.iter().map(|version| !superseded(version.dot, &versions)).collect();
        let mut keep = keep.into_iter();
        versions.retain(|_| keep.next().unwrap_or(false));
        Self(Arc::from(versions))
    }

    /// The versions, ordered by dot.
    pub fn versions(&self) -> &[Version] {
        &self.0
    }

    /// Whether nothing was ever written, as far as this state knows.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is something to show a reader: a version that is not a tombstone.
    pub fn is_found(&self) -> bool {
        self.0.iter().any(|version| version.value != Value::Tombstone)
    }

    /// What a client that is shown this state has seen.
    pub fn context(&self) -> Context {
        let mut seen = VersionVector::EMPTY;
        for version in self.versions() {
            seen.join(&version.past);
            seen.insert(version.dot);
            if let Value::DataType(value) = &version.value {
                // What the value has seen is cut down nowhere, unlike a past.
                seen.join(value.clock());
            }
        }
        Context(seen)
    }

    /// The name of this exact set of versions.
    pub fn digest(&self) -> Digest {
        let mut hash = Hash128::default();
        self.versions().iter().for_each(|version| hash.add(&version.dot.to_bytes()));
        Digest(hash.value())
    }

    /// Whether both are the same set of versions: what equal [names](Self::digest) say.
    pub fn is_same_set(&self, other: &Self) -> bool {
        let [own, theirs] = [self, other].map(|state| state.0.iter().map(|version| version.dot));
        Arc::ptr_eq(&self.0, &other.0) || own.eq(theirs)
    }

    /// What a reader is shown of this under `policy`. What the reader has seen is the [context](Self::context) of the
    /// whole nevertheless: its next write replaces what it was not shown, too.
    #[must_use]
    pub fn shown(&self, policy: Policy) -> Self {
        match policy {
            Policy::KeepSiblings => self.clone(),
            _ if self.0.len() < 2 => self.clone(),
            _ => Self::latest_of(self.versions().iter()),
        }
    }

    /// How much the values take, in bytes.
    pub fn value_bytes(&self) -> u64 {
        let bytes = |version: &Version| match &version.value {
            Value::Data(data) => data.len() as u64,
            Value::Tombstone => 0,
            Value::DataType(value) => value.value_bytes(),
        };
        self.versions().iter().map(bytes).sum()
    }

    /// The highest count of `actor` that this state has seen, 0 for none. What a data type has merged it has seen, however
    /// pasts are pruned.
    pub fn counter(&self, actor: Actor) -> u64 {
        self.versions()
            .iter()
            .map(|version| {
                let own = if version.dot.actor == actor { version.dot.counter } else { 0 };
                let merged = match &version.value {
                    Value::DataType(value) => value.clock().counter(actor),
                    Value::Data(_) | Value::Tombstone => 0,
                };
                own.max(version.past.counter(actor)).max(merged)
            })
            .max()
            .unwrap_or(0)
    }

    /// The version that `request` made, if it is among the siblings.
    pub fn by_request(&self, request: RequestId) -> Option<&Version> {
        self.versions().iter().find(|version| version.request == request)
    }

    /// This state with one more write: versions in the write's past go, the others stay beside it.
    ///
    /// The dot must be new: the caller issues it (see [`Record`](crate::replica::Record)).
    #[must_use]
    pub fn with(&self, version: Version, policy: Policy) -> Self {
        assert!(!version.past.contains(version.dot), "a write is not in its own past: {:?}", version.dot);
        self.merge(&Self(Arc::new([version])), policy)
    }

    /// A museum piece: the same versions, their pasts cut down to `entries_max` entries.
    pub(crate) fn pruned(&self, entries_max: usize) -> Self {
        let cut =
            |version: &Version| Version { past: pruned(&version.past, &[], entries_max), ..version.clone() };
        Self(self.versions().iter().map(cut).collect())
    }

    /// Joins two states: commutative, associative, idempotent, and independent of clocks and of the order of
    /// arrival (under [`Policy::KeepSiblings`]; last-write-wins has the same laws, and loses writes).
    #[must_use]
    pub fn merge(&self, other: &Self, policy: Policy) -> Self {
        if Arc::ptr_eq(&self.0, &other.0) || other.is_empty() {
            return self.clone();
        }
        if self.is_empty() {
            return other.clone();
        }
        match policy {
            Policy::KeepSiblings | Policy::OneValue => self.merge_causally(other),
            Policy::LastWriteWins => self.merge_by_clock(other),
            Policy::LastWriteWinsFirstOfEquals if self.moment() == other.moment() => self.clone(),
            Policy::LastWriteWinsFirstOfEquals => self.merge_by_clock(other),
        }
    }

    fn merge_causally(&self, other: &Self) -> Self {
        let is_kept = |ours: &&Version| !superseded(ours.dot, &other.0);
        let is_added = |theirs: &&Version| {
            let is_known = self.0.binary_search_by_key(&theirs.dot, |have| have.dot).is_ok();
            !is_known && !superseded(theirs.dot, &self.0)
        };
        let kept = self.0.iter().filter(is_kept).count();
        let added = other.0.iter().filter(is_added).count();
        // Mostly one has seen all of the other, and nothing is made anew.
        if added == 0 && kept == self.0.len() {
            return self.clone();
        }
        if kept == 0 && added == other.0.len() {
            return other.clone();
        }
        let mut merged = Vec::with_capacity(kept + added);
        merged.extend(self.0.iter().filter(is_kept).cloned());
        merged.extend(other.0.iter().filter(is_added).cloned());
        merged.sort_by_key(|version| version.dot);
        Self(Arc::from(merged))
    }

    fn merge_by_clock(&self, other: &Self) -> Self {
        Self::latest_of(self.versions().iter().chain(other.versions()))
    }

    /// The latest clock of its versions.
    fn moment(&self) -> Option<WallTime> {
        self.versions().iter().map(|version| version.written_at).max()
    }

    /// The version with the latest clock, alone.
    fn latest_of<'a>(versions: impl Iterator<Item = &'a Version>) -> Self {
        let latest = versions.max_by_key(|version| (version.written_at, version.dot)).cloned();
        Self(latest.into_iter().collect())
    }
}

/// Whether some version's writer had seen `dot`.
fn superseded(dot: Dot, by: &[Version]) -> bool {
    by.iter().any(|version| version.past.contains(dot))
}
