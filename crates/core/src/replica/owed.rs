//! How much this node keeps for others: bounded, so that a home that stays away cannot fill the disks of the rest.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::id::NodeId;

/// Hints for one home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HintTotal {
    /// Keys owed.
    pub keys: u64,
    /// Bytes of their values, as of when each hint was stored.
    pub bytes: u64,
}

/// Hints for every home that is owed something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owed(BTreeMap<NodeId, HintTotal>);

impl Owed {
    pub fn new(totals: &[(NodeId, HintTotal)]) -> Self {
        Self(totals.iter().copied().collect())
    }

    /// A key with values of `bytes` is owed to `home`.
    pub fn add(&mut self, home: NodeId, bytes: u64) {
        let total = self.0.entry(home).or_default();
        total.keys += 1;
        total.bytes += bytes;
    }

    /// A key is owed to `home` no longer. Its values may have grown or shrunk meanwhile; the last key settles that.
    pub fn remove(&mut self, home: NodeId, bytes: u64) {
        let Some(total) = self.0.get_mut(&home) else { return };
        total.keys = total.keys.saturating_sub(1);
        total.bytes = total.bytes.saturating_sub(bytes);
        if total.keys == 0 {
            self.0.remove(&home);
        }
    }

    /// Nothing is owed to `home`, whatever was counted.
    pub fn forget(&mut self, home: NodeId) {
        self.0.remove(&home);
    }

    /// Whether anything is owed to `home`, by this count.
    pub fn owes(&self, home: NodeId) -> bool {
        self.0.contains_key(&home)
    }

    /// Whether `home` may be owed more, when at most `bytes_max` are kept for one home. Keys without values count as
    /// one byte each.
    pub fn has_room(&self, home: NodeId, bytes_max: u64) -> bool {
        self.0.get(&home).is_none_or(|total| total.bytes.max(total.keys) < bytes_max)
    }

    pub fn totals(&self) -> Vec<(NodeId, HintTotal)> {
        self.0.iter().map(|(&home, &total)| (home, total)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_owed_no_more_than_the_bound_and_one_hint() {
        let home = NodeId(2);
        let mut owed = Owed::new(&[(home, HintTotal { keys: 1, bytes: 60 })]);
        assert!(owed.has_room(home, 100));
        owed.add(home, 60);
        assert!(!owed.has_room(home, 100));
        assert!(owed.has_room(NodeId(3), 100));
        owed.remove(home, 60);
        assert!(owed.has_room(home, 100));
        owed.remove(home, 10);
        assert_eq!(owed.totals(), []);
    }

    #[test]
    fn tombstones_take_room_too() {
        let mut owed = Owed::default();
        (0..3).for_each(|_| owed.add(NodeId(2), 0));
        assert!(owed.has_room(NodeId(2), 4) && !owed.has_room(NodeId(2), 3));
    }
}
