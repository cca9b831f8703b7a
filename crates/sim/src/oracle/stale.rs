//! Stale reads: gets that do not show a write which was acknowledged before they began, or anything that has seen it.
//!
//! No promise, a measure: with R + W <= N, with stand-ins, and after a disk was lost, reads may be stale. A write counts from
//! the moment at which its coordinator has its quorum, a get from the moment at which a node hears of it; each attempt
//! is a get of its own. A write that is lost makes all later reads stale, until something that has seen it is read.

use std::sync::Arc;

use cartwheel_check::WriteId;
use cartwheel_core::id::{CallId, NodeId};
use cartwheel_core::{Answer, Key};

use super::reaped::Reaped;
use crate::lookup::Lookup;
use crate::workload::{Places, Truth};

/// What was acknowledged, what of that each get should show, and how many did not.
#[derive(Debug, Default)]
pub struct StaleReads {
    acked: Lookup<Key, Arc<Places>>,
    gets: Lookup<(NodeId, CallId), (Key, Arc<Places>)>,
    count: u64,
}

impl StaleReads {
    /// So many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// A put of `write` has its quorum.
    pub fn acknowledged(&mut self, truth: &Truth, key: &Key, write: WriteId) {
        let Some(place) = truth.place(write) else { return };
        // A get under way keeps what there was when it began.
        Arc::make_mut(self.acked.get_or_insert_with(key.clone(), Arc::default)).insert(place);
    }

    /// A get begins. One of a key that nobody has written cannot be stale.
    pub fn began(&mut self, call: (NodeId, CallId), key: &Key) {
        if let Some(acked) = self.acked.get(key) {
            self.gets.insert(call, (key.clone(), Arc::clone(acked)));
        }
    }

    /// It is answered.
    pub fn answered(
        &mut self,
        truth: &Truth,
        call: (NodeId, CallId),
        answer: Option<&Answer>,
        reaped: &Reaped,
    ) {
        let (Some((key, acked)), Some(answer)) = (self.gets.remove(&call), answer) else { return };
        let mut shown = truth.known_to(truth.of_siblings(&answer.siblings));
        reaped.excused(&key).into_iter().for_each(|excused| shown.join(excused));
        self.count += u64::from(!acked.is_within(&shown));
    }

    /// `node` crashed: nobody is answered any more.
    pub fn crashed(&mut self, node: NodeId) {
        self.gets.retain(|(at, _), _| *at != node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{Stage, dot, key, siblings, version};
    use cartwheel_core::version::Siblings;

    /// Gets that are answered `shown` are stale, after two concurrent writes of which the second is acknowledged late.
    fn is_stale(shown: &[u128]) -> (bool, bool) {
        let mut stage = Stage::new(3);
        let (first, second) = (stage.write(&[]), stage.write(&[]));
        let scene = stage.scene(1);
        let mut stale = StaleReads::default();
        let (before, after) = ((NodeId(1), CallId(1)), (NodeId(1), CallId(2)));
        stale.acknowledged(scene.truth, &key(), first);
        stale.began(before, &key());
        stale.acknowledged(scene.truth, &key(), second);
        stale.began(after, &key());
        let versions: Vec<_> =
            shown.iter().map(|request| version(dot(*request as u64, 1), &[], *request)).collect();
        let siblings = if versions.is_empty() { Siblings::default() } else { siblings(&versions) };
        let answer = Answer { siblings, seen: None, dot: None, by: vec![NodeId(1)] };
        let mut counts = [before, after].map(|call| {
            stale.answered(scene.truth, call, Some(&answer), &Reaped::default());
            stale.count()
        });
        counts[1] -= counts[0];
        (counts[0] == 1, counts[1] == 1)
    }

    #[test]
    fn a_get_is_stale_without_what_was_acknowledged_before_it_began() {
        assert_eq!(is_stale(&[]), (true, true));
        assert_eq!(is_stale(&[1]), (false, true));
        assert_eq!(is_stale(&[2]), (true, true));
        assert_eq!(is_stale(&[1, 2]), (false, false));
    }

    #[test]
    fn gets_of_a_node_that_crashed_are_not_counted() {
        let mut stage = Stage::new(3);
        let write = stage.write(&[]);
        let scene = stage.scene(1);
        let mut stale = StaleReads::default();
        stale.acknowledged(scene.truth, &key(), write);
        stale.began((NodeId(1), CallId(1)), &key());
        stale.crashed(NodeId(1));
        let answer = Answer { siblings: Siblings::default(), seen: None, dot: None, by: vec![] };
        stale.answered(scene.truth, (NodeId(1), CallId(1)), Some(&answer), &Reaped::default());
        assert_eq!(stale.count(), 0);
    }
}
