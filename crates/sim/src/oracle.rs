//! Oracles: they see inside, as the run goes. They watch every update of every disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cartwheel_check::{History, WriteId};
use cartwheel_core::Key;
use cartwheel_core::id::RequestId;
use cartwheel_core::version::{Dot, Siblings, Value, Version};

use crate::clock::since_epoch;
use crate::workload::write_id;

/// `DotUnique`, and the memory of which version was dropped where, for explanations.
#[derive(Debug, Default)]
pub struct Oracle {
    /// Dots are unique within their key.
    issued: BTreeMap<(Key, Dot), (RequestId, u64)>,
    reused: Vec<DotReused>,
    drops: BTreeMap<WriteId, Vec<Dropped>>,
}

/// A dot that names two writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DotReused {
    key: Key,
    dot: Dot,
    first_ns: u64,
    second_ns: u64,
    node: u32,
}

impl fmt::Display for DotReused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = (seconds(self.first_ns), seconds(self.second_ns));
        let Self { node, dot, key, .. } = self;
        write!(f, "n{node} issued {dot} for {key} at {second}, which named another write since {first}")
    }
}

/// One version leaving one disk.
#[derive(Debug)]
struct Dropped {
    at_ns: u64,
    node: u32,
    version: Dot,
    written_at: String,
    by: WriteId,
    by_written_at: String,
    causal: bool,
}

impl Oracle {
    /// `node` (counted from 1) issued `dot` for `request`.
    pub fn issued(&mut self, at_ns: u64, node: u32, key: &Key, dot: Dot, request: RequestId) {
        let (first, first_ns) = *self.issued.entry((key.clone(), dot)).or_insert((request, at_ns));
        if first != request {
            self.reused.push(DotReused { key: key.clone(), dot, first_ns, second_ns: at_ns, node });
        }
    }

    /// The dots that named two writes.
    pub fn reused(&self) -> &[DotReused] {
        &self.reused
    }

    /// A disk had `before`, was given `incoming`, and has `after`.
    pub fn updated(
        &mut self,
        at_ns: u64,
        node: u32,
        before: &Siblings,
        incoming: &Siblings,
        after: &Siblings,
    ) {
        for version in before.versions().iter().chain(incoming.versions()) {
            let survives = after.versions().iter().any(|kept| kept.dot == version.dot);
            if !survives && let Some(dropped) = dropped(at_ns, node, version, after) {
                self.drops.entry(dropped.0).or_default().push(dropped.1);
            }
        }
    }

    /// How `lost` was dropped by something whose writer had not been shown it: the rest of a sentence. A write that
    /// was rightly superseded lived on in its successor, so the trail leads on to that one.
    pub fn cause(&self, history: &History, lost: WriteId) -> Option<String> {
        let mut trail = BTreeSet::new();
        let mut current = lost;
        while trail.insert(current) {
            let drops = self.drops.get(&current)?;
            if let Some(unjust) = drops.iter().find(|dropped| !has_seen(history, dropped.by, current)) {
                let carried = (current != lost).then(|| format!("lived on in {current}, which "));
                return Some(carried.unwrap_or_default() + &unjust.sentence(current));
            }
            current = drops.first()?.by;
        }
        None
    }
}

impl Dropped {
    fn sentence(&self, lost: WriteId) -> String {
        let Self { node, version, written_at, by, by_written_at, .. } = self;
        let at = seconds(self.at_ns);
        if self.causal {
            format!(
                "was dropped at n{node} at {at} as already seen: its dot {version} is in the past of {by}, whose \
                 writer had never been shown it"
            )
        } else {
            format!(
                "was dropped at n{node} at {at} in favour of {by}, whose writer had never been shown it: \
                 last-write-wins keeps the later clock ({by_written_at} for {by}, {written_at} for {lost})"
            )
        }
    }
}

fn dropped(at_ns: u64, node: u32, version: &Version, after: &Siblings) -> Option<(WriteId, Dropped)> {
    let id = id_of(version)?;
    let causal = after.versions().iter().find(|kept| kept.past.contains(version.dot));
    let by = causal.or(after.versions().first())?;
    let dropped = Dropped {
        at_ns,
        node,
        version: version.dot,
        written_at: since_epoch(version.written_at),
        by: id_of(by)?,
        by_written_at: since_epoch(by.written_at),
        causal: causal.is_some(),
    };
    Some((id, dropped))
}

fn id_of(version: &Version) -> Option<WriteId> {
    match &version.value {
        Value::Data(bytes) => write_id(bytes),
        Value::Tombstone => None,
    }
}

/// Whether the writer of `by` had been shown `write`, directly or through others.
fn has_seen(history: &History, by: WriteId, write: WriteId) -> bool {
    let mut open = vec![by];
    let mut met = BTreeSet::new();
    while let Some(id) = open.pop() {
        if id == write {
            return true;
        }
        if met.insert(id)
            && let Some(operation) = history.write(id)
        {
            open.extend(operation.seen.iter().copied());
        }
    }
    false
}

fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}
