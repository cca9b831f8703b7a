//! How many client requests a node takes on at once, and which it has done before.

use alloc::collections::{BTreeMap, VecDeque};

use crate::boundary::Answer;
use crate::id::{OpId, RequestId};
use crate::key::Key;
use crate::version::{Dot, Value, Version};

/// The most that answers which are kept to be repeated may take together, in bytes. Of older ones the dots are kept: whoever
/// repeats their requests waits for W nodes again.
const ANSWERS_BYTES_MAX: u64 = 16 << 20;

/// What a version takes beside its value and its past, and what a dot takes, in bytes: about, and the same on every machine.
const VERSION_BYTES: u64 = 128;
const DOT_BYTES: u64 = 40;

/// A put by name. Clients draw their ids by themselves: one that uses an id again, for another key, wants something else.
type Name = (RequestId, Key);

/// What is known of a put's request id.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// It is being coordinated.
    Running(OpId),
    /// It was done, and too few nodes said so in time: a repetition spreads it again, under the same dot.
    Tried(Dot),
    /// It was done. Where what was answered is not kept a repetition spreads it again, too.
    Done { dot: Dot, answer: Option<Answer> },
}

/// Remembers puts by name: all that run, and the last `request_memory_max` that ended and left something.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    known: BTreeMap<Name, Entry>,
    ended: VecDeque<(u64, Name)>,
    /// Of so many at the front of `ended` no answer is kept any more.
    reduced: usize,
    /// What the answers that are kept take.
    answers_bytes: u64,
    entries: u64,
}

#[derive(Debug)]
struct Entry {
    /// Which entry of its request this is: an older one in the queue of those that ended means nothing any more.
    number: u64,
    known: Known,
}

impl Admission {
    pub fn known(&self, request: RequestId, key: &Key) -> Option<&Known> {
        self.known.get(&(request, key.clone())).map(|entry| &entry.known)
    }

    pub fn started(&mut self, request: RequestId, key: &Key, op: OpId) {
        self.note((request, key.clone()), Known::Running(op));
    }

    pub fn succeeded(&mut self, request: RequestId, key: &Key, dot: Dot, answer: Answer, memory_max: u32) {
        let is_kept = bytes_of(&answer).is_some_and(|bytes| bytes <= ANSWERS_BYTES_MAX);
        let known = Known::Done { dot, answer: is_kept.then_some(answer) };
        self.remember((request, key.clone()), known, memory_max);
    }

    /// `op` has ended. One that did not succeed may be tried again; `dot` is what it made, if anything.
    pub fn ended(&mut self, request: RequestId, key: &Key, op: OpId, dot: Option<Dot>, memory_max: u32) {
        if matches!(self.known(request, key), Some(Known::Running(running)) if *running == op) {
            let name = (request, key.clone());
            match dot {
                Some(dot) => self.remember(name, Known::Tried(dot), memory_max),
                None => self.forget(&name),
            }
        }
    }

    fn note(&mut self, name: Name, known: Known) {
        self.forget(&name);
        self.entries += 1;
        self.answers_bytes += known.answer_bytes();
        self.known.insert(name, Entry { number: self.entries, known });
    }

    fn forget(&mut self, name: &Name) {
        if let Some(entry) = self.known.remove(name) {
            self.answers_bytes -= entry.known.answer_bytes();
        }
    }

    fn remember(&mut self, name: Name, known: Known, memory_max: u32) {
        self.note(name.clone(), known);
        self.ended.push_back((self.entries, name));
        while self.ended.len() > memory_max as usize {
            let Some((number, oldest)) = self.ended.pop_front() else { return };
            self.reduced = self.reduced.saturating_sub(1);
            if self.known.get(&oldest).is_some_and(|entry| entry.number == number) {
                self.forget(&oldest);
            }
        }
        while self.answers_bytes > ANSWERS_BYTES_MAX {
            let Some((number, name)) = self.ended.get(self.reduced) else { return };
            self.reduced += 1;
            let entry = self.known.get_mut(name).filter(|entry| entry.number == *number);
            if let Some(Entry { known: Known::Done { answer, .. }, .. }) = entry
                && let Some(answer) = answer.take()
            {
                self.answers_bytes -= bytes_of(&answer).unwrap_or(0);
            }
        }
    }
}

impl Known {
    fn answer_bytes(&self) -> u64 {
        match self {
            Self::Running(_) | Self::Tried(_) => 0,
            Self::Done { answer, .. } => answer.as_ref().and_then(bytes_of).unwrap_or(0),
        }
    }
}

