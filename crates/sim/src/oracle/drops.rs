//! Which version was dropped where, for explanations.

use std::collections::{BTreeMap, BTreeSet};

use cartwheel_check::WriteId;
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Dot, Siblings, Version};

use super::seconds;
use crate::clock::since_epoch;
use crate::lookup::Lookup;
use crate::workload::Truth;

/// Versions that left a disk.
#[derive(Debug, Default)]
pub struct Drops {
    /// What each write was first rightly superseded by.
    just: Lookup<WriteId, WriteId>,
    /// Those that left in favour of something whose writer had not been shown them.
    unjust: BTreeMap<WriteId, Dropped>,
}

/// One version leaving one disk.
#[derive(Debug)]
struct Dropped {
    at_ns: u64,
    node: u32,
    version: Dot,
    written_at: WallTime,
    by: WriteId,
    by_written_at: WallTime,
    causal: bool,
}

impl Drops {
    /// The disk of `node` had `before`, was given `incoming`, and has `after`.
    pub fn updated(
        &mut self,
        truth: &Truth,
        (at_ns, node): (u64, u32),
        before: &Siblings,
        incoming: &[Version],
        after: &Siblings,
    ) {
        for version in before.versions().iter().chain(incoming) {
            let survives = after.versions().iter().any(|kept| kept.dot == version.dot);
            if survives {
                continue;
            }
            let Some((id, by)) = dropped_by(truth, version, after) else { continue };
            let by_id = by.id;
            if by_id == id || truth.has_seen(by_id, id) {
                self.just.get_or_insert_with(id, || by_id);
            } else {
                self.unjust.entry(id).or_insert_with(|| Dropped::of((at_ns, node), version, by));
            }
        }
    }

    /// How `lost` was dropped by something whose writer had not been shown it: the rest of a sentence. A write that
    /// was rightly superseded lived on in its successor, so the trail leads on to that one.
    pub fn cause(&self, lost: WriteId) -> Option<String> {
        let mut trail = BTreeSet::new();
        let mut current = lost;
        while trail.insert(current) {
            if let Some(unjust) = self.unjust.get(&current) {
                let carried = (current != lost).then(|| format!("lived on in {current}, which "));
                return Some(carried.unwrap_or_default() + &unjust.sentence(current));
            }
            current = *self.just.get(&current)?;
        }
        None
    }
}

impl Dropped {
    fn of((at_ns, node): (u64, u32), version: &Version, by: By<'_>) -> Self {
        Self {
            at_ns,
            node,
            version: version.dot,
            written_at: version.written_at,
            by: by.id,
            by_written_at: by.version.written_at,
            causal: by.causal,
        }
    }

    fn sentence(&self, lost: WriteId) -> String {
        let Self { node, version, by, .. } = self;
        let (written_at, by_written_at) = (since_epoch(self.written_at), since_epoch(self.by_written_at));
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

/// What a version was dropped in favour of.
#[derive(Clone, Copy)]
struct By<'a> {
    id: WriteId,
    version: &'a Version,
    causal: bool,
}

fn dropped_by<'a>(truth: &Truth, version: &Version, after: &'a Siblings) -> Option<(WriteId, By<'a>)> {
    let id = truth.of_version(version)?;
    let causal = after.versions().iter().find(|kept| kept.past.contains(version.dot));
    let by = causal.or(after.versions().first())?;
    Some((id, By { id: truth.of_version(by)?, version: by, causal: causal.is_some() }))
}
