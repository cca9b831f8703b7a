//! `QuorumTruth`: an answer names distinct nodes that have really answered, and as many as the request asked for.
//!
//! For a put each of them holds durably, at the moment of the answer, a state that has the write or has seen it. For a
//! get each of them was asked after the get began, what it answered is in the result, and nothing else is.

use std::collections::BTreeMap;

use cartwheel_core::id::{CallId, NodeId, OpId, RequestId};
use cartwheel_core::version::{Dot, Siblings};
use cartwheel_core::{Answer, ClientOp, ClientRequest, Key, Quorum, ReadOptions};

use super::durable::{Claim, covers, has_seen};
use super::losses::Losses;
use super::sent::Sent;
use super::{Findings, Promise, Scene, seconds};
use crate::lookup::Lookup;
use crate::workload::Truth;

/// What a put asked for.
#[derive(Clone, Debug)]
struct Want {
    at_ns: u64,
    request: RequestId,
    key: Key,
    needs: Numbers,
}

/// What an answer to a put is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched<'a> {
    pub scene: &'a Scene<'a>,
    pub losses: &'a Losses,
    pub sent: &'a Sent,
}

/// A put that was answered with success.
#[derive(Clone, Debug)]
pub struct Acked {
    pub key: Key,
    pub request: RequestId,
    /// When its coordinator, or the node that sent it on, was asked.
    pub since_ns: u64,
}

/// How many nodes, and how many homes among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// In all.
    pub total: usize,
    /// Homes.
    pub homes: usize,
    /// Whether stand-ins count.
    pub sloppy: bool,
}

/// A get under way.
#[derive(Debug)]
struct OpenGet {
    at_ns: u64,
    key: Key,
    needs: Numbers,
    notfound_ok: bool,
    answers: Vec<(NodeId, Siblings)>,
}

/// Who has told whom what.
#[derive(Debug)]
pub struct Quorums {
    n: u8,
    r: Quorum,
    w: Quorum,
    puts: BTreeMap<(NodeId, CallId), Want>,
    /// When each put was asked for first: one that is asked for again may join what is under way since then.
    first_asked: Lookup<RequestId, u64>,
    /// By who forwarded.
    forwards: Lookup<(NodeId, OpId), Want>,
    /// What coordinators have answered, so that it may be passed on and repeated.
    answered: Lookup<RequestId, Vec<(Dot, Vec<NodeId>)>>,
    gets: BTreeMap<(NodeId, CallId), OpenGet>,
}

impl Quorums {
    /// Of a cluster.
    pub fn new(n: u8, r: Quorum, w: Quorum) -> Self {
        Self {
            n,
            r,
            w,
            puts: BTreeMap::new(),
            first_asked: Lookup::default(),
            forwards: Lookup::default(),
            answered: Lookup::default(),
            gets: BTreeMap::new(),
        }
    }

    /// A client asks `node`.
    pub fn asked(&mut self, at_ns: u64, node: NodeId, request: &ClientRequest) {
        let key = request.key.clone();
        match &request.op {
            ClientOp::Put { options, .. } | ClientOp::Update { options, .. } => {
                let needs = self.numbers(options.w, self.w, options.pw, options.sloppy);
                self.first_asked.get_or_insert_with(request.request, || at_ns);
                self.puts.insert((node, request.call), Want { at_ns, request: request.request, key, needs });
            }
            ClientOp::Get(options) => {
                let ReadOptions { r, pr, sloppy, notfound_ok, .. } = *options;
                let needs = self.numbers(r, self.r, pr, sloppy);
                let notfound_ok = notfound_ok.unwrap_or(true);
                let get = OpenGet { at_ns, key, needs, notfound_ok, answers: Vec::new() };
                self.gets.insert((node, request.call), get);
            }
        }
    }

    fn numbers(&self, quorum: Quorum, default: Quorum, homes: Option<Quorum>, sloppy: bool) -> Numbers {
        let resolve =
            |quorum: Quorum, default| quorum.resolve(default, self.n).map_or(usize::MAX, usize::from);
        let homes = homes.map_or(0, |homes| resolve(homes, Quorum::Majority));
        Numbers { total: resolve(quorum, default), homes, sloppy }
    }

    /// `node` sends a put on, as operation `op`.
    pub fn forwarded(
        &mut self,
        at_ns: u64,
        (node, op): (NodeId, OpId),
        request: RequestId,
        key: &Key,
        needs: Numbers,
    ) {
        let want = || Want { at_ns, request, key: key.clone(), needs };
        self.forwards.get_or_insert_with((node, op), want);
    }

    /// `node` hears from `from`, or from its own disk, what it holds of `key`; it asked at `asked_ns`.
    pub fn shown(&mut self, node: NodeId, from: NodeId, asked_ns: u64, key: &Key, held: &Siblings) {
        let calls = (node, CallId(0))..=(node, CallId(u64::MAX));
        for (_, get) in self.gets.range_mut(calls) {
            if get.at_ns <= asked_ns && get.key == *key {
                get.answers.push((from, held.clone()));
            }
        }
    }

