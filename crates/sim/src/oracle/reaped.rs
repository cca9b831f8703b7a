//! `NoResurrect`, as the run goes: once a tombstone was reaped by everybody, nothing that it had superseded comes to any
//! disk again.
//!
//! Until then a copy of the tombstone is left that keeps older versions down. Whoever has reaped one has nothing to show
//! of what it had seen, and need not have: gets are not blamed for that. An old copy of a disk that is put back may bring
//! anything back that was reaped before; so may a version whose past was pruned, and a request done twice.

use std::collections::BTreeMap;

use cartwheel_check::WriteId;
use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::version::Siblings;

use super::{Findings, Promise, Scene, seconds};
use crate::workload::{Places, Truth};

/// Tombstones that were reaped.
#[derive(Debug, Default)]
pub struct Reaped {
    keys: BTreeMap<Key, Known>,
    /// Those that were reaped before an old copy of a disk was put back.
    undone: Vec<WriteId>,
}

#[derive(Debug, Default)]
struct Known {
    /// All that tombstones had seen that were reaped anywhere, and themselves.
    excused: Places,
    tombstones: Vec<WriteId>,
    /// Reaped by somebody, and not yet known to be by everybody.
    open: Vec<Siblings>,
    /// What those had superseded that were reaped by everybody.
    gone: Places,
}

impl Reaped {
    /// Somebody reaps `tombstone`.
    pub fn reaped(&mut self, scene: &Scene<'_>, key: &Key, tombstone: &Siblings) {
        let known = self.keys.entry(key.clone()).or_default();
        known.excused.join(&scene.truth.known_to(scene.truth.of_siblings(tombstone)));
        if !known.open.contains(tombstone) {
            known.open.push(tombstone.clone());
            known.tombstones.extend(scene.truth.of_siblings(tombstone));
        }
    }

    /// What nobody need show of `key` any more.
    pub fn excused(&self, key: &Key) -> Option<&Places> {
        self.keys.get(key).map(|known| &known.excused)
    }

    /// An old copy of a disk is put back.
    pub fn disk_restored(&mut self) {
        for known in self.keys.values_mut() {
            self.undone.append(&mut known.tombstones);
            known.open.clear();
            known.gone = Places::default();
        }
    }

    /// Whether an old copy of a disk may have brought `write` back after its tombstone was reaped.
    pub fn may_return(&self, truth: &Truth, write: WriteId) -> bool {
        self.undone.iter().any(|tombstone| truth.has_seen(*tombstone, write))
    }

    /// The disk of `node` is given `incoming`, and then has `after`.
    pub fn merged(
        &mut self,
        scene: &Scene<'_>,
        node: NodeId,
        key: &Key,
        (incoming, after): (&Siblings, &Siblings),
        may_return: impl Fn(WriteId) -> bool,
        findings: &mut Findings,
    ) {
        let Some(known) = self.keys.get_mut(key) else { return };
        known.close(scene, &scene.copies(key).map(|(_, held)| held).collect::<Vec<_>>());
        let found = [incoming, after].into_iter().find_map(|state| known.returned(scene, state, &may_return));
        if let Some(write) = found {
            findings.add(Promise::NoResurrect, || {
                format!(
                    "{write} of {key} came to {node} at {}: it had been deleted, and the tombstone was reaped by everybody",
                    seconds(scene.at_ns)
                )
            });
        }
    }
}

impl Known {
    /// Which tombstones are on none of the disks any more, nor anything that has seen them?
    fn close(&mut self, scene: &Scene<'_>, disks: &[Siblings]) {
        let held = scene.truth.known_to(disks.iter().flat_map(|held| scene.truth.of_siblings(held)));
        let is_held = |tombstone: &Siblings| {
            let places = scene.truth.of_siblings(tombstone).filter_map(|write| scene.truth.place(write));
            places.into_iter().any(|place| held.contains(place))
        };
        let (open, closed) = std::mem::take(&mut self.open).into_iter().partition(is_held);
        self.open = open;
        let closed: Vec<Siblings> = closed;
        closed.iter().for_each(|tombstone| self.gone.join(&scene.superseded_by(tombstone)));
    }

    fn returned(
        &self,
        scene: &Scene<'_>,
        state: &Siblings,
        may_return: impl Fn(WriteId) -> bool,
    ) -> Option<WriteId> {
        scene.truth.of_siblings(state).find(|write| {
            scene.truth.place(*write).is_some_and(|place| self.gone.contains(place)) && !may_return(*write)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{Stage, dot, key, siblings, version};
    use cartwheel_core::version::Policy;

    /// What is found when `incoming` reaches a disk after the second write, a tombstone over the first, was reaped.
    fn found(incoming: u128, left: &[u128], excused: bool) -> Vec<String> {
        let mut stage = Stage::new(3);
        let first = stage.write(&[]);
        stage.write(&[first]);
        let state = |request: u128| siblings(&[version(dot(1, request as u64), &[], request)]);
        let scene = stage.scene(2_000_000);
        let (mut oracle, mut findings) = (Reaped::default(), Findings::new(Policy::KeepSiblings));
        oracle.reaped(&scene, &key(), &state(2));
        let left: Vec<Siblings> = left.iter().map(|request| state(*request)).collect();
        oracle.keys.get_mut(&key()).unwrap().close(&scene, &left);
        if excused {
            oracle.disk_restored();
        }
        let states = (&state(incoming), &state(incoming));
        oracle.merged(&scene, NodeId(3), &key(), states, |_| false, &mut findings);
        findings.examples(Promise::NoResurrect).to_vec()
    }

    #[test]
    fn what_was_reaped_by_everybody_does_not_come_back() {
        assert_eq!(
            found(1, &[], false),
            [
                "w1 of b/k came to n3 at 0.002 s: it had been deleted, and the tombstone was reaped by everybody"
            ]
        );
        assert_eq!(found(2, &[], false), [] as [&str; 0], "the tombstone itself may, and is reaped again");
        assert_eq!(found(1, &[], true), [] as [&str; 0], "an old disk was put back");
    }
}
