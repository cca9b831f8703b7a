//! `OncePerRequest`: in one life of one coordinator a request makes at most one dot, and a coordinator whose record
//! holds the request's version makes none. Nobody coordinates what it was not asked for: by a client, or by a node that
//! the client had asked and that does not do it itself.
//!
//! That is all that the core promises, and only while the record remembers: where a fault took the key away, a stand-in
//! handed its copy over, or a past was pruned, nothing is left to recognize the request by. A client that retries
//! elsewhere, or at a node that has crashed meanwhile, may find a coordinator that has not seen its write. In all these
//! cases the second dot is a sibling of the first and loses nothing: they are counted, not judged.

use std::collections::{BTreeMap, BTreeSet};

use cartwheel_core::id::{NodeId, RequestId};
use cartwheel_core::version::Dot;

use super::dots::Issued;
use super::{Findings, Promise, seconds};
use crate::lookup::Lookup;

/// A coordinator remembers so many finished requests (`request_memory_max`, which no scenario sets).
const REMEMBERED: u64 = 4_096;

/// Who made which dot for which request.
#[derive(Debug, Default)]
pub struct Once {
    made: Lookup<RequestId, Vec<Made>>,
    /// Counts starts, for each node.
    lives: BTreeMap<u32, u64>,
    /// Counts dots, for each node.
    issued: BTreeMap<u32, u64>,
    twice: BTreeSet<RequestId>,
    /// Whom clients have asked.
    by_clients: Lookup<(RequestId, NodeId), ()>,
    /// Who may coordinate: how often each has been asked to, by clients and by nodes.
    asked: Lookup<(RequestId, NodeId), u64>,
}

#[derive(Clone, Copy, Debug)]
struct Made {
    at_ns: u64,
    node: u32,
    life: u64,
    count: u64,
    dot: Dot,
}

impl Once {
    /// `node` starts, and remembers nothing.
    pub fn started(&mut self, node: u32) {
        *self.lives.entry(node).or_default() += 1;
    }

    /// A client asks `node`.
    pub fn asked(&mut self, node: NodeId, request: RequestId) {
        self.by_clients.insert((request, node), ());
        *self.asked.get_or_insert_with((request, node), || 0) += 1;
    }

    /// `node` asks `to` to coordinate. One that was asked several times may have several tries under way.
    pub fn sent_on(&mut self, node: NodeId, to: NodeId, request: RequestId) {
        let does_it = |made: &Vec<Made>| made.iter().any(|made| u64::from(made.node) == node.0);
        let asked = self.asked.get(&(request, node)).copied().unwrap_or(0);
        let may = asked > 1 || !self.made.get(&request).is_some_and(does_it);
        if may && self.by_clients.get(&(request, node)).is_some() {
            *self.asked.get_or_insert_with((request, to), || 0) += 1;
        }
    }

    /// A dot is issued; `held` is the one that the record had for the same request already. `is_forgotten` tells
    /// whether the record may no longer know what it held since a time.
    pub fn issued(
        &mut self,
        issued: Issued<'_>,
        held: Option<Dot>,
        is_forgotten: impl Fn(u64) -> bool,
        findings: &mut Findings,
    ) {
        let Issued { at_ns, node, key, dot, request } = issued;
        let count = self.issued.entry(node).or_default();
        *count += 1;
        let now = Made { at_ns, node, life: self.lives.get(&node).copied().unwrap_or(0), count: *count, dot };
        let made = self.made.get_or_insert_with(request, Vec::new);
        let earlier = made.iter().find(|made| {
            (made.node, made.life) == (now.node, now.life)
                && now.count - made.count <= REMEMBERED
                && !is_forgotten(made.at_ns)
        });
        if let Some(&Made { at_ns: before, dot: first, .. }) = earlier {
            findings.add(Promise::OncePerRequest, || {
                let (at, before) = (seconds(at_ns), seconds(before));
                format!(
                    "n{node} issued {dot} for {key} at {at}, although it had issued {first} for the same request \
                     at {before}"
                )
            });
        } else if let Some(held) = held {
            findings.add(Promise::OncePerRequest, || {
                let at = seconds(at_ns);
                format!("n{node} issued {dot} for {key} at {at}, although it held {held} of the same request")
            });
        } else if self.asked.get(&(request, NodeId(node.into()))).is_none() {
            findings.add(Promise::OncePerRequest, || {
                let who = made.first().map_or_else(
                    || "no client had asked anybody for that".to_string(),
                    |made| format!("n{} had issued {} for the same request itself", made.node, made.dot),
                );
                format!("n{node} issued {dot} for {key} at {}, although {who}", seconds(at_ns))
            });
        }
        if !made.is_empty() {
            self.twice.insert(request);
        }
        made.push(now);
    }

