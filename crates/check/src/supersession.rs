//! What was overwritten or deleted stays so: `NoResurrect`, and `SiblingBound` at the end of a run. And a write that was
//! refused was not done: `RefusedNotDone`.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Copies, History, Operation, Outcome, WriteId};
use crate::knowledge::held_by_key;

/// A version that is held beside, or instead of, one whose writer had been shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Superseded {
    /// What is held.
    pub old: WriteId,
    /// Who had been shown it.
    pub by: WriteId,
}

/// Versions that an acknowledged write had superseded, and that are shown to readers: each with the first such write.
pub fn resurrected(history: &History, copies: &Copies) -> Vec<Superseded> {
    let is_acked = |id| history.write(id).is_some_and(|write| write.outcome == Outcome::Acked);
    let mut first: BTreeMap<WriteId, WriteId> = BTreeMap::new();
    for Superseded { old, by } in superseded(history, copies) {
        if is_acked(by) {
            first.entry(old).or_insert(by);
        }
    }
    first.into_iter().map(|(old, by)| Superseded { old, by }).collect()
}

/// Versions held although the writer of another one held had been shown them, whatever either was answered.
pub fn false_siblings(history: &History, copies: &Copies) -> Vec<Superseded> {
    let held: BTreeSet<WriteId> = held_by_key(copies).into_values().flatten().collect();
    superseded(history, copies).into_iter().filter(|found| held.contains(&found.by)).collect()
}

/// Every version held, with every write whose writer had been shown it, directly or through others; in the order of
/// those writes. What is held is mostly the end of every chain, so little follows.
fn superseded(history: &History, copies: &Copies) -> Vec<Superseded> {
    let held: BTreeSet<WriteId> = held_by_key(copies).into_values().flatten().collect();
    let mut knows: BTreeMap<WriteId, BTreeSet<WriteId>> = BTreeMap::new();
    loop {
        let before: usize = knows.values().map(BTreeSet::len).sum();
        for write in history.writes().filter(|write| !write.seen.is_empty()) {
            let own = write.seen.intersection(&held).copied();
            let through = write.seen.iter().filter_map(|seen| knows.get(seen)).flatten().copied();
            let known: BTreeSet<WriteId> = own.chain(through).collect();
            if !known.is_empty() {
                knows.entry(write.id).or_default().extend(known);
            }
        }
        if knows.values().map(BTreeSet::len).sum::<usize>() == before {
            break;
        }
    }
    let pairs =
        |(by, olds): (WriteId, BTreeSet<WriteId>)| olds.into_iter().map(move |old| Superseded { old, by });
    knows.into_iter().flat_map(pairs).collect()
}

/// Writes that are held although their clients were told that they were not done.
pub fn refused_but_done<'a>(history: &'a History, copies: &Copies) -> Vec<&'a Operation> {
    let held = held_by_key(copies).into_values().flatten();
    held.filter_map(|id| history.write(id)).filter(|write| write.outcome == Outcome::Refused).collect()
}
