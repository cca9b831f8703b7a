//! `NoLostAck`: an acknowledged write is still there, or something that was written in its knowledge is.
//!
//! A delete is a write like any other, with one freedom: its version may vanish from all replicas once nothing is left
//! that it could hold down. So a delete that is nowhere to be found is not lost exactly when nothing that it had seen is
//! there either; and what such a delete had seen is not lost. What may have come back for a reason that loses nothing (see
//! [`Insight`](crate::Insight)) tells nothing about the delete.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Copies, History, Operation, Outcome, WriteId};
use crate::knowledge::{held_by_key, known_to};

/// The acknowledged writes that nothing accounts for, in the order of their ids.
pub fn lost<'a>(
    history: &'a History,
    copies: &Copies,
    may_return: &dyn Fn(WriteId) -> bool,
) -> Vec<&'a Operation> {
    let mut held = held_by_key(copies);
    let kept: BTreeMap<&str, BTreeSet<WriteId>> =
        held.iter().map(|(key, held)| (*key, known_to(history, held))).collect();
    let is_kept =
        |write: &Operation| kept.get(write.key.as_str()).is_some_and(|kept| kept.contains(&write.id));
    let gone: Vec<&Operation> = history.acked().filter(|write| !is_kept(write)).collect();
    let keys: BTreeSet<&str> = gone.iter().map(|write| write.key.as_str()).collect();
    held.values_mut().for_each(|held| held.retain(|write| !may_return(*write)));
    let reaped = reaped(history, &held, &keys);
    gone.into_iter().filter(|write| !reaped.contains(&write.id)).collect()
}

/// Deletes in `keys` that may have been done and vanished again, and what they had seen.
fn reaped(
    history: &History,
    held: &BTreeMap<&str, BTreeSet<WriteId>>,
    keys: &BTreeSet<&str>,
) -> BTreeSet<WriteId> {
    let mut reaped = BTreeSet::new();
    for delete in history.writes().filter(|write| write.deletes && write.outcome != Outcome::Refused) {
        let key = delete.key.as_str();
        if reaped.contains(&delete.id) || !keys.contains(key) {
            continue;
        }
        let had_seen = known_to(history, &delete.seen);
        if held.get(key).is_none_or(|held| held.is_disjoint(&had_seen)) {
            reaped.insert(delete.id);
            reaped.extend(had_seen);
        }
    }
    reaped
}
