//! Which version was dropped where, for explanations.

use std::collections::{BTreeMap, BTreeSet};

use cartwheel_check::WriteId;
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Dot, Siblings, Version};

use super::seconds;
use crate::clock::since_epoch;
use crate::workload::Truth;

/// Every version that ever left a disk.
#[derive(Debug, Default)]
pub struct Drops(BTreeMap<WriteId, Vec<Dropped>>);

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
            if !survives && let Some((id, dropped)) = dropped(truth, (at_ns, node), version, after) {
                self.0.entry(id).or_default().push(dropped);
            }
        }
    }

    /// How `lost` was dropped by something whose writer had not been shown it: the rest of a sentence. A write that
    /// was rightly superseded lived on in its successor, so the trail leads on to that one.
    pub fn cause(&self, truth: &Truth, lost: WriteId) -> Option<String> {
        let mut trail = BTreeSet::new();
        let mut current = lost;
        while trail.insert(current) {
            let drops = self.0.get(&current)?;
            let is_unjust =
                |dropped: &&Dropped| dropped.by != current && !truth.has_seen(dropped.by, current);
            if let Some(unjust) = drops.iter().find(is_unjust) {
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

fn dropped(
    truth: &Truth,
    (at_ns, node): (u64, u32),
    version: &Version,
    after: &Siblings,
) -> Option<(WriteId, Dropped)> {
    let id = truth.of_version(version)?;
    let causal = after.versions().iter().find(|kept| kept.past.contains(version.dot));
    let by = causal.or(after.versions().first())?;
    let dropped = Dropped {
        at_ns,
        node,
        version: version.dot,
        written_at: version.written_at,
        by: truth.of_version(by)?,
        by_written_at: by.written_at,
        causal: causal.is_some(),
    };
    Some((id, dropped))
}
