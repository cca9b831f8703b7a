use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::convergence::diverged;
use crate::durability::lost;
use crate::history::{Copies, Copy, History, Operation, Outcome, WriteId};
use crate::supersession::{Superseded, false_siblings, refused_but_done, resurrected};

/// What the judge found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Writes that were acknowledged.
    pub acked_writes: u64,
    /// Those of them that are gone (`NoLostAck`).
    pub lost: Vec<Lost>,
    /// Keys whose replicas differ (`Converge`).
    pub diverged: Vec<Diverged>,
    /// Versions that came back: a sentence each (`NoResurrect`).
    pub resurrected: Vec<String>,
    /// Versions beside one whose writer had been shown them: a sentence each (`SiblingBound`).
    pub false_siblings: Vec<String>,
    /// How many such versions of either kind have an innocent explanation.
    pub explained: u64,
    /// Writes that are there although they were refused: a sentence each (`RefusedNotDone`).
    pub refused_but_done: Vec<String>,
}

/// What somebody knows who watched from inside; [`Insight::NONE`] where nobody did.
#[derive(Clone, Copy)]
pub struct Insight<'a> {
    /// How a lost write was dropped: the rest of a sentence, such as `was dropped at n3 at 2.40 s in favour of w19,
    /// whose clock was ahead`.
    pub cause: &'a dyn Fn(WriteId) -> Option<String>,
    /// Whether a superseded write may be shown again for a reason that loses nothing: a past that knew of it was pruned,
    /// or its request was done twice.
    pub may_return: &'a dyn Fn(WriteId) -> bool,
}

impl Insight<'_> {
    /// Nobody watched.
    pub const NONE: Insight<'static> = Insight { cause: &|_| None, may_return: &|_| false };
}

impl fmt::Debug for Insight<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Insight")
    }
}

/// An acknowledged write that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The write.
    pub write: Operation,
    /// What is there instead, with no knowledge of it.
    pub instead: BTreeSet<WriteId>,
    /// One sentence on how it was lost; names the write, and the cause where that is known.
    pub why: String,
}

/// A key whose replicas differ at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diverged {
    /// The key.
    pub key: String,
    /// What each replica shows.
    pub copies: Vec<Copy>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_green(&self) -> bool {
        self.lost.is_empty()
            && self.diverged.is_empty()
            && self.resurrected.is_empty()
            && self.false_siblings.is_empty()
            && self.refused_but_done.is_empty()
    }
}

/// Judges a run.
pub fn judge(history: &History, copies: &Copies, insight: &Insight) -> Verdict {
    let lost = lost(history, copies, insight.may_return)
        .into_iter()
        .map(|write| explained(write, copies, insight.cause));
    let (returned, may_return) = split(resurrected(history, copies), insight);
    let (beside, may_be_beside) = split(false_siblings(history, copies), insight);
    let say = |found: Superseded, how| superseded(history, found, how);
    Verdict {
        acked_writes: history.acked().count() as u64,
        lost: lost.collect(),
        diverged: diverged(copies),
        resurrected: returned.into_iter().map(|found| say(found, "is shown again")).collect(),
        false_siblings: beside.into_iter().map(|found| say(found, "is a sibling")).collect(),
        explained: may_return.union(&may_be_beside).count() as u64,
        refused_but_done: refused_but_done(history, copies).into_iter().map(refused).collect(),
    }
}

/// What has no innocent explanation, and the versions that have one.
fn split(found: Vec<Superseded>, insight: &Insight) -> (Vec<Superseded>, BTreeSet<WriteId>) {
    let (innocent, guilty): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|found| (insight.may_return)(found.old));
    (guilty, innocent.into_iter().map(|found| found.old).collect())
}

fn superseded(history: &History, Superseded { old, by }: Superseded, how: &str) -> String {
    let Some(writer) = history.write(by) else { return format!("{old} {how} beside {by}") };
    let told = match writer.outcome {
        Outcome::Acked => format!("acknowledged at {}", seconds(writer.ended_ns)),
        Outcome::Refused | Outcome::Unknown => "never acknowledged".into(),
    };
    let Operation { key, client, what, .. } = writer;
    format!("{old} of {key} {how}, although {by} of client c{client} ({what}), {told}, had been shown it")
}

