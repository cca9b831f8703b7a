//! `HandoffSafe`: nobody drops what others do not hold.
//!
//! Three things take a record off a disk. *Handoff* drops what its holder is no home of: at that moment every home, by a
//! state of the ring that is in use, durably holds a state that covers it. A *settled hint* was delivered: the home that
//! it was for durably holds what was owed. *Reaping* drops a tombstone at a home of it: at that moment nothing that it
//! superseded is on any disk. Whatever dropped it, the last durable copy of an acknowledged write is never dropped,
//! unless it is a tombstone that is reaped.
//!
//! Nobody answers for a copy that a fault took from a home after it had said that it holds it.

use std::collections::BTreeMap;

use cartwheel_check::WriteId;
use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::version::Siblings;

use super::durable::{Claim, covers};
use super::losses::Losses;
use super::{Findings, Promise, Scene, seconds};
use crate::workload::Places;

/// How long ago a home may have said that it holds what is dropped now.
const SAID_WITHIN_NS: u64 = 5_000_000_000;

/// Acknowledged writes, by key.
#[derive(Debug, Default)]
pub struct Handoffs {
    acked: BTreeMap<Key, Places>,
}

/// A record, or a hint, that leaves a disk.
#[derive(Clone, Copy, Debug)]
pub struct Removal<'a> {
    /// Whose.
    pub node: NodeId,
    /// Of which key.
    pub key: &'a Key,
    /// What was held.
    pub state: &'a Siblings,
}

impl Handoffs {
    /// `write` was acknowledged.
    pub fn acknowledged(&mut self, scene: &Scene<'_>, key: &Key, write: WriteId) {
        if let Some(place) = scene.truth.place(write) {
            self.acked.entry(key.clone()).or_default().insert(place);
        }
    }

    /// A record is dropped where it does not belong.
    pub fn handed_over(
        &self,
        scene: &Scene<'_>,
        losses: &Losses,
        removal: Removal<'_>,
        findings: &mut Findings,
    ) {
        let holds = |home| home != removal.node && held_by(scene, losses, removal, home);
        if let Some(home) = lacking(&scene.homes_by_ring(removal.key), holds) {
            findings.add(Promise::HandoffSafe, || {
                removal.sentence(scene, &format!("the home {home} does not hold it durably"))
            });
        }
        self.last_copy(scene, removal, findings);
    }

