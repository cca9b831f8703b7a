//! What drivers have all nodes keep: entries by name, each a [`Register`] of bytes that mean nothing to the core. Pure.
//!
//! The node keeps users and grants here. One entry says one thing (one user, one grant), so that what operators say
//! on two sides of a partition is joined, and where they contradict each other one of them is believed everywhere.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use super::cluster::Cluster;
use super::register::Register;
use crate::id::NodeId;

/// Most entries of a cluster, those included that were removed: a removal must be remembered, or an old copy would undo
/// it. Sides of a partition fill it each for themselves, and then all stay.
pub const METADATA_ENTRIES_MAX: usize = 4_096;
/// Longest name of an entry, in bytes.
pub const METADATA_NAME_BYTES_MAX: usize = 1_024;
/// Names and values of all entries together, in bytes: every node keeps them in memory, and gossips them.
pub const METADATA_BYTES_MAX: usize = 256 << 10;

/// What an entry says. It may be a secret, so it is not shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opaque(pub Vec<u8>);

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({} bytes)", self.0.len())
    }
}

/// All entries, by name; one that was removed says nothing.
pub type Metadata = BTreeMap<Vec<u8>, Register<Option<Opaque>>>;

/// Why entries cannot be changed. Nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetadataError {
    /// Too many entries.
    TooMany {
        /// [`METADATA_ENTRIES_MAX`].
        limit: usize,
    },
    /// A name that is too long.
    Name {
        /// How long it is, in bytes.
        bytes: usize,
        /// [`METADATA_NAME_BYTES_MAX`].
        limit: usize,
    },
    /// All of them together are too long.
    TooLong {
        /// How long they would be, in bytes.
        bytes: usize,
        /// [`METADATA_BYTES_MAX`].
        limit: usize,
    },
}

impl Cluster {
    /// What the entry `name` says.
    pub fn metadata_of(&self, name: &[u8]) -> Option<&[u8]> {
        self.metadata.get(name)?.value.as_ref().map(|said| said.0.as_slice())
    }

    /// Changes entries, all or none; `None` removes one.
    pub fn set_metadata(
        &mut self,
        by: NodeId,
        changes: Vec<(Vec<u8>, Option<Opaque>)>,
    ) -> Result<(), MetadataError> {
        let mut after = self.metadata.clone();
        for (name, value) in changes {
            if name.len() > METADATA_NAME_BYTES_MAX {
                return Err(MetadataError::Name { bytes: name.len(), limit: METADATA_NAME_BYTES_MAX });
            }
            // To remove what is not there is no change, and nothing to remember.
            match after.get_mut(&name) {
                Some(entry) if entry.value == value => {}
                Some(entry) => entry.set(by, value),
                None if value.is_none() => {}
                None => after.entry(name).or_default().set(by, value),
            }
        }
        // What has become too much in a partition may still be made less.
        if after.len() > METADATA_ENTRIES_MAX && after.len() > self.metadata.len() {
            return Err(MetadataError::TooMany { limit: METADATA_ENTRIES_MAX });
        }
        let bytes = bytes_of(&after);
        if bytes > METADATA_BYTES_MAX && bytes > bytes_of(&self.metadata) {
            return Err(MetadataError::TooLong { bytes, limit: METADATA_BYTES_MAX });
        }
        self.metadata = after;
        Ok(())
    }

    /// Joins the entries that another node knows.
    pub(super) fn merge_metadata(&mut self, other: &Self) {
        for (name, theirs) in &other.metadata {
            match self.metadata.get_mut(name) {
                Some(ours) => ours.merge(theirs),
                None => _ = self.metadata.insert(name.clone(), theirs.clone()),
            }
        }
    }
}

fn bytes_of(entries: &Metadata) -> usize {
    let value = |entry: &Register<Option<Opaque>>| entry.value.as_ref().map_or(0, |said| said.0.len());
    entries.iter().map(|(name, entry)| name.len() + value(entry)).sum()
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { limit } => {
                write!(
                    f,
                    "{limit} users, groups, sources and grants are kept, those that were removed included; no more are allowed"
                )
            }
            Self::Name { bytes, limit } => {
                write!(f, "names of {bytes} bytes together; allowed are {limit}")
            }
            Self::TooLong { bytes, limit } => {
                write!(
                    f,
                    "all users, groups, sources and grants together would take {bytes} bytes; allowed are {limit}"
                )
            }
        }
    }
}

impl core::error::Error for MetadataError {}