    /// `node` answers a client's put. What was acknowledged, where this answer is new.
    pub fn put_answered(
        &mut self,
        watched: Watched<'_>,
        (node, call): (NodeId, CallId),
        answer: Option<&Answer>,
        findings: &mut Findings,
    ) -> Option<Acked> {
        let want = self.puts.remove(&(node, call))?;
        self.judge_put(watched, node, want, answer?, findings)
    }

    /// `node` answers the put that `to` had sent on as `op`.
    pub fn forward_answered(
        &mut self,
        watched: Watched<'_>,
        node: NodeId,
        (to, op): (NodeId, OpId),
        answer: &Answer,
        findings: &mut Findings,
    ) -> Option<Acked> {
        let want = self.forwards.get(&(to, op))?.clone();
        self.judge_put(watched, node, want, answer, findings)
    }

    fn judge_put(
        &mut self,
        Watched { scene, losses, sent }: Watched<'_>,
        node: NodeId,
        want: Want,
        answer: &Answer,
        findings: &mut Findings,
    ) -> Option<Acked> {
        let Want { at_ns, request, key, needs } = want;
        let at_ns = self.first_asked.get(&request).copied().unwrap_or(at_ns);
        let dot = answer.dot?;
        let earlier = self.answered.get_or_insert_with(request, Vec::new);
        if earlier.iter().any(|(first, by)| (*first, by) == (dot, &answer.by)) {
            return None;
        }
        earlier.push((dot, answer.by.clone()));
        // Whole states travel: whoever holds the write holds all that its coordinator held beside it.
        let state = &answer.siblings;
        let has_told = |by| sent.has_told(at_ns, node, by, &key, state);
        let homes = scene.homes(&key);
        let problem = numbers_problem(needs, homes, &answer.by)
            .or_else(|| unknown_problem(scene.truth, request, dot, state))
            .or_else(|| {
                answer.by.iter().find_map(|&by| {
                    let claim = Claim { node: by, key: &key, state, since_ns: at_ns };
                    if by != node && !has_told(by) {
                        Some(format!("{by} has not told {node} that it holds it"))
                    } else if !claim.holds(scene, losses) {
                        Some(format!("{by} does not hold it durably"))
                    } else {
                        None
                    }
                })
            });
        if let Some(problem) = problem {
            findings
                .add(Promise::QuorumTruth, || sentence(scene.at_ns, node, &key, Some(dot), answer, &problem));
        }
        Some(Acked { key, request, since_ns: at_ns })
    }

    /// `node` answers a client's get.
    pub fn get_answered(
        &mut self,
        scene: &Scene<'_>,
        (node, call): (NodeId, CallId),
        answer: Option<&Answer>,
        findings: &mut Findings,
    ) {
        let Some(get) = self.gets.remove(&(node, call)) else { return };
        let Some(answer) = answer else { return };
        if let Some(problem) = get_problem(scene.truth, &get, scene.homes(&get.key), answer) {
            findings
                .add(Promise::QuorumTruth, || sentence(scene.at_ns, node, &get.key, None, answer, &problem));
        }
    }

    /// `node` crashed: nobody is answered any more.
    pub fn crashed(&mut self, node: NodeId) {
        self.puts.retain(|(at, _), _| *at != node);
        self.gets.retain(|(at, _), _| *at != node);
    }
}

fn sentence(at_ns: u64, node: NodeId, key: &Key, dot: Option<Dot>, answer: &Answer, problem: &str) -> String {
    let what = dot.map_or_else(|| "a read".to_string(), |dot| format!("{dot}"));
    let by: Vec<String> = answer.by.iter().map(ToString::to_string).collect();
    format!("{node} answered {what} of {key} at {} by {}, but {problem}", seconds(at_ns), by.join("+"))
}

/// What is wrong with the number of nodes, and with their roles.
fn numbers_problem(needs: Numbers, homes: &[NodeId], by: &[NodeId]) -> Option<String> {
    let repeated = by.iter().enumerate().find(|(at, node)| by[..*at].contains(node));
    let at_homes = by.iter().filter(|node| homes.contains(node)).count();
    if let Some((_, node)) = repeated {
        Some(format!("{node} is named twice"))
    } else if by.len() < needs.total {
        Some(format!("{} of {} nodes are named", by.len(), needs.total))
    } else if at_homes < needs.homes {
        Some(format!("{at_homes} of {} homes are named", needs.homes))
    } else if !needs.sloppy && at_homes < by.len() {
        Some("a node is named that is no home".into())
    } else {
        None
    }
}

/// An answer's state has the write, or something that has seen it.
fn unknown_problem(truth: &Truth, request: RequestId, dot: Dot, state: &Siblings) -> Option<String> {
    let has = has_seen(state, dot);
    let place = truth.of_request(request).and_then(|write| truth.place(write));
    let knows = || place.is_some_and(|place| truth.known_to(truth.of_siblings(state)).contains(place));
    (!has && !knows()).then(|| "the state in the answer does not know of it".into())
}

