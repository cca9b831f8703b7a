//! How many client requests a node takes on at once, and which it has done before.

use alloc::collections::{BTreeMap, VecDeque};

use crate::boundary::Answer;
use crate::id::{OpId, RequestId};

/// What is known of a put's request id.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// It is being coordinated.
    Running(OpId),
    /// It was done.
    Done(Answer),
}

/// Remembers puts by request id: all that run, and the last `request_memory_max` that succeeded.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    known: BTreeMap<RequestId, Known>,
    done: VecDeque<RequestId>,
}

impl Admission {
    pub fn known(&self, request: RequestId) -> Option<&Known> {
        self.known.get(&request)
    }

    pub fn started(&mut self, request: RequestId, op: OpId) {
        self.known.insert(request, Known::Running(op));
    }

    pub fn succeeded(&mut self, request: RequestId, answer: Answer, memory_max: u32) {
        self.known.insert(request, Known::Done(answer));
        self.done.push_back(request);
        while self.done.len() > memory_max as usize {
            if let Some(oldest) = self.done.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    /// A put that did not succeed may be tried again.
    pub fn ended(&mut self, request: RequestId) {
        if let Some(Known::Running(_)) = self.known.get(&request) {
            self.known.remove(&request);
        }
    }
}