    /// A hint for `home` is settled; `is_gone`: and the record with it.
    pub fn settled(
        &self,
        scene: &Scene<'_>,
        losses: &Losses,
        (removal, is_gone): (Removal<'_>, bool),
        home: NodeId,
        findings: &mut Findings,
    ) {
        if !held_by(scene, losses, removal, home) {
            findings.add(Promise::HandoffSafe, || {
                removal.sentence(scene, &format!("{home}, which it was owed to, does not hold it durably"))
            });
        }
        if is_gone {
            self.last_copy(scene, removal, findings);
        }
    }

    /// A tombstone is dropped at a home of it.
    pub fn reaped(
        scene: &Scene<'_>,
        removal: Removal<'_>,
        may_return: impl Fn(WriteId) -> bool,
        findings: &mut Findings,
    ) {
        let superseded = scene.superseded_by(removal.state);
        for (at, held) in scene.copies(removal.key).filter(|(at, _)| *at != removal.node) {
            let older = scene.truth.of_siblings(&held).find(|write| {
                let place = scene.truth.place(*write);
                place.is_some_and(|place| superseded.contains(place)) && !may_return(*write)
            });
            if let Some(older) = older {
                findings.add(Promise::HandoffSafe, || {
                    removal.sentence(scene, &format!("{at} still holds {older}, which it superseded"))
                });
                return;
            }
        }
    }

    fn last_copy(&self, scene: &Scene<'_>, removal: Removal<'_>, findings: &mut Findings) {
        let Some(acked) = self.acked.get(removal.key) else { return };
        let mut kept = Places::default();
        for process in scene.processes.iter().filter(|process| process.exists) {
            // What is dropped is durable still, until the drop is.
            if !process.disk.read(removal.key).is_empty() {
                let durable = process.disk.durable(removal.key);
                kept.join(&scene.truth.known_to(scene.truth.of_siblings(&durable)));
            }
        }
        if let Some(write) = last(scene, removal.state, acked, &kept) {
            findings.add(Promise::HandoffSafe, || {
                removal.sentence(scene, &format!("it was the last durable copy of {write}"))
            });
        }
    }
}

/// The home that keeps the copy from being dropped: by none of the states of the ring do all homes hold it.
fn lacking(homes: &[Vec<NodeId>], holds: impl Fn(NodeId) -> bool) -> Option<NodeId> {
    let lacking = |homes: &Vec<NodeId>| homes.iter().copied().find(|home| !holds(*home));
    if homes.iter().any(|homes| lacking(homes).is_none()) { None } else { homes.last().and_then(lacking) }
}

/// A write of `state` that is acknowledged, or carries one that is, and that nobody keeps.
fn last(scene: &Scene<'_>, state: &Siblings, acked: &Places, kept: &Places) -> Option<WriteId> {
    scene.truth.of_siblings(state).find(|write| {
        let known = scene.truth.known_to([*write].into_iter());
        let is_acked = known.without(acked).count() < known.without(&Places::default()).count();
        is_acked && scene.truth.place(*write).is_some_and(|place| !kept.contains(place))
    })
}

fn held_by(scene: &Scene<'_>, losses: &Losses, removal: Removal<'_>, home: NodeId) -> bool {
    let Removal { key, state, .. } = removal;
    let since_ns = scene.at_ns.saturating_sub(SAID_WITHIN_NS);
    covers(scene.truth, &scene.disk(home).durable(key), state)
        || Claim { node: home, key, state, since_ns }.holds(scene, losses)
}

impl Removal<'_> {
    fn sentence(&self, scene: &Scene<'_>, but: &str) -> String {
        let Self { node, key, state } = self;
        let writes: Vec<String> = scene.truth.of_siblings(state).map(|write| write.to_string()).collect();
        format!("{node} dropped {} of {key} at {}, but {but}", writes.join("+"), seconds(scene.at_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{Stage, dot, siblings, version};

    const HOMES: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];

    #[test]
    fn one_home_that_lacks_it_keeps_it_from_being_dropped() {
        let other = vec![NodeId(4), NodeId(5), NodeId(6)];
        assert_eq!(lacking(&[HOMES.to_vec()], |home| home != NodeId(2)), Some(NodeId(2)));
        assert_eq!(lacking(&[HOMES.to_vec()], |_| true), None);
        assert_eq!(lacking(&[HOMES.to_vec(), other.clone()], |home| home.0 > 3), None, "the ring moved on");
        assert_eq!(lacking(&[HOMES.to_vec(), other], |home| home.0 > 1 && home.0 < 6), Some(NodeId(6)));
    }

    #[test]
    fn the_last_copy_is_that_of_what_is_acknowledged_and_nowhere_else() {
        let mut stage = Stage::new(3);
        let first = stage.write(&[]);
        let second = stage.write(&[first]);
        let scene = stage.scene(0);
        let state = siblings(&[version(dot(1, 2), &[], 2)]);
        let places = |writes: &[WriteId]| {
            let mut places = Places::default();
            writes.iter().for_each(|write| places.insert(scene.truth.place(*write).unwrap()));
            places
        };
        let last = |acked: &[WriteId], kept: &[WriteId]| last(&scene, &state, &places(acked), &places(kept));
        assert_eq!(last(&[first], &[first]), Some(second), "it carries the acknowledged one");
        assert_eq!(last(&[second], &[first, second]), None);
        assert_eq!(last(&[], &[]), None, "nobody was promised anything");
    }
}