fn get_problem(truth: &Truth, get: &OpenGet, homes: &[NodeId], answer: &Answer) -> Option<String> {
    let OpenGet { needs, notfound_ok, answers, .. } = get;
    // Without `notfound_ok` nothing at all is the last word of homes that hold nothing, whose number is not R.
    let is_last_word = !notfound_ok && answer.siblings.is_empty();
    let needs = if is_last_word { Numbers { total: 0, homes: 0, ..*needs } } else { *needs };
    let unbacked = |by: &&NodeId| {
        let counts_empty = *notfound_ok && homes.contains(by);
        !answers.iter().any(|(node, held)| {
            node == *by && (counts_empty || !held.is_empty()) && covers(truth, &answer.siblings, held)
        })
    };
    let is_known = |dot| answers.iter().any(|(_, held)| held.versions().iter().any(|held| held.dot == dot));
    let invented = || answer.siblings.versions().iter().find(|version| !is_known(version.dot));
    numbers_problem(needs, homes, &answer.by)
        .or_else(|| {
            let by = answer.by.iter().find(unbacked)?;
            Some(format!("{by} has not answered with anything that is in the result"))
        })
        .or_else(|| Some(format!("nobody has shown it {}", invented()?.dot)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{dot, key, siblings, version};

    const HOMES: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];

    fn numbers(total: usize, homes: usize, sloppy: bool) -> Numbers {
        Numbers { total, homes, sloppy }
    }

    fn problem(needs: Numbers, by: &[u64]) -> Option<String> {
        let by: Vec<NodeId> = by.iter().copied().map(NodeId).collect();
        numbers_problem(needs, &HOMES, &by)
    }

    #[test]
    fn distinct_nodes_and_homes_are_counted() {
        assert_eq!(problem(numbers(2, 0, true), &[1, 4]), None);
        assert_eq!(problem(numbers(2, 0, true), &[1, 1]).unwrap(), "n1 is named twice");
        assert_eq!(problem(numbers(2, 0, true), &[1]).unwrap(), "1 of 2 nodes are named");
        assert_eq!(problem(numbers(2, 2, true), &[1, 4]).unwrap(), "1 of 2 homes are named");
        assert_eq!(problem(numbers(2, 0, false), &[1, 4]).unwrap(), "a node is named that is no home");
    }

    fn get(notfound_ok: bool, answers: &[(u64, &Siblings)]) -> OpenGet {
        let answers = answers.iter().map(|(node, held)| (NodeId(*node), (*held).clone())).collect();
        OpenGet { at_ns: 0, key: key(), needs: numbers(2, 0, true), notfound_ok, answers }
    }

    fn read(get: &OpenGet, siblings: &Siblings, by: &[u64]) -> Option<String> {
        let by = by.iter().copied().map(NodeId).collect();
        get_problem(
            &Truth::default(),
            get,
            &HOMES,
            &Answer { siblings: siblings.clone(), seen: None, dot: None, by },
        )
    }

    #[test]
    fn a_read_names_nodes_whose_answers_are_in_it() {
        let (old, none) = (siblings(&[version(dot(1, 1), &[], 1)]), Siblings::default());
        let new = siblings(&[version(dot(1, 2), &[dot(1, 1)], 2)]);
        let both = get(true, &[(1, &old), (2, &new)]);
        assert_eq!(read(&both, &new, &[1, 2]), None);
        let hidden = "n2 has not answered with anything that is in the result";
        assert_eq!(read(&both, &old, &[1, 2]).unwrap(), hidden);
        assert_eq!(read(&get(true, &[(1, &new)]), &new, &[1, 2]).unwrap(), hidden);
        let invented = get(true, &[(1, &none), (2, &none)]);
        assert_eq!(read(&invented, &old, &[1, 2]).unwrap(), "nobody has shown it n1.1.1:1");
    }

    #[test]
    fn an_answer_knows_of_its_write() {
        let state = siblings(&[version(dot(1, 2), &[dot(1, 1)], 2)]);
        let problem = |dot| unknown_problem(&Truth::default(), RequestId(1), dot, &state);
        assert_eq!((problem(dot(1, 2)), problem(dot(1, 1))), (None, None));
        assert_eq!(problem(dot(2, 1)).unwrap(), "the state in the answer does not know of it");
    }

    #[test]
    fn nothing_from_a_stand_in_is_no_vote() {
        let (some, none) = (siblings(&[version(dot(1, 1), &[], 1)]), Siblings::default());
        let stand_in = get(true, &[(1, &some), (4, &none)]);
        assert!(read(&stand_in, &some, &[1, 4]).is_some());
        let home = get(true, &[(1, &some), (2, &none)]);
        assert_eq!(read(&home, &some, &[1, 2]), None);
        let strict = get(false, &[(1, &some), (2, &none)]);
        assert!(read(&strict, &some, &[1, 2]).is_some(), "notfound_ok is off");
        assert_eq!(read(&get(false, &[(1, &none)]), &none, &[]), None, "the last word");
    }
}