/// About what keeping `answer` takes. `None`: who knows? What a data type carries says little about what it takes, and each
/// change of it makes another copy.
fn bytes_of(answer: &Answer) -> Option<u64> {
    let dots = |version: &Version| version.past.entries().len() as u64;
    let bytes = |version: &Version| match &version.value {
        Value::Data(data) => Some(data.len() as u64),
        Value::Tombstone => Some(0),
        Value::DataType(_) => None,
    };
    let seen = answer.seen.as_ref().map_or(0, |seen| seen.0.entries().len() as u64);
    answer.siblings.versions().iter().try_fold(DOT_BYTES * seen, |sum, version| {
        Some(sum + bytes(version)? + VERSION_BYTES + DOT_BYTES * dots(version))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datatype::{DataType, Kind};
    use crate::id::{NodeId, StoreId};
    use crate::time::WallTime;
    use crate::version::{Actor, Policy, Siblings, VersionVector};
    use alloc::sync::Arc;
    use alloc::vec;

    const DOT: Dot =
        Dot { actor: Actor { node: NodeId(1), store: StoreId(1), boot: 1, mint: 1 }, counter: 1 };

    fn key() -> Key {
        Key::new(b"carts", b"alice")
    }

    fn known(admission: &Admission, request: u128) -> Option<&Known> {
        admission.known(RequestId(request), &key())
    }

    fn tried(admission: &mut Admission, request: u128, op: u64, memory_max: u32) {
        admission.started(RequestId(request), &key(), OpId(op));
        admission.ended(RequestId(request), &key(), OpId(op), Some(DOT), memory_max);
    }

    fn succeeded(admission: &mut Admission, request: u128, value: Value, memory_max: u32) {
        let (past, written_at) = (VersionVector::EMPTY, WallTime(0));
        let version = Version { dot: DOT, past, request: RequestId(request), written_at, value };
        let siblings = Siblings::from_versions(vec![version]);
        let answer = Answer::new(&siblings, Policy::KeepSiblings, Some(DOT), vec![NodeId(1)]);
        admission.started(RequestId(request), &key(), OpId(1));
        admission.succeeded(RequestId(request), &key(), DOT, answer, memory_max);
    }

    #[test]
    fn only_so_many_are_remembered_and_one_that_runs_again_is_not_forgotten() {
        let mut admission = Admission::default();
        for request in 1..=3 {
            tried(&mut admission, request, 1, 2);
        }
        assert!(known(&admission, 1).is_none());
        assert!(matches!(known(&admission, 2), Some(Known::Tried(DOT))));
        admission.started(RequestId(2), &key(), OpId(2));
        tried(&mut admission, 4, 3, 2);
        assert!(matches!(known(&admission, 2), Some(Known::Running(OpId(2)))));
        admission.ended(RequestId(2), &key(), OpId(1), Some(DOT), 2);
        assert!(matches!(known(&admission, 2), Some(Known::Running(OpId(2)))), "another try has ended");
    }

    #[test]
    fn what_left_nothing_is_forgotten() {
        let mut admission = Admission::default();
        admission.started(RequestId(1), &key(), OpId(1));
        admission.ended(RequestId(1), &key(), OpId(1), None, 2);
        assert!(known(&admission, 1).is_none());
    }

    #[test]
    fn the_same_id_for_another_key_is_another_request() {
        let mut admission = Admission::default();
        tried(&mut admission, 1, 1, 2);
        assert!(known(&admission, 1).is_some());
        assert!(admission.known(RequestId(1), &Key::new(b"carts", b"bob")).is_none());
    }

    #[test]
    fn answers_are_kept_within_a_bound_of_bytes_and_the_dots_of_older_ones_beyond_it() {
        const EACH: usize = 1 << 20;
        let mut admission = Admission::default();
        for request in 1..=100 {
            succeeded(&mut admission, request, Value::Data(vec![0; EACH].into()), 64);
        }
        let kept = (1..=100).filter(|request| {
            matches!(known(&admission, *request), Some(Known::Done { answer: Some(_), .. }))
        });
        assert!(kept.eq(86..=100), "15 of a MiB and a little");
        let reduced = (1..=100).filter(|request| {
            matches!(known(&admission, *request), Some(Known::Done { dot: DOT, answer: None }))
        });
        assert!(reduced.eq(37..=85));
        // Those that go because there are too many give room again.
        for request in 101..=200 {
            succeeded(&mut admission, request, Value::Tombstone, 64);
        }
        assert!(
            (137..=200).all(|request| matches!(
                known(&admission, request),
                Some(Known::Done { answer: Some(_), .. })
            ))
        );
        assert_eq!(admission.answers_bytes, 64 * VERSION_BYTES);
    }

    #[test]
    fn no_answer_is_kept_that_is_too_large_or_of_a_data_type() {
        let mut admission = Admission::default();
        succeeded(&mut admission, 1, Value::Tombstone, 64);
        let large = vec![0; usize::try_from(ANSWERS_BYTES_MAX).unwrap()];
        succeeded(&mut admission, 2, Value::Data(large.into()), 64);
        succeeded(&mut admission, 3, Value::DataType(Arc::new(DataType::new(Kind::Set))), 64);
        assert!(
            matches!(known(&admission, 1), Some(Known::Done { answer: Some(_), .. })),
            "and drives no other out"
        );
        assert!(matches!(known(&admission, 2), Some(Known::Done { dot: DOT, answer: None })));
        assert!(matches!(known(&admission, 3), Some(Known::Done { dot: DOT, answer: None })));
    }
}
