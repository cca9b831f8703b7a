//! Properties that mean nothing here: Riak has them, or somebody's application does. They are kept and shown again.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Most such properties of one bucket, or one bucket type.
pub const OTHERS_MAX: usize = 64;
/// Longest name of such a property, in bytes.
pub const OTHER_NAME_BYTES_MAX: usize = 128;
/// Names and values of one bucket, or one bucket type, together, in bytes: every node keeps all of them in memory, and
/// gossips them.
pub const OTHERS_BYTES_MAX: usize = 2_048;
/// The same of all buckets and bucket types of a cluster.
pub const OTHERS_BYTES_OF_ALL_MAX: usize = 256 << 10;

/// Properties by name, each with what was set, as JSON text. Bytes, as far as the core is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Others(BTreeMap<Vec<u8>, Vec<u8>>);

impl Others {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What `name` was set to.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Sets one.
    pub fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.0.insert(name, value);
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Names and values together, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// The length of the longest name, in bytes.
    pub(super) fn longest_name(&self) -> usize {
        self.0.keys().map(Vec::len).max().unwrap_or(0)
    }

    /// These, and what `before` has that is not set here.
    pub(super) fn over(mut self, before: &Self) -> Self {
        for (name, value) in &before.0 {
            if !self.0.contains_key(name) {
                self.0.insert(name.clone(), value.clone());
            }
        }
        self
    }
}

impl FromIterator<(Vec<u8>, Vec<u8>)> for Others {
    fn from_iter<I: IntoIterator<Item = (Vec<u8>, Vec<u8>)>>(others: I) -> Self {
        Self(others.into_iter().collect())
    }
}