    /// Whether `request` made several dots.
    pub fn is_done_twice(&self, request: RequestId) -> bool {
        self.twice.contains(&request)
    }

    /// How many requests made several dots.
    pub fn done_twice(&self) -> u64 {
        self.twice.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{dot, key};
    use cartwheel_core::version::Policy;

    fn issue(oracle: &mut Once, findings: &mut Findings, node: u32, counter: u64, held: Option<Dot>) {
        let dot = dot(node.into(), counter);
        let issued = Issued { at_ns: counter * 1_000_000, node, key: &key(), dot, request: RequestId(9) };
        oracle.asked(NodeId(node.into()), issued.request);
        oracle.issued(issued, held, |_| false, findings);
    }

    #[test]
    fn nobody_coordinates_what_its_asker_coordinates_itself() {
        let (mut oracle, mut findings) = (Once::default(), Findings::new(Policy::KeepSiblings));
        let (request, names) = (RequestId(9), [1, 2, 3, 4].map(NodeId));
        let made = |oracle: &mut Once, findings: &mut Findings, node: u32| {
            let (at_ns, dot) = (u64::from(node) * 1_000_000, dot(node.into(), 1));
            oracle.issued(Issued { at_ns, node, key: &key(), dot, request }, None, |_| false, findings);
        };
        oracle.asked(names[0], request);
        oracle.sent_on(names[0], names[1], request);
        made(&mut oracle, &mut findings, 2);
        made(&mut oracle, &mut findings, 1);
        assert_eq!(findings.examples(Promise::OncePerRequest), [] as [&str; 0]);
        oracle.sent_on(names[0], names[2], request);
        made(&mut oracle, &mut findings, 3);
        let third = "n3 issued n3.1.1:1 for b/k at 0.003 s, although n2 had issued n2.1.1:1 for the same request itself";
        assert_eq!(findings.examples(Promise::OncePerRequest), [third]);
    }

    #[test]
    fn a_second_dot_is_counted_elsewhere_and_wrong_at_the_same_coordinator() {
        let (mut oracle, mut findings) = (Once::default(), Findings::new(Policy::KeepSiblings));
        issue(&mut oracle, &mut findings, 1, 1, None);
        assert_eq!(oracle.done_twice(), 0);
        issue(&mut oracle, &mut findings, 2, 1, None);
        oracle.started(1);
        issue(&mut oracle, &mut findings, 1, 2, None);
        assert_eq!(findings.examples(Promise::OncePerRequest), [] as [&str; 0]);
        assert_eq!(oracle.done_twice(), 1);
        issue(&mut oracle, &mut findings, 1, 3, None);
        assert_eq!(
            findings.examples(Promise::OncePerRequest),
            [
                "n1 issued n1.1.1:3 for b/k at 0.003 s, although it had issued n1.1.1:2 for the same request at 0.002 s"
            ]
        );
    }

    #[test]
    fn a_coordinator_that_holds_the_version_makes_no_other() {
        let (mut oracle, mut findings) = (Once::default(), Findings::new(Policy::KeepSiblings));
        issue(&mut oracle, &mut findings, 1, 1, Some(dot(2, 7)));
        assert_eq!(
            findings.examples(Promise::OncePerRequest),
            ["n1 issued n1.1.1:1 for b/k at 0.001 s, although it held n2.1.1:7 of the same request"]
        );
    }
}
