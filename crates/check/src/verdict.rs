use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::convergence::diverged;
use crate::durability::lost;
use crate::history::{Copies, Copy, History, Operation, WriteId};

/// What the judge found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Writes that were acknowledged.
    pub acked_writes: u64,
    /// Those of them that are gone (`NoLostAck`).
    pub lost: Vec<Lost>,
    /// Keys whose replicas differ (`Converge`).
    pub diverged: Vec<Diverged>,
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
        self.lost.is_empty() && self.diverged.is_empty()
    }
}

/// Judges a run. `cause` tells how a lost write was dropped, where somebody watched: the rest of a sentence, such as
/// `was dropped at n3 at 2.40 s in favour of w19, whose clock was ahead`.
pub fn judge(history: &History, copies: &Copies, cause: impl Fn(WriteId) -> Option<String>) -> Verdict {
    let lost = lost(history, copies).into_iter().map(|write| explained(write, copies, &cause)).collect();
    let acked_writes = history.acked().count() as u64;
    Verdict { acked_writes, lost, diverged: diverged(copies) }
}

fn explained(write: &Operation, copies: &Copies, cause: impl Fn(WriteId) -> Option<String>) -> Lost {
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
    use crate::history::Outcome;

    fn write(id: u64, seen: &[u64], outcome: Outcome) -> Operation {
        Operation {
            id: WriteId(id),
            client: 1,
            key: "cart".into(),
            seen: seen.iter().copied().map(WriteId).collect(),
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
        assert!(judge(&history, &copies(&[&[3, 4], &[3, 4]]), |_| None).is_green());
    }

    #[test]
    fn an_acknowledged_write_that_nothing_accounts_for_is_lost_and_named() {
        let history = history(&[write(1, &[], Outcome::Acked), write(2, &[], Outcome::Acked)]);
        let verdict = judge(&history, &copies(&[&[2], &[2]]), |_| Some("was dropped at n3".into()));
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
        let history = history(&[write(1, &[], Outcome::Unknown), write(2, &[], Outcome::Refused)]);
        assert!(judge(&history, &copies(&[&[], &[]]), |_| None).is_green());
        assert!(judge(&history, &copies(&[&[1], &[1]]), |_| None).is_green());
    }

    #[test]
    fn a_key_that_nobody_holds_is_lost() {
        let history = history(&[write(1, &[], Outcome::Acked)]);
        assert_eq!(judge(&history, &Copies::new(), |_| None).lost.len(), 1);
    }

    #[test]
    fn replicas_that_differ_have_not_converged() {
        let history = history(&[write(1, &[], Outcome::Acked), write(2, &[1], Outcome::Acked)]);
        let verdict = judge(&history, &copies(&[&[2], &[1]]), |_| None);
        assert!(verdict.lost.is_empty());
        assert_eq!(verdict.diverged.len(), 1);
    }
}
