//! `DotUnique` and `ClockMonotone`: a dot is issued once; an actor counts by one, from 1, for one key, and is one of its
//! node, its store, and a boot since which that store was continuous.

use std::collections::BTreeMap;

use cartwheel_core::Key;
use cartwheel_core::id::{RequestId, StoreId};
use cartwheel_core::version::{Actor, Dot};

use super::{Findings, Promise, seconds};
use crate::lookup::Lookup;

/// A dot that a disk has just issued.
#[derive(Clone, Copy, Debug)]
pub struct Issued<'a> {
    /// When.
    pub at_ns: u64,
    /// Where, counted from 1.
    pub node: u32,
    /// For which key.
    pub key: &'a Key,
    /// The dot.
    pub dot: Dot,
    /// For which request.
    pub request: RequestId,
}

/// One start of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its disk.
    pub store: StoreId,
    /// Its number.
    pub boot: u64,
    /// The oldest boot whose actors may go on counting.
    pub continuous_since: u64,
}

/// All dots issued so far.
#[derive(Debug, Default)]
pub struct Dots {
    lives: BTreeMap<u32, Life>,
    issued: Lookup<(Key, Dot), (RequestId, u64)>,
    last: Lookup<(Key, Actor), u64>,
    /// A museum piece counts under an actor of nobody's on purpose. That is found by the harm it does, not by its name.
    anonymous: bool,
}

impl Dots {
    /// `anonymous`: whose actors are is not judged.
    pub fn new(anonymous: bool) -> Self {
        Self { anonymous, ..Self::default() }
    }

    /// `node` starts.
    pub fn started(&mut self, node: u32, life: Life) {
        self.lives.insert(node, life);
    }

    /// A dot is issued.
    pub fn issued(&mut self, issued: Issued<'_>, findings: &mut Findings) {
        self.judge_uniqueness(issued, findings);
        self.judge_count(issued, findings);
        if !self.anonymous {
            self.judge_owner(issued, findings);
        }
    }

    fn judge_uniqueness(&mut self, issued: Issued<'_>, findings: &mut Findings) {
        let Issued { at_ns, node, key, dot, request } = issued;
        let (first, first_ns) = *self.issued.get_or_insert_with((key.clone(), dot), || (request, at_ns));
        if first != request {
            findings.add(Promise::DotUnique, || {
                let (first, second) = (seconds(first_ns), seconds(at_ns));
                format!("n{node} issued {dot} for {key} at {second}, which named another write since {first}")
            });
        }
    }

    fn judge_count(&mut self, issued: Issued<'_>, findings: &mut Findings) {
        let Issued { at_ns, node, key, dot, .. } = issued;
        let last = self.last.get_or_insert_with((key.clone(), dot.actor), || 0);
        let before = std::mem::replace(last, dot.counter);
        if dot.counter != before + 1 {
            findings.add(Promise::ClockMonotone, || {
                let at = seconds(at_ns);
                format!(
                    "n{node} issued {dot} for {key} at {at}, but the count of that actor stood at {before}"
                )
            });
        }
    }

    fn judge_owner(&self, issued: Issued<'_>, findings: &mut Findings) {
        let Issued { at_ns, node, key, dot, .. } = issued;
        let Actor { node: owner, store, boot, .. } = dot.actor;
        let is_own = self.lives.get(&node).is_some_and(|life| {
            owner.0 == u64::from(node)
                && store == life.store
                && (life.continuous_since..=life.boot).contains(&boot)
        });
        if !is_own {
            findings.add(Promise::ClockMonotone, || {
                let (at, life) = (seconds(at_ns), self.lives.get(&node));
                let may = life.map_or_else(String::new, |life| {
                    let Life { store, boot, continuous_since } = life;
                    format!(
                        ": its store is {:x}, its boots without a break {continuous_since} to {boot}",
                        store.0
                    )
                });
                format!("n{node} issued {dot:?} for {key} at {at}, and may not count under that actor{may}")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{dot, key};
    use cartwheel_core::version::Policy;

    const LIFE: Life = Life { store: StoreId(1), boot: 1, continuous_since: 1 };

    fn judged(life: Life, dots: &[(Dot, u128)]) -> Findings {
        let (mut oracle, mut findings) = (Dots::default(), Findings::new(Policy::KeepSiblings));
        oracle.started(1, life);
        for &(dot, request) in dots {
            let request = RequestId(request);
            oracle.issued(Issued { at_ns: 5_000_000, node: 1, key: &key(), dot, request }, &mut findings);
        }
        findings
    }

    #[test]
    fn counting_by_one_is_right() {
        let findings = judged(LIFE, &[(dot(1, 1), 1), (dot(1, 2), 2), (dot(1, 3), 3)]);
        assert_eq!(findings, Findings::new(Policy::KeepSiblings));
    }

    #[test]
    fn a_dot_issued_again_names_two_writes_and_turns_the_count_back() {
        let findings = judged(LIFE, &[(dot(1, 1), 1), (dot(1, 1), 2)]);
        assert_eq!(
            findings.examples(Promise::DotUnique),
            ["n1 issued n1.1.1:1 for b/k at 0.005 s, which named another write since 0.005 s"]
        );
        assert_eq!(
            findings.examples(Promise::ClockMonotone),
            ["n1 issued n1.1.1:1 for b/k at 0.005 s, but the count of that actor stood at 1"]
        );
    }

    #[test]
    fn a_gap_is_as_wrong_as_a_step_back() {
        let findings = judged(LIFE, &[(dot(1, 1), 1), (dot(1, 3), 2)]);
        assert_eq!(findings.examples(Promise::ClockMonotone).len(), 1);
    }

    #[test]
    fn actors_of_another_node_another_disk_or_before_an_unclean_stop_are_void() {
        assert_eq!(judged(LIFE, &[(dot(2, 1), 1)]).examples(Promise::ClockMonotone).len(), 1);
        let wiped = Life { store: StoreId(2), ..LIFE };
        assert_eq!(judged(wiped, &[(dot(1, 1), 1)]).examples(Promise::ClockMonotone).len(), 1);
        let crashed = Life { boot: 2, continuous_since: 2, ..LIFE };
        assert_eq!(
            judged(crashed, &[(dot(1, 1), 1)]).examples(Promise::ClockMonotone),
            [
                "n1 issued n1.1.1.1:1 for b/k at 0.005 s, and may not count under that actor: its store is 1, its boots \
              without a break 2 to 2"
            ]
        );
        let stopped = Life { boot: 2, continuous_since: 1, ..LIFE };
        assert_eq!(judged(stopped, &[(dot(1, 1), 1)]).examples(Promise::ClockMonotone).len(), 0);
    }
}
