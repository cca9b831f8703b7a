//! How many client requests a node takes on at once, and which it has done before.

use alloc::collections::{BTreeMap, VecDeque};

use crate::boundary::Answer;
use crate::id::{OpId, RequestId};
use crate::version::Dot;

/// What is known of a put's request id.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// It is being coordinated.
    Running(OpId),
    /// It was done, and too few nodes said so in time: a repetition spreads it again, under the same dot.
    Tried(Dot),
    /// It was done.
    Done(Answer),
}

/// Remembers puts by request id: all that run, and the last `request_memory_max` that ended and left something.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    known: BTreeMap<RequestId, Entry>,
    ended: VecDeque<(u64, RequestId)>,
    entries: u64,
}

#[derive(Debug)]
struct Entry {
    /// Which entry of its request this is: an older one in the queue of those that ended means nothing any more.
    number: u64,
    known: Known,
}

impl Admission {
    pub fn known(&self, request: RequestId) -> Option<&Known> {
        self.known.get(&request).map(|entry| &entry.known)
    }

    pub fn started(&mut self, request: RequestId, op: OpId) {
        self.note(request, Known::Running(op));
    }

    pub fn succeeded(&mut self, request: RequestId, answer: Answer, memory_max: u32) {
        self.remember(request, Known::Done(answer), memory_max);
    }

    /// A put has ended. One that did not succeed may be tried again; `dot` is what it made, if anything.
    pub fn ended(&mut self, request: RequestId, dot: Option<Dot>, memory_max: u32) {
        if let Some(Known::Running(_)) = self.known(request) {
            match dot {
                Some(dot) => self.remember(request, Known::Tried(dot), memory_max),
                None => _ = self.known.remove(&request),
            }
        }
    }

    fn note(&mut self, request: RequestId, known: Known) {
        self.entries += 1;
        self.known.insert(request, Entry { number: self.entries, known });
    }

    fn remember(&mut self, request: RequestId, known: Known, memory_max: u32) {
        self.note(request, known);
        self.ended.push_back((self.entries, request));
        while self.ended.len() > memory_max as usize {
            let Some((number, oldest)) = self.ended.pop_front() else { return };
            if self.known.get(&oldest).is_some_and(|entry| entry.number == number) {
                self.known.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{NodeId, StoreId};
    use crate::version::Actor;

    const DOT: Dot =
        Dot { actor: Actor { node: NodeId(1), store: StoreId(1), boot: 1, mint: 1 }, counter: 1 };

    #[test]
    fn only_so_many_are_remembered_and_one_that_runs_again_is_not_forgotten() {
        let mut admission = Admission::default();
        for request in 1..=3 {
            admission.started(RequestId(request), OpId(1));
            admission.ended(RequestId(request), Some(DOT), 2);
        }
        assert!(admission.known(RequestId(1)).is_none());
        assert!(matches!(admission.known(RequestId(2)), Some(Known::Tried(DOT))));
        admission.started(RequestId(2), OpId(2));
        admission.started(RequestId(4), OpId(3));
        admission.ended(RequestId(4), Some(DOT), 2);
        assert!(matches!(admission.known(RequestId(2)), Some(Known::Running(OpId(2)))));
    }

    #[test]
    fn what_left_nothing_is_forgotten() {
        let mut admission = Admission::default();
        admission.started(RequestId(1), OpId(1));
        admission.ended(RequestId(1), None, 2);
        assert!(admission.known(RequestId(1)).is_none());
    }
}
