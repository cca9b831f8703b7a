//! `SiblingBound`, as the run goes: of two siblings on one disk neither's writer had been shown the other. So a key never
//! has more siblings than it has concurrent writes.
//!
//! Two things make false siblings without losing anything, and are counted instead: a past that was pruned, and a request
//! that was done twice.

use cartwheel_check::WriteId;
use cartwheel_core::Key;
use cartwheel_core::version::{Siblings, Version};

use super::{Findings, Promise, Scene, seconds};
use crate::workload::Truth;

/// False siblings, and what explains them.
#[derive(Debug, Default)]
pub struct FalseSiblings {
    /// Writes whose pasts were cut down.
    pruned: Vec<WriteId>,
}

impl FalseSiblings {
    /// The past of `write` was cut down when it was coordinated.
    pub fn pruned(&mut self, write: WriteId) {
        self.pruned.push(write);
    }

    /// Whether a past that knew of `write` was cut down, so that it may turn up again.
    pub fn may_return(&self, truth: &Truth, write: WriteId) -> bool {
        self.pruned.iter().any(|pruned| truth.has_seen(*pruned, write))
    }

    /// A disk of `node` had `before` and has `after`.
    pub fn updated(
        &self,
        (scene, node): (&Scene<'_>, u32),
        key: &Key,
        (before, after): (&Siblings, &Siblings),
        is_done_twice: impl Fn(&Version) -> bool,
        findings: &mut Findings,
    ) {
        if after.versions().len() < 2 {
            return;
        }
        let is_new = |version: &&Version| !before.versions().iter().any(|held| held.dot == version.dot);
        for new in after.versions().iter().filter(is_new) {
            for other in after.versions().iter().filter(|other| other.dot != new.dot) {
                for (old, by) in [(new, other), (other, new)] {
                    let Some(pair) = self.false_pair(scene.truth, old, by) else { continue };
                    if !is_done_twice(old) {
                        findings
                            .add(Promise::SiblingBound, || sentence(scene.at_ns, node, key, (old, by), pair));
                    }
                }
            }
        }
    }

    fn false_pair(&self, truth: &Truth, old: &Version, by: &Version) -> Option<(WriteId, WriteId)> {
        let pair = (truth.of_version(old)?, truth.of_version(by)?);
        (truth.has_seen(pair.1, pair.0) && !self.may_return(truth, pair.0)).then_some(pair)
    }
}

fn sentence(
    at_ns: u64,
    node: u32,
    key: &Key,
    (old, by): (&Version, &Version),
    (old_id, by_id): (WriteId, WriteId),
) -> String {
    let (at, old, by) = (seconds(at_ns), old.dot, by.dot);
    format!(
        "n{node} holds {old_id} ({old}) of {key} beside {by_id} ({by}) since {at}, although the writer of {by_id} had \
         been shown it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{Stage, dot, key, siblings, version};
    use cartwheel_core::version::Policy;

    fn judged(pruned: bool, twice: bool) -> Vec<String> {
        let mut stage = Stage::new(3);
        let first = stage.write(&[]);
        let second = stage.write(&[first]);
        let mut oracle = FalseSiblings::default();
        if pruned {
            oracle.pruned(second);
        }
        let before = siblings(&[version(dot(1, 1), &[], 1)]);
        let after = siblings(&[version(dot(1, 1), &[], 1), version(dot(2, 1), &[], 2)]);
        let mut findings = Findings::new(Policy::KeepSiblings);
        let scene = stage.scene(7_000_000);
        oracle.updated((&scene, 2), &key(), (&before, &after), |_| twice, &mut findings);
        findings.examples(Promise::SiblingBound).to_vec()
    }

    #[test]
    fn a_version_whose_successor_had_seen_it_is_no_sibling() {
        assert_eq!(
            judged(false, false),
            [
                "n2 holds w1 (n1.1.1:1) of b/k beside w2 (n2.1.1:1) since 0.007 s, although the writer of w2 had been \
              shown it"
            ]
        );
    }

    #[test]
    fn pruning_and_repeated_requests_explain_it() {
        assert_eq!(judged(true, false), [] as [&str; 0]);
        assert_eq!(judged(false, true), [] as [&str; 0]);
    }
}
