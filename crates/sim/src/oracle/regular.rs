//! `Regular`: a get shows every write that was acknowledged before it began, or something that has seen it.
//!
//! Dynamo promises that only where the two quorums must meet, and then it is one node that keeps it: a home that had
//! acknowledged the write durably and answers the get. So a get is judged by exactly those: of each home that it names
//! it must show whatever was acknowledged in that home's name before the get began. That judges all gets and puts that
//! count homes only with R + W > N, for these always share a home, and every other pair that happens to share one.
//!
//! Not entitled are: gets after operators have committed two rings at the same time; stand-ins, whose copies go home;
//! and a home that a fault robbed of its copy, of whatever was acknowledged before that. What a reaped tombstone had
//! seen need not be shown any more.

use std::sync::Arc;

use cartwheel_check::WriteId;
use cartwheel_core::id::{CallId, NodeId};
use cartwheel_core::{Answer, Key};

use super::reaped::Reaped;
use super::{Findings, Promise, Scene, seconds};
use crate::lookup::Lookup;
use crate::workload::Places;

/// What homes have acknowledged, and which gets rest on it.
#[derive(Debug, Default)]
pub struct Regular {
    /// Homes in order.
    acked: Lookup<Key, Vec<(NodeId, Arc<Acked>)>>,
    gets: Lookup<(NodeId, CallId), Began>,
    /// Operators committed on both sides of a partition: for a time there were two rings, and quorums of one need not
    /// meet those of the other. Nothing is lost, but no get is entitled any more.
    forked: bool,
}

/// What was acknowledged in the name of one home.
#[derive(Clone, Debug, Default)]
struct Acked {
    /// Any of the writes: it names their cart.
    example: Option<WriteId>,
    writes: Places,
}

#[derive(Debug)]
struct Began {
    at_ns: u64,
    key: Key,
    /// What each home had acknowledged by then.
    acked: Vec<(NodeId, Arc<Acked>)>,
}

/// A write that a get should have shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Missing {
    write: WriteId,
    home: NodeId,
}

impl Regular {
    /// A node had gone by a ring that lost against another one.
    pub fn is_forked(&mut self) {
        self.forked = true;
    }

    /// Whether what was found may have been a fork.
    pub fn was_forked(&self) -> bool {
        self.forked
    }

    /// A put of `write` is answered: the homes among `by` hold it.
    pub fn acknowledged(&mut self, scene: &Scene<'_>, key: &Key, write: WriteId, by: &[NodeId]) {
        let Some(place) = scene.truth.place(write) else { return };
        let homes = scene.homes(key);
        let of_key = self.acked.get_or_insert_with(key.clone(), Vec::new);
        for home in by.iter().filter(|node| homes.contains(node)) {
            let at = of_key.binary_search_by_key(home, |(home, _)| *home).unwrap_or_else(|at| {
                of_key.insert(at, (*home, Arc::default()));
                at
            });
            // A get under way keeps what there was when it began.
            let acked = Arc::make_mut(&mut of_key[at].1);
            acked.example = Some(write);
            acked.writes.insert(place);
        }
    }

    /// A get begins.
    pub fn began(&mut self, at_ns: u64, node: NodeId, call: CallId, key: &Key) {
        let acked = self.acked.get(key).cloned().unwrap_or_default();
        self.gets.insert((node, call), Began { at_ns, key: key.clone(), acked });
    }

    /// It is answered.
    pub fn answered(
        &mut self,
        scene: &Scene<'_>,
        (node, call): (NodeId, CallId),
        answer: Option<&Answer>,
        reaped: &Reaped,
        findings: &mut Findings,
    ) {
        let Some(began) = self.gets.remove(&(node, call)) else { return };
        let Some(answer) = answer else { return };
        let mut shown = scene.truth.known_to(scene.truth.of_siblings(&answer.siblings));
        reaped.excused(&began.key).into_iter().for_each(|excused| shown.join(excused));
        // One that was a home and is none any more answers like any stand-in.
        let asked = scene.asked_by(node, &began.key);
        let by: Vec<NodeId> = answer.by.iter().copied().filter(|home| asked.contains(home)).collect();
        let Some(Missing { write, home }) = began.missing(scene, &shown, &by) else { return };
        findings.add(Promise::Regular, || {
            let by: Vec<String> = answer.by.iter().map(ToString::to_string).collect();
            format!(
                "a read of {} that began at {} was answered by {node} at {} in the name of {} without {write}, which \
                 {home} had acknowledged before, or anything that had seen it",
                began.key,
                seconds(began.at_ns),
                seconds(scene.at_ns),
                by.join("+")
            )
        });
    }