fn refused(write: &Operation) -> String {
    let Operation { id, client, what, key, .. } = write;
    format!(
        "{id} of client c{client} ({what} in {key}) is there, although it was refused at {}",
        seconds(write.ended_ns)
    )
}

fn explained(write: &Operation, copies: &Copies, cause: &dyn Fn(WriteId) -> Option<String>) -> Lost {
    let copies = copies.get(&write.key).map_or(&[][..], Vec::as_slice);
    let instead: BTreeSet<WriteId> = copies.iter().flat_map(|copy| copy.versions.iter().copied()).collect();
    let cause = cause(write.id).unwrap_or_else(|| {
        let names: Vec<String> = instead.iter().map(ToString::to_string).collect();
        format!(
            "is gone; no replica holds it or anything written in its knowledge (held: [{}])",
            names.join(", ")
        )
    });
    let by =
        if write.acked_by.is_empty() { String::new() } else { format!(" by {}", write.acked_by.join("+")) };
    let why = format!(
        "{} of client c{} ({} in {}), acknowledged at {}{by}, {cause}",
        write.id,
        write.client,
        write.what,
        write.key,
        seconds(write.ended_ns)
    );
    Lost { write: write.clone(), instead, why }
}

/// Nanoseconds as `12.345 s`, without floats.
pub(crate) fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(id: u64, seen: &[u64], outcome: Outcome) -> Operation {
        Operation {
            id: WriteId(id),
            client: 1,
            key: "cart".into(),
            seen: seen.iter().copied().map(WriteId).collect(),
            deletes: false,
            what: format!("adds item {id}"),
            outcome,
            ended_ns: id * 1_000_000,
            acked_by: vec!["n1".into(), "n2".into()],
        }
    }

    fn history(writes: &[Operation]) -> History {
        let mut history = History::default();
        for write in writes {
            history.record(write.clone());
        }
        history
    }

    fn copies(held: &[&[u64]]) -> Copies {
        let copy = |(i, ids): (usize, &&[u64])| Copy {
            node: format!("n{}", i + 1),
            versions: ids.iter().copied().map(WriteId).collect(),
        };
        [("cart".to_string(), held.iter().enumerate().map(copy).collect())].into()
    }

    #[test]
    fn a_write_is_kept_by_itself_or_by_what_was_written_in_its_knowledge() {
        let history = history(&[
            write(1, &[], Outcome::Acked),
            write(2, &[1], Outcome::Unknown),
            write(3, &[2], Outcome::Acked),
            write(4, &[], Outcome::Acked),
        ]);
        assert!(judge(&history, &copies(&[&[3, 4], &[3, 4]]), &Insight::NONE).is_green());
    }

    #[test]
    fn an_acknowledged_write_that_nothing_accounts_for_is_lost_and_named() {
        let history = history(&[write(1, &[], Outcome::Acked), write(2, &[], Outcome::Acked)]);
        let verdict = judge(
            &history,
            &copies(&[&[2], &[2]]),
            &Insight { cause: &|_| Some("was dropped at n3".into()), ..Insight::NONE },
        );
        assert_eq!(verdict.acked_writes, 2);
        assert_eq!(verdict.lost.len(), 1);
        assert_eq!(
            verdict.lost[0].why,
            "w1 of client c1 (adds item 1 in cart), acknowledged at 0.001 s by n1+n2, was dropped at n3"
        );
        assert_eq!(verdict.lost[0].instead, [WriteId(2)].into());
    }

    #[test]
    fn unacknowledged_writes_may_go_either_way() {
        let history = history(&[write(1, &[], Outcome::Unknown), write(2, &[], Outcome::Unknown)]);
        assert!(judge(&history, &copies(&[&[], &[]]), &Insight::NONE).is_green());
        let kept = judge(&history, &copies(&[&[1], &[1]]), &Insight::NONE);
        assert!(kept.lost.is_empty() && kept.resurrected.is_empty());
    }

    #[test]
    fn a_key_that_nobody_holds_is_lost() {
        let history = history(&[write(1, &[], Outcome::Acked)]);
        assert_eq!(judge(&history, &Copies::new(), &Insight::NONE).lost.len(), 1);
    }

    #[test]
    fn replicas_that_differ_have_not_converged() {
        let history = history(&[write(1, &[], Outcome::Acked), write(2, &[1], Outcome::Acked)]);
        let verdict = judge(&history, &copies(&[&[2], &[1]]), &Insight::NONE);
        assert!(verdict.lost.is_empty());
        assert_eq!(verdict.diverged.len(), 1);
    }

    fn delete(id: u64, seen: &[u64], outcome: Outcome) -> Operation {
        Operation { deletes: true, what: "deletes the cart".into(), ..write(id, seen, outcome) }
    }

    #[test]
    fn a_delete_may_vanish_when_nothing_that_it_had_seen_is_left() {
        let acked = Outcome::Acked;
        let history = history(&[write(1, &[], acked), write(2, &[1], acked), delete(3, &[2], acked)]);
        let judged = |held: &[&[u64]]| judge(&history, &copies(held), &Insight::NONE);
        assert!(judged(&[&[3], &[3]]).is_green());
        assert!(judged(&[&[], &[]]).is_green(), "a reaped tombstone takes what it had seen with it");
        let back = judged(&[&[1], &[1]]);
        let lost: Vec<WriteId> = back.lost.iter().map(|lost| lost.write.id).collect();
        assert_eq!(lost, [WriteId(2), WriteId(3)], "the delete is undone, and the write before it is gone");
        assert_eq!(
            back.resurrected,
            [
                "w1 of cart is shown again, although w2 of client c1 (adds item 2), acknowledged at 0.002 s, had been shown it"
            ]
        );
    }

    #[test]
    fn what_may_return_does_not_undo_a_delete_that_vanished() {
        let acked = Outcome::Acked;
        let history = history(&[write(1, &[], acked), write(2, &[1], acked), delete(3, &[2], acked)]);
        let done_twice = Insight { may_return: &|id| id == WriteId(1), ..Insight::NONE };
        let judged = |held: &[&[u64]]| judge(&history, &copies(held), &done_twice);
        assert!(judged(&[&[1], &[1]]).is_green());
        assert_eq!(judged(&[&[2], &[2]]).lost.len(), 1, "w2 came back, and nothing explains that");
    }

    #[test]
    fn a_delete_holds_down_only_what_it_had_seen() {
        let acked = Outcome::Acked;
        let beside = history(&[write(1, &[], acked), write(2, &[], acked), delete(3, &[1], acked)]);
        assert!(judge(&beside, &copies(&[&[2], &[2]]), &Insight::NONE).is_green());
        assert_eq!(judge(&beside, &copies(&[&[], &[]]), &Insight::NONE).lost.len(), 1, "w2 was beside it");
        let refused = history(&[write(1, &[], acked), delete(2, &[1], Outcome::Refused)]);
        assert_eq!(judge(&refused, &copies(&[&[], &[]]), &Insight::NONE).lost.len(), 1);
    }

    #[test]
    fn siblings_of_which_one_had_seen_the_other_are_false_unless_that_is_explained() {
        let history = history(&[
            write(1, &[], Outcome::Acked),
            write(2, &[1], Outcome::Unknown),
            write(3, &[2], Outcome::Unknown),
        ]);
        let copies = copies(&[&[1, 3], &[1, 3]]);
        let verdict = judge(&history, &copies, &Insight::NONE);
        assert_eq!(verdict.resurrected, [] as [&str; 0], "nothing acknowledged had seen it");
        assert_eq!(
            verdict.false_siblings,
            [
                "w1 of cart is a sibling, although w3 of client c1 (adds item 3), never acknowledged, had been shown it"
            ]
        );
        let pruned =
            judge(&history, &copies, &Insight { may_return: &|id| id == WriteId(1), ..Insight::NONE });
        assert!(pruned.is_green());
        assert_eq!(pruned.explained, 1);
    }

    #[test]
    fn what_was_refused_was_not_done() {
        let history = history(&[write(1, &[], Outcome::Refused)]);
        assert_eq!(
            judge(&history, &copies(&[&[1], &[1]]), &Insight::NONE).refused_but_done,
            ["w1 of client c1 (adds item 1 in cart) is there, although it was refused at 0.001 s"]
        );
    }
}
