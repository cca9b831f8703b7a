//! `NoLostAck`: an acknowledged write is still there, or something that was written in its knowledge is.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Copies, History, Operation, WriteId};

/// The acknowledged writes that no copy accounts for, in the order of their ids.
pub fn lost<'a>(history: &'a History, copies: &Copies) -> Vec<&'a Operation> {
    let kept = kept_by_key(history, copies);
    let is_kept =
        |write: &&Operation| kept.get(write.key.as_str()).is_some_and(|kept| kept.contains(&write.id));
    history.acked().filter(|write| !is_kept(write)).collect()
}

/// For each key, every write that a copy holds, and every write that was seen, directly or through others, by the
/// writers of those.
fn kept_by_key<'a>(history: &History, copies: &'a Copies) -> BTreeMap<&'a str, BTreeSet<WriteId>> {
    copies
        .iter()
        .map(|(key, copies)| {
            let held = copies.iter().flat_map(|copy| copy.versions.iter().copied());
            (key.as_str(), with_ancestors(history, held))
        })
        .collect()
}

fn with_ancestors(history: &History, held: impl Iterator<Item = WriteId>) -> BTreeSet<WriteId> {
    let mut kept = BTreeSet::new();
    let mut open: Vec<WriteId> = held.collect();
    while let Some(id) = open.pop() {
        if kept.insert(id)
            && let Some(write) = history.write(id)
        {
            open.extend(write.seen.iter().copied().filter(|seen| !kept.contains(seen)));
        }
    }
    kept
}
