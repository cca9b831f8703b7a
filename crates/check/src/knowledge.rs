//! Who knew what: the ground truth that all rules rest on.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Copies, History, WriteId};

/// For each key, the writes whose versions some copy holds.
pub(crate) fn held_by_key(copies: &Copies) -> BTreeMap<&str, BTreeSet<WriteId>> {
    copies
        .iter()
        .map(|(key, copies)| {
            (key.as_str(), copies.iter().flat_map(|copy| copy.versions.iter().copied()).collect())
        })
        .collect()
}

/// `writes`, and everything that their writers had been shown, directly or through others.
pub(crate) fn known_to(history: &History, writes: &BTreeSet<WriteId>) -> BTreeSet<WriteId> {
    let mut known = BTreeSet::new();
    let mut open: Vec<WriteId> = writes.iter().copied().collect();
    while let Some(id) = open.pop() {
        if known.insert(id)
            && let Some(write) = history.write(id)
        {
            open.extend(write.seen.iter().copied().filter(|seen| !known.contains(seen)));
        }
    }
    known
}
