//! `DurableAck`: a node says "I hold it, durably" only of what a crash at this moment would leave on its disk.
//!
//! Two things may have taken a copy away since, and are no lie: a fault that destroyed it, and hint delivery, after which
//! a stand-in drops a copy that a home durably holds.

use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::version::{Dot, Siblings, Value};

use super::losses::Losses;
use super::{Findings, Promise, Scene, seconds};
use crate::workload::Truth;

/// Whether somebody who holds `held` holds `state`, or what superseded it: by its name, by a past that contains it, or,
/// as pasts are pruned, by what a data type has merged, or the writers are known to have been shown.
pub fn covers(truth: &Truth, held: &Siblings, state: &Siblings) -> bool {
    let has = |dot| has_seen(held, dot);
    let knows = |version| {
        let place = truth.of_version(version).and_then(|write| truth.place(write));
        place.is_some_and(|place| truth.known_to(truth.of_siblings(held)).contains(place))
    };
    state.versions().iter().all(|version| has(version.dot) || knows(version))
}

/// Whether `held` has `dot`, or what has seen it. What a data type has seen is pruned nowhere.
pub fn has_seen(held: &Siblings, dot: Dot) -> bool {
    held.versions().iter().any(|version| {
        let has_merged = || matches!(&version.value, Value::DataType(value) if value.clock().contains(dot));
        version.dot == dot || version.past.contains(dot) || has_merged()
    })
}

/// A state that somebody is said to hold.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Who.
    pub node: NodeId,
    /// Of which key.
    pub key: &'a Key,
    /// What.
    pub state: &'a Siblings,
    /// Since when it may have been held.
    pub since_ns: u64,
}

impl Claim<'_> {
    /// Whether it is true, or was.
    pub fn holds(&self, scene: &Scene<'_>, losses: &Losses) -> bool {
        let Self { node, key, state, since_ns } = *self;
        let is_held_by = |node| covers(scene.truth, &scene.disk(node).durable(key), state);
        is_held_by(node)
            || losses.is_lost_since(since_ns, node, key)
            || (losses.is_handed_over_since(since_ns, node, key)
                && scene.homes(key).iter().any(|home| is_held_by(*home)))
    }
}

/// `claim.node` acknowledges to `to`; `holds` says whether it may.
pub fn acknowledged(at_ns: u64, to: NodeId, claim: Claim<'_>, holds: bool, findings: &mut Findings) {
    if !holds {
        findings.add(Promise::DurableAck, || {
            let Claim { node, key, state, since_ns } = claim;
            let dots: Vec<String> =
                state.versions().iter().map(|version| version.dot.to_string()).collect();
            format!(
                "{node} acknowledged [{}] of {key} to {to} at {} (sent at {}), but a crash at that moment would have \
                 lost it",
                dots.join(" "),
                seconds(at_ns),
                seconds(since_ns)
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use crate::oracle::testing::{Stage, dot, key, siblings, version};
    use cartwheel_core::id::StoreId;
    use cartwheel_core::replica::Update;
    use cartwheel_core::storage::Ticket;
    use cartwheel_core::version::Policy;

    #[test]
    fn what_superseded_a_state_covers_it() {
        let old = siblings(&[version(dot(1, 1), &[], 1)]);
        let new = siblings(&[version(dot(2, 1), &[dot(1, 1)], 2)]);
        let covers = |held: &Siblings, state: &Siblings| covers(&Truth::default(), held, state);
        assert!(covers(&new, &old) && covers(&old, &old) && covers(&old, &Siblings::default()));
        assert!(!covers(&old, &new));
    }

    #[test]
    fn a_pruned_past_still_covers_what_its_writer_was_shown() {
        let mut stage = Stage::new(3);
        let first = stage.write(&[]);
        stage.write(&[first]);
        let old = siblings(&[version(dot(1, 1), &[], 1)]);
        let pruned = siblings(&[version(dot(2, 1), &[], 2)]);
        let truth = stage.scene(0).truth;
        assert!(covers(truth, &pruned, &old) && !covers(truth, &old, &pruned));
    }

    #[test]
    fn an_acknowledgement_before_the_sync_is_found() {
        let state = siblings(&[version(dot(1, 1), &[], 1)]);
        let mut disk = Disk::new(StoreId(1), 8);
        let merge = Update::Merge { siblings: state.clone(), owed: None, policy: Policy::KeepSiblings };
        disk.apply(Ticket(1), &key(), &merge).unwrap();
        let mut findings = Findings::new(Policy::KeepSiblings);
        let key = key();
        let claim = Claim { node: NodeId(2), key: &key, state: &state, since_ns: 1_000_000 };
        let holds = |disk: &Disk| covers(&Truth::default(), &disk.durable(&key), &state);
        acknowledged(2_000_000, NodeId(1), claim, holds(&disk), &mut findings);
        assert_eq!(
            findings.examples(Promise::DurableAck),
            [
                "n2 acknowledged [n1.1.1:1] of b/k to n1 at 0.002 s (sent at 0.001 s), but a crash at that moment \
              would have lost it"
            ]
        );
        assert!(disk.begin_sync());
        disk.end_sync();
        assert!(holds(&disk));
    }
}