    /// A fault took `node`'s copy of `key`, or of every key, or it was handed over: the node answers for nothing that it
    /// acknowledged before.
    pub fn lost(&mut self, node: NodeId, key: Option<&Key>) {
        match key {
            Some(key) => {
                let of_key = self.acked.get_mut(key);
                of_key.into_iter().for_each(|acked| acked.retain(|(home, _)| *home != node));
            }
            None => self.acked.change_each(|acked| acked.retain(|(home, _)| *home != node)),
        }
        self.gets.change_each(|began| {
            if key.is_none_or(|key| *key == began.key) {
                began.acked.retain(|(home, _)| *home != node);
            }
        });
    }

    /// `node` crashed: nobody is answered any more.
    pub fn crashed(&mut self, node: NodeId) {
        self.gets.retain(|(at, _), _| *at != node);
    }
}

impl Began {
    fn missing(&self, scene: &Scene<'_>, shown: &Places, by: &[NodeId]) -> Option<Missing> {
        self.acked.iter().filter(|(home, _)| by.contains(home)).find_map(|(home, acked)| {
            let place = acked.writes.without(shown).next()?;
            Some(Missing { write: scene.truth.beside(acked.example?, place)?, home: *home })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{Stage, dot, key, siblings, version};
    use cartwheel_core::version::{Policy, Siblings};

    /// A get that is answered `shown` by `by`, after `acked` was acknowledged by nodes 1 and 2.
    fn read(lost: Option<u64>, shown: &[u128], by: &[u64]) -> Vec<String> {
        let mut stage = Stage::new(3);
        let first = stage.write(&[]);
        let second = stage.write(&[first]);
        let key = key();
        let (mut oracle, mut findings) = (Regular::default(), Findings::new(Policy::KeepSiblings));
        oracle.acknowledged(&stage.scene(1), &key, second, &[NodeId(1), NodeId(2)]);
        oracle.began(2_000_000, NodeId(3), CallId(1), &key);
        if let Some(node) = lost {
            oracle.lost(NodeId(node), Some(&key));
        }
        let versions: Vec<_> =
            shown.iter().map(|request| version(dot(1, *request as u64), &[], *request)).collect();
        let siblings = if versions.is_empty() { Siblings::default() } else { siblings(&versions) };
        let answer = Answer { siblings, seen: None, dot: None, by: by.iter().copied().map(NodeId).collect() };
        let scene = stage.scene(3_000_000);
        oracle.answered(&scene, (NodeId(3), CallId(1)), Some(&answer), &Reaped::default(), &mut findings);
        findings.examples(Promise::Regular).to_vec()
    }

    #[test]
    fn a_home_that_acknowledged_a_write_shows_it() {
        assert_eq!(read(None, &[2], &[2, 3]), [] as [&str; 0]);
        assert_eq!(
            read(None, &[1], &[2, 3]),
            [
                "a read of b/k that began at 0.002 s was answered by n3 at 0.003 s in the name of n2+n3 without w2, which \
              n2 had acknowledged before, or anything that had seen it"
            ]
        );
        assert_eq!(read(None, &[], &[2, 3]).len(), 1);
    }

    #[test]
    fn who_did_not_acknowledge_or_was_robbed_owes_nothing() {
        assert_eq!(read(None, &[1], &[3]), [] as [&str; 0]);
        assert_eq!(read(Some(2), &[1], &[2, 3]), [] as [&str; 0]);
        assert_eq!(read(Some(1), &[1], &[2, 3]).len(), 1);
    }
}
